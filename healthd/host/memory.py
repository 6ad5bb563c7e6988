"""Memory and swap, and how often the kernel had to kill for want of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from healthd.figures import Memory

if TYPE_CHECKING:
    from pathlib import Path

_EVENTS: Final = "fs/cgroup/system.slice/memory.events"


def read(proc: Path, sys: Path) -> Memory:
    """Memory now. `oom_kills` counts the processes of services that were killed since boot.

    None: the memory of control groups is not counted here (cgroup v1, or a container without that controller).
    """
    import psutil  # noqa: PLC0415  9 ms that no start needs to wait for

    psutil.PROCFS_PATH = str(proc)
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    return Memory(
        at=time.clock_gettime(time.CLOCK_BOOTTIME),
        total=memory.total,
        available=memory.available,
        swap_total=swap.total,
        swap_used=swap.used,
        oom_kills=_oom_kills(sys / _EVENTS),
    )


def _oom_kills(events: Path) -> int | None:
    try:
        text = events.read_text(encoding="ascii")
    except OSError:
        return None
    return event(text, "oom_kill")


def event(text: str, name: str) -> int | None:
    """The count of an event in the text of a `memory.events`; None if it is not there."""
    for line in text.splitlines():
        word, _, count = line.partition(" ")
        if word == name:
            return int(count)
    return None
