"""The door to the kernel: the only importer of psutil and the only reader of /proc."""

from __future__ import annotations

from pathlib import Path

import psutil

_ESTABLISHED = b"01"  # the kernel's number for TCP_ESTABLISHED, in hexadecimal as /proc/net/tcp prints it


class LinuxHost:
    """This machine, read from `proc_root`; fulfils `ports.Host`.

    Every reading raises `OSError` where the kernel's file cannot be read.
    """

    def __init__(self, proc_root: Path = Path("/proc")) -> None:
        self._proc = proc_root
        psutil.PROCFS_PATH = str(proc_root)

    def boot_id(self) -> str:
        """The random id of this boot."""
        return (self._proc / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()

    def memory_used(self) -> int:
        """Used memory in bytes: what is there less what could be had without swapping."""
        memory = psutil.virtual_memory()
        return int(memory.total - memory.available)

    def uptime(self) -> float:
        """Seconds since the host booted; in a container this may be the time of the machine below it."""
        return float((self._proc / "uptime").read_text(encoding="ascii").split(maxsplit=1)[0])

    def established_connections(self) -> int:
        """TCP connections in state ESTABLISHED, IPv4 and IPv6, of the network namespace that the daemon is in."""
        return self._established("tcp") + self._established("tcp6")

    def _established(self, table: str) -> int:
        try:
            lines = (self._proc / "net" / table).read_bytes().splitlines()[1:]
        except FileNotFoundError:  # a kernel booted with ipv6.disable=1 has no tcp6
            return 0
        return sum(line.split(maxsplit=4)[3] == _ESTABLISHED for line in lines)
