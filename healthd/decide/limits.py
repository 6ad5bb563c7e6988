"""The limits of healing: backoff and budgets, as functions of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zlib import crc32

from healthd.utf8 import utf8

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from healthd.config import AutoHealingSettings, Settings
    from healthd.decide.state import Cascade, Key, Mark, Ticket

_JITTER: Final = 0.1
_REMEMBERED_SECONDS: Final = 3600.0
_REMEMBERED_MARKS: Final = 100


def jitter(seed: int, key: Key, attempt: int) -> float:
    """A factor from 1 to 1.1, fixed for this host, issue and attempt: hosts that fail together don't retry together.

    Never below 1, so that no pause is shorter than the operator allowed.
    """
    return 1.0 + _JITTER * crc32(utf8(f"{seed}/{key}/{attempt}").encode()) / 0xFFFFFFFF


def backoff(settings: AutoHealingSettings, attempts: int) -> float:
    """Seconds from the end of attempt number `attempts` to the next: 10, 20, 40 ... to the maximum; before jitter."""
    if attempts < 1 or settings.backoff_seconds <= 0:
        return 0.0
    doublings = min(attempts - 1, 64)  # beyond that every pause is the longest, and a float would overflow some day
    return float(min(settings.backoff_seconds * 2.0**doublings, settings.backoff_max_seconds or float("inf")))


def free_at(instants: Sequence[float], limit: int, window: float) -> float | None:
    """The instant from which one more action fits: at most `limit` of them in any `window` seconds. None: at any time.

    `instants` are in order. A limit or window of 0 is switched off. The window is half-open: what happened exactly
    `window` ago is outside.
    """
    if limit <= 0 or window <= 0 or len(instants) < limit:
        return None
    return instants[-limit] + window


def remembered(settings: Settings, marks: tuple[Mark, ...], now: float) -> tuple[Mark, ...]:
    """The marks that a window reaches back to, and those of the last hour: a reload may make the window longer.

    While all budgets are off a few are enough, for a reload that switches them on.
    """
    limits = settings.auto_healing
    keep = max(limits.host_budget_seconds, _REMEMBERED_SECONDS)
    if marks and marks[0].at + keep <= now:
        marks = tuple(mark for mark in marks if mark.at + keep > now)
    if len(marks) <= _REMEMBERED_MARKS:
        return marks
    attempts = (settings.health.max_healing_attempts, *(own.max_attempts for own in settings.services.unit.values()))
    off = limits.host_budget_seconds <= 0 or not (limits.host_budget_actions or any(attempts))
    return marks[-_REMEMBERED_MARKS:] if off else marks


def host_instants(marks: Iterable[Mark], now: float, window: float) -> list[float]:
    """When actions on any unit were dispatched within the window that ends now."""
    return [mark.at for mark in marks if mark.at + window > now]


class Usage:
    """What is wrong with units, what healthd has in flight and what it did lately: what a decision looks at.

    `cascade` is the one that is under way.
    """

    def __init__(self, tickets: Iterable[Ticket], marks: Iterable[Mark], cascade: Cascade | None = None) -> None:
        self.cascade = cascade
        self.acting: set[str] = set()
        self.host: list[float] = []
        self._units: dict[str, list[float]] = {}
        self._tickets: dict[str, dict[Key, Ticket]] = {}
        for ticket in tickets:
            self.saw(ticket)
            if ticket.attempt is not None:
                self.acting.add(ticket.attempt.unit)
        for mark in marks:
            self._count(mark)

    def saw(self, ticket: Ticket) -> None:
        """This is how an issue stands now."""
        if ticket.unit is not None:
            self._tickets.setdefault(ticket.unit, {})[ticket.key] = ticket

    def open_on(self, unit: str) -> list[Ticket]:
        """The open issues of a unit."""
        return [ticket for ticket in self._tickets.get(unit, {}).values() if ticket.open]

    def began(self, mark: Mark) -> None:
        """An action on a unit is dispatched."""
        self.acting.add(mark.unit)
        self._count(mark)

    def ended(self, unit: str) -> None:
        """The action on the unit is over; what was done still counts."""
        self.acting.discard(unit)

    def of_unit(self, unit: str) -> Sequence[float]:
        """When actions on this unit were dispatched, in order."""
        return self._units.get(unit, ())

    def _count(self, mark: Mark) -> None:
        self.host.append(mark.at)
        self._units.setdefault(mark.unit, []).append(mark.at)
