"""What needs a kernel of its own: memory that runs out, disks that fail, tables of the kernel that fill, its log."""

# ruff: noqa: E501 -- a script that is broken in two is harder to read

from __future__ import annotations

from typing import Any, Final

from bench.accuracy.scene import Kind, Label, Place, Scene
from bench.accuracy.scenes.shapes import FIFO, HARMLESS, OBEY, START, UNIT, reported, service

_SETTINGS: Final = "[health]\ncheck_interval_seconds = 3\n"
_MACHINE: Final = Place(name="machine", together=False, kind=Kind.MACHINE, settings=_SETTINGS)
_OTHER: Final = Place(name="another machine", together=False, kind=Kind.MACHINE, settings=_SETTINGS)
_SHARED: Final = Place(name="shared machine", kind=Kind.MACHINE, settings=_SETTINGS)
_SECONDS: Final = 150.0


def _on(
    name: str, component: str, make: str, *, label: Label = HARMLESS, owns: tuple[str, ...] = (), **more: Any
) -> Scene:
    return Scene(
        name=name,
        component=component,
        label=label,
        make=make,
        owns=(component, *owns),
        seconds=more.pop("seconds", _SECONDS),
        place=more.pop("place", _MACHINE),
        watch=15,
        **more,
    )


_LIMITED: Final = {UNIT: service(FIFO, "MemoryMax=40M", "MemorySwapMax=0", command=OBEY)}
_GOES_ON: Final = {UNIT: service(FIFO, "MemoryMax=40M", "MemorySwapMax=0", "OOMPolicy=continue", command=OBEY)}
_EAT: Final = '/usr/bin/python3 -c "bytearray(400 << 20)"'
_TELL: Final = "tell <<'END'\n%s\nEND\n"
_FAULT: Final = reported("kernel_fault", component="kernel")
_FREE: Final = (
    "awk '/MemTotal/ {t = $2} /MemAvailable/ {a = $2} END {print int((t * %d / 100 - (t - a)) / 1024)}' /proc/meminfo"
)
_HOLD: Final = (
    "(timeout %d python3 -c \"import sys, time; held = bytearray(b'x') * (int(sys.argv[1]) << 20); time.sleep(600)\" $("
    + _FREE
    + ") &) > /dev/null 2>&1\n"
)

_DISK: Final = (
    "truncate -s 64M /root/disk.img; loop=$(losetup --show --find /root/disk.img)\n"
    'dmsetup create frail --table "0 131072 linear $loop 0"; mkfs.ext4 -q /dev/mapper/frail\n'
    "mkdir -p /mnt/frail; mount -o errors=remount-ro /dev/mapper/frail /mnt/frail; healthctl check storage > /dev/null || :\n"
)
_BREAK: Final = (
    'dmsetup suspend --noflush frail; dmsetup reload frail --table "0 131072 error"; dmsetup resume frail\n'
    "{ echo x > /mnt/frail/x; sync; } 2> /dev/null || true\nls -R /mnt/frail > /dev/null 2>&1 || true\n"
)
_HANG: Final = (
    "sysctl --quiet --write kernel.hung_task_timeout_secs=1 kernel.hung_task_check_interval_secs=1\n"
    "mount -t tmpfs none /media; truncate -s 64M /media/disk.img; mkfs.ext4 -q /media/disk.img\n"
    "mkdir -p /mnt/frozen; mount -o loop /media/disk.img /mnt/frozen; fsfreeze --freeze /mnt/frozen\n"
    "(touch /mnt/frozen/x &) > /dev/null 2>&1 < /dev/null\n"
)
_SLOW: Final = (
    "truncate -s 64M /root/slow.img; loop=$(losetup --show --find /root/slow.img); modprobe dm-delay\n"
    'dmsetup create slow --table "0 131072 delay $loop 0 0 $loop 0 3000"\n'
)
_WRITE_ON: Final = (
    "(timeout 280 sh -c 'while :; do dd if=/dev/zero of=/dev/mapper/slow bs=4k count=64 oflag=direct status=none; done' &)"
    " > /dev/null 2>&1\n"
)
_SPIN: Final = "for i in $(seq 1 $(nproc)); do (timeout %d sh -c 'while :; do :; done' &) ; done > /dev/null 2>&1\n"


def _uses(
    name: str, limits: str, make: str, *, label: Label = HARMLESS, settings: tuple[str, ...] = (), **more: Any
) -> Scene:
    """Of a unit that is held against limits of its own."""
    table = f'[component.{{name}}]\ntype = "unit"\nunit = "{{name}}.service"\n{limits}interval_seconds = 2\nfailures = 2\nsuccesses = 1\n'
    return _on(
        name,
        "unit",
        make,
        label=label,
        units={UNIT: service(FIFO, *settings, command=OBEY)},
        start=(UNIT,),
        settings=table,
        place=_SHARED,
        **more,
    )


_TAKES: Final = 'exec /usr/bin/python3 -c "import time; held = bytearray(b\\"x\\") * (%d << 20); time.sleep(600)"'

SCENES: Final[tuple[Scene, ...]] = (
    # The first on its machine: ten minutes after the boot it would be a fault.
    _on(
        "clock-set-right-after-boot", "clock", "date --set='+30 seconds' > /dev/null", unmake="date --set='-30 seconds'"
    ),
    _on(
        "kernel-says-a-device-is-odd",
        "kernel",
        "echo '<3>usb 1-1: device descriptor read/64, error -71' > /dev/kmsg; echo '<3>ACPI Error: AE_NOT_FOUND, during name lookup' > /dev/kmsg",
        place=_SHARED,
    ),
    _on(
        "kernel-says-less-important-things",
        "kernel",
        "echo '<6>INFO: all is well, no I/O error, dev none' > /dev/kmsg; echo '<4>EXT4-fs (sda1): warning: mounting unchecked fs' > /dev/kmsg",
        place=_SHARED,
    ),
    _on("program-crashes", "kernel", "python3 -c 'import ctypes; ctypes.string_at(0)' || :", place=_SHARED),
    _on(
        "memory-full-of-files",
        "memory",
        "dd if=/dev/zero of=/var/tmp/x bs=1M count=200 2> /dev/null; cat /var/tmp/x > /dev/null; rm /var/tmp/x",
    ),
    _on("memory-peak", "memory", _HOLD % (3, 90)),
    _on(
        "memory-sawtooth",
        "memory",
        "(timeout 30 python3 -c 'import time\nwhile True:\n    held = bytearray(b\"x\") * (60 << 20)\n    time.sleep(1)\n    del held\n    time.sleep(1)' &) > /dev/null 2>&1",
    ),
    _on("processor-busy-for-a-moment", "cpu", _SPIN % 8, owns=("pressure",)),
    _uses(
        "unit-memory-sawtooth",
        "memory_warning_mb = 80\n",
        _TELL
        % 'exec /usr/bin/python3 -c "import time\nwhile True:\n    held = bytearray(b\\"x\\") * (30 << 20)\n    time.sleep(1)\n    del held\n    time.sleep(1)"',
    ),
    _uses(
        "unit-reads-a-large-file",
        "memory_warning_mb = 60\n",
        _TELL % "dd if=/dev/zero of=/var/tmp/y bs=1M count=100; cat /var/tmp/y > /dev/null; exec sleep 600",
        unmake="rm -f /var/tmp/y",
    ),
    _uses(
        "unit-few-tasks",
        "tasks_warning_percent = 80\n",
        _TELL % "for i in 1 2 3 4; do sleep 600 & done; wait",
        settings=("TasksMax=50",),
    ),
    _on(
        "out-of-memory",
        "services",
        _TELL % f"exec {_EAT}",
        label=Label(issue="service_down", actions=(START,), also=("kernel_fault",)),
        units=_LIMITED,
        start=(UNIT,),
        owns=("kernel",),
        place=_OTHER,
    ),
    _on(
        "out-of-memory-in-a-child",
        "kernel",
        _TELL % f"{_EAT}; while :; do sleep 1; done",
        label=_FAULT,
        units=_GOES_ON,
        start=(UNIT,),
        place=_OTHER,
    ),
    _on(
        "disk-fails",
        "kernel",
        _BREAK,
        before=_DISK,
        label=Label(issue="kernel_fault", component="kernel", also=("read_only",)),
        owns=("storage",),
        unmake="umount /mnt/frail",
        place=_OTHER,
    ),
    _on(
        "task-hangs",
        "kernel",
        _HANG,
        label=_FAULT,
        unmake="fsfreeze --unfreeze /mnt/frozen; umount /mnt/frozen; umount /media",
        place=_OTHER,
    ),
    _on(
        "threads-run-out",
        "processes",
        "sysctl --quiet --write kernel.threads-max=$(($(cut -d/ -f2 /proc/loadavg | cut -d' ' -f1) * 10 / 9))",
        label=reported("pressure", component="processes"),
        unmake="sysctl --quiet --write kernel.threads-max=7000",
        place=_OTHER,
    ),
    _on(
        "open-files-run-out",
        "processes",
        "cp /proc/sys/fs/file-max /root/file-max; sysctl --quiet --write fs.file-max=$(($(cut -f1 /proc/sys/fs/file-nr) * 10 / 9))",
        label=reported("pressure", component="processes"),
        unmake="sysctl --quiet --write fs.file-max=$(cat /root/file-max)",
        place=_OTHER,
    ),
    _on(
        "memory-runs-out",
        "memory",
        _HOLD % (60, 90),
        label=reported("high_memory", component="memory"),
        unmake="sleep 1",
    ),
    _uses("unit-takes-much-memory", "memory_warning_mb = 60\n", _TELL % (_TAKES % 90), label=reported("high_memory")),
    _uses(
        "unit-near-its-memory-limit",
        "memory_warning_percent = 70\n",
        _TELL % (_TAKES % 75),
        label=reported("high_memory"),
        settings=("MemoryMax=100M", "MemorySwapMax=0"),
    ),
    _uses(
        "unit-has-many-tasks",
        "tasks_warning_percent = 80\n",
        _TELL % "for i in $(seq 1 45); do sleep 600 & done; wait",
        label=reported("pressure"),
        settings=("TasksMax=50",),
    ),
    _uses(
        "unit-busy-on-a-machine",
        "cpu_warning_percent = 30\n",
        _TELL % "while :; do :; done",
        label=reported("high_cpu", also=("pressure", "high_cpu")),
        owns=("cpu", "pressure"),
    ),
    _on(
        "processor-busy-for-long",
        "cpu",
        _SPIN % 140,
        label=Label(issue="high_cpu", component="cpu", then="issue_resolved", also=("pressure",)),
        owns=("pressure",),
        seconds=300.0,
    ),
    _on(
        "disk-slow-for-long",
        "pressure",
        _SLOW + _WRITE_ON,
        label=Label(issue="pressure", component="pressure", then="issue_resolved"),
        owns=("cpu",),
        seconds=600.0,
        unmake="dmsetup remove --retry slow",
        place=_OTHER,
    ),
)
