"""What the processors have been doing."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from healthd.figures import Cpu

if TYPE_CHECKING:
    from pathlib import Path


def read(proc: Path, booted_for: float) -> Cpu:
    """The counters now; in a container, those of the machine around it."""
    import psutil  # noqa: PLC0415  9 ms that no start needs to wait for

    psutil.PROCFS_PATH = str(proc)
    times = psutil.cpu_times()
    # The time of guests is counted in user and nice as well.
    everything = sum(times) - times.guest - times.guest_nice
    return Cpu(
        at=time.clock_gettime(time.CLOCK_BOOTTIME),
        all=everything,
        busy=everything - times.idle - times.iowait - times.steal,
        waiting=times.iowait,
        stolen=times.steal,
        load=float((proc / "loadavg").read_text(encoding="ascii").split()[1]),
        cpus=os.sysconf("SC_NPROCESSORS_ONLN"),
        booted_for=booted_for,
    )
