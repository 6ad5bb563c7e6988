"""Memory and swap, and how often the kernel had to kill for want of it."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

from healthd.figures import Memory
from healthd.host.files import read as read_file

if TYPE_CHECKING:
    from healthd.host.files import Kept

_EVENTS: Final = "fs/cgroup/system.slice/memory.events"
_LINE: Final = re.compile(rb"^(MemTotal|MemFree|MemAvailable|SwapTotal|SwapFree): *(\d+) kB", re.MULTILINE)


def read(proc: Kept, sys: str) -> Memory:
    """Memory now. `oom_kills` counts the processes of services that were killed since boot.

    None: the memory of control groups is not counted here (cgroup v1, or a container without that controller).
    """
    kib = {name: int(number) for name, number in _LINE.findall(proc.read("meminfo"))}
    total, free = kib[b"MemTotal"], kib[b"MemFree"]
    available = kib[b"MemAvailable"]
    if available > total:  # some containers are shown a total of their own beside what the machine has available
        available = free
    swap = kib[b"SwapTotal"]
    return Memory(
        at=time.clock_gettime(time.CLOCK_BOOTTIME),
        total=total * 1024,
        available=available * 1024,
        swap_total=swap * 1024,
        swap_used=(swap - kib[b"SwapFree"]) * 1024,
        oom_kills=_oom_kills(f"{sys}/{_EVENTS}"),
    )


def _oom_kills(events: str) -> int | None:
    try:
        text = read_file(events)
    except OSError:
        return None
    return event(text.decode("ascii"), "oom_kill")


def event(text: str, name: str) -> int | None:
    """The count of an event in the text of a `memory.events`; None if it is not there."""
    for line in text.splitlines():
        word, _, count = line.partition(" ")
        if word == name:
            return int(count)
    return None
