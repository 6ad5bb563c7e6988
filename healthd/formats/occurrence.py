"""When a calendar expression happens next, in a time zone that is handed in.

A time that the clocks skip does not happen that day, and one that they show twice happens the first time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from heapq import merge
from typing import TYPE_CHECKING, Final

from healthd.formats.calendar import LAST_YEAR, SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import tzinfo

    from healthd.formats.calendar import Calendar, Field

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def next_after(calendar: Calendar, wall: float, zone: tzinfo) -> float | None:
    """The first time after `wall` (both Unix seconds) that the expression names; None: it never happens again."""
    try:
        after = _EPOCH + int(wall * SECOND) * _MICROSECOND
        begin = (after + _MICROSECOND).astimezone(zone).replace(tzinfo=None)
    except OverflowError:
        return None
    for local in _times(calendar, begin):
        moment = local.replace(tzinfo=zone).astimezone(UTC)
        skipped = moment.astimezone(zone).replace(tzinfo=None) != local
        if moment > after and not skipped:
            return (moment - _EPOCH) / _MICROSECOND / SECOND
    return None


def _times(calendar: Calendar, begin: datetime) -> Iterator[datetime]:
    """The local times that the expression names, from `begin` on, in order."""
    for day in _days(calendar, begin):
        low = begin if day.date() == begin.date() else day
        for hour in _values(calendar.hour, low.hour, 23):
            from_minute = low.minute if hour == low.hour else 0
            for minute in _values(calendar.minute, from_minute, 59):
                same = hour == low.hour and minute == low.minute
                from_second = low.second * SECOND + low.microsecond if same else 0
                for second in _values(calendar.second, from_second, 60 * SECOND - 1):
                    yield day + timedelta(hours=hour, minutes=minute, microseconds=second)


def _days(calendar: Calendar, begin: datetime) -> Iterator[datetime]:
    """The beginnings of the days that it names."""
    for year in _values(calendar.year, begin.year, LAST_YEAR):
        for month in _values(calendar.month, begin.month if year == begin.year else 1, 12):
            low = begin.day if (year, month) == (begin.year, begin.month) else 1
            for day in _days_of_month(calendar, year, month, low):
                date = datetime(year, month, day)  # noqa: DTZ001  the zone comes in later
                if not calendar.weekdays or date.weekday() in calendar.weekdays:
                    yield date


def _days_of_month(calendar: Calendar, year: int, month: int, low: int) -> Iterable[int]:
    following = datetime(year + month // 12, month % 12 + 1, 1)  # noqa: DTZ001
    last = (following - timedelta(days=1)).day
    if not calendar.from_end:
        return _values(calendar.day, low, last)
    turned = []
    for part in calendar.day:
        start, stop = last + 1 - part.start, last + 1 - part.stop if part.stop >= 0 else -1
        turned.append(part._replace(start=stop, stop=start) if stop >= 0 else part._replace(start=start))
    return _values(tuple(turned), low, last)


def _values(field: Field, low: int, last: int) -> Iterable[int]:
    """The values of a field from `low` to `last`, in order; one may come twice."""
    if not field:
        return range(low, last + 1)
    ranges = []
    for start, stop, repeat in field:
        step = repeat or 1
        end = stop if stop >= 0 else last if repeat else start
        first = start if start >= low else start + -(-(low - start) // step) * step
        ranges.append(range(first, min(end, last) + 1, step))
    return ranges[0] if len(ranges) == 1 else merge(*ranges)
