"""What lines of the kernel's log mean: texts as kernels 6.1 and 6.12 print them."""

from __future__ import annotations

import pytest

from healthd.figures import FaultKind
from healthd.systemd.kernel_text import LONGEST, complaint_in, unit_of_victim

OOM = (
    "Memory cgroup out of memory: Killed process 812 (python3) total-vm:112000kB, anon-rss:60000kB, file-rss:0kB, "
    "shmem-rss:0kB, UID:0 pgtables:200kB oom_score_adj:0"
)
VICTIM = (
    "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=hog.service,mems_allowed=0,"
    "oom_memcg=/system.slice/hog.service,task_memcg={group},task=python3,pid=812,uid=0"
)

FAULTS = {
    OOM: (FaultKind.OOM_KILL, "python3"),
    "Out of memory: Killed process 77 (Web (Content)) total-vm:1kB": (FaultKind.OOM_KILL, "Web (Content)"),
    "INFO: task kworker/u4:2:59 blocked for more than 120 seconds.": (FaultKind.HUNG_TASK, "kworker/u4:2"),
    "INFO: task dd:412 blocked in I/O wait for more than 122 seconds.": (FaultKind.HUNG_TASK, "dd"),
    "I/O error, dev sdb, sector 2048 op 0x0:(READ) flags 0x80700 phys_seg 4 prio class 2": (FaultKind.IO_ERROR, "sdb"),
    "blk_update_request: I/O error, dev vda, sector 8 op 0x1:(WRITE)": (FaultKind.IO_ERROR, "vda"),
    "critical medium error, dev sdc, sector 4660 op 0x0:(READ) flags 0x0": (FaultKind.IO_ERROR, "sdc"),
    "critical space allocation error, dev dm-3, sector 4660 op 0x1:(WRITE)": (FaultKind.IO_ERROR, "dm-3"),
    "Buffer I/O error on dev dm-0, logical block 0, async page read": (FaultKind.IO_ERROR, "dm-0"),
    "Buffer I/O error on device sda1, logical block 12": (FaultKind.IO_ERROR, "sda1"),
    "EXT4-fs error (device vda1): ext4_find_entry:1663: inode #2: comm ls: reading directory lblock 0": (
        FaultKind.FILE_SYSTEM,
        "vda1",
    ),
    "EXT4-fs (dm-0): Remounting filesystem read-only": (FaultKind.FILE_SYSTEM, "dm-0"),
    "Aborting journal on device dm-0-8.": (FaultKind.FILE_SYSTEM, "dm-0"),
    "XFS (sdb1): Metadata corruption detected at xfs_agf_read_verify+0x1/0x2 [xfs]": (FaultKind.FILE_SYSTEM, "sdb1"),
    "XFS (dm-2): Filesystem has been shut down due to log error (0x2).": (FaultKind.FILE_SYSTEM, "dm-2"),
    "BTRFS error (device sda2): bdev /dev/sda2 errs: wr 1, rd 0, flush 0": (FaultKind.FILE_SYSTEM, "sda2"),
    "BTRFS: error (device sda2: state EA) in btrfs_commit_transaction:2494: errno=-5": (FaultKind.FILE_SYSTEM, "sda2"),
    "mce: [Hardware Error]: CPU 1: Machine Check: 0 Bank 4: b200000000070f0f": (FaultKind.MACHINE_CHECK, ""),
    "watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [stress:99]": (FaultKind.LOCKUP, "CPU#1"),
    "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:": (FaultKind.LOCKUP, ""),
    "BUG: unable to handle page fault for address: ffffb3a9c0400000": (FaultKind.KERNEL_BUG, ""),
    "BUG: kernel NULL pointer dereference, address: 0000000000000000": (FaultKind.KERNEL_BUG, ""),
}

WELL = (
    "python3[812]: segfault at 0 ip 0000000000401136 sp 00007ffd error 6 in a.out[401000+1000]",
    "traps: a.out[9] general protection fault ip:401 sp:7ff error:0 in a.out[401000+1000]",
    "EXT4-fs (vda1): mounted filesystem with ordered data mode. Quota mode: none.",
    "EXT4-fs (vda1): re-mounted. Quota mode: none.",
    "XFS (sdb1): Unmounting Filesystem",
    "I/O error, dev sr0, sector 0 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2",
    "I/O error, dev fd0, sector 0 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2",
    "TCP: request_sock_TCP: Possible SYN flooding on port 80. Sending cookies.",
    "Out of memory and more words that mean nothing",
)


@pytest.mark.parametrize("line", FAULTS)
def test_a_line_that_tells_of_a_fault_says_of_what_kind_and_whose(line: str) -> None:
    complaint = complaint_in(line)

    assert complaint is not None
    assert (complaint.kind, complaint.subject) == FAULTS[line]


@pytest.mark.parametrize("line", WELL)
def test_any_other_line_is_no_fault(line: str) -> None:
    assert complaint_in(line) is None


def test_a_killing_is_told_in_words_and_a_long_line_is_cut() -> None:
    killing, long = complaint_in(OOM), complaint_in("EXT4-fs error (device vda1): " + "x" * 500)

    assert killing is not None
    assert (killing.text, killing.pid) == ("killed python3 for want of memory", "812")
    assert long is not None
    assert len(long.text) == LONGEST


@pytest.mark.parametrize(
    ("group", "unit"),
    [
        ("/system.slice/hog.service", "hog.service"),
        ("/system.slice/docker-abc.scope/inner", "docker-abc.scope"),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/shell.service", "user@1000.service"),
        ("/machine", ""),
    ],
)
def test_the_unit_of_a_process_that_was_killed_is_read_off_its_control_group(group: str, unit: str) -> None:
    assert unit_of_victim(VICTIM.format(group=group), "812") == unit


def test_the_line_of_another_victim_says_nothing() -> None:
    assert unit_of_victim(VICTIM.format(group="/system.slice/hog.service"), "813") is None
    assert unit_of_victim("Tasks state (memory values in pages):", "812") is None
