"""A measured value against its limits: how bad it is, with the margin that clearing needs, and the score of that."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final, assert_never

if TYPE_CHECKING:
    from healthd.model import Measure

BEST_DEGRADED: Final = 0.79
"""The score right beyond `warning`."""

WORST_DEGRADED: Final = 0.5
BEST_UNHEALTHY: Final = 0.49

_MARGIN: Final = 0.25
"""Of the way from `critical` to `warning`: how far back a value must be for a level to clear."""

_MARGIN_ALONE: Final = 0.05
"""Of the limit itself, where there is only one."""


class Level(IntEnum):
    """How bad a value is; a higher one is worse."""

    OK = 0
    WARNING = 1
    CRITICAL = 2


def level_of(measure: Measure, before: Level = Level.OK) -> Level:
    """The level of a value that had the level `before`: a better one only counts with a margin.

    So a value that swings around a limit does not make its status swing.
    """
    now = _plain(measure, 0.0)
    return now if now >= before else min(before, _plain(measure, _margin(measure)))


def score_of(measure: Measure, level: Level) -> float:
    """1.0 up to `warning`, falling evenly from 0.79 to 0.5 between that and `critical`, then towards 0 at `limit`.

    A level that is kept only for the margin has the best score of its range.
    """
    match level:
        case Level.OK:
            return 1.0
        case Level.WARNING:
            end = measure.critical if measure.critical is not None else measure.limit
            way = _way(measure.value, measure.warning, end)
            return round(BEST_DEGRADED - (BEST_DEGRADED - WORST_DEGRADED) * way, 4)
        case Level.CRITICAL:
            return round(BEST_UNHEALTHY * (1 - _way(measure.value, measure.critical, _end(measure))), 4)
        case _:
            assert_never(level)


def falling(measure: Measure) -> bool:
    """Whether less is worse, as with the days that a certificate has left."""
    if measure.warning is not None and measure.critical is not None:
        return measure.critical < measure.warning
    alone = measure.critical if measure.critical is not None else measure.warning
    return alone is not None and measure.limit is not None and measure.limit < alone


def _plain(measure: Measure, worse_by: float) -> Level:
    """The level if the value were worse by so much."""
    if measure.warning is None and measure.critical is None:
        return Level.OK
    sign = -1.0 if falling(measure) else 1.0
    value = sign * measure.value + worse_by
    if measure.critical is not None and value > sign * measure.critical:
        return Level.CRITICAL
    if measure.warning is not None and value > sign * measure.warning:
        return Level.WARNING
    return Level.OK


def _margin(measure: Measure) -> float:
    """Never so much that a value of nothing would not clear."""
    if measure.warning is not None and measure.critical is not None:
        return min(_MARGIN * abs(measure.critical - measure.warning), abs(measure.warning) / 2)
    alone = measure.critical if measure.critical is not None else measure.warning
    return _MARGIN_ALONE * abs(alone or 0.0)


def _end(measure: Measure) -> float | None:
    """Where the score of a value beyond `critical` reaches 0."""
    if measure.limit is not None or measure.critical is None:
        return measure.limit
    if measure.warning is not None and measure.warning != measure.critical:
        return 2 * measure.critical - measure.warning
    return 2 * measure.critical


def _way(value: float, start: float | None, end: float | None) -> float:
    """How much of the way from `start` to `end` the value has gone: 0 to 1."""
    if start is None or end is None:
        return 0.0
    if start == end:
        return 1.0
    return min(1.0, max(0.0, (value - start) / (end - start)))
