"""Pressure stall information (PSI): how much of the time tasks waited for what was short."""

from __future__ import annotations

import re
import time
from errno import EOPNOTSUPP
from typing import TYPE_CHECKING, Final

from healthd.errors import Absent
from healthd.figures import Pressure, Stalls

if TYPE_CHECKING:
    from healthd.host.files import Kept

_RESOURCES: Final = ("cpu", "memory", "io")
_LINE: Final = re.compile(rb"^(some|full) avg10=(\S+) avg60=(\S+)", re.MULTILINE)


def read(proc: Kept) -> Pressure:
    """The stalls of the whole machine. Raises `Absent` where the kernel does not count them."""
    stalls = {}
    for name in _RESOURCES:
        try:
            stalls[name] = parse(proc.read(f"pressure/{name}"))
        except FileNotFoundError as error:
            raise Absent("this kernel has no pressure stall information (CONFIG_PSI)") from error
        except OSError as error:
            if error.errno != EOPNOTSUPP:
                raise
            raise Absent("pressure stall information is switched off (boot with psi=1 to have it)") from error
    return Pressure(at=time.clock_gettime(time.CLOCK_BOOTTIME), stalls=stalls)


def parse(text: bytes) -> Stalls:
    """The text of one file: a line `some`, and but for processors on old kernels one `full`."""
    found = _LINE.findall(text)
    if not found or found[0][0] != b"some":
        raise ValueError(f"these are no stalls: {text!r}")
    numbers = {kind: (float(newest), float(minute)) for kind, newest, minute in found}
    some, full = numbers[b"some"], numbers.get(b"full", (0.0, 0.0))
    return Stalls(some=some[1], some_10s=some[0], full=full[1], full_10s=full[0])
