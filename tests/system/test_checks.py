"""Numbers of programs, monitoring plugins, jobs that report in, and single units, on a booted host."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from prometheus_client.parser import text_string_to_metric_families

from healthd.formats.exposition import Selector, plain, total
from tests.system.units import service
from tests.system.ward import QUICK, Ward
from tools.throwaway import boot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.throwaway import Release

SEED: Final = Path(__file__).parents[1] / "unit/config/seed.toml"
PLUGINS: Final = "/usr/lib/nagios/plugins"
PAGE: Final = "/run/page.prom"
SERVER: Final = f"""\
from http.server import BaseHTTPRequestHandler, HTTPServer

class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        body = open("{PAGE}", "rb").read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

HTTPServer(("127.0.0.1", 9100), Page).serve_forever()
"""
GET: Final = "import urllib.request; print(urllib.request.urlopen('{}').read().decode())"
SOON: Final = "interval_seconds = 1\n"
LOOKS: Final = 100


@pytest.fixture(scope="module")
def ward(release: Release, deb: Path) -> Iterator[Ward]:
    with boot(release, deb=deb, extra=["monitoring-plugins-basic", "prometheus-node-exporter"]) as host:
        host.run(["systemctl", "disable", "--now", "prometheus-node-exporter.service"])
        made = Ward(host=host)
        made.configure(QUICK)
        yield made


def component(ward: Ward, name: str) -> dict[str, Any]:
    """The component after a look at it now."""
    ward.healthctl("check", name)
    found: dict[str, Any] = ward.ask("status")["health_checks"][name]
    return found


def until(ward: Ward, cursor: str, name: str, status: str) -> None:
    """Waits until the component was said to have this status."""
    ward.await_event(cursor, "component_changed", component=name, status=status)


def serve(ward: Ward, **numbers: float) -> None:
    """What the program shows from now on."""
    ward.host.write(PAGE, "".join(f"{name} {number}\n" for name, number in numbers.items()))


@contextlib.contextmanager
def program(ward: Ward) -> Iterator[str]:
    """A program that serves the page."""
    ward.host.write("/run/server.py", SERVER)
    unit = ward.add(service("/usr/bin/python3 /run/server.py"))
    ward.host.sh("until python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", 9100))' 2>&-; do :; done")
    try:
        yield unit
    finally:
        ward.discard(unit)


def test_the_seeds_system_is_scored_as_the_seed_scores_it(ward: Ward) -> None:
    peers, errors = "bitcraps_network_active_connections", "bitcraps_network_errors_total"
    others = {"bitcraps_gaming_active_games": 12, "bitcraps_consensus_errors_total": 0}
    ward.host.write("/etc/healthd/conf.d/40-seed.toml", SEED.read_text(encoding="utf-8"), mode=0o640)
    ward.host.run(["chgrp", "healthd", "/etc/healthd/conf.d/40-seed.toml"])
    serve(ward, **{peers: 50, errors: 7}, **others)
    with program(ward) as unit:
        assert ward.healthctl("recipe", "enable", "bitcraps").returncode == 0
        names = ("network", "gaming", "consensus")
        ward.configure("".join(f"[component.{name}]\n{SOON}" for name in names), name="z-soon")
        settings = ward.ask("config", "show")
        assert settings["thresholds"]["memory_critical_gb"] == 4.0
        assert settings["auto_healing"]["network_restart_enabled"] is True

        for _ in range(LOOKS):  # what counts errors is known with the second reading, a second after the first
            if component(ward, "network")["status"] != "unknown":
                break
        shown = {}
        for count, score in ((50, 1.0), (2, 0.6), (10, 0.9), (0, 0.0), (5, 0.9)):
            serve(ward, **{peers: count, errors: 7}, **others)
            shown[count] = component(ward, "network")
            assert shown[count]["score"] == score, shown[count]
        assert shown[0]["status"] == "unhealthy"
        assert shown[5]["message"] == "peers 5, errors 0 in 1 s"

        serve(ward, **{peers: 2, errors: 27}, **others)
        assert component(ward, "network")["score"] == 0.3
        whole = ward.ask("status")
        assert whole["active_peers"] == 2
        weights = {name: each["weight"] for name, each in whole["health_checks"].items() if each["weight"]}
        assert {"network": 0.25, "gaming": 0.15, "consensus": 0.35}.items() <= weights.items()
        known = [each for each in whole["health_checks"].values() if each["status"] != "unknown"]
        mean = sum(each["score"] * each["weight"] for each in known) / sum(each["weight"] for each in known)
        assert whole["overall_score"] == pytest.approx(mean, abs=1e-3)

        cursor = ward.host.cursor()
        ward.host.run(["systemctl", "stop", unit])
        assert component(ward, "consensus")["message"] == "connection refused"
        ward.await_event(cursor, "issue_opened", component="consensus", issue="probe_failed")
    for name in ("z-soon", "40-seed"):
        ward.configure("", name=name)
    assert ward.healthctl("recipe", "disable", "bitcraps").returncode == 0


def test_a_real_page_reads_as_prometheus_own_parser_reads_it(ward: Ward) -> None:
    exporter = ward.add(service("/usr/bin/prometheus-node-exporter --web.listen-address=127.0.0.1:9109"))
    ward.host.sh("until python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", 9109))' 2>&-; do :; done")
    text = ward.host.python(GET.format("http://127.0.0.1:9109/metrics"))
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    page = plain(text.encode())
    wrong = [
        sample.name
        for sample in samples
        if total(page, Selector(metric=sample.name, labels=sample.labels)) != pytest.approx(sample.value, nan_ok=True)
    ]
    values = (
        "values = { load = { metric = 'node_load1' }, idle = { metric = 'node_cpu_seconds_total{mode=\"idle\"}' } }"
    )
    with ward.under(f'[component.node]\ntype = "metrics"\nurl = "http://127.0.0.1:9109/metrics"\n{values}\n'):
        node = component(ward, "node")
    ward.discard(exporter)

    assert len(samples) > 200
    assert wrong == []
    assert (node["status"], node["message"].startswith("load ")) == ("healthy", True)


def table(name: str, command: str, *more: str) -> str:
    lines = [f"[component.{name}]", 'type = "exec"', f"command = {command}", "failures = 1", "successes = 1", *more]
    return "\n".join(lines) + "\n"


def test_monitoring_plugins_run_as_they_are_and_whatever_they_do_is_bounded(ward: Ward) -> None:
    programs = (
        table("load", f'["{PLUGINS}/check_load", "-w", "900,900,900", "-c", "999,999,999"]'),
        table("disk", f'"{PLUGINS}/check_disk -w 1% -c 0% -p /"'),
        table("procs", f'["{PLUGINS}/check_procs", "-c", "1:1", "-u", "root", "-C", "systemd-journal"]'),
        table("http", f'["{PLUGINS}/check_http", "-H", "127.0.0.1", "-p", "8080", "-u", "/health/live"]'),
        table("quoting", r"""["/bin/sh", "-c", 'echo "$0|%n $HOME"; exit 1', 'a "b" %n $x \']"""),
        table("mail", '["/usr/bin/id", "-un"]', 'user = "mail"'),
        table("critical", '["/bin/sh", "-c", "echo it is bad; exit 2"]'),
        table("hangs", """["/bin/sh", "-c", "trap '' TERM; while :; do sleep 1; done"]""", "timeout_seconds = 1"),
        table("flood", '["/usr/bin/yes"]'),
        table("gone", '["/no/such/plugin"]'),
    )
    cursor = ward.host.cursor()
    with ward.under("".join(programs)):
        until(ward, cursor, "hangs", "unhealthy")
        ward.await_event(cursor, "check_failed", component="gone")
        ward.look()
        seen = ward.ask("status")["health_checks"]
        metrics = ward.host.python(GET.format("http://127.0.0.1:9090/metrics"))
        warned = ward.healthctl("config", "check").stderr
        failed = ward.host.sh("systemctl list-units --failed --plain --no-legend")
        drop_ins = ward.host.sh("ls -d /etc/systemd/system/healthd-check@*.d | wc -l")
    left = ward.host.sh("ls -d /etc/systemd/system/healthd-check@*.d 2>&- || true")

    for name in ("load", "disk", "procs", "http", "mail"):
        assert seen[name]["status"] == "healthy", seen[name]
    assert seen["mail"]["message"] == "mail"
    for name in ("load1", "load5", "load15"):
        assert f'healthd_value{{component="load",item="",name="{name}"}} ' in metrics
    assert (seen["quoting"]["status"], seen["quoting"]["message"]) == ("degraded", 'a "b" %n $x \\')
    assert (seen["critical"]["status"], seen["critical"]["message"]) == ("unhealthy", "it is bad")
    assert seen["hangs"]["message"] == "no answer within 1 s"
    assert (seen["flood"]["status"], "more than 256 KiB" in seen["flood"]["message"]) == ("unknown", True)
    assert (seen["gone"]["status"], "cannot be executed" in seen["gone"]["message"]) == ("unknown", True)
    assert "there is no program /no/such/plugin" in warned
    assert (failed, drop_ins, left) == ("", str(len(programs)), "")


def test_a_job_that_reports_in_is_missed_when_it_does_not(ward: Ward) -> None:
    jobs = "".join(
        f'[component.{name}]\ntype = "heartbeat"\nevery_seconds = {every}\n'
        for name, every in (("often", 2), ("daily", 86_400))
    )
    with ward.under(jobs):
        cursor = ward.host.cursor()
        assert ward.ask("status")["health_checks"]["daily"]["status"] == "unknown"
        ward.await_event(cursor, "issue_opened", component="often", issue="heartbeat_missed")

        for name in ("often", "daily"):
            beat = ward.healthctl("heartbeat", name, user="mail")
            assert (beat.returncode, beat.stdout, beat.stderr) == (0, "", "")
        ward.await_event(cursor, "issue_resolved", component="often", issue="heartbeat_missed")
        assert component(ward, "daily")["status"] == "healthy"
        assert ward.healthctl("heartbeat", "services").returncode == 1

        cursor = ward.host.cursor()
        ward.host.sh("systemctl kill -s KILL healthd")
        ward.await_event(cursor, "daemon_ready")
        assert component(ward, "daily")["message"].startswith("heartbeat ")


def test_a_unit_that_takes_too_much_is_seen_and_one_that_was_stopped_is_not(ward: Ward) -> None:
    busy = ward.add(service('/bin/sh -c "while :; do :; done"'))
    limits = f'type = "unit"\nunit = "{busy}"\nfailures = 1\nmemory_warning_mb = 100\ncpu_warning_percent = 20\n'
    cursor = ward.host.cursor()
    with ward.under(f"[component.busy]\n{limits}{SOON}"):
        ward.await_event(cursor, "issue_opened", component="busy", issue="high_cpu")
        seen = component(ward, "busy")
        ward.host.run(["systemctl", "stop", busy])
        ward.await_event(cursor, "issue_resolved", component="busy", issue="high_cpu")
        stopped = component(ward, "busy")
    ward.discard(busy)

    assert seen["status"] in ("degraded", "unhealthy")
    assert "of a core (limit 20 %)" in seen["message"]
    assert (stopped["status"], stopped["message"]) == ("healthy", f"{busy} was stopped on purpose")
