"""Every second: what a round a second costs, with every built-in component and a hundred units, nobody asking."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from bench.measured import Figure, Measured, series
from bench.rest import cpu_and_wakes, watched

if TYPE_CHECKING:
    from bench.stage import Stage

UNITS: Final = 100
QUIET_SECONDS: Final = 30
WINDOW_SECONDS: Final = 30
WINDOWS: Final = 5
_EVERY_SECOND: Final = "[health]\ncheck_interval_seconds = 1\n"


def measure(stage: Stage) -> Measured:
    """CPU of all that runs in healthd's control group."""
    watched(stage, 0, UNITS)
    stage.configure(_EVERY_SECOND)
    time.sleep(QUIET_SECONDS)
    found = [cpu_and_wakes(stage, WINDOW_SECONDS) for _ in range(WINDOWS)]
    cpu = series("CPU, a round every second", "% of a core", [each[0] for each in found])
    return Measured(
        name="often: a round every second",
        series=(cpu, series("wake-ups a minute", "", [each[1] for each in found])),
        figures=(Figure(name="CPU, a round every second", value=cpu.median, unit="%", limit=1),),
    )
