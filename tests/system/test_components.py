"""Faults of the host itself, made for real: memory and disks, each seen, and seen to pass."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.system.far import mounted
from tests.system.later import restart_later
from tests.system.units import service
from tests.system.ward import QUICK, Ward
from tools.throwaway import boot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tools.throwaway import Host, Release

AROUND: Final = {"cpu", "pressure"}
"""What a container shows of the machine around it, which may well be busy."""

CARELESS: Final = """
import os, time
for _ in range(60):
    if not os.fork():
        os._exit(0)
time.sleep(600)
"""

GIB: Final = 2**30
HELD: Final = 2 * GIB
EAT: Final = f"""/usr/bin/python3 -c "import time; held = bytearray(b'x') * {HELD}; time.sleep(600)" """


STAND_INS: Final = """
mkdir -p /run/class/hwmon/hwmon0
cd /run/class/hwmon/hwmon0
echo chip > name; echo 80000 > temp1_max; echo 100000 > temp1_crit; echo 45000 > temp1_input
mount -t overlay -o lowerdir=/run/class:/sys/class none /sys/class
cp /proc/stat /run/stat
echo 0.00 0.00 0.00 1/100 1000 > /run/loadavg
mkdir -p /run/systemd/system/healthd.service.d
cd /run/systemd/system/healthd.service.d
echo '[Service]' > stand-ins.conf
echo 'BindReadOnlyPaths=/run/stat:/proc/stat /run/loadavg:/proc/loadavg' >> stand-ins.conf
"""
"""A sensor, which this machine may lack, and figures of processors that nobody else can spoil: they stand still."""

SPENT: Final = """awk '/^cpu / {{ ${} += 100000 }} {{ print }}' /run/stat > /run/next; cat /run/next > /run/stat"""
"""A lot of time of one kind passes, by its column in /proc/stat."""
BUSY, IDLE, STOLEN = 2, 5, 9

HOT: Final = """
[auto_healing]
settle_seconds = 0
[component.cpu]
interval_seconds = 1
failures = 1
successes = 1
[component.temperature]
interval_seconds = 1
"""
LOAD: Final = "echo 0.00 {} 0.00 1/100 1000 > /run/loadavg"


@pytest.fixture(scope="module")
def ward(release: Release, deb: Path) -> Iterator[Ward]:
    """A host that is looked at every second."""
    with boot(release, deb=deb) as host:
        made = Ward(host=host)
        made.configure(QUICK)
        made.configure("[health]\ncheck_interval_seconds = 1\n", name="40-often")
        yield made


def component(ward: Ward, name: str) -> dict[str, Any]:
    found: dict[str, Any] = ward.ask("status", name)
    return found


def value(ward: Ward, name: str, measure: str) -> float:
    """A number as it was last read."""
    return float(next(one["value"] for one in component(ward, name)["values"] if one["name"] == measure))


def test_a_host_on_which_nothing_is_wrong_has_nothing_red(ward: Ward) -> None:
    ward.healthctl("check")
    health = ward.ask("status")["health_checks"]

    bad = {name: each["message"] for name, each in health.items() if each["status"] != "healthy"}
    assert bad.keys() <= AROUND
    assert {each["component"] for each in ward.ask("issues")} <= AROUND


def test_memory_that_runs_out_is_an_issue_until_it_is_given_back(ward: Ward) -> None:
    used = value(ward, "memory", "used_bytes")
    # Room for what else the machine does: memory is that of the machine around.
    warning, critical = (used + HELD / 2) / GIB, (used + 1.5 * HELD) / GIB
    cursor = ward.host.cursor()
    with ward.under(f"[thresholds]\nmemory_warning_gb = {warning:.3f}\nmemory_critical_gb = {critical:.3f}\n"):
        unit = ward.add(service(EAT))
        ward.await_event(cursor, "issue_opened", component="memory", issue="high_memory", seconds=60)
        seen = component(ward, "memory")
        ward.discard(unit)
        ward.await_event(cursor, "issue_resolved", component="memory", issue="high_memory", seconds=60)

    assert (seen["status"], seen["issues"][0]["severity"]) == ("degraded", "medium")
    assert 0.5 <= seen["score"] < 0.8


@pytest.mark.parametrize(
    ("options", "fill", "issue"),
    [
        ("size=8M", "head -c 7900000 /dev/zero > /tmp/full/x", "disk_full"),
        (
            "size=8M,nr_inodes=100",
            'i=0; while [ "$i" -lt 97 ]; do : > "/tmp/full/$i"; i=$((i + 1)); done',
            "inodes_full",
        ),
    ],
)
def test_a_file_system_that_fills_up_is_an_issue_until_there_is_room(
    ward: Ward, options: str, fill: str, issue: str
) -> None:
    cursor = ward.host.cursor()
    ward.host.sh(f"mkdir -p /tmp/full; mount -t tmpfs -o {options} none /tmp/full")
    ward.host.sh(fill)
    ward.await_event(cursor, "issue_opened", component="storage", item="/tmp/full", issue=issue)
    (item,) = [each for each in component(ward, "storage")["items"] if each["name"] == "/tmp/full"]
    ward.host.sh("find /tmp/full -mindepth 1 -delete")
    ward.await_event(cursor, "issue_resolved", component="storage", item="/tmp/full", issue=issue)
    ward.host.sh("umount /tmp/full")
    ward.healthctl("check", "storage")

    assert item["status"] in ("degraded", "unhealthy")
    assert "/tmp/full" not in [each["name"] for each in component(ward, "storage")["items"]]


def test_a_file_system_that_became_read_only_is_an_issue_until_it_can_be_written_again(ward: Ward) -> None:
    ward.host.sh("mkdir -p /mnt/frozen; mount -t tmpfs -o size=8M none /mnt/frozen")
    ward.healthctl("check", "storage")
    cursor = ward.host.cursor()
    ward.host.sh("mount -o remount,ro /mnt/frozen")
    ward.await_event(cursor, "issue_opened", component="storage", item="/mnt/frozen", issue="read_only")
    ward.host.sh("mount -o remount,rw /mnt/frozen")
    ward.await_event(cursor, "issue_resolved", component="storage", item="/mnt/frozen", issue="read_only")
    ward.host.sh("umount /mnt/frozen")


def test_a_remote_file_system_that_hangs_is_named_and_holds_nobody_up(ward: Ward) -> None:
    with mounted(ward, "fuse", "far:/home", "/mnt/far") as server:
        assert "10%" in ward.host.sh("df --output=pcent /mnt/far")
        ward.kill(server, "STOP")
        cursor = ward.host.cursor()
        ward.host.run(["systemctl", "restart", "healthd.service"])
        ward.await_event(cursor, "daemon_ready")
        ward.healthctl("check")
        checks = ward.ask("status")["health_checks"]

    (item,) = [each for each in checks["storage"]["items"] if each["name"] == "/mnt/far"]
    assert (item["status"], item["message"]) == ("healthy", "remote (fuse), not looked at")
    assert {name for name, each in checks.items() if each["status"] == "unknown"} <= AROUND


def test_processes_that_nobody_buries_are_an_issue_until_somebody_does(ward: Ward) -> None:
    cursor = ward.host.cursor()
    ward.host.write("/root/careless.py", CARELESS)
    unit = ward.add(service("/usr/bin/python3 /root/careless.py"))
    ward.await_event(cursor, "issue_opened", component="processes", issue="pressure", seconds=60)
    seen = component(ward, "processes")
    ward.discard(unit)  # their parent gone, PID 1 buries them
    ward.await_event(cursor, "issue_resolved", component="processes", issue="pressure", seconds=60)

    assert seen["status"] == "degraded"
    assert "zombies: their parents do not ask how they ended" in seen["issues"][0]["message"]


def test_heat_busy_processors_stolen_time_and_a_long_queue_are_issues_until_they_pass(host: Host) -> None:
    ward = Ward(host=host)
    host.sh(STAND_INS)
    host.write("/etc/healthd/conf.d/50-test.toml", HOT)
    restart_later(ward, older=3600)  # just after a boot nobody wonders at a long queue
    cursor = host.cursor()
    (sensor,) = component(ward, "temperature")["items"]
    assert (sensor["status"], sensor["message"]) == ("healthy", "45 °C of 100 °C")

    processors = os.cpu_count() or 1
    host.sh("echo 101000 > /run/class/hwmon/hwmon0/temp1_input")
    said = []
    for column, queue in ((BUSY, 0), (STOLEN, 0), (IDLE, 40 * processors)):
        host.sh(f"{LOAD.format(queue)}; {SPENT.format(column)}")
        said.append(ward.await_event(cursor, "issue_opened", component="cpu", issue="high_cpu")["MESSAGE"])
        host.sh(f"{LOAD.format(0)}; {SPENT.format(IDLE)}")
        cursor = ward.await_event(cursor, "issue_resolved", component="cpu", issue="high_cpu")["__CURSOR"]
    hot = ward.issue("chip temp1")
    host.sh("echo 45000 > /run/class/hwmon/hwmon0/temp1_input")
    ward.await_event(cursor, "issue_resolved", component="temperature", item="chip temp1")

    assert "the processors are 100 % busy (limit 95 %)" in said[0]
    assert "the machine around this one takes 100 % of the processors' time (limit 50 %)" in said[1]
    assert "the load average is 40.0 a processor (limit 16)" in said[2]
    assert hot["message"] == "101 °C (limit 100 °C)"
