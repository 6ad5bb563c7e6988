"""A sample and a scrape: healthd beside node_exporter with its systemd collector, and a page of 500 series."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from bench.measured import Figure, Measured, ratio, series
from bench.rest import usage

if TYPE_CHECKING:
    from bench.stage import Stage

UNITS: Final = 10
BEATS: Final = 7
SECONDS: Final = 1
SCRAPES: Final = 30
ROUNDS: Final = 4
LARGE: Final = 60

_SERVICE: Final = "[Service]\nExecStart=/usr/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
_TEMPLATE: Final = "bench-scrape@{}.service"
_EXPORTER: Final = "prometheus-node-exporter.service"
_HEALTHD: Final = "healthd.service"
_PORTS: Final = {_HEALTHD: 9090, _EXPORTER: 9100}
_OPTIONS: Final = "/etc/default/prometheus-node-exporter"
_CONFIGURATION: Final = "[health]\ncheck_interval_seconds = {}\n[http]\nrate_limit_per_minute = 0\n"
_SELDOM: Final = 3600


def measure(stage: Stage) -> Measured:
    """Both are scraped every second, one after the other; healthd samples everything as often."""
    names = [_TEMPLATE.format(number) for number in range(UNITS)]
    stage.unit(_TEMPLATE.format(""), _SERVICE, instances=names)
    stage.host.run(["systemctl", "start", *names])
    stage.host.write(_OPTIONS, 'ARGS="--collector.systemd"\n')
    stage.host.run(["systemctl", "restart", _EXPORTER])
    stage.configure(_CONFIGURATION.format(SECONDS))
    _scrapes(stage, _PORTS, 10, SECONDS)  # both have done before what is measured
    cpu: dict[str, list[float]] = {unit: [] for unit in _PORTS}
    pages = {}
    for _ in range(ROUNDS):
        for unit, (page, used) in _scrapes(stage, _PORTS, SCRAPES, SECONDS).items():
            cpu[unit].append(used)
            pages[unit] = page
    stage.host.run(["systemctl", "stop", _EXPORTER])
    stage.configure(_CONFIGURATION.format(_SELDOM) + "".join(_heartbeat(number) for number in range(BEATS)))
    time.sleep(10)
    windows = [_scrapes(stage, {_HEALTHD: _PORTS[_HEALTHD]}, LARGE // ROUNDS, 0.5)[_HEALTHD] for _ in range(ROUNDS)]
    large = windows[-1][0]["series"]
    took = series(f"GET of {large} series, whole", "ms", [ms for page, _ in windows for ms in page["ms"]])
    alone = series(f"CPU of a scrape of {large} series", "ms", [used for _, used in windows])
    rows = [series(f"CPU of a sample and a scrape, {unit}", "ms", cpu[unit]) for unit in _PORTS]
    return Measured(
        name="scrape: a sample and a scrape",
        series=(*rows, alone, took),
        figures=(
            ratio("CPU, healthd / node_exporter", rows[0].median, rows[1].median, 0.2),
            Figure(name=f"CPU of a scrape of {large} series", value=alone.median, unit="ms", limit=3),
        ),
        notes=tuple(f"{unit}: {page['series']} series" for unit, page in pages.items()),
    )


def _scrapes(stage: Stage, ports: dict[str, int], count: int, seconds: float) -> dict[str, tuple[Any, float]]:
    """Of each unit the page, and milliseconds of CPU a scrape; each is asked so many times."""
    before = {unit: usage(stage, unit) for unit in ports}
    found = stage.inside("pages", str(count), str(seconds), *map(str, ports.values()))
    return {unit: (found[str(port)], (usage(stage, unit) - before[unit]) / 1e3 / count) for unit, port in ports.items()}


def _heartbeat(number: int) -> str:
    """A component is some twenty series of a page."""
    return f'[component.beat{number}]\ntype = "heartbeat"\nevery_seconds = 86400\n'
