"""Plots in the terminal: a line of blocks, or a field of dots with axes. Pure: widths and times are given."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    Points = Sequence[Sequence[float]]

_BLOCKS: Final = "▁▂▃▄▅▆▇"  # the eighth would touch the line above
_ASCII: Final = "_.-=*#@"
_BRAILLE: Final = 0x2800
_DOTS: Final = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))  # of a cell: two columns of four, from above
_HOLD: Final = 2.5  # a value stands for so many times the usual pause: longer is a gap
_DAY: Final = 86_400
_UNITS: Final = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k"))


class Column(NamedTuple):
    """What was in one column's time."""

    low: float
    mean: float
    high: float


def columns(points: Points, since: float, until: float, width: int) -> list[Column | None]:
    """The points `[at, min, mean, max]` in so many columns. None where there was no reading for long."""
    found: list[list[Sequence[float]]] = [[] for _ in range(width)]
    for point in points:
        place = int((point[0] - since) / (until - since) * width)
        if 0 <= place < width:
            found[place].append(point)
    pauses = sorted(later[0] - sooner[0] for sooner, later in pairwise(points))
    hold = _HOLD * pauses[len(pauses) // 2] / (until - since) * width if pauses else 1.0
    held: list[Column | None] = []
    last, age = None, 0.0
    for together in found:
        age += 1
        if together:
            low, mean, high = (min(p[1] for p in together), sum(p[2] for p in together), max(p[3] for p in together))
            last, age = Column(low, mean / len(together), high), 0.0
        held.append(last if age <= hold else None)
    return held


def sparkline(values: Sequence[float | None], low: float, high: float, *, plain: bool) -> str:
    """One character a value between `low` and `high`, a blank for none."""
    signs = _ASCII if plain else _BLOCKS
    return "".join(" " if value is None else signs[_level(value, low, high, len(signs))] for value in values)


def bounds(seen: Sequence[Column | None]) -> tuple[float, float]:
    """The lowest and the highest value of an axis on which all of this can be seen."""
    low = min((each.low for each in seen if each), default=0.0)
    high = max((each.high for each in seen if each), default=1.0)
    if low >= 0 and low <= high / 2:
        low = 0.0  # an axis that begins at nothing does not exaggerate
    if low == high == 0:
        return 0.0, 1.0
    if high - low < 1e-9 * max(1.0, abs(high)):
        low, high = low - (abs(low) / 10 or 1.0), high + (abs(high) / 10 or 1.0)
    return low, high


def field(seen: Sequence[Column | None], low: float, high: float, *, height: int, plain: bool) -> list[str]:
    """Lines of dots, the highest first: each column from its lowest to its highest value. Two columns a cell."""
    levels = height if plain else height * 4
    grid = [[False] * len(seen) for _ in range(levels)]
    before = None
    for place, column in enumerate(seen):
        if column is not None:
            ends = [_level(value, low, high, levels) for value in (column.low, column.mean, column.high)]
            first, last = min(ends), max(ends)
            if before is not None:  # so that a step is a line
                first, last = min(first, before), max(last, before)
            for level in range(first, last + 1):
                grid[level][place] = True
            before = ends[1]
        else:
            before = None
    if plain:
        return ["".join("*" if dot else " " for dot in line) for line in reversed(grid)]
    return [_cells(grid[4 * row : 4 * row + 4][::-1]) for row in reversed(range(height))]


def _level(value: float, low: float, high: float, levels: int) -> int:
    return min(levels - 1, max(0, round((value - low) / (high - low) * (levels - 1))))


def _cells(lines: Sequence[Sequence[bool]]) -> str:
    cells = []
    for place in range(0, len(lines[0]), 2):
        dots = 0
        for column, bits in enumerate(_DOTS):
            if place + column < len(lines[0]):
                dots |= sum(bit for bit, line in zip(bits, lines, strict=True) if line[place + column])
        cells.append(chr(_BRAILLE + dots) if dots else " ")
    return "".join(cells)


def amount(value: float) -> str:
    """`0.25`, `41.5`, `1.2 G`."""
    for size, unit in _UNITS:
        if abs(value) >= size:
            return f"{value / (1e3 if unit == 'k' else size):.3g} {unit}"
    return f"{value:.4g}"


def times(since: float, until: float, width: int) -> str:
    """A line of times of day, or dates, under so many characters."""
    form = "%H:%M:%S" if until - since < 600 else "%H:%M" if until - since < 2 * _DAY else "%b %d"
    if 2 * _DAY <= until - since < 8 * _DAY:
        form = "%a %H:%M"
    labels = [time.strftime(form, time.localtime(at)) for at in (since, (since + until) / 2, until)]
    room = width - sum(map(len, labels))
    if room < 2:
        first = labels[0] if len(labels[0]) + len(labels[2]) < width else ""
        return f"{first:<{max(0, width - len(labels[2]))}}{labels[2]}"
    middle = max(1, width // 2 - len(labels[0]) - len(labels[1]) // 2)
    return f"{labels[0]}{' ' * middle}{labels[1]}{' ' * max(1, room - middle)}{labels[2]}"
