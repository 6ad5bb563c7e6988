"""When each check that runs beside the turns is due: in step with the round, many of a kind spread over their time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TOGETHER: Final = 25
"""So many checks of one interval begin at once: few wake-ups for few checks, no stampede of many."""

PAUSE: Final = 0.1
"""Seconds between two groups of checks that are new: a start or a reload with hundreds of them keeps nobody waiting."""


class Schedule:
    """The next instant (boot seconds) of each check, counted from `origin`."""

    def __init__(self, origin: float) -> None:
        self._origin = origin
        self._next: dict[str, float] = {}
        self._interval: dict[str, float] = {}
        self._phase: dict[str, float] = {}

    def take(self, intervals: Mapping[str, float], now: float) -> None:
        """Have these checks and no others. A new one is due now, one with the same interval when it was.

        Many new ones are due a group at a time, within the first beat of their interval.
        """
        kept = {name: self._next[name] for name, every in intervals.items() if self._interval.get(name) == every}
        self._interval = dict(intervals)
        self._phase = dict(_phases(intervals))
        new = [name for name in intervals if name not in kept]
        pauses = (min(self._phase[name], index // TOGETHER * PAUSE) for index, name in enumerate(new))
        self._next = kept | {name: now + pause for name, pause in zip(new, pauses, strict=True)}

    def due(self, now: float) -> list[str]:
        """The checks whose time has come."""
        return [name for name, at in self._next.items() if at <= now]

    def began(self, name: str, now: float) -> None:
        """The check runs now; its next time is the next one of its rhythm."""
        interval, start = self._interval[name], self._origin + self._phase[name]
        self._next[name] = start + ((now - start) // interval + 1) * interval

    def at_latest(self, name: str, at: float) -> None:
        """The check is due at this instant if not before."""
        if name in self._next:
            self._next[name] = min(self._next[name], at)

    def not_before(self, name: str, at: float) -> None:
        """The check is not due before this instant."""
        if name in self._next:
            self._next[name] = max(self._next[name], at)

    def next(self) -> float:
        """The earliest instant at which anything is due."""
        return min(self._next.values(), default=float("inf"))


def _phases(intervals: Mapping[str, float]) -> Iterable[tuple[str, float]]:
    """By how much each check is behind the beat of its interval."""
    of_interval: dict[float, list[str]] = {}
    for name, every in intervals.items():
        of_interval.setdefault(every, []).append(name)
    for interval, names in of_interval.items():
        groups = -(-len(names) // TOGETHER)
        for index, name in enumerate(names):
            yield name, index // TOGETHER * interval / groups
