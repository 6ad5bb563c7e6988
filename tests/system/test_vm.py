"""What needs a kernel of its own: real OOM kills, disks that fail, tasks that hang, as healthd sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.system.far import mounted
from tests.system.later import restart_later
from tests.system.units import obedient
from tests.system.ward import Ward
from tools.throwaway import Release

if TYPE_CHECKING:
    from tools.throwaway import Vm

ONE_IS_ENOUGH = pytest.mark.parametrize("release", [Release.BOOKWORM], ids=str)
"""Of the kernel it takes nothing that has changed, and a machine is slow."""

EAT = "exec /usr/bin/python3 -c 'bytearray(400 << 20)'"

DISK = """
truncate -s 64M /root/disk.img
loop=$(losetup --show --find /root/disk.img)
dmsetup create frail --table "0 131072 linear $loop 0"
mkfs.ext4 -q /dev/mapper/frail
mkdir -p /mnt/frail
mount -o errors=remount-ro /dev/mapper/frail /mnt/frail
"""
BREAK = """
dmsetup suspend --noflush frail
dmsetup reload frail --table "0 131072 error"
dmsetup resume frail
{ echo x > /mnt/frail/x; sync; } 2> /dev/null || true
ls -R /mnt/frail > /dev/null 2>&1 || true
"""
"""The disk fails under the file system, which then cannot write its journal."""

HANG = """
sysctl --quiet --write kernel.hung_task_timeout_secs=1 kernel.hung_task_check_interval_secs=1
mount -t tmpfs none /media
truncate -s 64M /media/disk.img
mkfs.ext4 -q /media/disk.img
mkdir -p /mnt/frozen
mount -o loop /media/disk.img /mnt/frozen
fsfreeze --freeze /mnt/frozen
(touch /mnt/frozen/x &) > /dev/null 2>&1 < /dev/null
"""


SHORT = """
[thresholds]
memory_warning_gb = 0.001
memory_critical_gb = 10000
[component.memory]
failures = 1
[auto_healing]
memory_cleanup_enabled = true
verify_seconds = 1
"""
"""Memory that is always short, and may be cleaned of caches."""


def kernel(ward: Ward) -> dict[str, Any]:
    """The items of the component `kernel` after a look at it now."""
    ward.healthctl("check", "kernel")
    return {item["name"]: item for item in ward.ask("status", "kernel")["items"]}


def faults(ward: Ward) -> set[str]:
    return {issue["item"] for issue in ward.ask("issues") if issue["type"] == "kernel_fault"}


def test_a_service_that_runs_out_of_memory_is_healed_and_the_kernel_says_which_it_was(vm: Vm) -> None:
    ward = Ward(host=vm)
    unit = ward.add(obedient("MemoryMax=40M", "MemorySwapMax=0"))
    before, cursor = ward.invocation(unit), vm.cursor()
    assert vm.show(unit, "MemoryCurrent")["MemoryCurrent"].isdigit()

    ward.tell(unit, EAT)
    ward.await_healed(cursor, unit, seconds=120)

    opened = ward.story(cursor, unit)[0]
    assert opened["HEALTHD_ISSUE"] == "service_down"
    assert "memory" in opened["MESSAGE"]
    assert ward.invocation(unit) != before
    item = kernel(ward)[f"oom_kill {unit}"]
    assert item["status"] == "degraded"
    assert item["message"] == f"killed python3 of {unit} for want of memory"
    assert faults(ward) == {f"oom_kill {unit}"}
    assert ward.ask("status")["status"] != "unhealthy"

    cursor = vm.cursor()
    restart_later(ward, older=700)
    ward.await_event(cursor, "issue_resolved", component="kernel", issue="kernel_fault", seconds=60)
    assert kernel(ward)[f"oom_kill {unit}"]["message"].startswith("quiet again")


@ONE_IS_ENOUGH
def test_a_disk_that_fails_and_a_task_that_hangs_are_complaints_of_the_kernel(vm: Vm) -> None:
    ward = Ward(host=vm)
    assert kernel(ward) == {}
    cursor = vm.cursor()
    vm.sh(DISK)
    ward.healthctl("check", "storage")
    vm.sh(BREAK)
    ward.healthctl("check", "storage")
    ward.await_event(cursor, "issue_opened", component="storage", item="/mnt/frail", issue="read_only")
    vm.sh(HANG)
    vm.await_record(cursor, "_TRANSPORT=kernel", "PRIORITY=3", seconds=60)
    vm.sh(
        "until journalctl --dmesg --quiet --grep 'blocked for more than' > /dev/null; do sleep 0.5; done", seconds=120
    )

    seen = kernel(ward)
    device = vm.sh("basename $(readlink -f /dev/mapper/frail)")
    assert seen[f"file_system {device}"]["status"] == "unhealthy"
    assert {name.split()[0] for name in seen} == {"io_error", "file_system", "hung_task"}
    assert "hung_task touch" in seen
    assert faults(ward) == set(seen)
    vm.sh("umount /mnt/frail")
    ward.healthctl("check", "storage")
    ward.await_event(cursor, "issue_resolved", component="storage", item="/mnt/frail", issue="read_only")


@ONE_IS_ENOUGH
def test_a_disk_that_hangs_is_said_and_holds_nobody_up(vm: Vm) -> None:
    ward = Ward(host=vm)
    ward.configure("[health]\ncheck_interval_seconds = 3\n")
    vm.sh("modprobe loop; truncate -s 8M /root/disk.img; losetup /dev/loop0 /root/disk.img")
    cursor = vm.cursor()
    with mounted(ward, "fuseblk", "/dev/loop0", "/mnt/slow") as server:
        ward.healthctl("check", "storage")
        ward.kill(server, "STOP")
        said = ward.await_event(cursor, "check_failed", component="storage", item="/mnt/slow", seconds=60)
        before = ward.ask("status")["health_checks"]
        ward.look()
        ward.look()
        host = ward.ask("status")
        ward.kill(server, "CONT")
        ward.healthctl("check", "storage")
        ward.healthctl("check", "storage")
        after = ward.ask("status", "storage")

    assert said["MESSAGE"] == "storage /mnt/slow cannot be judged: does not answer within 2 s"
    storage = host["health_checks"]["storage"]
    assert storage["message"].endswith("is unknown: /mnt/slow")
    assert (host["status"], storage["status"]) == ("degraded", "healthy")
    late = [name for name, each in host["health_checks"].items() if each["last_check"] <= before[name]["last_check"]]
    assert late == []
    assert {item["name"]: item["status"] for item in after["items"]}["/mnt/slow"] == "healthy"


def test_clean_caches_are_dropped_where_that_is_wanted_and_it_is_said_how_much_that_won(vm: Vm) -> None:
    ward = Ward(host=vm)
    vm.sh("head -c 20M /dev/zero > /root/cached; cat /root/cached > /dev/null")
    told = ward.healthctl("heal", "memory", "--action", "memory_cleanup", "--dry-run").stdout
    cached = int(vm.sh("sed -n 's/^Cached: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo"))
    cursor = vm.cursor()
    with ward.under(SHORT):
        record = ward.await_event(cursor, "healing_finished", component="memory", seconds=90)

    assert "would be won (caches, at most " in told
    assert " MiB won (caches " in record["MESSAGE"]
    assert "bytes dropped" in vm.journal("--unit=healthd-memory-cleanup")
    assert int(vm.sh("sed -n 's/^Cached: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo")) < cached - 10_000


@ONE_IS_ENOUGH
def test_a_clock_that_is_set_days_ahead_makes_no_timer_late(vm: Vm) -> None:
    ward = Ward(host=vm)
    ward.healthctl("check", "timers")
    before = {item["name"]: item["message"] for item in ward.ask("status", "timers")["items"]}
    vm.sh("date --set '+3 days'")
    ward.healthctl("check", "timers")

    after = {item["name"]: item for item in ward.ask("status", "timers")["items"]}
    assert after.keys() == before.keys() != set()
    assert {name: item["message"] for name, item in after.items() if item["status"] != "healthy"} == {}
    assert any(item["message"] != before[name] for name, item in after.items())
