"""The kernel's tables of threads and open files, and the processes in them that are dead already."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from healthd.figures import Tables
from healthd.host.files import read as read_file

if TYPE_CHECKING:
    from pathlib import Path

LOOKED_AT: Final = 20
"""So many processes are looked at in one reading, at some 10 us each; a sweep over all of them takes as many readings
as it takes."""


def read(proc: Path, zombies: Zombies) -> Tables:
    """How full they are. Every thread takes a number, so that the limit of numbers is one of threads as well."""
    threads = int(read_file(f"{proc}/loadavg").split()[3].partition(b"/")[2])
    allocated, _, files_max = (int(word) for word in read_file(f"{proc}/sys/fs/file-nr").split())
    limits = (int(read_file(f"{proc}/sys/kernel/{name}")) for name in ("pid_max", "threads-max"))
    return Tables(
        at=time.clock_gettime(time.CLOCK_BOOTTIME),
        threads=threads,
        threads_max=min(limits),
        files=allocated,
        files_max=files_max,
        zombies=zombies.count(),
    )


class Zombies:
    """Counts the processes that have ended and whose parents have not asked how.

    The kernel has no such number, and to look at every process costs some ms where there are many: so each reading
    looks at a few, and the number is that of the last sweep over all.
    """

    def __init__(self, proc: Path) -> None:
        self._proc = proc
        self._ahead: list[str] = []
        self._seen = 0
        self._last: int | None = None

    def count(self) -> int | None:
        """Go on with the sweep; the number that the last whole one gave, None before the end of the first."""
        if not self._ahead:
            entries = os.listdir(self._proc)  # noqa: PTH208  no object for each process
            self._ahead = [name for name in entries if name[0].isdecimal()]
            self._seen = 0
        self._ahead, now = self._ahead[LOOKED_AT:], self._ahead[:LOOKED_AT]
        self._seen += sum(self._dead(pid) for pid in now)
        if not self._ahead:
            self._last = self._seen
        return self._last

    def _dead(self, pid: str) -> bool:
        try:
            text = read_file(f"{self._proc}/{pid}/stat")
        except OSError:  # it has gone meanwhile, or is hidden from us
            return False
        return text.rpartition(b") ")[2].startswith(b"Z")
