"""The measured host: a booted Debian with the package and its peers, the peers stopped until they are asked for."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.throwaway import CommandFailed, Release, ThrowawayError, boot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tools.throwaway.host import Host

_TREE = Path(__file__).parents[1]
_IN_HOST = "/opt/bench"
_PEERS = ("monit", "prometheus-alertmanager", "prometheus-node-exporter")
_CONFIGURATION = "/etc/healthd/conf.d/bench.toml"

LIMITS_LIFTED = """
[health]
max_healing_attempts = 0
[auto_healing]
backoff_seconds = 0
host_budget_actions = 0
settle_seconds = 0
cascade_units = 0
[services]
ignore = ["bench-peer*"]
"""
"""For benchmarks that break the same units again and again; healthd keeps its hands off those of its peers."""


class Stage:
    """A host to measure in, healthd running in it with its defaults."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def unit(self, name: str, text: str, *, instances: Sequence[str] = ()) -> None:
        """Write a unit file; enabled if it has an [Install] section (a template: those instances)."""
        self.host.write(f"/etc/systemd/system/{name}", text)
        self.host.run(["systemctl", "daemon-reload"])
        if "[Install]" in text:
            self.host.run(["systemctl", "enable", "--quiet", *(instances or [name])])

    def configure(self, text: str) -> None:
        """Give healthd this configuration and start it with it."""
        self.host.write(_CONFIGURATION, text)
        self.host.run(["systemctl", "restart", "healthd.service"])

    def inside(self, program: str, *arguments: str, seconds: float = 600.0) -> Any:
        """What a program of `bench.inside` measured: the JSON that it printed."""
        argv = ["/usr/bin/python3", "-B", "-m", f"bench.inside.{program}", *arguments]
        try:
            done = self.host.run(argv, env={"PYTHONPATH": _IN_HOST}, seconds=seconds)
        except CommandFailed as error:
            raise ThrowawayError(
                f"{error}\nhealthd said:\n{self.host.journal('--unit=healthd', '--lines=40')}"
            ) from error
        return json.loads(done.stdout)


@contextmanager
def stage(release: Release, deb: Path) -> Iterator[Stage]:
    """Boot it; nothing is left of it afterwards."""
    with boot(release, deb=deb, extra=_PEERS, binds=[f"{_TREE}:{_IN_HOST}"]) as host:
        host.run(["systemctl", "stop", *_PEERS])
        host.run(["systemctl", "reset-failed"])
        yield Stage(host)
