"""A fault on a host reaches a real Alertmanager, a mailbox, and stand-ins for Slack and PagerDuty, with its cause."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.system import standins
from tests.system.units import service
from tests.system.ward import QUICK, Ward
from tools.throwaway import boot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tools.throwaway import Release

EXTRA: Final = ("prometheus", "prometheus-alertmanager", "python3-aiosmtpd", "openssl", "apprise")
ROUTING_KEY: Final = "0123456789abcdef0123456789abcdef"
SETTINGS: Final = f"""
[auto_healing]
backoff_seconds = 60
backoff_max_seconds = 60
[alerting]
group_seconds = 1
slack_webhook_url = {{ credential = "slack" }}
pagerduty_key = {{ credential = "pagerduty" }}
pagerduty_url = "http://127.0.0.1:{standins.HTTP_PORT}"
email_notifications = ["ops@example.org"]
smtp_url = {{ credential = "smtp" }}
alertmanager_url = "http://127.0.0.1:9093"
webhook_url = "http://127.0.0.1:{standins.HTTP_PORT}/hook"
webhook_secret = {{ credential = "hook" }}
apprise_urls = [{{ credential = "apprise" }}]
"""
PATIENT: Final = "[alerting]\ngroup_seconds = 8\n"
"""The journal of a busy machine may be seconds behind, and what a unit wrote last is in the first message."""

SWITCH: Final = '[alerting]\nheartbeat_url = { credential = "switch" }\n'

CREDENTIALS: Final = {
    "slack": f"http://127.0.0.1:{standins.HTTP_PORT}/services/T0/B0/slack-s3cret",
    "pagerduty": ROUTING_KEY,
    "smtp": f"smtp://{standins.USER}:{standins.PASSWORD}@127.0.0.1:{standins.MAIL_PORT}",
    "hook": "hook-s3cret",
    "switch": f"http://127.0.0.1:{standins.HTTP_PORT}/switch/switch-s3cret",
}
APPRISE: Final = f"json://healthd:app-s3cret@127.0.0.1:{standins.HTTP_PORT}/app"
ENCRYPT: Final = """
mkdir -p -m 0700 /etc/credstore.encrypted
systemd-creds encrypt --name=apprise - /etc/credstore.encrypted/apprise
mkdir -p /etc/systemd/system/healthd-deliver.service.d
printf '[Service]\\nLoadCredentialEncrypted=apprise:/etc/credstore.encrypted/apprise\\n' \
    > /etc/systemd/system/healthd-deliver.service.d/credentials.conf
"""
SETUP: Final = """
echo 'ARGS="--cluster.listen-address="' > /etc/default/prometheus-alertmanager  # no network to find peers in
mkdir /run/told && systemctl daemon-reload && systemctl reset-failed
systemctl disable --quiet --now prometheus
systemctl restart prometheus-alertmanager standin mailbox
timeout 30 sh -c 'until amtool --alertmanager.url=http://127.0.0.1:9093 alert; do sleep 0.1; done'
"""
EVERYTHING: Final = """
import http.client, json, socket, subprocess

def run(*command):
    print(subprocess.run(command, capture_output=True, text=True).stdout)

def ask(path, place="/run/healthd/healthd.sock"):
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(place)
    connection.request("GET", path)
    answer = connection.getresponse().read().decode()
    connection.close()
    print(path, answer)
    return answer

run("journalctl", "--output=verbose", "--no-pager")
run("systemctl", "show", "healthd", "healthd-deliver")
run("healthctl", "config", "show")
run("sqlite3", "/var/lib/healthd/history.db", ".dump")
run("sh", "-c", "cat /var/lib/healthd/delivered/* /var/lib/healthd/outbox/* /proc/[0-9]*/cmdline")
for path in json.loads(ask("/api/v1/openapi.json"))["paths"]:
    if "{" not in path and "events" not in path:
        ask(path), ask(path, "/run/healthd/healthd-read.sock")
for incident in json.loads(ask("/api/v1/incidents")):
    ask(f"/api/v1/incidents/{incident['id']}")
"""
FAILED: Final = "healthd itself has failed"
TELLERS: Final = ("slack", "pagerduty", "email", "webhook", "apprise")
CAUSE: Final = "cannot open /etc/frobnicate.conf"


@pytest.fixture(scope="module")
def ward(release: Release, deb: Path) -> Iterator[Ward]:
    """A host with receivers, of which healthd knows by credentials."""
    with boot(release, deb=deb, extra=EXTRA) as host:
        made = Ward(host=host)
        for name, script in (("standin", standins.HTTP), ("mailbox", standins.MAIL)):
            host.write(f"/root/{name}.py", script)
            host.write(f"/etc/systemd/system/{name}.service", service(f"python3 /root/{name}.py"))
        host.run(["sh", "-euc", ENCRYPT], stdin=APPRISE)
        host.sh(SETUP)
        for name, secret in CREDENTIALS.items():
            host.write(f"/etc/healthd/credentials/{name}", secret + "\n")
        made.configure(QUICK)
        made.configure(SETTINGS, name="70-told")
        yield made


def test_a_test_goes_the_whole_way_and_tells_what_each_receiver_answered(ward: Ward) -> None:
    tried = {each["receiver"]: each for each in ward.ask("alert", "test")["tried"]}
    assert set(tried) == {"alertmanager", *TELLERS}
    assert [each for each in tried.values() if not each["ok"]] == []

    ward.host.sh("systemctl stop mailbox")
    (failed,) = ward.ask("alert", "test", "email")["tried"]
    ward.host.sh("systemctl start mailbox")

    assert (failed["ok"], failed["text"]) == (False, "the mail server: [Errno 111] Connection refused")


def test_a_fault_reaches_every_receiver_with_its_cause_and_so_does_its_end(ward: Ward) -> None:
    with ward.under(PATIENT, name="80-patient"):
        unit = failing(ward)
        first = {name: await_told(ward, name, unit)[0]["said"] for name in TELLERS}
    (alert,) = alertmanager(ward, unit)
    assert first["webhook"]["status"] == "firing"
    assert first["pagerduty"]["event_action"] == "trigger"
    assert first["pagerduty"]["routing_key"] == ROUTING_KEY
    assert first["email"]["tls"]
    assert first["email"]["headers"]["Subject"].startswith("[high] ")
    assert alert["labels"]["alertname"] == "healthd_service_down"
    assert (alert["labels"]["unit"], alert["labels"]["severity"]) == (unit, "high")
    assert first["apprise"]["type"] == "failure"
    for said in (*first.values(), alert):
        text = json.dumps(said)
        assert f"{unit} is down: ended with exit status 3" in text
        assert CAUSE in text
        assert "healthctl incident" in text

    mend(ward, unit)

    last = {name: await_told(ward, name, unit, count=2)[1]["said"] for name in TELLERS}
    assert last["webhook"]["status"] == "resolved"
    assert last["pagerduty"] == {
        "routing_key": ROUTING_KEY,
        "event_action": "resolve",
        "dedup_key": first["pagerduty"]["dedup_key"],
    }
    assert last["email"]["headers"]["References"] == first["email"]["headers"]["References"]
    assert ":white_check_mark:" in last["slack"]["text"]
    assert last["apprise"]["type"] == "success"
    await_gone(ward, unit)


def test_nothing_is_lost_or_doubled_over_an_outage_of_receivers_and_the_death_of_healthd(ward: Ward) -> None:
    ward.host.sh("touch /run/told/outage && systemctl stop mailbox prometheus-alertmanager")
    unit = failing(ward)
    await_told(ward, "outage", unit)

    ward.host.sh("systemctl kill --signal=KILL healthd healthd-deliver")
    ward.host.sh("timeout 30 sh -c 'while healthctl status; [ $? = 3 ]; do sleep 0.1; done'")
    ward.host.sh("systemctl start mailbox prometheus-alertmanager && rm /run/told/outage")

    for name in TELLERS:
        await_told(ward, name, unit)
    await_delivered(ward)
    assert {name: len(told(ward, name, unit)) for name in TELLERS} == dict.fromkeys(TELLERS, 1)
    assert len(alertmanager(ward, unit)) == 1
    mend(ward, unit)
    for name in TELLERS:
        await_told(ward, name, unit, count=2)
    await_gone(ward, unit)


def test_a_receiver_that_is_out_for_a_while_hears_the_end_when_it_is_back(ward: Ward) -> None:
    unit = failing(ward)
    for name in ("slack", "webhook"):
        await_told(ward, name, unit)
    with ward.under('[alerting]\nslack_webhook_url = ""\n'):
        mend(ward, unit)
        await_told(ward, "webhook", unit, count=2)

    (_, last) = await_told(ward, "slack", unit, count=2)
    assert ":white_check_mark:" in last["said"]["text"]


def test_what_is_no_letter_is_put_aside(ward: Ward) -> None:
    ward.host.sh("cd /var/lib/healthd/outbox; runuser -u healthd -- sh -c 'echo x > .x && mv .x x.json'")
    await_delivered(ward)

    assert ward.host.sh("cat /var/lib/healthd/delivered/x.json.broken") == "x"


def test_what_the_first_attempt_heals_is_no_message(ward: Ward) -> None:
    cursor, unit = ward.host.cursor(), ward.add()
    ward.kill(unit)
    ward.await_healed(cursor, unit)
    other = failing(ward)
    await_told(ward, "webhook", other)
    mend(ward, other)

    assert told(ward, "webhook", unit) == []


def test_what_the_first_attempt_heals_is_a_quiet_note_for_those_who_ask_for_it(ward: Ward) -> None:
    with ward.under("[alerting]\nnotify_healed = true\n"):
        unit = ward.add()
        ward.kill(unit)
        notes = {
            name: await_told(ward, name, unit)[0]["said"] for name in ("webhook", "slack", "email", "apprise", "change")
        }

    assert (notes["webhook"]["why"], notes["webhook"]["status"]) == ("healed", "note")
    assert notes["email"]["headers"]["Subject"].endswith(f": healed: {unit} is down")
    for said in notes.values():
        assert f"healed by start_unit of {unit}" in json.dumps(said)
    assert told(ward, "pagerduty", unit) == []
    assert alertmanager(ward, unit) == []


def test_the_process_that_delivers_sees_neither_the_bus_nor_the_database(ward: Ward) -> None:
    unit = failing(ward)
    await_told(ward, "webhook", unit)
    pid = ward.host.show("healthd-deliver", "MainPID")["MainPID"]

    seen = ward.host.sh(f"ls /proc/{pid}/root/var/lib/healthd /proc/{pid}/root/run/dbus /proc/{pid}/root/run/healthd")
    exposure = ward.host.sh("systemd-analyze security healthd-deliver.service | tail --lines=1")

    assert "history.db" not in seen
    assert "healthd.sock" not in seen
    assert "system_bus_socket" not in seen
    assert float(exposure.split(":")[1].split()[0]) <= 1.5
    mend(ward, unit)


def test_a_healthd_that_does_not_start_is_told_without_it_and_so_is_that_it_lives_again(ward: Ward) -> None:
    ward.host.write("/etc/healthd/conf.d/80-wrong.toml", "[health]\ncheck_interval_seconds = 'often'\n")
    ward.host.sh("systemctl stop healthd-deliver; systemctl restart healthd", check=False)

    for name in TELLERS:
        (told,) = await_told(ward, name, FAILED)
        assert "nothing watches and heals" in json.dumps(told)

    ward.host.sh("rm /etc/healthd/conf.d/80-wrong.toml && systemctl restart healthd")
    (_, last) = await_told(ward, "webhook", FAILED, count=2)
    assert last["said"]["status"] == "resolved"


def test_a_healthd_that_falls_again_and_again_is_told_without_it_and_so_is_that_it_lives_again(ward: Ward) -> None:
    await_delivered(ward)
    before = {name: len(told(ward, name, FAILED)) for name in TELLERS}
    ward.host.sh("systemctl restart healthd")  # from then on its falls are counted
    for _ in range(3):
        run = ward.host.show("healthd", "InvocationID")["InvocationID"]
        ward.host.sh("systemctl kill --signal=KILL healthd")
        ward.host.await_unit("healthd.service", "active", invocation_other_than=run)

    for name in TELLERS:
        told_now = await_told(ward, name, FAILED, count=before[name] + 1)[before[name]]
        assert "nothing watches and heals" in json.dumps(told_now)
    last = await_told(ward, "webhook", FAILED, count=before["webhook"] + 2)[-1]
    assert last["said"]["status"] == "resolved"


def test_a_dead_mans_switch_is_asked_for_while_healthd_lives(ward: Ward) -> None:
    with ward.under(SWITCH):
        ward.host.sh("systemctl restart healthd")
        ward.host.sh("timeout 30 sh -c 'until [ -e /run/told/switch ]; do sleep 0.1; done'", seconds=40)


def test_no_secret_is_said_anywhere_though_all_receivers_fail_and_none_is_within_reach_of_the_daemon(
    ward: Ward,
) -> None:
    ward.host.sh("systemctl stop mailbox standin prometheus-alertmanager")
    unit, cursor = failing(ward), ward.host.cursor()
    with ward.under(SWITCH):
        ward.host.sh("systemctl restart healthd")
        ward.await_event(cursor, "alert_failed", receiver="heartbeat")
        tried = ward.ask("alert", "test")["tried"]
        everything = ward.host.python(EVERYTHING)
    with ward.under('[alerting]\napprise_urls = ["slak://tok-s3cret/a", "json://h:app-s3cret@/"]\n'):
        tried += ward.ask("alert", "test", "apprise")["tried"]
        everything += ward.host.python(EVERYTHING)

    assert [each["ok"] for each in tried] == [False] * (len(TELLERS) + 2)
    for known in ("dead man's switch cannot be told", "could not be told", '"***"', "INSERT INTO incident", unit):
        assert known in everything
    assert [each for each in (*CREDENTIALS.values(), APPRISE, "s3cret") if each in everything + json.dumps(tried)] == []
    assert ward.host.run(["test", "-e", "/run/told/refused"], check=False).returncode == 1
    assert ward.host.sh("runuser -u healthd -- cat /etc/healthd/credentials/slack 2>&1 || :").endswith("denied")


def failing(ward: Ward) -> str:
    """A unit that says why it fails, and fails each time."""
    unit = ward.add(service(f"/bin/sh -c 'echo {CAUSE}; exit 3'"), start=False)
    ward.try_start(unit)
    return unit


def mend(ward: Ward, unit: str) -> None:
    """What an operator does about it."""
    ward.host.write(f"/etc/systemd/system/{unit}", service())
    ward.host.sh(f"systemctl daemon-reload && systemctl restart {unit}")


def told(ward: Ward, name: str, unit: str) -> list[dict[str, Any]]:
    """What this receiver was told about the unit's alert, in order."""
    lines = [json.loads(line) for line in ward.host.sh(f"cat /run/told/{name} || :").splitlines()]
    keys = {key_of(line["said"]) for line in lines if unit in json.dumps(line)}
    return [line for line in lines if key_of(line["said"]) in keys]


def key_of(said: dict[str, Any]) -> str:
    """What names the alert; of those that have no such thing, its unit."""
    if "headers" in said:
        return str(said["headers"]["X-Healthd-Alert"])
    text = said.get("text") or said.get("title") or said.get("payload", {}).get("summary", "")
    return str(said.get("dedup_key") or said.get("key") or _unit_in(text))


def _unit_in(text: str) -> str:
    return next((word for word in text.split() if ".service" in word), text)


def await_told(ward: Ward, name: str, unit: str, *, count: int = 1) -> list[dict[str, Any]]:
    """The same, once it is so many messages."""
    deadline = time.monotonic() + 60
    while len(found := told(ward, name, unit)) < count:
        assert time.monotonic() < deadline, f"{name} was told {len(found)} of {count}"
        time.sleep(0.2)
    return found


def await_delivered(ward: Ward) -> None:
    """Wait until every receiver has all letters."""
    ward.host.sh("timeout 60 sh -c 'while ls /var/lib/healthd/outbox | grep .; do sleep 0.1; done'", seconds=70)


def alertmanager(ward: Ward, unit: str) -> list[dict[str, Any]]:
    """The alerts about a unit that fire at Alertmanager."""
    alerts = json.loads(ward.host.sh("amtool --alertmanager.url=http://127.0.0.1:9093 alert --output=json"))
    return [alert for alert in alerts if alert["labels"].get("unit") == unit]


def await_gone(ward: Ward, unit: str) -> None:
    """Wait until none fires any more."""
    deadline = time.monotonic() + 30
    while alertmanager(ward, unit):
        assert time.monotonic() < deadline
        time.sleep(0.2)
