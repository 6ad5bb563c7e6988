"""Five hundred probes every five seconds, of which a tenth hang: how late the others begin."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from bench.measured import Figure, Measured, series
from bench.rest import usage

if TYPE_CHECKING:
    from bench.stage import Stage

PROBES: Final = 500
HANGING: Final = 50
INTERVAL: Final = 5
QUIET_SECONDS: Final = 20
SECONDS: Final = 60
LATE_SECONDS: Final = 1.0


def measure(stage: Stage) -> Measured:
    """Each probe has a path of its own on one server, which writes down when it was asked."""
    names = [f"hang{number}" for number in range(HANGING)]
    names += [f"well{number}" for number in range(PROBES - HANGING)]
    stage.configure("".join(map(_probe, names)))
    before, begun = usage(stage), time.monotonic()
    found = stage.inside("asked", str(QUIET_SECONDS), str(SECONDS), str(INTERVAL))
    cpu = (usage(stage) - before) / (time.monotonic() - begun) / 1e4
    row = series(f"a probe after its time, {found['probes']} that answer", "s", found["late"])
    return Measured(
        name=f"probes: {PROBES} every {INTERVAL} s, {HANGING} of them hang",
        series=(row, series("CPU", "% of a core", [cpu])),
        figures=(Figure(name="p99 of a probe after its time", value=row.percentile(99), unit="s", limit=LATE_SECONDS),),
    )


def _probe(name: str) -> str:
    url = f"http://127.0.0.1:8200/{name}"
    often = f"interval_seconds = {INTERVAL}\ntimeout_seconds = 2\n"
    return f'[component.{name}]\ntype = "http"\nurl = "{url}"\n{often}weight = 0\n'
