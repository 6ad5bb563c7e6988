"""What a benchmark gives: series of measured values, and figures that are held against their targets."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Measured values of one thing, in `unit`; at least one."""

    name: str
    unit: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The value in the middle."""
        return statistics.median(self.values)

    def percentile(self, percent: float) -> float:
        """The smallest value that at least `percent` of all values do not exceed."""
        return sorted(self.values)[math.ceil(len(self.values) * percent / 100) - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number with its target: at most `limit`, or with `at_least` not below it."""

    name: str
    value: float
    unit: str
    limit: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All that one benchmark found. `notes` are lines for the reader."""

    name: str
    series: tuple[Series, ...]
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = field(default=())


def ratio(name: str, of: float, to: float, limit: float, *, at_least: bool = False) -> Figure:
    """How many times `to` goes into `of`, against a target."""
    return Figure(name=name, value=of / to, unit="x", limit=limit, at_least=at_least)


def series(name: str, unit: str, values: Sequence[float]) -> Series:
    """Values of one thing."""
    return Series(name=name, unit=unit, values=tuple(values))
