"""Where a value is heading: a slope that outliers do not move, and when it will be at a limit.

A forecast is only made where the past bears it: enough readings over enough time, a rise that stands out of the noise,
no fall in the remembered past that says that the value goes up and down, and a limit that is not farther ahead than
a few times what was seen.
"""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Final

from healthd.model import Trend

if TYPE_CHECKING:
    from collections.abc import Iterable

Points = tuple[tuple[float, float], ...]
"""The past of a value: instants in seconds, with what it was then; oldest first."""

HORIZON: Final = 3600.0
"""Seconds: what is farther ahead is not foretold, and what is longer past is not remembered."""

MOST_POINTS: Final = 120
LEAST_POINTS: Final = 12
LEAST_SECONDS: Final = 120.0

_AHEAD: Final = 3.0
"""How many times as far as it has seen a forecast looks ahead."""

_ROUGHLY: Final = 4.0
"""What rises so many times too slowly to matter is not looked at closely: as nearly everything nearly always."""

_FITTED: Final = 24
"""A slope is the median over all pairs of so many points: 276 pairs."""

_NOISE: Final = 4.0
"""A rise counts that is so many times the usual distance of a reading from the line."""

_LASTING: Final = 0.3
"""The newest third must rise at so much of the pace of the whole: what rose once and stays is no leak."""

_LATEST: Final = 3

_CHANGE: Final = 0.05
"""A score that changed by less over its history is stable."""


def extended(points: Points, at: float, value: float) -> Points:
    """The history with one more reading: of the last hour, thinned out evenly when there are too many."""
    if points and at <= points[-1][0]:
        return points
    if len(points) >= MOST_POINTS:
        points = points[::2]
    start = at - HORIZON
    if points and points[0][0] < start:
        points = tuple(point for point in points if point[0] >= start)
    return (*points, (at, value))


def seconds_to(points: Points, limit: float, *, falling: bool = False) -> float | None:
    """When the value will be at the limit, in seconds from its newest reading; None: not within the hour, if ever."""
    if len(points) < LEAST_POINTS or points[-1][0] - points[0][0] < LEAST_SECONDS:
        return None
    sign = -1.0 if falling else 1.0
    past = tuple((at, -value) for at, value in points) if falling else points
    latest, span = _median(value for _, value in past[-_LATEST:]), past[-1][0] - past[0][0]
    if latest <= past[0][1] or sign * limit - latest > _ROUGHLY * _AHEAD * _risen(past):
        return None
    slope = _slope(past)
    if slope <= 0 or slope * span < _NOISE * _noise(past, slope) or _goes_up_and_down(past, slope * span):
        return None
    if _slope(past[-len(past) // 3 :]) < _LASTING * slope:
        return None
    ahead = max(0.0, (sign * limit - latest) / slope)
    return round(ahead, 1) if ahead <= min(HORIZON, _AHEAD * span) else None


def direction(points: Points) -> Trend:
    """Where a score is heading: its newest third against its oldest."""
    values = [value for _, value in points]
    third = len(values) // 3
    if third == 0 or min(values) == max(values):
        return Trend.STABLE
    change = _median(values[-third:]) - _median(values[:third])
    if abs(change) < _CHANGE:
        return Trend.STABLE
    return Trend.IMPROVING if change > 0 else Trend.WORSENING


def _median(values: Iterable[float]) -> float:
    """The middle one; of two, their mean. The module statistics would bring decimals and fractions along: 1 MiB."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _risen(points: Points) -> float:
    """By how much the value rose over its past, roughly: its newest third against its oldest."""
    third = len(points) // 3
    oldest, newest = points[:third], points[-third:]
    return 1.5 * max(0.0, _median(value for _, value in newest) - _median(value for _, value in oldest))


def _thinned(points: Points) -> Points:
    """At most `_FITTED` points, the oldest and the newest among them."""
    if len(points) <= _FITTED:
        return points
    step = (len(points) - 1) / (_FITTED - 1)
    return tuple(points[round(index * step)] for index in range(_FITTED))


def _slope(points: Points) -> float:
    """The median slope over all pairs (Theil and Sen): nearly a third of the readings may be wild."""
    return _median((b - a) / (later - earlier) for (earlier, a), (later, b) in combinations(_thinned(points), 2))


def _noise(points: Points, slope: float) -> float:
    """The median distance of a reading from the line."""
    rests = [value - slope * at for at, value in points]
    middle = _median(rests)
    return _median(abs(rest - middle) for rest in rests)


def _goes_up_and_down(points: Points, rise: float) -> bool:
    """Whether the value has lasting falls behind it that are not small against its rise: a sawtooth, no leak."""
    highest, fall = points[0][1], 0.0
    for (_, earlier), (_, value) in pairwise(points):
        # The better of two neighbours: a single wild reading is no fall.
        low = max(earlier, value)
        fall = max(fall, highest - low)
        highest = max(highest, min(earlier, value))
    return fall > rise / 3
