"""Temperature sensors of the kernel's hwmon drivers, with the limits that they give themselves.

What there is and what its limits are is looked up now and then; a reading opens one file a sensor. Some drivers talk to
their chips over slow buses, so that a reading may block: `LinuxHost` has it done aside.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from healthd.errors import Absent
from healthd.figures import Sensor

if TYPE_CHECKING:
    from pathlib import Path

LOOKED_UP_SECONDS: Final = 600.0
MOST: Final = 64

_PLAUSIBLE: Final = (0.0, 150.0)
"""Degrees Celsius between which a reading or a limit is one; what is not connected says 0, -128 or 255."""

_INPUT: Final = re.compile(r"temp\d+_input")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A sensor: where its value stands, and its limits."""

    name: str
    file: Path
    high: float | None
    critical: float | None


class Sensors:
    """The sensors of this machine, below `sys`."""

    def __init__(self, sys: Path) -> None:
        self._root = sys / "class/hwmon"
        self._places: list[Place] = []
        self._looked_up: float | None = None

    def read(self) -> tuple[Sensor, ...]:
        """Those that give a plausible value now; may block. Raises `Absent` without any sensor that has a limit."""
        now = time.monotonic()
        if self._looked_up is None or now >= self._looked_up + LOOKED_UP_SECONDS:
            self._places, self._looked_up = find(self._root), now
        if not self._places:
            self._looked_up = None
            raise Absent("no temperature sensor with a limit of its own")
        found = ((place, _celsius(place.file)) for place in self._places)
        return tuple(
            Sensor(name=place.name, celsius=celsius, high=place.high, critical=place.critical)
            for place, celsius in found
            if celsius is not None
        )


def find(root: Path) -> list[Place]:
    """All sensors with a limit, by name; of a processor that has a sensor for the whole of it, that one only."""
    found: dict[str, Place] = {}
    for chip in sorted(root.glob("hwmon*")):
        labels = {file: _label(file) for file in sorted(chip.glob("temp*_input")) if _INPUT.fullmatch(file.name)}
        whole = any(label.startswith("Package") for label in labels.values())
        device = (chip / "device").resolve().name if (chip / "device").exists() else chip.name
        for file, label in labels.items():
            place = _place(f"{_text(chip / 'name') or chip.name} {label}", file)
            if place is not None and not (whole and label.startswith("Core ")):
                name = place.name if place.name not in found else f"{place.name} ({device})"
                found[name] = Place(name=name, file=file, high=place.high, critical=place.critical)
    return list(found.values())[:MOST]


def _place(name: str, file: Path) -> Place | None:
    stem = file.name.removesuffix("_input")
    high, critical = (_celsius(file.with_name(f"{stem}_{end}")) for end in ("max", "crit"))
    if high is not None and critical is not None and high >= critical:
        high = None  # one limit under two names
    return None if high is None and critical is None else Place(name=name, file=file, high=high, critical=critical)


def _label(file: Path) -> str:
    stem = file.name.removesuffix("_input")
    return _text(file.with_name(f"{stem}_label")) or stem


def _celsius(file: Path) -> float | None:
    """The file is in thousandths of a degree; None where it is not there, refused by the chip, or implausible."""
    try:
        value = float(_text(file)) / 1000
    except ValueError:
        return None
    low, high = _PLAUSIBLE
    return value if low < value <= high else None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
