"""From an issue that has no remedy to the receiver's socket, with the delivery process running and without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.inside.told import PORT
from bench.measured import Figure, Measured, series

if TYPE_CHECKING:
    from bench.stage import Stage

TIMES: Final = 20
_HOW: Final = {"cold": "must start first", "warm": "runs"}
_NO_PROGRAM: Final = "[Service]\nExecStart=/nonexistent/program\n"
_AT_ONCE: Final = f"""
[alerting]
group_seconds = 0
webhook_url = "http://127.0.0.1:{PORT}/"
[auto_healing]
cascade_units = 0
"""


def measure(stage: Stage) -> Measured:
    """A webhook is told."""
    stage.unit("bench-alert@.service", _NO_PROGRAM)
    stage.configure(_AT_ONCE)
    found = stage.inside("told", str(TIMES))
    cold, warm = (series(f"told, the delivery process {how}", "ms", found[name]) for name, how in _HOW.items())
    return Measured(
        name="alerts: from the opening of an issue to the receiver's socket",
        series=(cold, warm),
        figures=(
            Figure(name="median, it must start first", value=cold.median, unit="ms", limit=600),
            Figure(name="median, it runs", value=warm.median, unit="ms", limit=50),
        ),
    )
