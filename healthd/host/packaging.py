"""Who is installing packages at this moment: whoever holds a lock of dpkg, or needrestart.

dpkg, apt and all that is built on them hold these locks for as long as they change anything, and the kernel lets go of
them when their process ends, however it ends: such a lock is never stale. They are files that only root may open, so
who holds them is read from the kernel's list. That is dear (10 ms and more: the kernel waits until nobody is changing
it), and healing waits for it: so it is read only when a file beside the locks was opened since it last showed nobody.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

from healthd.host.touched import Touched

_DIRECTORY: Final = "var/lib/dpkg"
_LOCKS: Final = ("lock-frontend", "lock")
_NEEDRESTART: Final = "needrestart"
_PROGRAM: Final = f"usr/sbin/{_NEEDRESTART}"
_SCAN_SECONDS: Final = 1.0
_WAITS: Final = b"->"  # second field of one who waits for a lock that is listed above it
_NOBODY: Final = b"-1"  # the process of a lock that belongs to an open file, and one of another namespace


class Packaging:
    """Reads below `root`, and the kernel's list in `proc`."""

    def __init__(self, proc: Path = Path("/proc"), root: Path = Path("/")) -> None:
        self._proc = proc
        self._locks = [root / _DIRECTORY / name for name in _LOCKS]
        self._touched = Touched(root / _DIRECTORY)
        self._free = False
        self._program = root / _PROGRAM
        self._scanned, self._found = -_SCAN_SECONDS, ""

    def at_work(self) -> str:
        """Who is at work, in words; "" for nobody. Raises `OSError` where that cannot be read."""
        if self._touched.since():  # asked first: who opens a lock from now on is seen by the next look
            self._free = False
        if not self._free:
            holder = self._holder()
            self._free = not holder
            if holder:
                return holder
        return self._needrestart()

    def _holder(self) -> str:
        wanted = {}
        for path in self._locks:
            try:
                found = path.stat()
            except FileNotFoundError:
                continue
            wanted[found.st_ino] = found.st_dev
        if not wanted:
            return ""
        listed = (self._proc / "locks").read_bytes()
        if not any(b":%d " % inode in listed for inode in wanted):  # on a host of databases there are thousands
            return ""
        for line in listed.splitlines():
            fields = line.split()
            if len(fields) < 6 or fields[1] == _WAITS:
                continue
            device, _, inode = fields[5].rpartition(b":")
            if (number := int(inode)) in wanted and _same_device(device, wanted[number]):
                return f"{self._name(fields[4])} holds dpkg's lock"
        return ""

    def _name(self, process: bytes) -> str:
        if process in (_NOBODY, b"0"):
            return "a process"
        try:
            name = (self._proc / process.decode("ascii") / "comm").read_text(encoding="utf-8", errors="replace").strip()
        except OSError:  # it ended since
            return "a process"
        return f"{name} (process {process.decode('ascii')})"

    def _needrestart(self) -> str:
        """That takes no lock. All processes are looked through for it, where it is installed, once a second."""
        if not self._program.exists():
            return ""
        now = time.monotonic()
        if now >= self._scanned + _SCAN_SECONDS:
            self._scanned, self._found = now, ""
            with os.scandir(self._proc) as entries:
                processes = [entry.name for entry in entries if entry.name.isdecimal()]
            self._found = next(filter(None, map(self._restarter, processes)), "")
        return self._found

    def _restarter(self, process: str) -> str:
        try:  # without the ease of pathlib, which would take most of the time here
            with open(f"{self._proc}/{process}/comm", "rb", buffering=0) as file:  # noqa: PTH123
                name = file.read()
        except OSError:  # it ended since
            return ""
        found = name.strip() == _NEEDRESTART.encode("ascii")
        return f"{_NEEDRESTART} (process {process}) looks for services to restart" if found else ""


def _same_device(listed: bytes, device: int) -> bool:
    """Whether the list means this device ("fe:00"). Some file systems show files another one than the list has.

    Those (Btrfs, overlays) have devices without a major number; that two of them have a file of this number locked is
    not to be expected.
    """
    if not os.major(device):
        return listed.startswith(b"00:")
    return listed == f"{os.major(device):02x}:{os.minor(device):02x}".encode("ascii")
