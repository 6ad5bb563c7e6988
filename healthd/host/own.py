"""What this very process uses."""

from __future__ import annotations

import os
import resource
from typing import TYPE_CHECKING, Final

from healthd.answers import OwnProcess
from healthd.host.files import read

if TYPE_CHECKING:
    from pathlib import Path

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def own_process(proc: Path) -> OwnProcess:
    """As the kernel counts it; raises OSError where its files cannot be read."""
    # proc_pid_stat(5): 14 utime, 15 stime, 22 starttime, 23 vsize, 24 rss; these begin with field 3.
    fields = read(f"{proc}/self/stat").rpartition(b")")[2].split()
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return OwnProcess(
        cpu_seconds=(int(fields[11]) + int(fields[12])) / _TICKS,
        resident_bytes=int(fields[21]) * _PAGE,
        virtual_bytes=int(fields[20]),
        started_at=_booted_at(proc) + int(fields[19]) / _TICKS,
        open_files=len(os.listdir(f"{proc}/self/fd")) - 1,  # noqa: PTH208  one is open for this very look
        most_files=most,
    )


def _booted_at(proc: Path) -> int:
    """Unix seconds of the boot of the machine, which start times are counted from."""
    with (proc / "stat").open("rb") as lines:
        return next((int(line.split()[1]) for line in lines if line.startswith(b"btime ")), 0)
