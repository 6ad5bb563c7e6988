"""From kill -9 of a unit to active again: healthd, systemd's own Restart= and Monit's shortest cycle, in one run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from bench import legs
from bench.measured import Measured, ratio, series
from bench.stage import LIMITS_LIFTED

if TYPE_CHECKING:
    from bench.stage import Stage

HITS: Final = 100
MONIT_HITS: Final = 40

_SERVICE: Final = """[Unit]
StartLimitIntervalSec=0
[Service]
ExecStart=/usr/bin/sleep {seconds}
"""
_INSTALL: Final = "[Install]\nWantedBy=multi-user.target\n"
_HEALTHD, _AT_ONCE, _DEFAULT, _MONIT = (
    "bench-heal.service",
    "bench-peer-at-once.service",
    "bench-peer-default.service",
    "bench-peer-monit.service",
)
_UNITS: Final = {
    _HEALTHD: _SERVICE.format(seconds="86401") + _INSTALL,
    _AT_ONCE: _SERVICE.format(seconds="86402") + "Restart=always\nRestartSec=0\n",
    _DEFAULT: _SERVICE.format(seconds="86403") + "Restart=always\n",
    _MONIT: _SERVICE.format(seconds="86404"),
}
_LABELS: Final = {
    _HEALTHD: "healthd",
    _AT_ONCE: "Restart=always RestartSec=0",
    _DEFAULT: "Restart=always",
    _MONIT: "Monit, cycle of 1 s",
}
_MONITRC: Final = f"""set daemon 1
set log /var/log/monit.log
check process watched matching "sleep 86404"
  start program = "/usr/bin/systemctl start {_MONIT}"
"""


def measure(stage: Stage) -> Measured:
    """Hit each of them as often as its spread asks for, in random order."""
    for name, text in _UNITS.items():
        stage.unit(name, text)
    stage.host.run(["systemctl", "start", *_UNITS])
    stage.host.write("/etc/monit/monitrc", _MONITRC, mode=0o600)
    stage.host.run(["systemctl", "restart", "monit.service"])
    stage.configure(LIMITS_LIFTED)
    time.sleep(5)  # for start-up of all of them to be over
    counts = {_HEALTHD: HITS, _AT_ONCE: HITS, _DEFAULT: HITS, _MONIT: MONIT_HITS}
    found = stage.inside("hits", *(f"{unit}={count}" for unit, count in counts.items()))
    rows = {
        unit: series(_LABELS[unit], "ms", [(hit["active"] - hit["kill"]) * 1e3 for hit in found[unit]])
        for unit in counts
    }
    ours, floor, default, monit = (rows[unit] for unit in (_HEALTHD, _AT_ONCE, _DEFAULT, _MONIT))
    stage.host.run(["systemctl", "stop", "monit.service"])
    return Measured(
        name="heal: kill -9 until active again",
        series=(*rows.values(), *legs.measure(stage, _HEALTHD)),
        figures=(
            ratio("median: healthd / RestartSec=0", ours.median, floor.median, 1.3),
            ratio("p99: healthd / RestartSec=0", ours.percentile(99), floor.percentile(99), 1.5),
            ratio("median: default RestartSec / healthd", default.median, ours.median, 5, at_least=True),
            ratio("median: Monit / healthd", monit.median, ours.median, 25, at_least=True),
        ),
    )
