"""What healthd weighs once it has been asked for everything, beside what is usually installed for a part of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from bench.measured import Figure, Measured, ratio, series
from bench.rest import weight

if TYPE_CHECKING:
    from bench.stage import Stage

SETTLE_SECONDS: Final = 60
ROUNDS: Final = 3

_ASKED: Final = ("status", "history", "explain memory", "issues", "incidents", "doctor")
_EXPORTER: Final = "prometheus-node-exporter.service"
_ALERTS: Final = "prometheus-alertmanager.service"
_PAGES: Final = {"healthd.service": 9090, _EXPORTER: 9100, _ALERTS: 9093}
_SCRAPES: Final = (
    "import urllib.request\nfor _ in range(10): urllib.request.urlopen('http://127.0.0.1:{}/metrics').read()"
)


def measure(stage: Stage) -> Measured:
    """With the defaults, which are in the notes. Each is scraped ten times before it is weighed."""
    stage.host.write("/etc/default/prometheus-alertmanager", 'ARGS="--cluster.listen-address="\n')  # it is alone here
    stage.host.run(["systemctl", "restart", _EXPORTER, _ALERTS])
    time.sleep(SETTLE_SECONDS)
    weights: dict[str, list[float]] = {unit: [] for unit in _PAGES}
    for _ in range(ROUNDS):
        for asked in _ASKED:
            stage.host.run(["healthctl", *asked.split()], check=False)
        for unit, port in _PAGES.items():
            stage.host.python(_SCRAPES.format(port))
            weights[unit].append(weight(stage, unit) / 1024)
    healthd, exporter, alerts = (series(f"PSS of {unit}", "MiB", weights[unit]) for unit in _PAGES)
    return Measured(
        name="size: PSS after everything was asked for",
        series=(healthd, exporter, alerts),
        figures=(
            Figure(name="PSS of healthd", value=healthd.median, unit="MiB", limit=27),
            ratio("healthd / (node_exporter + alertmanager)", healthd.median, exporter.median + alerts.median, 0.5),
        ),
        notes=(
            "on: every built-in component, healing, history, the record for simulate, the HTTP interface",
            "not on: probes, receivers of alerts",
            "what other hosts on this machine map of the same files is not taken off",
        ),
    )
