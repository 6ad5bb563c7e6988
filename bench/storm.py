"""Many units killed at once, the limits lifted: all back, and how soon the last one, beside systemd's own restart."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from bench.measured import Figure, Measured, ratio, series
from bench.stage import LIMITS_LIFTED

if TYPE_CHECKING:
    from bench.stage import Stage

UNITS: Final = 400
ROUNDS: Final = 3

_SERVICE: Final = "[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/usr/bin/sleep infinity\n"
_OURS, _FLOOR = "bench-storm@{}.service", "bench-peer-storm@{}.service"


def measure(stage: Stage) -> Measured:
    """In turn, as often as ROUNDS says."""
    ours, floor = ([name.format(number) for number in range(UNITS)] for name in (_OURS, _FLOOR))
    stage.unit(_OURS.format(""), _SERVICE + "[Install]\nWantedBy=multi-user.target\n", instances=ours)
    stage.unit(_FLOOR.format(""), _SERVICE + "Restart=always\nRestartSec=0\n")
    for units in (ours, floor):
        stage.host.run(["systemctl", "start", *units], seconds=300)
    stage.configure(LIMITS_LIFTED)
    found: dict[str, list[dict[str, float]]] = {"healthd": [], "Restart=always RestartSec=0": []}
    for _ in range(ROUNDS):
        for label, units in zip(found, (ours, floor), strict=True):
            time.sleep(3)  # for what the round before has left to do
            found[label].append(stage.inside("all_at_once", *units))
    rows = [series(label, "s", [each["seconds"] for each in rounds]) for label, rounds in found.items()]
    back = min(each["back"] for each in found["healthd"])
    return Measured(
        name=f"storm: {UNITS} units killed at once, until the last is active",
        series=tuple(rows),
        figures=(
            Figure(name="units back, worst round", value=back, unit="units", limit=UNITS, at_least=True),
            ratio("median: healthd / RestartSec=0", rows[0].median, rows[1].median, 1.5),
        ),
    )
