"""Somebody who keeps a ledger of his own beside healthd's, and objects when what keeps failing is still done."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from healthd.decide.failure import class_of
from healthd.decide.happenings import Ended, Resolved, Started
from healthd.model import OutcomeKind

if TYPE_CHECKING:
    from healthd.config import Settings
    from healthd.decide.happenings import Happening
    from healthd.decide.state import Key, Ticket
    from healthd.model import UnitFacts

    Tried = tuple[str, str, str]

ROUNDING = 1e-3


class Bookkeeper:
    """Sees each attempt and how it ended. All times are true seconds."""

    def __init__(self) -> None:
        self._tried: dict[Key, Tried] = {}
        self._in_a_row: dict[Tried, int] = defaultdict(int)
        self._distrusted: dict[Tried, float] = {}
        self._healed: tuple[Key, float] | None = None

    def reset(self, name: str) -> None:
        """Somebody had the attempts of a unit or disk forgotten."""
        for tried in [tried for tried in self._in_a_row if tried[0] in (name, f"storage {name}")]:
            del self._in_a_row[tried]
            self._distrusted.pop(tried, None)

    def configured(self, settings: Settings) -> None:
        """What the new settings trust is trusted."""
        for tried in [tried for tried in self._distrusted if not self._too_often(settings, tried)]:
            del self._distrusted[tried]

    def saw(self, happening: Happening, now: float, unit: UnitFacts | None, settings: Settings) -> None:
        """Something happened. `unit` is the one behind it."""
        match happening:
            case Resolved(ticket=ticket, well=True) if self._healed != (ticket.key, now):
                self._well_again(ticket)
            case Started(ticket=ticket, attempt=attempt):
                failure = class_of(ticket.key.type, ticket.cause, unit) or ticket.key.type
                self._tried[ticket.key] = (_subject(ticket), failure, f"{attempt.action}:{attempt.runs}")
            case Ended(ticket=ticket, outcome=OutcomeKind.SUCCESS):
                tried, self._healed = self._tried[ticket.key], (ticket.key, now)
                self._in_a_row[tried] = 0
                self._distrusted.pop(tried, None)
            case Ended(ticket=ticket, outcome=OutcomeKind.FAILED, text=text) if "somebody stopped" not in text:
                tried = self._tried[ticket.key]
                self._in_a_row[tried] += 1
                if self._too_often(settings, tried):
                    self._distrusted[tried] = now
            case _:
                pass

    def check(self, started: Started, now: float, settings: Settings) -> None:
        """An attempt that nobody ordered goes out."""
        tried = self._tried[started.ticket.key]
        if tried in self._distrusted:
            long = settings.auto_healing.retry_suggested_seconds
            assert long > 0, f"{tried} was to be suggested, and was done"
            assert now - self._distrusted[tried] >= long - ROUNDING, f"{tried} was done again too soon"

    def _well_again(self, ticket: Ticket) -> None:
        """Whatever was in the way may be gone."""
        for tried in [tried for tried in self._distrusted if tried[0] == _subject(ticket)]:
            del self._distrusted[tried]

    def _too_often(self, settings: Settings, tried: Tried) -> bool:
        own = settings.unit(tried[0]).max_attempts
        attempts = settings.health.max_healing_attempts if own is None else own
        failures = settings.auto_healing.suggest_after_failures
        return failures > 0 and attempts > 0 and self._in_a_row[tried] >= max(failures, attempts)


def _subject(ticket: Ticket) -> str:
    return ticket.unit or f"{ticket.key.component} {ticket.key.item}"
