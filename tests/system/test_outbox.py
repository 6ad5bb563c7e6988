"""Alerts under the worst: receivers that fail and hang, and two hundred of them while both processes are killed."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.system.units import service
from tests.system.ward import Ward

if TYPE_CHECKING:
    from tools.throwaway import Host

COUNT: Final = 200
MENDED: Final = 60
SETTINGS: Final = """
[health]
check_interval_seconds = 1
auto_healing_enabled = false
[auto_healing]
cascade_units = 0
[alerting]
group_seconds = 0
webhook_url = "http://127.0.0.1:5080/hook"
"""
BESIDE: Final = """
[alerting]
slack_webhook_url = "http://127.0.0.1:5081/fails"
pagerduty_url = "http://127.0.0.1:5082"
pagerduty_key = "0123456789abcdef0123456789abcdef"
"""
RECEIVERS: Final = """
import http.server, json, pathlib, threading, time

TOLD = pathlib.Path("/run/told")

class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        at, said = time.time(), json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = {5080: "webhook", 5081: "fails", 5082: "hangs"}[self.server.server_port]
        while name == "hangs" and (TOLD / "trouble").exists():
            time.sleep(0.1)
        status = 500 if name == "fails" and (TOLD / "trouble").exists() else 200
        with (TOLD / f"{name}-{status}").open("a") as file:
            file.write(json.dumps({"at": at, "said": said}) + "\\n")
        time.sleep(0.003)  # long enough to be killed in
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

TOLD.mkdir()
for port in (5080, 5081, 5082):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Receiver)
    threading.Thread(target=server.serve_forever).start()
(TOLD / "ready").touch()
"""
STORM: Final = """
import json, os, pathlib, random, signal, subprocess, sys, time

seed, count, mended = map(int, sys.argv[1:])
chance = random.Random(seed)
told = pathlib.Path("/run/told/webhook-200")
names = [f"storm@{number}.service" for number in range(count)]
BATCH, END = 15, time.monotonic() + 100

def systemctl(*arguments):
    return subprocess.run(["systemctl", *arguments], check=True, capture_output=True, text=True).stdout

def pids(*units):
    return list(map(int, systemctl("show", "--property=MainPID", "--value", *units).split()))

def lines():
    return [line for line in told.read_text().splitlines() if "storm@" in line] if told.exists() else []

def letters():
    return len({json.loads(line)["said"]["id"] for line in lines()})

def until(true):
    while not true():
        assert time.monotonic() < END, f"seed {seed}: {letters()} told, kills {kills}"
        time.sleep(0.02)

def kill(unit):
    (pid,) = pids(unit)
    if pid:
        os.kill(pid, signal.SIGKILL)
        kills[unit] += 1

def disturb(before):
    if chance.random() < 0.5:  # while it sends
        some = before + chance.randint(1, 8)
        until(lambda: len(lines()) >= some)
        kill("healthd-deliver.service")
    else:  # while it looks, decides, writes down
        time.sleep(chance.uniform(0.0, 0.4))
        kill("healthd.service")

kills = {"healthd.service": 0, "healthd-deliver.service": 0}
running = dict(zip(names, pids(*names)))
chance.shuffle(names)
for first in range(0, count, BATCH):
    before = len(lines())
    for name in names[first:first + BATCH]:
        os.kill(running[name], signal.SIGKILL)
    disturb(before)
until(lambda: letters() >= count)  # what was not told is not told to be over
well = chance.sample(names, mended)
for first in range(0, mended, BATCH):
    before = len(lines())
    systemctl("start", *well[first:first + BATCH])
    disturb(before)
until(lambda: letters() >= count + mended)
until(lambda: not os.listdir("/var/lib/healthd/outbox"))
print(json.dumps({"kills": kills, "well": well}))
"""


EMPTY: Final = "! ls /var/lib/healthd/outbox | grep --quiet ."


@pytest.fixture(scope="module")
def ward(shared_host: Host) -> Ward:
    made = Ward(host=shared_host)
    made.host.write("/root/receivers.py", RECEIVERS)
    made.host.write("/etc/systemd/system/receivers.service", service("python3 /root/receivers.py"))
    made.host.write("/run/systemd/system/healthd-deliver.service.d/soon.conf", "[Service]\nRestartSec=200ms\n")
    made.host.sh("systemctl daemon-reload && systemctl start receivers")
    until(made, "[ -e /run/told/ready ]")
    made.configure(SETTINGS)
    return made


def test_receivers_that_fail_and_hang_delay_neither_another_nor_a_round(ward: Ward) -> None:
    ward.host.sh("touch /run/told/trouble")
    with ward.under(BESIDE):
        units = [ward.add() for _ in range(4)]
        for count, unit in enumerate(units, 1):
            ward.kill(unit)
            until(ward, took("webhook-200", count))
        until(ward, took("fails-500", 3))
        checked = ward.ask("status")["health_checks"]["memory"]["last_check"]
        ward.host.sh("rm /run/told/trouble")
        for name in ("fails-200", "hangs-200"):
            until(ward, took(name, 4))
        until(ward, EMPTY)
        for unit in units:
            ward.discard(unit)
        until(ward, took("webhook-200", 8))

    assert max(line["at"] - line["said"]["at"] for line in told(ward)) < 5.0  # a try may take 10 s
    assert told(ward, "fails-500")[-1]["at"] - checked < 5.0
    assert len({line["said"]["dedup_key"] for line in told(ward, "hangs-200")}) == 4


def test_two_hundred_alerts_arrive_though_both_processes_are_killed_again_and_again(ward: Ward) -> None:
    seed = random.randrange(2**32)
    ward.host.write("/etc/systemd/system/storm@.service", service())
    ward.host.sh(
        f"rm --force /run/told/*00; systemctl enable --quiet --now $(seq --format=storm@%g.service 0 {COUNT - 1})"
    )
    seen = 'healthctl status services --json | grep --only-matching \'storm@[0-9]*.service", "status": "healthy"\''
    until(ward, f"[ $({seen} | wc --lines) -ge {COUNT} ]")

    done = json.loads(ward.host.python(STORM, str(seed), str(COUNT), str(MENDED), seconds=150))

    said = [line["said"] for line in told(ward) if "storm@" in line["said"]["title"]]
    story = f"seed {seed}, {len(said)} messages, kills: {done['kills']}"
    units, well = {f"storm@{number}.service" for number in range(COUNT)}, set(done["well"])
    ids = Counter(each["id"] for each in said)
    meant = Counter((each["issues"][0]["item"], each["why"]) for each in {each["id"]: each for each in said}.values())
    assert set(meant) == {*((unit, "opened") for unit in units), *((unit, "resolved") for unit in well)}, story
    assert set(meant.values()) == {1}, story
    assert ids.total() - len(ids) <= sum(done["kills"].values()), story
    last = {each["key"]: each for each in said}
    assert {each["issues"][0]["item"] for each in last.values() if each["status"] == "firing"} == units - well, story
    assert {each["item"] for each in ward.ask("issues") if each["component"] == "services"} == units - well, story


def told(ward: Ward, name: str = "webhook-200") -> list[dict[str, Any]]:
    """What a receiver took, or refused, in order."""
    return [json.loads(line) for line in ward.host.sh(f"cat /run/told/{name} || :").splitlines()]


def took(name: str, count: int) -> str:
    """A condition: so many times."""
    return f"[ $(cat /run/told/{name} | wc --lines) -ge {count} ]"


def until(ward: Ward, condition: str) -> None:
    ward.host.run(["timeout", "60", "sh", "-c", f"until {condition}; do sleep 0.05; done"], seconds=70)
