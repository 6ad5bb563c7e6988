"""What a monitoring plugin prints: a line for people, and performance data behind a bar.

Format: the Monitoring Plugins Development Guidelines, "Plugin Output" and "Performance data".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBERS_MAX: Final = 50
"""More numbers than this of one program are not a graph that anybody looks at."""

_LINE_MAX: Final = 500
_DATUM: Final = re.compile(r"(?:'((?:[^']|'')++)'|([^\s='|]++))=([-+]?[0-9.]++(?:[eE][-+]?[0-9]++)?)([A-Za-z%]*)")
_NOT_A_WORD: Final = re.compile(r"[^a-z0-9]+")

_UNITS: Final = {
    "": ("", 1.0),
    "s": ("seconds", 1.0),
    "ms": ("seconds", 1e-3),
    "us": ("seconds", 1e-6),
    "ns": ("seconds", 1e-9),
    "%": ("percent", 1.0),
    "c": ("total", 1.0),
    "b": ("bytes", 1.0),
    **{f"{letter}{end}": ("bytes", 1024.0 ** (n + 1)) for n, letter in enumerate("kmgtp") for end in ("b", "ib")},
}
"""Units in small letters: the unit that is shown, and by what a value is multiplied for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """What a plugin said: its first line, and its numbers by names that end in their units."""

    line: str
    numbers: tuple[tuple[str, float], ...] = ()


def parse(output: str) -> Printed:
    """Take the output of a plugin apart. What is no performance data where some should be is passed over."""
    first, _, rest = output.lstrip().partition("\n")
    line, _, data = first.partition("|")
    # Performance data goes on behind the bar in the long text, to the end.
    further = rest.partition("|")[2]
    words = "".join(letter if letter.isprintable() else " " for letter in line).strip()
    return Printed(line=words[:_LINE_MAX], numbers=tuple(_numbers(f"{data}\n{further}")))


def _numbers(data: str) -> Iterator[tuple[str, float]]:
    seen: set[str] = set()
    for quoted, bare, text, unit in _DATUM.findall(data):
        shown, factor = _UNITS.get(unit.lower(), (unit.lower(), 1.0))
        try:
            value = float(text) * factor
        except ValueError:
            continue
        name = _name(quoted or bare, shown)
        if isfinite(value) and name not in seen and len(seen) < NUMBERS_MAX:
            seen.add(name)
            yield name, value


def _name(label: str, unit: str) -> str:
    """A name of small letters, digits and underscores; a mount point by its path, the first of all as root."""
    words = _NOT_A_WORD.sub("_", label.lower()).strip("_") or ("root" if label.startswith("/") else "value")
    return words if not unit or words.endswith(unit) else f"{words}_{unit}"
