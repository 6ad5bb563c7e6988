"""The page of metrics on a booted host, judged by promtool and scraped by Debian's own Prometheus."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import pytest

from tests.system.ward import QUICK, Ward
from tools.throwaway import boot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tools.throwaway import Release

EXTRA: Final = ("curl", "openssl", "prometheus")  # the tree of test_http
PAGE: Final = "http://127.0.0.1:9099/metrics"
PROMETHEUS: Final = """
global: {scrape_interval: 1s}
scrape_configs:
- job_name: healthd
  static_configs: [{targets: ["127.0.0.1:9099"]}]
"""


@pytest.fixture(scope="module")
def ward(release: Release, deb: Path) -> Iterator[Ward]:
    """A host on which Prometheus scrapes healthd once a second."""
    with boot(release, deb=deb, extra=EXTRA) as host:
        made = Ward(host=host)
        made.configure(f'{QUICK}[http]\nmetrics_listen = ["127.0.0.1:9099"]\n')
        host.write("/etc/prometheus/prometheus.yml", PROMETHEUS)
        host.run(["systemctl", "restart", "prometheus.service"])
        host.sh(f"timeout 60 sh -c 'until curl --silent --fail {PAGE}; do sleep 0.1; done' > /run/page", seconds=70)
        yield made


def asked(ward: Ward, expression: str, *, wanted: str) -> list[dict[str, Any]]:
    """What Prometheus answers to this expression, once one of its values is the one that is wanted."""
    url = f"http://127.0.0.1:9090/api/v1/query?query={quote(expression)}"
    ward.host.sh(
        f"timeout 60 sh -c \"until curl --silent '{url}' | grep -q '{wanted}'; do sleep 0.2; done\"", seconds=70
    )
    answer: list[dict[str, Any]] = json.loads(ward.host.run(["curl", "--silent", url]).stdout)["data"]["result"]
    return answer


def test_promtool_has_no_complaint_about_the_page(ward: Ward) -> None:
    complaints = ward.host.sh(f"curl --silent {PAGE} | promtool check metrics 2>&1", check=False)

    assert complaints == ""


def test_prometheus_scrapes_what_healthd_sees_and_what_it_did(ward: Ward) -> None:
    (up,) = asked(ward, 'up{job="healthd"}', wanted='"1"')
    assert up["value"][1] == "1"
    healthy = asked(ward, "component_health_score", wanted="memory")
    assert {"services", "memory", "storage"} <= {one["metric"]["component"] for one in healthy}
    read = asked(ward, 'healthd_value{component="memory",name="used_percent"}', wanted="used_percent")
    assert 0 < float(read[0]["value"][1]) < 100

    cursor, unit = ward.host.cursor(), ward.add()
    ward.kill(unit)
    ward.await_healed(cursor, unit)
    healed = 'auto_healing_attempts_total{action="start_unit",component="services",outcome="success"}'
    asked(ward, f"{healed} == 1", wanted='"1"')
