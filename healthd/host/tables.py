"""The kernel's tables of threads and open files, and the processes in them that are dead already."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from healthd.figures import Tables
from healthd.host.files import read as read_file

if TYPE_CHECKING:
    from healthd.host.files import Kept

LOOKED_AT: Final = 50
"""So many processes are looked at in one reading at most, at some 10 us each ..."""

A_SECOND: Final = 10.0
"""... and so many for each second since the reading before: a sweep over all of them takes as long as it takes."""


def read(proc: Kept, zombies: Zombies) -> Tables:
    """How full they are. Every thread takes a number, so that the limit of numbers is one of threads as well."""
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    threads = int(proc.read("loadavg").split()[3].partition(b"/")[2])
    allocated, _, files_max = proc.read("sys/fs/file-nr").split()
    return Tables(
        at=now,
        threads=threads,
        threads_max=min(int(proc.read("sys/kernel/pid_max")), int(proc.read("sys/kernel/threads-max"))),
        files=int(allocated),
        files_max=int(files_max),
        zombies=zombies.count(now),
    )


class Zombies:
    """Counts the processes that have ended and whose parents have not asked how.

    The kernel has no such number, and to look at every process costs some ms where there are many: so each reading
    looks at a few, and the number is that of the last sweep over all.
    """

    def __init__(self, proc: str) -> None:
        self._proc = proc
        self._ahead: list[str] = []
        self._seen = 0
        self._last: int | None = None
        self._at: float | None = None

    def count(self, now: float) -> int | None:
        """Go on with the sweep; the number that the last whole one gave, None before the end of the first.

        `now`: seconds of a clock that only grows.
        """
        due = LOOKED_AT if self._at is None else min(LOOKED_AT, int(A_SECOND * (now - self._at)))
        if due <= 0:
            return self._last
        self._at = now
        if not self._ahead:
            entries = os.listdir(self._proc)  # noqa: PTH208  no object for each process
            self._ahead = [name for name in entries if name[0].isdecimal()]
            self._seen = 0
        self._seen += sum(map(self._dead, self._ahead[:due]))
        del self._ahead[:due]
        if not self._ahead:
            self._last = self._seen
        return self._last

    def _dead(self, pid: str) -> bool:
        try:
            text = read_file(f"{self._proc}/{pid}/stat")
        except OSError:  # it has gone meanwhile, or is hidden from us
            return False
        return text.rpartition(b") ")[2].startswith(b"Z")
