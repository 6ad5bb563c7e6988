"""A host in healthd's care: what an operator does on it, what breaks on it, and what healthd says about it."""

from __future__ import annotations

import itertools
import json
import subprocess
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.system.units import service

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tools.throwaway import Machine

    Record = Mapping[str, str]

QUICK = """
[health]
max_healing_attempts = 3
[auto_healing]
backoff_seconds = 0.2
backoff_max_seconds = 1
settle_seconds = 0.2
verify_seconds = 10
host_budget_actions = 0
cascade_units = 0
"""
"""Settings under which many tests share a host without waiting for each other's budgets."""

_NUMBERS: Iterator[int] = itertools.count(1)


def when(record: Record) -> float:
    """When this was sent to the journal, in Unix seconds; on a busy machine the journal itself may be behind."""
    return int(record["_SOURCE_REALTIME_TIMESTAMP"]) / 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Ward:
    """A running host. Names of units are given without their type where they are services."""

    host: Machine

    # What an operator does

    def configure(self, settings: str, *, name: str = "50-test") -> None:
        """Puts a drop-in in place (or takes it away, with no settings) and reloads healthd."""
        path = f"/etc/healthd/conf.d/{name}.toml"
        if settings:
            self.host.write(path, settings)
        else:
            self.host.run(["rm", "-f", path])
        reloaded = self.host.run(["systemctl", "reload", "healthd"], check=False)
        assert reloaded.returncode == 0, self.host.sh("journalctl --no-pager --lines=40")

    @contextmanager
    def under(self, settings: str, *, name: str = "60-for-a-while") -> Iterator[None]:
        """Has healthd run under these settings for a while; those in files of later names are stronger."""
        self.configure(settings, name=name)
        try:
            yield
        finally:
            self.configure("", name=name)

    def add(
        self,
        unit_file: str = "",
        *,
        enable: bool = True,
        start: bool = True,
        name: str = "",
        directory: str = "/etc/systemd/system",
    ) -> str:
        """Makes a unit under a name that no other has, and gives its full name."""
        unit = name or f"demo-{next(_NUMBERS)}.service"
        self.host.write(f"{directory}/{unit}", unit_file or service())
        words = ["systemctl daemon-reload"]
        words += [f"systemctl enable --quiet {unit}"] if enable else []
        words += [f"systemctl start {unit}"] if start else []
        self.host.sh(" && ".join(words))
        return unit

    def discard(self, unit: str) -> None:
        """Takes a unit out of healthd's sight."""
        self.host.sh(f"systemctl disable --quiet --now {unit}; systemctl reset-failed {unit}", check=False)

    def try_start(self, unit: str) -> None:
        """Starts a unit of which the start may fail."""
        self.host.run(["systemctl", "start", unit], check=False)

    def healthctl(self, *arguments: str, user: str = "root") -> subprocess.CompletedProcess[str]:
        """Runs healthctl to its end, whatever it ends with."""
        return self.host.run(["healthctl", *arguments], check=False, user=user)

    def ask(self, *arguments: str, user: str = "root") -> Any:
        """What healthctl answers with --json."""
        return json.loads(self.healthctl(*arguments, "--json", user=user).stdout)

    # What breaks

    def kill(self, unit: str, signal: str = "KILL") -> None:
        """Sends a signal to the main process of each of these units, from outside of systemd.

        One that has none is an error: its MainPID is 0, which to `kill` is the group of whoever calls it.
        """
        self.host.sh(
            f"pids=$(systemctl show --property=MainPID --value {unit} | grep .)\n"
            f'if echo "$pids" | grep --quiet --line-regexp 0; then echo "no main process: {unit}" >&2; exit 1; fi\n'
            f"kill -{signal} $pids"
        )

    def tell(self, unit: str, script: str) -> None:
        """Has an obedient service run this."""
        self.host.sh(f"timeout 10 sh -c 'cat > /run/{unit.removesuffix('.service')}.fifo' <<'END'\n{script}\nEND")

    # What is seen

    def await_event(self, cursor: str, event: str, unit: str = "", *, seconds: float = 30, **fields: object) -> Record:
        """The first record of this event after `cursor`. `fields` are healthd's, by their names in small letters."""
        wanted = {f"HEALTHD_{name.upper()}": value for name, value in fields.items()} | {"HEALTHD_EVENT": event}
        if unit:
            wanted["HEALTHD_UNIT"] = unit
        return self.host.await_record(cursor, *(f"{name}={value}" for name, value in wanted.items()), seconds=seconds)

    def await_each(self, cursor: str, event: str, units: Iterable[str], *, seconds: float) -> None:
        """Waits until this was recorded of every one of these units."""
        missing = set(units)
        with closing(self.host.follow(cursor, seconds=seconds)) as records:
            for record in records:
                if record.get("HEALTHD_EVENT") == event:
                    missing.discard(record.get("HEALTHD_UNIT", ""))
                if not missing:
                    return
        pytest.fail(f"no {event} of {len(missing)} units within {seconds:g} s, {min(missing)} among them")

    def await_healed(self, cursor: str, unit: str, *, seconds: float = 30) -> Record:
        """The record which says that the unit's issue is over."""
        return self.await_event(cursor, "issue_resolved", unit, seconds=seconds)

    def records(self, cursor: str) -> list[Record]:
        """The journal after `cursor`, over reboots too, all of it: journalctl 252 loses a record if it is to choose."""
        done = self.host.run(["journalctl", "--no-pager", "--quiet", "--output=json", f"--after-cursor={cursor}"])
        return [json.loads(line) for line in done.stdout.splitlines()]

    def story(self, cursor: str, unit: str = "") -> list[Record]:
        """What healthd recorded after `cursor` (about one unit), in order."""
        return [
            each for each in self.records(cursor) if "HEALTHD_EVENT" in each and unit in ("", each.get("HEALTHD_UNIT"))
        ]

    def events(self, cursor: str, unit: str) -> list[str]:
        """The names of the events of one unit after `cursor`, in order."""
        return [record["HEALTHD_EVENT"] for record in self.story(cursor, unit)]

    def starts(self, cursor: str, unit: str) -> int:
        """How many jobs of systemd brought the unit up, or tried to, after `cursor`."""
        jobs = [each for each in self.records(cursor) if each.get("_PID") == "1" and each.get("UNIT") == unit]
        return len({each["JOB_ID"] for each in jobs if each.get("JOB_TYPE") in ("start", "restart")})

    def invocation(self, unit: str) -> str:
        """Names the unit's run."""
        return self.host.show(unit, "InvocationID")["InvocationID"]

    def issue(self, unit: str) -> dict[str, Any]:
        """The unit's one open issue; empty if there is none."""
        found = [issue for issue in self.ask("issues") if issue["item"] == unit]
        assert len(found) < 2, found
        return found[0] if found else {}

    def look(self) -> None:
        """Has healthd judge everything once more, so that what it was going to do by now has been decided."""
        self.host.run(["healthctl", "check"], check=False)
