"""Durations and times of day, as people say them."""

from __future__ import annotations

from time import localtime, strftime
from typing import Final

_DAY: Final = 86_400.0


def span(seconds: float) -> str:
    """`1.2 s`, `45 s`, `4 min`, `2 h 10 min`, `3 d 4 h`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def clock_time(wall: float, *, now: float) -> str:
    """The local time of day of this Unix time, with its date if it is a day or more away from `now`."""
    return strftime("%H:%M:%S" if abs(wall - now) < _DAY else "%Y-%m-%d %H:%M:%S", localtime(wall))


def counted(number: int, noun: str) -> str:
    """`1 attempt`, `3 attempts`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
