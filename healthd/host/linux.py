"""This machine as a whole; the port `Host`."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from healthd.aside import Aside
from healthd.errors import ReadError
from healthd.host import cpu, memory, network, pressure, sensors, tables
from healthd.host.disks import Disks
from healthd.host.files import Kept
from healthd.host.groups import group_usage
from healthd.host.own import Own
from healthd.host.packages import Packages
from healthd.host.packaging import Packaging

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from healthd.answers import OwnProcess
    from healthd.evidence import Changes, UnitFiles
    from healthd.figures import Cpu, GroupUsage, Memory, Mount, Network, Pressure, Sensor, Tables, Updates
    from healthd.host.changes import ChangeFinder
    from healthd.soon import Soon

_START_TIME = 19  # proc_pid_stat(5): field 22, counted from behind the name of the program
_ESTABLISHED = b"01"  # the kernel's number for TCP_ESTABLISHED, in hexadecimal as /proc/net/tcp prints it
_SENSOR_SECONDS = 5.0
_PACKAGES_SECONDS = 5.0
_CHANGES_SECONDS = 10.0


class LinuxHost:
    """This machine, read from these roots; fulfils `ports.Host`.

    What is there since boot raises `OSError` where the kernel's file cannot be read; figures raise `ReadError` then.
    """

    def __init__(
        self,
        proc_root: Path = Path("/proc"),
        sys_root: Path = Path("/sys"),
        run_root: Path = Path("/run"),
        root: Path = Path("/"),
    ) -> None:
        self._proc, self._sys = proc_root, sys_root
        self._own = Own(proc_root)
        self._kept, self._sys_text = Kept(proc_root), str(sys_root)
        self._groups = sys_root / "fs/cgroup"
        self._time_heard = run_root / "systemd/timesync/synchronized"
        self._zombies = tables.Zombies(str(proc_root))
        self._sensors, self._sensors_aside = sensors.Sensors(sys_root), Aside("a temperature sensor")
        self._packages, self._packages_aside = Packages(root), Aside("dpkg's list")
        self._packaging = Packaging(proc_root, root)
        self._changes_aside = Aside("a look for what changed")
        self._changes: ChangeFinder | None = None
        self._root = root
        self._disks = Disks(self._kept, sys_root, root / "etc/fstab", _space_below(root))
        self._began: float | None = None

    @classmethod
    def below(cls, root: Path) -> Self:
        """The host whose root directory is mounted here, as a container has that of the host that it watches."""
        return cls(root / "proc", root / "sys", root / "run", root)

    def boot_id(self) -> str:
        """The random id of this boot."""
        return (self._proc / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()

    def memory(self) -> Memory:
        """Memory and swap."""
        with _Reading("memory"):
            return memory.read(self._kept, self._sys_text)

    def cpu(self) -> Cpu:
        """What the processors have done since boot."""
        with _Reading("the processors"):
            return cpu.read(self._kept, self.uptime())

    def pressure(self) -> Pressure:
        """How much of the time tasks waited; `Absent` where the kernel does not say."""
        with _Reading("pressure"):
            return pressure.read(self._kept)

    def tables(self) -> Tables:
        """How full the kernel's tables of threads and open files are."""
        with _Reading("the kernel's tables"):
            return tables.read(self._kept, self._zombies)

    def time_heard_at(self) -> float | None:
        """When systemd-timesyncd last heard from a time server; it says so with the age of a file."""
        try:
            return self._time_heard.stat().st_mtime
        except OSError:
            return None

    def network(self) -> Network:
        """Interfaces, and where the default routes lead."""
        with _Reading("the network"):
            return network.read(self._kept, self._sys_text)

    async def sensors(self) -> tuple[Sensor, ...]:
        """Temperatures of the sensors that have limits; `Absent` where there is none."""
        with _Reading("the temperature"):
            return await self._sensors_aside.ask(self._sensors.read, deadline=_SENSOR_SECONDS)

    def updates(self) -> Soon[Updates]:
        """What the package manager left to be done; `Absent` where there is no dpkg."""
        with _Reading("what dpkg left to be done"):
            return self._packages.at_hand() or self._read_packages()

    async def _read_packages(self) -> Updates:
        with _Reading("what dpkg left to be done"):
            return await self._packages_aside.ask(self._packages.read, deadline=_PACKAGES_SECONDS)

    def package_work(self) -> str:
        """Who is installing packages at this moment, in words; "" for nobody."""
        with _Reading("who holds the locks of dpkg"):
            return self._packaging.at_work()

    async def changes(self, units: Sequence[UnitFiles], since: float, until: float) -> Changes:
        """What changed in this time (Unix seconds)."""
        if self._changes is None:
            from healthd.host.changes import ChangeFinder  # noqa: PLC0415  not before something went wrong

            self._changes = ChangeFinder(self._root)
        booted = time.time() - self.uptime()
        look = partial(self._changes.find, tuple(units), since, until, booted)
        with _Reading("what changed"):
            return await self._changes_aside.ask(look, deadline=_CHANGES_SECONDS)

    def group_usage(self, path: str) -> GroupUsage:
        """What the control group at this path uses. Raises `ReadError`."""
        return group_usage(self._groups, path)

    def own_process(self) -> OwnProcess:
        """What healthd itself uses."""
        return self._own.read()

    def uptime(self) -> float:
        """Seconds since PID 1 started: the boot of this host, also where it is a container on a machine long up."""
        if self._began is None:
            fields = (self._proc / "1/stat").read_bytes().rpartition(b")")[2].split()
            self._began = int(fields[_START_TIME]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - self._began

    def established_connections(self) -> int:
        """TCP connections in state ESTABLISHED, IPv4 and IPv6, of the network namespace that the daemon is in."""
        return self._established("tcp") + self._established("tcp6")

    async def mounts(self, *, deadline: float) -> tuple[Mount, ...]:
        """Each file system that can fill up; one that does not answer within `deadline` seconds hangs."""
        return await self._disks.read(deadline=deadline)

    def _established(self, table: str) -> int:
        try:
            lines = (self._proc / "net" / table).read_bytes().splitlines()[1:]
        except FileNotFoundError:  # a kernel booted with ipv6.disable=1 has no tcp6
            return 0
        return sum(line.split(maxsplit=4)[3] == _ESTABLISHED for line in lines)


def _space_below(root: Path) -> Callable[[bytes], os.statvfs_result]:
    """Asks a mount of the host, whose root directory is here."""
    if root == Path("/"):
        return os.statvfs
    prefix = os.fsencode(root)
    return lambda path: os.statvfs(prefix + path)


class _Reading:
    """A file that cannot be read, or is not as it should be, is a reading that is missing."""

    __slots__ = ("_what",)

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, OSError | ValueError | LookupError):
            raise ReadError(f"{self._what} cannot be read: {error}") from error
