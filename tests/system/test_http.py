"""HTTP over TCP on a booted host: who may ask what, whose port it is, and TLS; asked by curl."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

import pytest

from tests.system.units import service
from tests.system.ward import Ward
from tools.throwaway import boot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tools.throwaway import Release

EXTRA: Final = ("curl", "openssl", "prometheus")
URL: Final = "http://127.0.0.1:8080"
GRABBY: Final = """
import http.server
http.server.test(http.server.SimpleHTTPRequestHandler, port=8080, bind="0.0.0.0")
"""
CROWD: Final = """
import http.client, json, socket, subprocess, sys, time

def connected():
    return socket.create_connection(("127.0.0.1", 8080))

def ready():
    link = http.client.HTTPConnection("127.0.0.1", 8080, timeout=30)
    link.request("GET", "/health/ready")
    return link.getresponse().status

def checks():
    done = subprocess.run(["healthctl", "status", "--json"], capture_output=True)
    return json.loads(done.stdout)["health_checks"]

idle = [connected() for _ in range(int(sys.argv[1]))]
slow = [connected() for _ in range(20)]
seen, codes, rounds = checks(), [], set()
while len(rounds) < 4 or len(codes) < 5:
    for link in slow:  # a letter of a header at a time
        try:
            link.sendall(b"GET /health/ready HTTP/1.1\\r\\nX-Slow: " if not codes else b"x")
        except OSError:
            pass  # healthd had enough of it
    codes.append(ready())
    seen = checks()
    rounds.add(seen["memory"]["last_check"])
    time.sleep(0.2)
print(json.dumps({
    "ready": codes[:5],
    "rounds": len(rounds),
    "unknown": [name for name, each in seen.items() if each["status"] == "unknown"],
}))
"""
CERTIFICATES: Final = """
mkdir -p /etc/healthd/tls && cd /etc/healthd/tls
new="-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
openssl req $new -subj /CN=authority -keyout ca.key -out ca.pem
for name in host client; do
    openssl req $new -CA ca.pem -CAkey ca.key -subj /CN=$name -addext subjectAltName=IP:127.0.0.1 \
        -keyout $name.key -out $name.pem
done
chgrp healthd host.key && chmod 0640 host.key
"""


@pytest.fixture(scope="module")
def ward(release: Release, deb: Path) -> Iterator[Ward]:
    """A host on which Debian's prometheus is installed, and was started with it, beside healthd."""
    with boot(release, deb=deb, extra=EXTRA) as host:
        host.run(["systemctl", "is-system-running", "--wait"], check=False)
        yield Ward(host=host)


def curl(ward: Ward, path: str, *options: str, url: str = URL) -> tuple[int, str]:
    """The status and the body of an answer; 0 if there is none."""
    command = ["curl", "--silent", "--max-time", "20", "--write-out", "\n%{http_code}", *options, f"{url}{path}"]
    body, _, status = ward.host.run(command, check=False).stdout.rpartition("\n")
    return int(status), body


def with_key(key: str) -> tuple[str, str]:
    return ("--header", f"Authorization: Bearer {key}")


def new_key(ward: Ward, name: str, scope: str = "read") -> str:
    done = ward.healthctl("key", "add", name, "--scope", scope)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


def restart(ward: Ward, *options: str, url: str = URL) -> None:
    """Restarts healthd and returns when it is reached again."""
    ward.host.run(["systemctl", "restart", "healthd.service"])
    ask = f"curl --silent --fail {' '.join(options)} {url}/health/live"
    ward.host.sh(f"timeout 30 sh -c 'until {ask}; do sleep 0.1; done'")


def test_the_units_of_the_host_have_their_ports_first_and_what_healthd_misses_is_said_once(ward: Ward) -> None:
    assert ward.host.state("prometheus.service") == "active"
    journal = "journalctl --quiet --boot HEALTHD_EVENT=listener_changed"
    ward.host.sh(f"timeout 60 sh -c 'until {journal} | grep --quiet .; do sleep 0.2; done'", seconds=70)
    said = [each["MESSAGE"] for each in ward.host.records("HEALTHD_EVENT=listener_changed")]

    assert len(said) == 1
    assert said[0].startswith("127.0.0.1:9090 is not served: another program has this port")
    lines = {line["name"]: line["ok"] for line in ward.ask("doctor")}
    assert (lines["tcp 127.0.0.1:8080"], lines["tcp 127.0.0.1:9090"]) == (True, False)


def test_probes_are_open_and_everything_else_wants_a_key_of_its_scope(ward: Ward) -> None:
    assert curl(ward, "/health/live")[0] == 200
    status, body = curl(ward, "/health/ready")
    assert (status, json.loads(body)["version"]) == (200, "1.x.x")
    assert curl(ward, "/health")[0] == 401
    assert curl(ward, "/api/v1/openapi.json")[0] == 200

    reader, boss = new_key(ward, "reader"), new_key(ward, "boss", "control")
    assert curl(ward, "/health", *with_key(reader))[0] == 200
    assert "services" in json.loads(curl(ward, "/api/v1/components", *with_key(reader))[1])
    assert curl(ward, "/api/v1/check", "--request", "POST", *with_key(reader))[0] == 403
    assert curl(ward, "/api/v1/check", "--request", "POST", *with_key(boss))[0] == 200
    assert curl(ward, "/api/v1/reload", "--request", "POST", *with_key(boss))[0] == 200
    assert curl(ward, "/api/v1/apply", "--request", "POST", *with_key(boss))[0] == 403
    assert curl(ward, "/health/live", *with_key("wrong"))[0] == 401

    assert ward.healthctl("key", "revoke", "boss").returncode == 0
    assert curl(ward, "/health", *with_key(boss))[0] == 401
    assert [key["name"] for key in ward.ask("key", "list")] == ["reader"]
    assert "sudo healthctl key" in ward.healthctl("key", "add", "x", user="daemon").stderr
    assert ward.host.sh("stat --format=%U:%G:%a /etc/healthd/api-keys") == "root:healthd:640"


def test_every_request_is_in_the_journal_and_no_key_is(ward: Ward) -> None:
    key, cursor = new_key(ward, "audited"), ward.host.cursor()
    curl(ward, "/api/v1/issues?key=s3cret", *with_key(key))
    for _ in range(5):
        curl(ward, "/health/ready")

    record = ward.await_event(cursor, "api_request", key="audited")
    wanted = {"CLIENT": "127.0.0.1", "PATH": "/api/v1/issues", "HTTP_STATUS": "200", "METHOD": "GET"}
    assert {name: record[f"HEALTHD_{name}"] for name in wanted} == wanted
    assert len([each for each in ward.story(cursor) if each.get("HEALTHD_PATH") == "/health/ready"]) <= 1
    everything = ward.host.journal()
    assert key not in everything
    assert "s3cret" not in everything


def test_who_asks_too_often_is_told_when_to_come_again(ward: Ward) -> None:
    with ward.under("[http]\nrate_limit_per_minute = 5\n"):
        answers = [curl(ward, "/health/ready", "--include") for _ in range(7)]
        assert [status for status, _ in answers][:5] == [200] * 5
        assert answers[-1][0] == 429
        assert re.search(r"(?m)^Retry-After: \d+", answers[-1][1])
        assert curl(ward, "/health/live")[0] == 200


def test_idle_and_slow_clients_disturb_no_round(ward: Ward) -> None:
    with ward.under("[health]\ncheck_interval_seconds = 1\n[http]\nrate_limit_per_minute = 0\n"):
        told = json.loads(ward.host.python(CROWD, "500"))
        cursor, unit = ward.host.cursor(), ward.add()
        ward.kill(unit)
        ward.await_healed(cursor, unit)
        ward.discard(unit)

    assert told["ready"] == [200] * 5
    assert told["rounds"] >= 4
    assert set(told["unknown"]) <= {"cpu", "pressure"}  # by what the machine around does
    assert ward.host.state("healthd.service") == "active"


def test_prometheus_gets_its_port_whoever_has_it(ward: Ward) -> None:
    cursor = ward.host.cursor()
    ward.host.run(["systemctl", "stop", "prometheus.service"])
    ward.await_event(cursor, "listener_changed", reason="served", seconds=40)
    assert "healthd_build_info" in curl(ward, "/metrics", url="http://127.0.0.1:9090")[1]
    assert curl(ward, "/health/live", url="http://127.0.0.1:9090")[0] == 404

    ward.try_start("prometheus.service")
    record = ward.await_event(cursor, "listener_changed", "prometheus.service", reason="given_up")
    assert record["HEALTHD_ADDRESS"] == "127.0.0.1:9090"
    ward.host.sh("timeout 20 sh -c 'until curl -sf http://127.0.0.1:9090/-/ready; do sleep 0.2; done'")


def test_a_service_that_fails_for_a_port_of_healthds_is_healed_and_gets_it(ward: Ward) -> None:
    ward.host.write("/usr/local/lib/grabby.py", GRABBY)
    settings = "[auto_healing]\nbackoff_seconds = 1\n"
    with ward.under(settings):
        cursor = ward.host.cursor()
        unit = ward.add(service("/usr/bin/python3 -u /usr/local/lib/grabby.py"), name="grabby.service")
        ward.await_event(cursor, "listener_changed", unit, reason="given_up")
        ward.await_healed(cursor, unit)
        assert curl(ward, "/")[0] == 200
        assert ward.healthctl("status").returncode == 0
    ward.discard(unit)
    restart(ward)  # it would come back to the port by itself, in a minute


def test_with_a_certificate_it_is_https_after_a_restart_and_clients_must_show_theirs(ward: Ward) -> None:
    ward.host.sh(CERTIFICATES)
    tls = "/etc/healthd/tls"
    settings = (
        f'[http]\ntls_certificate = "{tls}/host.pem"\ntls_key = "{tls}/host.key"\ntls_client_ca = "{tls}/ca.pem"\n'
    )
    mine = ("--cacert", f"{tls}/ca.pem", "--cert", f"{tls}/client.pem", "--key", f"{tls}/client.key")
    https = URL.replace("http:", "https:")

    ward.configure(settings, name="70-tls")
    (line,) = [line for line in ward.ask("doctor") if line["name"] == "tls"]
    assert line["remedy"] == "systemctl restart healthd"
    assert curl(ward, "/health/live")[0] == 200
    cursor = ward.host.cursor()
    restart(ward, *mine, url=https)
    assert curl(ward, "/health/ready", *mine, url=https)[0] == 200
    assert curl(ward, "/health/ready", *mine[:2], url=https)[0] == 0
    assert curl(ward, "/health/live")[0] == 0
    assert ward.await_event(cursor, "api_request", http_status=0)["MESSAGE"].startswith("what is no request")

    ward.host.sh(f"chmod 0600 {tls}/host.key")
    ward.host.run(["systemctl", "restart", "healthd.service"])
    record = ward.await_event(cursor, "listener_changed", reason="tls", address="127.0.0.1:8080")
    assert f"{tls}/host.key cannot be read: Permission denied" in record["MESSAGE"]
    ward.configure("", name="70-tls")
    restart(ward)
