"""What deploy/ has for Prometheus, Alertmanager and Grafana, with Debian's servers: a fault becomes a notification."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.system.units import service
from tests.system.ward import QUICK, Ward
from tools.throwaway import boot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.throwaway import Release

EXTRA: Final = ("prometheus", "prometheus-alertmanager")
DEPLOY: Final = Path(__file__).parents[2] / "deploy"
SETTINGS: Final = """
[http]
metrics_listen = ["127.0.0.1:9099"]
[health]
check_interval_seconds = 1
max_healing_attempts = 1
"""
SETUP: Final = """
cd /etc/prometheus
sed -i 's/server1.example.org:9090/127.0.0.1:9099/; s/scrape_interval: .*/scrape_interval: 1s/' prometheus.yml
sed -i '1i global: {evaluation_interval: 1s}' prometheus.yml
sed -i 's/group_wait: .*/group_wait: 0s/' alertmanager.yml
echo 'ARGS="--cluster.listen-address="' > /etc/default/prometheus-alertmanager  # no network to find peers in
"""
RECEIVER: Final = """
import http.server

class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        with open("/run/notified", "ab") as file:
            file.write(self.rfile.read(int(self.headers["Content-Length"])).strip() + b"\\n")
        self.send_response(200)
        self.end_headers()

http.server.HTTPServer(("127.0.0.1", 5001), Receiver).serve_forever()
"""
CONTAINED: Final = """\
--property=CapabilityBoundingSet= --property=StateDirectory=contained --property=RuntimeDirectory=contained \
--property=BindReadOnlyPaths=/:/host:rbind --property='InaccessiblePaths=/data /sys /run/dbus /var/lib/dpkg' \
--setenv=DBUS_SYSTEM_BUS_ADDRESS=unix:path=/host/run/dbus/system_bus_socket"""
"""A container's view: it has no capability, and of the host only what lies below /host."""
AWAIT_CONTAINED: Final = """
status="healthctl --socket /run/contained/healthd.sock status --json"
timeout 60 sh -c "until $status | grep -q '/data'; do sleep 0.1; done"
$status || :
"""
ASK: Final = """
import json, sys, time, urllib.parse, urllib.request

def answer(expression):
    url = "http://127.0.0.1:9090/api/v1/query?query=" + urllib.parse.quote(expression)
    with urllib.request.urlopen(url) as reply:
        return [one["value"][1] for one in json.load(reply)["data"]["result"]]

left, deadline = json.loads(sys.argv[1]), time.monotonic() + 60
while left and time.monotonic() < deadline:
    left = [each for each in left if not set(answer(each)) - {"NaN"}]
    time.sleep(0.2)
json.dump(left, sys.stdout)
"""


@pytest.fixture(scope="module")
def ward(release: Release, deb: Path) -> Iterator[Ward]:
    """A host with Prometheus and Alertmanager set up as deploy/ says, but looking each second, and a receiver."""
    with boot(release, deb=deb, extra=EXTRA) as host:
        made = Ward(host=host)
        made.configure(QUICK)
        made.configure(SETTINGS, name="70-scraped")
        for name in ("prometheus.yml", "healthd.rules.yml", "healthd.test.yml", "alertmanager.yml"):
            host.write(f"/etc/prometheus/{name}", (DEPLOY / "prometheus" / name).read_text())
        host.sh(SETUP)
        host.write("/root/receiver.py", RECEIVER)
        host.write("/etc/systemd/system/receiver.service", service("python3 /root/receiver.py"))
        host.sh("systemctl daemon-reload && systemctl reset-failed")
        host.run(["systemctl", "restart", "receiver", "prometheus", "prometheus-alertmanager"])
        yield made


def test_promtool_has_no_complaint_about_the_files_and_the_rules_pass_their_tests(ward: Ward) -> None:
    ward.host.sh(
        "cd /etc/prometheus && promtool check config prometheus.yml && promtool test rules healthd.test.yml"
        " && amtool check-config alertmanager.yml",
        seconds=120,
    )


def test_a_unit_that_nothing_helps_becomes_a_notification(ward: Ward) -> None:
    asked(ward, ['healthd_holds_total{reason="gave_up"}'])  # at zero, so that it can increase

    unit = ward.add(service("false"), start=False)
    ward.host.run(["systemctl", "start", unit], check=False)

    ward.host.sh("timeout 60 sh -c 'until grep -qs HealingGaveUp /run/notified; do sleep 0.1; done'", seconds=70)
    alerts = [alert for line in ward.host.read("/run/notified").splitlines() for alert in json.loads(line)["alerts"]]
    (told, *_) = [alert for alert in alerts if alert["labels"]["alertname"] == "HealingGaveUp"]
    assert (told["status"], told["labels"]["instance"]) == ("firing", "127.0.0.1:9099")
    assert told["annotations"]["summary"] == "healthd on 127.0.0.1:9099 gave up on something"


def test_each_query_of_the_dashboard_has_an_answer(ward: Ward) -> None:
    cursor, unit = ward.host.cursor(), ward.add()
    ward.kill(unit)
    ward.await_healed(cursor, unit)

    queries = list(expressions(json.loads((DEPLOY / "grafana/healthd.json").read_text())["panels"]))

    assert len(queries) > 20
    assert asked(ward, queries) == []


def test_a_healthd_in_a_container_watches_the_host_through_its_mounts(ward: Ward) -> None:
    ward.host.write(
        "/etc/contained.toml", (DEPLOY / "docker/healthd.toml").read_text().replace("127.0.0.1:", "127.0.0.1:1")
    )
    ward.host.sh("mkdir /data && mount -t tmpfs -o size=1m none /data && head --bytes=1000000 /dev/zero > /data/full")

    ward.host.sh(
        f"systemd-run --quiet --unit=contained {CONTAINED} healthd --config /etc/contained.toml --host-root /host"
    )

    seen = json.loads(ward.host.sh(AWAIT_CONTAINED, seconds=70))["health_checks"]
    (full,) = [item for item in seen["storage"]["items"] if item["name"] == "/data"]
    (used,) = [value["value"] for value in full["values"] if value["name"] == "used_percent"]
    assert used > 95
    assert full["status"] == "unhealthy"
    assert seen["services"]["status"] != "unknown"
    assert seen["updates"]["message"] == "no reboot is required, all packages are whole"
    assert {"memory", "pressure", "processes", "network"} <= {
        name for name in seen if seen[name]["status"] == "healthy"
    }


def expressions(panels: list[dict[str, Any]]) -> Iterator[str]:
    """The queries of these panels, as Grafana sends them for all hosts."""
    for panel in panels:
        for target in panel.get("targets", ()):
            yield target["expr"].replace("$instance", ".*").replace("$__rate_interval", "1m")


def asked(ward: Ward, queries: list[str]) -> list[str]:
    """Asks Prometheus until each of them has an answer other than NaN, and gives those that had none in a minute."""
    silent: list[str] = json.loads(ward.host.python(ASK, json.dumps(queries), seconds=90))
    return silent
