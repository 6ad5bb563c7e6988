"""What the kernel says of this machine, as values. `at`: when it was read, in boot seconds (CLOCK_BOOTTIME)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Bytes of memory. `available` could be had without swapping; `oom_kills`: see `host.memory`."""

    at: float
    total: int
    available: int
    swap_total: int = 0
    swap_used: int = 0
    oom_kills: int | None = None

    @property
    def used(self) -> int:
        """What could not be had without swapping."""
        return self.total - self.available


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """Seconds that the processors have spent since they were booted, all together: `all` is the sum of all kinds.

    `busy` is work, `waiting` idleness while I/O was under way, `stolen` what the machine around this one took. `load`
    is the load average over five minutes, `cpus` the number of processors, `booted_for` the age of the host in seconds.
    """

    at: float
    all: float
    busy: float
    waiting: float
    stolen: float
    load: float
    cpus: int
    booted_for: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stalls:
    """Percent of the last 60 and the last 10 s in which some task, or every one with work to do, waited (PSI).

    The kernel does not say `full` of processors, or says 0.
    """

    some: float
    some_10s: float
    full: float = 0.0
    full_10s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    """The stalls by what was waited for: "cpu", "memory", "io"."""

    at: float
    stalls: Mapping[str, Stalls]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """How full the kernel's tables are. `zombies` None: they have not all been counted yet."""

    at: float
    threads: int
    threads_max: int
    files: int
    files_max: int
    zombies: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """A temperature in degrees Celsius with the limits that the sensor itself gives; None: it gives none."""

    name: str
    celsius: float
    high: float | None
    critical: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """How full a file system is, in bytes. `available` is what users other than root may take; `inodes` 0: endless."""

    used: int
    available: int
    inodes: int
    inodes_free: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A file system by its mount point `name`.

    `remote`: it is another machine's or another process's, and was not touched. `was_writable`: it was writable since
    healthd started, or /etc/fstab wants it so. `space` None: it is remote or read-only, it `hangs`, or it could not be
    asked: `unreadable` says why, and `refused` that it is so for good.
    """

    name: str
    type: str
    remote: bool = False
    writable: bool = True
    was_writable: bool = True
    hangs: bool = False
    refused: bool = False
    unreadable: str = ""
    space: Space | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """A network interface other than the loopback.

    `carrier`: it has a link; None: nobody can tell. `had_carrier`: it had one since it is there. `made_up`: it is a
    bridge, a tunnel, or a container's. `errors` and `rx_dropped` count packets since boot: the latter those that the
    kernel had no use for, the former all others that were lost, each once.
    """

    name: str
    up: bool = True
    carrier: bool | None = True
    had_carrier: bool = True
    made_up: bool = False
    wireless: bool = False
    rx_bytes: int = 0
    tx_bytes: int = 0
    errors: int = 0
    rx_dropped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The interfaces, and those that the default routes lead to by family; None: the table is too long to tell."""

    at: float
    interfaces: tuple[Interface, ...] = ()
    ipv4: frozenset[str] | None = frozenset()
    ipv6: frozenset[str] | None = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Updates:
    """What the package manager left to be done. `reboot_for`: the packages that want a reboot, if they said so.

    `not_whole`: each package that dpkg did not bring to an end, with its state. `changed_at` (Unix seconds): when dpkg
    last wrote down anything.
    """

    reboot_required: bool = False
    reboot_for: tuple[str, ...] = ()
    not_whole: tuple[str, ...] = ()
    changed_at: float = 0.0


class FaultKind(StrEnum):
    """What the kernel complains of."""

    OOM_KILL = "oom_kill"
    HUNG_TASK = "hung_task"
    IO_ERROR = "io_error"
    FILE_SYSTEM = "file_system"
    MACHINE_CHECK = "machine_check"
    LOCKUP = "lockup"
    KERNEL_BUG = "kernel_bug"


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelFault:
    """What the kernel complained of within the last hour: of one kind, and of one `subject`.

    That is the device, the program that hangs, the unit of the process that was killed (or the program, where it
    belongs to none); "" where there is none. `text`: the newest line in short. `at`: when that came; `count`: how many
    came within the hour.
    """

    kind: FaultKind
    subject: str
    text: str
    at: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupUsage:
    """What a control group uses. Memory in bytes, without the files that are kept in it for nothing.

    None: the kernel does not count that here or, of a maximum, there is none.
    """

    memory: int | None = None
    memory_max: int | None = None
    cpu_seconds: float | None = None
    tasks: int | None = None
    tasks_max: int | None = None
