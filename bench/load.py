"""A thousand requests a second of /health/ready on loopback, the limit off: what becomes of the rounds meanwhile."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from bench.measured import Figure, Measured, series

if TYPE_CHECKING:
    from bench.stage import Stage

RATE: Final = 1000
SECONDS: Final = 30
LATE_SECONDS: Final = 0.5
_CONFIGURATION: Final = "[health]\ncheck_interval_seconds = 1\n[http]\nrate_limit_per_minute = 0\n"


def measure(stage: Stage) -> Measured:
    """A round every second, first with nobody asking, then under load; kept-alive connections."""
    stage.configure(_CONFIGURATION)
    time.sleep(10)
    rest, load = (stage.inside("many", str(rate), str(SECONDS)) for rate in (0, RATE))
    late = series("a round after its time, under load", "s", load["late"])
    answered = load["answered"] / SECONDS
    return Measured(
        name=f"load: {RATE} requests a second",
        series=(
            series("a round after its time, nobody asking", "s", rest["late"]),
            late,
            series("a request", "ms", load["ms"]),
        ),
        figures=(
            Figure(name="answers a second", value=answered, unit="", limit=0.99 * RATE, at_least=True),
            Figure(name="latest round", value=max(late.values), unit="s", limit=LATE_SECONDS),
        ),
        notes=(f"{load['rounds']} rounds in {SECONDS} s under load, {rest['rounds']} without",),
    )
