"""From `systemctl start healthd` to READY, by systemd's own stamps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.measured import Figure, Measured, series

if TYPE_CHECKING:
    from bench.stage import Stage

STARTS: Final = 10

_STAMPS: Final = ("InactiveExit", "ExecMainStart", "ActiveEnter")


def measure(stage: Stage) -> Measured:
    """Start it again and again, with nothing but the host's own services to judge."""
    starts = [_start(stage) for _ in range(STARTS)]
    whole = series("start to READY", "ms", [ready - begin for begin, _, ready in starts])
    parts = (
        series("  before: the polkit rule is written", "ms", [main - begin for begin, main, _ in starts]),
        series("  the daemon itself", "ms", [ready - main for _, main, ready in starts]),
    )
    return Measured(
        name="start: systemctl start healthd until READY",
        series=(whole, *parts),
        figures=(Figure(name="median", value=whole.median, unit="ms", limit=300),),
    )


def _start(stage: Stage) -> tuple[float, ...]:
    stage.host.run(["systemctl", "stop", "healthd.socket", "healthd.service"])
    stage.host.run(["systemctl", "start", "healthd.service"])
    shown = stage.host.show("healthd.service", *(f"{name}TimestampMonotonic" for name in _STAMPS))
    return tuple(int(shown[f"{name}TimestampMonotonic"]) / 1e3 for name in _STAMPS)
