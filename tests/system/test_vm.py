"""What needs a kernel of its own: real OOM kills, disks that fail, tasks that hang, as healthd sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.system.units import obedient
from tests.system.ward import Ward

if TYPE_CHECKING:
    from tools.throwaway import Vm

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


def test_a_disk_that_fails_and_a_task_that_hangs_are_complaints_of_the_kernel(vm: Vm) -> None:
    ward = Ward(host=vm)
    assert kernel(ward) == {}
    cursor = vm.cursor()
    vm.sh(DISK)
    vm.sh(BREAK)
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
