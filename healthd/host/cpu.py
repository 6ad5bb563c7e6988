"""What the processors have been doing."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from healthd.figures import Cpu

if TYPE_CHECKING:
    from healthd.host.files import Kept

_TICKS: Final = os.sysconf("SC_CLK_TCK")


def read(proc: Kept, booted_for: float) -> Cpu:
    """The counters now; in a container, those of the machine around it."""
    # user nice system idle iowait irq softirq steal; behind them the time of guests, which user and nice have in them.
    first = proc.read("stat").partition(b"\n")[0].split()
    if first[0] != b"cpu":
        raise ValueError("/proc/stat does not begin with the processors")
    times = [int(word) / _TICKS for word in first[1:9]]
    idle, waiting, stolen = times[3], times[4], times[7]
    everything = sum(times)
    return Cpu(
        at=time.clock_gettime(time.CLOCK_BOOTTIME),
        all=everything,
        busy=everything - idle - waiting - stolen,
        waiting=waiting,
        stolen=stolen,
        load=float(proc.read("loadavg").split()[1]),
        cpus=os.sysconf("SC_NPROCESSORS_ONLN"),
        booted_for=booted_for,
    )
