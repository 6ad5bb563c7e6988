"""The figures of this machine as a whole; the port `Host`."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from healthd.host.own import own_process

if TYPE_CHECKING:
    from healthd.answers import OwnProcess

_START_TIME = 19  # proc_pid_stat(5): field 22, counted from behind the name of the program
_ESTABLISHED = b"01"  # the kernel's number for TCP_ESTABLISHED, in hexadecimal as /proc/net/tcp prints it


class LinuxHost:
    """This machine, read from `proc_root`; fulfils `ports.Host`.

    Every reading raises `OSError` where the kernel's file cannot be read.
    """

    def __init__(self, proc_root: Path = Path("/proc")) -> None:
        self._proc = proc_root

    def boot_id(self) -> str:
        """The random id of this boot."""
        return (self._proc / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()

    def memory_used(self) -> int:
        """Used memory in bytes: what is there less what could be had without swapping."""
        import psutil  # noqa: PLC0415  9 ms that no start needs to wait for

        psutil.PROCFS_PATH = str(self._proc)
        memory = psutil.virtual_memory()
        return int(memory.total - memory.available)

    def own_process(self) -> OwnProcess:
        """What healthd itself uses."""
        return own_process(self._proc)

    def uptime(self) -> float:
        """Seconds since PID 1 started: the boot of this host, also where it is a container on a machine long up."""
        fields = (self._proc / "1/stat").read_bytes().rpartition(b")")[2].split()
        started = int(fields[_START_TIME]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started

    def established_connections(self) -> int:
        """TCP connections in state ESTABLISHED, IPv4 and IPv6, of the network namespace that the daemon is in."""
        return self._established("tcp") + self._established("tcp6")

    def _established(self, table: str) -> int:
        try:
            lines = (self._proc / "net" / table).read_bytes().splitlines()[1:]
        except FileNotFoundError:  # a kernel booted with ipv6.disable=1 has no tcp6
            return 0
        return sum(line.split(maxsplit=4)[3] == _ESTABLISHED for line in lines)
