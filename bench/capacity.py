"""What more of something costs, for who plans: memory and CPU of further components, and the growth of the history."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from bench.measured import Measured, Series, series
from bench.rest import usage, watched, weight

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.stage import Stage

COMPONENTS: Final = 200
UNITS: Final = 100
INTERVAL: Final = 5
QUIET_SECONDS: Final = 40
SECONDS: Final = 60
ROUNDS: Final = 2
DAYS: Final = 6
RAW_DAYS: Final = 2
"""So long each single reading is kept."""

_OFTEN: Final = f"interval_seconds = {INTERVAL}\ntimeout_seconds = 2\nweight = 0\n"
_KINDS: Final[dict[str, Callable[[int], str]]] = {
    "http": lambda n: f'type = "http"\nurl = "http://127.0.0.1:8200/{n}"\n{_OFTEN}',
    "tcp": lambda _: f'type = "tcp"\naddress = "127.0.0.1:8200"\n{_OFTEN}',
    "unit": lambda n: f'type = "unit"\nunit = "bench-rest@{n % UNITS}.service"\ncpu_warning_percent = 90\n{_OFTEN}',
    "heartbeat": lambda _: 'type = "heartbeat"\nevery_seconds = 3600\nweight = 0\n',
}
_SERVER: Final = (
    "systemd-run --quiet --unit=bench-server --setenv=PYTHONPATH=/opt/bench "
    "/usr/bin/python3 -B -m bench.inside.asked 0 86400 5"
)


def measure(stage: Stage) -> Measured:
    """Each kind beside a daemon without any of them, in turn; then the file."""
    watched(stage, 0, UNITS)
    stage.host.sh(_SERVER)
    none = '[services]\nignore = ["bench-server.service"]\n'
    found: dict[str, list[tuple[float, float]]] = {kind: [] for kind in ("", *_KINDS)}
    for _ in range(ROUNDS):
        for kind, costs in found.items():
            parts = (f"[component.{kind}{n}]\n{_KINDS[kind](n)}" for n in range(COMPONENTS)) if kind else ()
            stage.configure(none + "".join(parts))
            costs.append(_cost(stage))
    bare = [min(each) for each in zip(*found.pop(""), strict=True)]
    rows = [series("CPU without any", "% of a core", [bare[0]]), series("PSS without any", "MiB", [bare[1] / 1024])]
    for kind, costs in found.items():
        cpu = [(each[0] - bare[0]) * 1e1 * INTERVAL / COMPONENTS for each in costs]
        rows += [] if kind == "heartbeat" else [series(f"one look of type {kind}", "ms of CPU", cpu)]
        rows += [series(f"a component of type {kind}", "KiB", [(each[1] - bare[1]) / COMPONENTS for each in costs])]
    return Measured(name="capacity: what more of it costs", series=(*rows, *_growth(stage)))


def _cost(stage: Stage) -> tuple[float, float]:
    """CPU in per cent of a core, and KiB."""
    time.sleep(QUIET_SECONDS)
    before, begun = usage(stage), time.monotonic()
    time.sleep(SECONDS)
    cpu = (usage(stage) - before) / (time.monotonic() - begun) / 1e4
    return cpu, weight(stage, "healthd.service")


def _growth(stage: Stage) -> list[Series]:
    found = stage.inside("month", "/var/tmp/days.db", str(DAYS))  # noqa: S108  # of a host of our own
    grown = [later - sooner for sooner, later in pairwise(found["sizes"])]
    kept = [each / found["series"] / 1e3 for each in grown[RAW_DAYS:]]
    first = [each / found["series"] / 1e3 for each in grown[:RAW_DAYS]]
    return [
        series(f"a series and day, in the first {RAW_DAYS} days", "kB", first),
        series("a series and day, from then on", "kB", kept),
    ]
