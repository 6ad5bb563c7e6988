"""Probes against real servers on a booted host: what does not answer is seen, and healed where it has a unit."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final

import pytest

from tests.system.units import service
from tests.system.ward import QUICK, Ward

if TYPE_CHECKING:
    from pathlib import Path

    from tests.system.ward import Record
    from tools.throwaway import Host

SERVER: Final = r'''
"""server.py KIND WHERE [DELAY]: serves http, https, dns, or a greeting by tcp or unix; READY when it does."""
import os, socket, ssl, sys, threading, time

def http(connection):
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")

def greet(connection):
    connection.sendall(b"220 hello\r\n")

def dns(server):
    while True:
        asked, who = server.recvfrom(512)
        record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"
        server.sendto(asked[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + asked[12:] + record, who)

def serve(server, answer):
    while True:
        connection, _ = server.accept()
        with connection:
            try:
                answer(connection)
            except OSError:
                pass

kind, where, delay = sys.argv[1], sys.argv[2], float((*sys.argv, "0")[3])
time.sleep(delay)
if kind == "unix":
    server = socket.socket(socket.AF_UNIX)
    server.bind(where)
    os.chmod(where, 0o666)
    server.listen()
elif kind == "dns":
    server = socket.socket(type=socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", int(where)))
else:
    server = socket.create_server(("127.0.0.1", int(where)))
if kind == "https":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/etc/web/web.pem")
    server = context.wrap_socket(server, server_side=True)
if "NOTIFY_SOCKET" in os.environ:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
if kind == "dns":
    dns(server)
while True:
    try:
        serve(server, http if kind.startswith("http") else greet)
    except OSError:  # a handshake that failed
        continue
'''

HUNG: Final = """
[component.{name}]
type = "http"
url = "http://127.0.0.1:{port}/"
expect_body = "ok"
unit = "{unit}"
interval_seconds = 0.5
timeout_seconds = 0.5
failures = 1
successes = 1
"""


def runs(kind: str, where: str | int, *more: str, delay: float = 0) -> str:
    """The unit file of a server."""
    return service(f"/usr/bin/python3 /opt/server.py {kind} {where} {delay}", *more)


@pytest.fixture(scope="module")
def ward(shared_host: Host) -> Ward:
    made = Ward(host=shared_host)
    made.host.write("/opt/server.py", SERVER)
    made.configure(QUICK)
    return made


def becomes(ward: Ward, cursor: str, component: str, status: str) -> Record:
    """The record which says so."""
    return ward.await_event(cursor, "component_changed", component=component, status=status)


LOOKS = 10


def message(ward: Ward, component: str) -> str:
    """What is said of a component now."""
    return str(ward.ask("status", component)["message"])


def test_a_service_that_hangs_is_restarted_and_one_that_somebody_stopped_is_not(ward: Ward) -> None:
    unit = ward.add(runs("http", 8001, "Type=notify"))
    behind = ward.add(service(unit=[f"Requires={unit}", f"After={unit}"]))
    with ward.under(HUNG.format(name="web", port=8001, unit=unit)):
        cursor = ward.host.cursor()
        ward.healthctl("check", "web")
        before = ward.invocation(unit)
        ward.kill(unit, "STOP")
        opened = ward.await_event(cursor, "issue_opened", unit, issue="probe_failed")
        started = ward.await_event(cursor, "healing_started", unit)
        ward.await_event(cursor, "healing_finished", unit, outcome="success")
        ward.await_healed(cursor, unit)

        assert "no answer within 0.5 s" in opened["MESSAGE"]
        assert started["HEALTHD_ACTION"] == "restart_unit"
        assert started["MESSAGE"].endswith(f"; this restarts {behind} too")
        assert ward.invocation(unit) != before
        assert ward.host.state(unit) == "active"

        cursor = ward.host.cursor()
        ward.host.run(["systemctl", "stop", unit])
        stopped = f"{unit} was stopped on purpose"
        for _ in range(LOOKS):  # the first may be one that had begun before
            ward.look()
            if message(ward, "web") == stopped:
                break
        assert message(ward, "web") == stopped
        assert "healing_started" not in ward.events(cursor, unit)
        assert ward.host.state(unit) == "inactive"
    ward.discard(behind)
    ward.discard(unit)


def test_a_slow_starter_is_left_to_start_and_judged_afterwards(ward: Ward) -> None:
    unit = ward.add(runs("http", 8002, delay=3), start=False)
    with ward.under(HUNG.format(name="slow", port=8002, unit=unit) + "grace_seconds = 8\n"):
        cursor = ward.host.cursor()
        ward.host.run(["systemctl", "start", unit])
        ward.healthctl("check", "slow")
        assert "within its grace_seconds" in message(ward, "slow")
        first = ward.invocation(unit)
        becomes(ward, cursor, "slow", "healthy")
        assert ward.invocation(unit) == first
        assert not {"issue_opened", "healing_started"} & set(ward.events(cursor, unit))

        # Healed while it hangs, it has its time once more: one attempt, which succeeds.
        cursor = ward.host.cursor()
        ward.host.sh("sleep 6")
        ward.kill(unit, "STOP")
        ward.await_event(cursor, "healing_finished", unit, outcome="success")
        assert ward.events(cursor, unit).count("healing_started") == 1
    ward.discard(unit)


def test_one_that_died_and_was_started_again_has_its_three_readings_to_answer(ward: Ward) -> None:
    unit = ward.add(runs("http", 8006, delay=2))
    answers = "until bash -c ': < /dev/tcp/127.0.0.1/8006' 2> /dev/null; do sleep 0.1; done"
    ward.host.sh(answers)
    table = HUNG.format(name="late", port=8006, unit=unit)
    with ward.under(
        table.replace("failures = 1", "failures = 3").replace("interval_seconds = 0.5", "interval_seconds = 3")
    ):
        ward.healthctl("check", "late")
        cursor = ward.host.cursor()
        ward.kill(unit)
        ward.await_healed(cursor, unit)
        ward.host.sh(answers)
        ward.healthctl("check", "late")

        assert message(ward, "late").startswith("status 200")
        started = [each for each in ward.story(cursor, unit) if each["HEALTHD_EVENT"] == "healing_started"]
        assert [each["HEALTHD_ACTION"] for each in started] == ["start_unit"]
        assert ward.events(cursor, unit).count("issue_opened") == 1
    ward.discard(unit)


def test_what_depends_on_something_that_is_bad_is_not_healed(ward: Ward) -> None:
    unit = ward.add(runs("http", 8003, "Type=notify"))
    database = '[component.database]\ntype = "tcp"\naddress = "127.0.0.1:1"\nfailures = 1\ninterval_seconds = 1\n'
    with ward.under(HUNG.format(name="shop", port=8003, unit=unit) + 'depends_on = ["database"]\n' + database):
        cursor = ward.host.cursor()
        ward.healthctl("check", "database")
        ward.kill(unit, "STOP")
        ward.await_event(cursor, "healing_held", unit, reason="dependency")
        assert "healing_started" not in ward.events(cursor, unit)
        ward.kill(unit, "CONT")
        ward.await_healed(cursor, unit)
    ward.discard(unit)


REACHED: Final = """
[component.greeting]
type = "tcp"
address = "127.0.0.1:8025"
expect = "220"
critical = true

[component.socket]
type = "unix"
path = "/tmp/probed.sock"
expect = "hello"

[component.names]
type = "dns"
name = "example.org"
server = "127.0.0.1:5300"
expect = "192.0.2.1"

[component.paper]
type = "certificate"
path = "/etc/web/paper.pem"
"""
QUICKLY: Final = "interval_seconds = 0.5\ntimeout_seconds = 0.5\nfailures = 1\nsuccesses = 1\n"


def test_what_is_asked_in_any_way_is_seen_bad_and_good_again(ward: Ward, tmp_path: Path) -> None:
    rush = REACHED.replace("\n\n[", f"\n{QUICKLY}\n[") + QUICKLY
    old, new = (certificate(tmp_path / name, days).read_text() for name, days in (("old", 3), ("new", 90)))
    units = [ward.add(runs("tcp", 8025)), ward.add(runs("unix", "/tmp/probed.sock")), ward.add(runs("dns", 5300))]
    ward.host.write("/etc/web/paper.pem", new)
    components = ("greeting", "socket", "names", "paper")
    with ward.under(f'[auto_healing]\nprotect = ["{units[0]}", "{units[1]}", "{units[2]}"]\n{rush}'):
        cursor = ward.host.cursor()
        for component in components:
            if ward.ask("status", component)["status"] != "healthy":
                becomes(ward, cursor, component, "healthy")
        assert message(ward, "names").startswith("A 192.0.2.1, in ")

        cursor = ward.host.cursor()
        ward.host.run(["systemctl", "stop", *units])
        ward.host.write("/etc/web/paper.pem", old)
        for component in components:
            becomes(ward, cursor, component, "unhealthy")
        assert message(ward, "greeting") == "connection refused"
        assert message(ward, "socket") == "connection refused"
        assert message(ward, "names") == "127.0.0.1:5300: connection refused"
        assert "days left (limit 21)" in message(ward, "paper")
        issues = [each for each in ward.ask("issues") if each["component"] in components]
        severities = {each["component"]: each["severity"] for each in issues}
        assert severities == {"greeting": "critical", "socket": "high", "names": "high", "paper": "medium"}
        types = {each["component"]: each["type"] for each in issues}
        assert types == {
            "greeting": "probe_failed",
            "socket": "probe_failed",
            "names": "probe_failed",
            "paper": "certificate",
        }

        cursor = ward.host.cursor()
        ward.host.run(["rm", "/tmp/probed.sock"])
        ward.host.run(["systemctl", "start", *units])
        ward.host.write("/etc/web/paper.pem", new)
        for component in components:
            becomes(ward, cursor, component, "healthy")
    for unit in units:
        ward.discard(unit)


def openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def certificate(path: Path, days: int, *signed: object) -> Path:
    """A certificate for 127.0.0.1, by itself or with how it is signed; its key is beside it."""
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{path}.key")
    openssl("req", "-x509", *key, "-days", days, "-subj", f"/CN={path.name}", "-out", path, *signed)
    return path


def test_an_authority_of_ones_own_is_trusted_once_the_host_does(ward: Ward, tmp_path: Path) -> None:
    authority = certificate(tmp_path / "authority", 90)
    request = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", tmp_path / "web.key")
    openssl("req", *request, "-subj", "/CN=web", "-out", tmp_path / "web.csr")
    (tmp_path / "names").write_text("subjectAltName=IP:127.0.0.1", encoding="ascii")
    by = ("-CA", authority, "-CAkey", f"{authority}.key", "-CAcreateserial", "-extfile", tmp_path / "names")
    openssl("x509", "-req", "-in", tmp_path / "web.csr", "-days", 30, *by, "-out", tmp_path / "web.pem")
    ward.host.write("/etc/web/web.pem", (tmp_path / "web.pem").read_text() + (tmp_path / "web.key").read_text())
    unit = ward.add(runs("https", 8443, "Type=notify"))
    table = f'[component.secure]\ntype = "http"\nurl = "https://127.0.0.1:8443/"\n{QUICKLY}'
    with ward.under(table):
        ward.healthctl("check", "secure")
        assert "it needs a restart of healthd" in message(ward, "secure")

        cursor = ward.host.cursor()
        ward.host.run(["systemctl", "restart", "healthd"])
        becomes(ward, cursor, "secure", "unhealthy")
        assert message(ward, "secure").startswith("TLS: unable to get")

        cursor = ward.host.cursor()
        name = subprocess.run(
            ["openssl", "x509", "-hash", "-noout", "-in", authority], check=True, capture_output=True, text=True
        ).stdout.strip()
        # As update-ca-certificates does it.
        ward.host.write(f"/etc/ssl/certs/{name}.0", authority.read_text())
        becomes(ward, cursor, "secure", "healthy")
        measures = {each["name"]: each["value"] for each in ward.ask("status", "secure")["values"]}
        assert 29 < measures["certificate_days"] < 30
    ward.discard(unit)
