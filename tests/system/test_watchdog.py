"""A healthd that does not turn any more is killed by systemd, is back soon, and goes on with its work."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.system.conftest import running
from tests.system.ward import Ward

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tools.throwaway import Host, Release

WATCHDOG_SECONDS = 12
"""Above the 10 s between two signs of life, and short, so that the tests are."""

HIJACK = Path(__file__).with_name("hijack.py").read_text()


@dataclass(frozen=True, slots=True, kw_only=True)
class Victim:
    """A host whose healthd is stuck since `at` (Unix seconds), and a unit that failed meanwhile."""

    ward: Ward
    unit: str
    cursor: str
    before: dict[str, str]
    at: float


def stop(ward: Ward, pid: str) -> None:
    ward.host.run(["kill", "-STOP", pid])


def spin(ward: Ward, pid: str) -> None:
    ward.host.python(HIJACK, pid, "spin")


def lock(ward: Ward, pid: str) -> None:
    ward.host.python(HIJACK, pid, "lock")


FAULTS: Sequence[Callable[[Ward, str], None]] = (stop, spin, lock)


@pytest.fixture(scope="module")
def victims(release: Release, deb: Path) -> Iterator[dict[str, Victim]]:
    """A victim of each fault, all at the same time: the wait is long."""
    with ExitStack() as hosts:
        yield {fault.__name__: stuck(hosts.enter_context(running(release, deb)), fault) for fault in FAULTS}


def stuck(host: Host, fault: Callable[[Ward, str], None]) -> Victim:
    host.write("/etc/systemd/system/healthd.service.d/watchdog.conf", f"[Service]\nWatchdogSec={WATCHDOG_SECONDS}\n")
    host.sh("systemctl daemon-reload; systemctl restart healthd")
    ward = Ward(host=host)
    before, unit, cursor = host.show("healthd", "MainPID", "NRestarts"), ward.add(), host.cursor()
    fault(ward, before["MainPID"])
    at = float(host.sh("date +%s.%N"))
    ward.kill(unit)
    return Victim(ward=ward, unit=unit, cursor=cursor, before=before, at=at)


@pytest.mark.parametrize("fault", [fault.__name__ for fault in FAULTS])
def test_a_healthd_that_is_stuck_is_back_within_twice_its_watchdog_time(victims: dict[str, Victim], fault: str) -> None:
    victim = victims[fault]
    ward = victim.ward
    ready = ward.await_event(victim.cursor, "daemon_ready", seconds=2 * WATCHDOG_SECONDS + 5)

    assert int(ready["__REALTIME_TIMESTAMP"]) / 1e6 - victim.at < 2 * WATCHDOG_SECONDS
    after = ward.host.show("healthd", "MainPID", "NRestarts")
    assert int(after["NRestarts"]) == int(victim.before["NRestarts"]) + 1
    assert after["MainPID"] != victim.before["MainPID"]
    ward.await_healed(victim.cursor, victim.unit)


def test_a_healthd_that_dies_while_it_reads_its_configuration_is_back_at_once(host: Host) -> None:
    ward, pid, cursor = Ward(host=host), host.show("healthd", "MainPID")["MainPID"], host.cursor()
    stop(ward, pid)
    host.sh("systemctl reload --no-block healthd; until pidof -q -x healthctl; do sleep 0.02; done")
    host.run(["kill", "-KILL", pid])
    ready = ward.await_event(cursor, "daemon_ready", seconds=WATCHDOG_SECONDS)

    assert ready["_PID"] == host.show("healthd", "MainPID")["MainPID"] != pid
    said = host.journal("--unit=healthd", f"--after-cursor={cursor}")
    assert "healthctl: healthd ended before it had read its configuration" in said
    unit = ward.add()
    ward.kill(unit)
    ward.await_healed(cursor, unit)
