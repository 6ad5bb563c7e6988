"""Pressure stall information (PSI): how much of the time tasks waited for what was short."""

from __future__ import annotations

import time
from errno import EOPNOTSUPP
from typing import TYPE_CHECKING, Final

from healthd.errors import Absent
from healthd.figures import Pressure, Stalls
from healthd.host.files import read as read_file

if TYPE_CHECKING:
    from pathlib import Path

_RESOURCES: Final = ("cpu", "memory", "io")


def read(proc: Path) -> Pressure:
    """The stalls of the whole machine. Raises `Absent` where the kernel does not count them."""
    stalls = {}
    for name in _RESOURCES:
        try:
            stalls[name] = parse(read_file(f"{proc}/pressure/{name}").decode("ascii"))
        except FileNotFoundError as error:
            raise Absent("this kernel has no pressure stall information (CONFIG_PSI)") from error
        except OSError as error:
            if error.errno != EOPNOTSUPP:
                raise
            raise Absent("pressure stall information is switched off (boot with psi=1 to have it)") from error
    return Pressure(at=time.clock_gettime(time.CLOCK_BOOTTIME), stalls=stalls)


def parse(text: str) -> Stalls:
    """The text of one file: a line `some`, and but for processors on old kernels one `full`."""
    lines = {}
    for line in text.splitlines():
        kind, *pairs = line.split()
        lines[kind] = dict(pair.split("=") for pair in pairs)
    some, full = lines["some"], lines.get("full", {})
    return Stalls(
        some=float(some["avg60"]),
        some_10s=float(some["avg10"]),
        full=float(full.get("avg60", 0.0)),
        full_10s=float(full.get("avg10", 0.0)),
    )
