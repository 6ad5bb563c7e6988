"""A sample and a scrape: healthd beside node_exporter with its systemd collector, and a page of 500 series."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from bench.measured import Measured, ratio, series
from bench.rest import usage

if TYPE_CHECKING:
    from bench.stage import Stage

UNITS: Final = 10
BEATS: Final = 7
SECONDS: Final = 2
SCRAPES: Final = 15
ROUNDS: Final = 4

_SERVICE: Final = "[Service]\nExecStart=/usr/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
_TEMPLATE: Final = "bench-scrape@{}.service"
_EXPORTER: Final = "prometheus-node-exporter.service"
_PORTS: Final = {"healthd.service": 9090, _EXPORTER: 9100}
_OPTIONS: Final = "/etc/default/prometheus-node-exporter"
_DEFAULTS: Final = f"[health]\ncheck_interval_seconds = {SECONDS}\n[http]\nrate_limit_per_minute = 0\n"


def measure(stage: Stage) -> Measured:
    """Both are scraped every two seconds, one after the other; healthd samples everything as often."""
    names = [_TEMPLATE.format(number) for number in range(UNITS)]
    stage.unit(_TEMPLATE.format(""), _SERVICE, instances=names)
    stage.host.run(["systemctl", "start", *names])
    stage.host.write(_OPTIONS, 'ARGS="--collector.systemd"\n')
    stage.host.run(["systemctl", "restart", _EXPORTER])
    stage.configure(_DEFAULTS)
    time.sleep(10)
    cpu: dict[str, list[float]] = {unit: [] for unit in _PORTS}
    pages = {}
    for _ in range(ROUNDS):
        before = {unit: usage(stage, unit) for unit in _PORTS}
        found = stage.inside("pages", str(SCRAPES), str(SECONDS), *map(str, _PORTS.values()))
        for unit, port in _PORTS.items():
            cpu[unit].append((usage(stage, unit) - before[unit]) / 1e3 / SCRAPES)
            pages[unit] = found[str(port)]
    stage.host.run(["systemctl", "stop", _EXPORTER])
    stage.configure(_DEFAULTS + "".join(_heartbeat(number) for number in range(BEATS)))
    time.sleep(10)
    large = stage.inside("pages", "60", "0.5", "9090")["9090"]
    took = series(f"GET of {large['series']} series, whole", "ms", large["ms"])
    rows = [series(f"CPU of a sample and a scrape, {unit}", "ms", cpu[unit]) for unit in _PORTS]
    return Measured(
        name="scrape: a sample and a scrape",
        series=(*rows, took),
        figures=(ratio("CPU, healthd / node_exporter", rows[0].median, rows[1].median, 0.2),),
        notes=tuple(f"{unit}: {page['series']} series" for unit, page in pages.items()),
    )


def _heartbeat(number: int) -> str:
    """A component is some twenty series of a page."""
    return f'[component.beat{number}]\ntype = "heartbeat"\nevery_seconds = 86400\n'
