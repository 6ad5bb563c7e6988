"""What this very process uses."""

from __future__ import annotations

import os
import resource
import time
from typing import TYPE_CHECKING, Final

from healthd.answers import OwnProcess
from healthd.host.files import read

if TYPE_CHECKING:
    from pathlib import Path

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_SET_SECONDS: Final = 0.5


class Own:
    """Reads it as the kernel counts it; raises OSError where its files cannot be read."""

    def __init__(self, proc: Path) -> None:
        self._proc, self._open = proc, proc / "self/fd"
        self._started_at, self._began = 0.0, float("-inf")
        self._counted: bool | None = None

    def read(self) -> OwnProcess:
        """Now."""
        virtual, resident = read(f"{self._proc}/self/statm").split()[:2]
        used = resource.getrusage(resource.RUSAGE_SELF)
        most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return OwnProcess(
            cpu_seconds=used.ru_utime + used.ru_stime,
            resident_bytes=int(resident) * _PAGE,
            virtual_bytes=int(virtual) * _PAGE,
            started_at=self._start(),
            open_files=self._files(),
            most_files=most,
        )

    def _files(self) -> int:
        """From Linux 6.2 on their number is the size of the folder; before that they have to be listed."""
        if self._counted:
            return self._open.stat().st_size
        files = len(os.listdir(self._open)) - 1  # noqa: PTH208  one is open for this very look
        if self._counted is None:
            self._counted = self._open.stat().st_size == files
        return files

    def _start(self) -> float:
        """It is another one when the clock was set, and only then."""
        began = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
        if abs(began - self._began) > _SET_SECONDS:
            # proc_pid_stat(5): 22 starttime; behind the name the fields begin with the third.
            fields = read(f"{self._proc}/self/stat").rpartition(b")")[2].split()
            self._started_at, self._began = self._booted_at() + int(fields[19]) / _TICKS, began
        return self._started_at

    def _booted_at(self) -> int:
        """Unix seconds of the boot of the machine, which start times are counted from."""
        with (self._proc / "stat").open("rb") as lines:
            return next((int(line.split()[1]) for line in lines if line.startswith(b"btime ")), 0)
