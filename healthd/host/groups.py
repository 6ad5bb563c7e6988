"""What the kernel says of one control group: memory, processor time and tasks of all that runs in a unit.

cgroup v2 only. A controller that is not there has no files; what is missing then is None.
https://docs.kernel.org/admin-guide/cgroup-v2.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.errors import ReadError
from healthd.figures import GroupUsage

if TYPE_CHECKING:
    from pathlib import Path


def group_usage(root: Path, path: str) -> GroupUsage:
    """The usage of the group at this path below `root`, as systemd's ControlGroup names it. Raises `ReadError`."""
    directory = root / path.lstrip("/")
    if not (directory / "cgroup.procs").exists():
        raise ReadError(f"there is no control group {path} (of version 2)")
    cpu = _pairs(directory / "cpu.stat").get("usage_usec")
    return GroupUsage(
        memory=_used(directory),
        memory_max=_number(directory / "memory.max"),
        cpu_seconds=None if cpu is None else cpu / 1e6,
        tasks=_number(directory / "pids.current"),
        tasks_max=_number(directory / "pids.max"),
    )


def _used(directory: Path) -> int | None:
    """Memory without the files that are only kept in it because nobody else wants it: what a leak is made of."""
    current = _number(directory / "memory.current")
    if current is None:
        return None
    stat = _pairs(directory / "memory.stat")
    return max(0, current - stat.get("inactive_file", 0) - stat.get("active_file", 0))


def _number(file: Path) -> int | None:
    """The number in a file; None for `max`, and where there is no such file."""
    text = _text(file).strip()
    return int(text) if text.isdecimal() else None


def _pairs(file: Path) -> dict[str, int]:
    words = (line.split() for line in _text(file).splitlines())
    return {pair[0]: int(pair[1]) for pair in words if len(pair) == 2 and pair[1].isdecimal()}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except FileNotFoundError:
        return ""
    except OSError as error:  # the group went away meanwhile
        raise ReadError(f"{file.parent.name} cannot be read: {error.strerror or error}") from error
