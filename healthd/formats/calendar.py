"""systemd's calendar expressions (systemd.time(7), "CALENDAR EVENTS"), read as systemd reads them.

Taken are weekdays, dates with `~` from the end of a month, times down to the microsecond, lists, ranges, repetitions,
the words such as `weekly`, `@` Unix seconds, and a time zone at the end by its name. What a zone means is not known
here: its name is kept, "" stands for the local one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

SECOND: Final = 1_000_000
"""Seconds are kept in microseconds: they may have a fraction, and be repeated by one."""

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2199
_MOST_PARTS: Final = 240  # CALENDARSPEC_COMPONENTS_MAX
_MOST_CHARS: Final = 1000
_MOST: Final = 2**31 - 1
_ENDS_OF_PART: Final = " ,-~:"

WORDS: Final = {
    "minutely": "*-*-* *:*:00",
    "hourly": "*-*-* *:00:00",
    "daily": "*-*-* 00:00:00",
    "weekly": "Mon *-*-* 00:00:00",
    "monthly": "*-*-01 00:00:00",
    "quarterly": "*-01,04,07,10-01 00:00:00",
    **dict.fromkeys(("biannually", "bi-annually", "semiannually", "semi-annually"), "*-01,07-01 00:00:00"),
    **dict.fromkeys(("yearly", "annually", "anually"), "*-01-01 00:00:00"),
}
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY: Final = re.compile("|".join(name for day in _DAYS for name in (day, day[:3])), re.IGNORECASE)
_ZONE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+/-]*")
_DIGITS: Final = re.compile(r"[0-9]+")
_SECONDS: Final = re.compile(r"([0-9]+)(?:\.(?!\.)([0-9]{0,6})[0-9]*)?")

EXAMPLES: Final = "such as 'Sun 02:00', '*-*-* 22:30:00', 'Mon..Fri *-*~1 18:00 Europe/Berlin' or 'weekly'"


class Part(NamedTuple):
    """One value of a field, or those from it on: each `repeat`, up to `stop` (-1: as far as the field goes)."""

    start: int
    stop: int = -1
    repeat: int = 0


Field = tuple[Part, ...]
"""The values that a field may have; empty: any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """A calendar expression. `weekdays` empty: any (Monday is 0). `second` is in microseconds.

    `from_end`: days are counted from the end of the month, 1 is its last.
    """

    weekdays: frozenset[int]
    year: Field
    month: Field
    day: Field
    hour: Field
    minute: Field
    second: Field
    from_end: bool = False
    zone: str = ""


def parse(text: str) -> Calendar:
    """Read an expression. `ValueError` says in words what is wrong with it."""
    if len(text) > _MOST_CHARS:
        raise ValueError(f"a calendar expression of more than {_MOST_CHARS} characters")
    rest, zone = _split_zone(text.strip())
    if not rest:
        raise ValueError(f"an empty calendar expression; write one {EXAMPLES}")
    rest = WORDS.get(rest.lower(), rest)
    try:
        return _valid(_Reader(rest).calendar(zone))
    except ValueError as error:
        raise ValueError(f"{text.strip()!r} is no calendar expression: {error}; write one {EXAMPLES}") from None


def _split_zone(text: str) -> tuple[str, str]:
    """The expression without the time zone at its end, and that; a day of the week is none."""
    rest, space, last = text.rpartition(" ")
    if not space or not _ZONE.fullmatch(last) or _DAY.fullmatch(last):
        return text, ""
    return rest.rstrip(), "UTC" if last.upper() == "UTC" else last


class _Reader:
    """Reads from left to right."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def calendar(self, zone: str) -> Calendar:
        weekdays = self._weekdays()
        if self._next() == "@":
            return self._instant(weekdays)
        year, month, day, from_end = self._date()
        hour, minute, second = self._time()
        return Calendar(
            weekdays=weekdays,
            year=year,
            month=month,
            day=day,
            hour=hour,
            minute=minute,
            second=second,
            from_end=from_end and bool(day),
            zone=zone,
        )

    # The text

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _takes(self, word: str) -> bool:
        found = self._text.startswith(word, self._at)
        self._at += len(word) * found
        return found

    def _skip_spaces(self) -> None:
        while self._next() == " ":
            self._at += 1

    def _unexpected(self) -> ValueError:
        found = self._text[self._at :]
        return ValueError(f"{found!r} cannot stand there" if found else "its end is missing")

    # Weekdays

    def _weekdays(self) -> frozenset[int]:
        days: set[int] = set()
        begun: int | None = None
        while (found := _DAY.match(self._text, self._at)) is not None:
            self._at = found.end()
            if self._next() not in ("", *"-., "):
                raise self._unexpected()
            day = next(number for number, name in enumerate(_DAYS) if name.startswith(found.group().lower()))
            if begun is not None and begun > day:
                raise ValueError(f"{found.group()} comes before the day that the range begins with")
            days.update(range(day if begun is None else begun, day + 1))
            if self._next() in ("", " "):
                self._skip_spaces()
                return _any_day(days)
            if self._next() == ",":
                self._at, begun = self._at + 1, None
            elif begun is None and (self._takes("..") or self._takes("-")):
                begun = day
            else:
                raise self._unexpected()
            if self._next() in ("", " ") and begun is None:
                self._skip_spaces()
                return _any_day(days)
        if days:
            raise self._unexpected()
        return frozenset()

    # Dates

    def _instant(self, weekdays: frozenset[int]) -> Calendar:
        """`@` and Unix seconds: one moment, if it is of one of these weekdays."""
        self._at += 1
        at = datetime.fromtimestamp(self._number(_DIGITS), tz=UTC)
        if self._next():
            raise self._unexpected()
        return Calendar(
            weekdays=weekdays,
            year=(Part(at.year),),
            month=(Part(at.month),),
            day=(Part(at.day),),
            hour=(Part(at.hour),),
            minute=(Part(at.minute),),
            second=(Part(at.second * SECOND),),
            zone="UTC",
        )

    def _date(self) -> tuple[Field, Field, Field, bool]:
        """Year, month, day, and whether days count from the end. Where a time stands in its place, any date."""
        begin = self._at
        if not self._next():
            return (), (), (), False
        first = self._field()
        if self._next() in ("", ":"):
            self._at = begin
            return (), (), (), False
        from_end = self._separator()
        second = self._field()
        if self._next() in ("", " "):
            self._skip_spaces()
            return (), first, second, from_end
        if from_end:
            raise self._unexpected()
        from_end = self._separator()
        third = self._field()
        if self._next() not in ("", " "):
            raise self._unexpected()
        self._skip_spaces()
        return tuple(map(_with_century, first)), second, third, from_end

    def _separator(self) -> bool:
        """Take `-` or `~`; whether it was the latter."""
        if self._takes("~"):
            return True
        if not self._takes("-"):
            raise self._unexpected()
        return False

    # Times

    def _time(self) -> tuple[Field, Field, Field]:
        midnight: Field = (Part(0),)
        if not self._next():
            return midnight, midnight, midnight
        hour = self._field()
        if not self._takes(":"):
            raise self._unexpected()
        minute = self._field()
        if not self._next():
            return hour, minute, midnight
        if not self._takes(":"):
            raise self._unexpected()
        second = self._field(seconds=True)
        if self._next():
            raise self._unexpected()
        return hour, minute, second

    # Fields

    def _field(self, *, seconds: bool = False) -> Field:
        if self._takes("*"):
            return (Part(0, -1, SECOND),) if seconds else ()
        parts = [self._part(seconds=seconds)]
        while self._takes(","):
            parts.append(self._part(seconds=seconds))
            if len(parts) > _MOST_PARTS:
                raise ValueError(f"more than {_MOST_PARTS} values in a list")
        return tuple(parts)

    def _part(self, *, seconds: bool) -> Part:
        pattern = _SECONDS if seconds else _DIGITS
        start, stop, repeat = self._number(pattern), -1, 0
        if self._takes(".."):
            stop, repeat = self._number(pattern), SECOND if seconds else 1
        if self._takes("/"):
            repeat = self._number(pattern)
            if repeat == 0:
                raise ValueError("a repetition by 0")
        if self._next() not in ("", *_ENDS_OF_PART):
            raise self._unexpected()
        return Part(start, stop, repeat)

    def _number(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise self._unexpected()
        self._at = found.end()
        if pattern is _DIGITS:
            number = int(found.group())
        else:
            number = int(found[1]) * SECOND + int((found[2] or "").ljust(6, "0"))
        if number > _MOST:
            raise ValueError(f"{found.group()} is too large")
        return number


def _any_day(days: set[int]) -> frozenset[int]:
    return frozenset() if len(days) == len(_DAYS) else frozenset(days)


def _with_century(part: Part) -> Part:
    """A year of two digits is one from 1970 to 2069."""

    def full(year: int) -> int:
        return year + 2000 if 0 <= year < 70 else year + 1900 if 70 <= year < 100 else year

    return part._replace(start=full(part.start), stop=full(part.stop))


# What is possible


def _valid(calendar: Calendar) -> Calendar:
    """The expression in its normal form. `ValueError` if a field has a value that it cannot have."""
    bounds: Sequence[tuple[str, int, int]] = (
        ("year", FIRST_YEAR, LAST_YEAR),
        ("month", 1, 12),
        ("day", 1, 28 if calendar.from_end else 31),
        ("hour", 0, 23),
        ("minute", 0, 59),
        ("second", 0, 60 * SECOND - 1),
    )
    normal: dict[str, Any] = {}
    for name, first, last in bounds:
        parts = tuple(map(_normal, getattr(calendar, name)))
        for part in parts:
            if not _possible(part, first, last, backward=name == "day" and calendar.from_end):
                raise ValueError(f"there is no such {name}")
        normal[name] = parts
    return replace(calendar, **normal)


def _normal(part: Part) -> Part:
    start, stop, repeat = part
    if stop > start and repeat > 0:
        stop -= (stop - start) % repeat
    return Part(start) if start == stop or (stop > start and start + repeat > stop) else Part(start, stop, repeat)


def _possible(part: Part, first: int, last: int, *, backward: bool) -> bool:
    """Whether the values lie in the field, and the repetition comes at least once. `backward`: days from the end."""
    if not first <= part.start <= last or part.repeat > last - first:
        return False
    if part.stop >= 0:
        return first <= part.stop <= last and part.start + part.repeat <= part.stop
    return part.start - part.repeat >= first if backward else part.start + part.repeat <= last
