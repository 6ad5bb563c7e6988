"""What the lines of the kernel's log mean: which of them tell of a fault, of what kind, and of whom. Pure.

Source: the kernel's own texts, of 6.1 and later: `mm/oom_kill.c`, `kernel/hung_task.c`, `block/blk-core.c`,
`fs/buffer.c`, `fs/ext4/super.c`, `fs/xfs/`, `fs/btrfs/`, `arch/x86/kernel/cpu/mce/`, `kernel/watchdog.c`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from healthd.figures import FaultKind

LONGEST: Final = 200
"""Characters of a line that are kept."""

_REMOVABLE: Final = re.compile(r"(?:fd|sr)\d+")
"""Drives whose errors mostly say that nothing is in them."""

_FAULTS: Final = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (
            FaultKind.OOM_KILL,
            r"^(?:Memory cgroup out|Out) of memory: Killed process (?P<pid>\d+) \((?P<subject>.*)\) total-vm:",
        ),
        (FaultKind.HUNG_TASK, r"^INFO: task (?P<subject>.+):\d+ blocked (?:\S+ ?){0,4}for more than \d+ seconds"),
        (FaultKind.IO_ERROR, r"\b(?:I/O|critical [\w ]+) error, dev (?P<subject>[^,\s]+),"),
        (FaultKind.IO_ERROR, r"^Buffer I/O error on dev(?:ice)? (?P<subject>[^,\s]+),"),
        (FaultKind.FILE_SYSTEM, r"^EXT[234]-fs (?:error|panic) \(device (?P<subject>[^)]+)\)"),
        (FaultKind.FILE_SYSTEM, r"^EXT[234]-fs \((?P<subject>[^)]+)\): Remounting filesystem read-only"),
        (FaultKind.FILE_SYSTEM, r"^Aborting journal on device (?P<subject>[^.\s]+?)(?:-\d+)?\."),
        (
            FaultKind.FILE_SYSTEM,
            r"^XFS \((?P<subject>[^)]+)\): .*(?:[Cc]orruption|Internal error|has been shut down|[Ll]og I/O [Ee]rror)",
        ),
        (FaultKind.FILE_SYSTEM, r"^BTRFS(?:: error| error| critical) \(device (?P<subject>[^):\s]+)[^)]*\)"),
        (FaultKind.FILE_SYSTEM, r"^FAT-fs \((?P<subject>[^)]+)\): error"),
        (FaultKind.MACHINE_CHECK, r"\[Hardware Error\]"),
        (FaultKind.LOCKUP, r"BUG: soft lockup - (?P<subject>CPU#\d+) stuck"),
        (FaultKind.LOCKUP, r"Watchdog detected hard LOCKUP on cpu (?P<subject>\d+)"),
        (FaultKind.LOCKUP, r"^rcu: INFO: rcu_\w+ (?:self-)?detected (?:expedited )?stall"),
        (
            FaultKind.KERNEL_BUG,
            r"^(?:BUG: (?:unable to handle|kernel NULL|scheduling while|Bad )|kernel BUG at |Oops: )",
        ),
    )
)

_VICTIM: Final = re.compile(r"^oom-kill:.*?,task_memcg=(?P<group>.*),task=.*,pid=(?P<pid>\d+),uid=\d+$")
_UNIT: Final = re.compile(r"/([^/]+\.(?:service|scope))(?=/|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One line that tells of a fault. `pid`: the process that was killed, "" for other kinds."""

    kind: FaultKind
    subject: str
    text: str
    pid: str = ""


def complaint_in(line: str) -> Complaint | None:
    """The fault that a line of the kernel tells of; None for any other line. What programs do wrong is none."""
    for kind, pattern in _FAULTS:
        if (found := pattern.search(line)) is None:
            continue
        named = found.groupdict()
        subject = named.get("subject") or ""
        if kind is FaultKind.IO_ERROR and _REMOVABLE.fullmatch(subject):
            return None
        text = f"killed {subject} for want of memory" if kind is FaultKind.OOM_KILL else _short(line)
        return Complaint(kind=kind, subject=subject, text=text, pid=named.get("pid") or "")
    return None


def unit_of_victim(line: str, pid: str) -> str | None:
    """Of the line that precedes the killing of process `pid`: its unit ("" if it has none). None: another line."""
    found = _VICTIM.match(line)
    if found is None or found["pid"] != pid:
        return None
    # The first one counts: units of a user's own manager are unknown to the host's.
    unit = _UNIT.search(found["group"])
    return unit[1] if unit else ""


def _short(line: str) -> str:
    return line if len(line) <= LONGEST else line[: LONGEST - 3] + "..."
