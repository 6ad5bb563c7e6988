"""What the record says of attempts: when they began, what they came to, and which failure they were about."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from healthd.decide.state import Key, Ticket
from healthd.model import OutcomeKind
from healthd.record.deeds import ENDED, OPENED, RESOLVED, STARTED, Deed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Plain = Mapping[str, Any]

AHEAD: Final = 10.0
"""The same action within so many seconds is the same action: healthd that was busy did it a little later."""

_SOON: Final = 0.1  # seconds that an action takes of which nothing is known


class Guess(NamedTuple):
    """What is taken for the outcome of an action that was not carried out. `how` says what that rests on."""

    helps: bool
    after: float
    result: str
    how: str


@dataclass(slots=True, kw_only=True)
class Try:
    """An attempt of the record. `after` is from its start to the end of its job, or to when it had failed."""

    at: float
    what: str
    helps: bool | None = None
    after: float = _SOON
    result: str = "done"


@dataclass(slots=True, kw_only=True)
class Spell:
    """A time in which something was wrong with a subject, and the attempts in it."""

    began: float
    ended: float = inf
    well: bool = False
    tries: list[Try]


class Past:
    """All attempts and failures of the record, by subject."""

    def __init__(self, frames: Iterable[Plain]) -> None:
        self._spells: dict[str, list[Spell]] = {}
        self._starts: dict[str, list[tuple[float, str]]] = {}
        self._open: dict[str, set[Key]] = {}
        self._flying: dict[str, Try] = {}
        for number, frame in enumerate(frames):
            now = frame["now"]
            if not number:
                self._begin(frame, now)
            for key, result, _ in frame.get("results", ()):
                if key in self._flying:
                    self._flying[key].after, self._flying[key].result = now - self._flying[key].at, result
            for deed in deeds_of(frame):
                self._take(deed, now)

    def _begin(self, frame: Plain, now: float) -> None:
        """What was wrong, and being done, when the record begins."""
        for ticket in tickets_of(frame):
            if ticket.open:
                self._opened(ticket.unit or ticket.key.subject, ticket.key, now)
            if ticket.attempt is not None:
                began = Try(at=ticket.attempt.started_at, what=ticket.attempt.action)
                self._flying[str(ticket.key)] = began

    def _take(self, deed: Deed, now: float) -> None:
        subject, key = deed.subject, deed.key
        if deed.kind == OPENED:
            self._opened(subject, key, now)
        elif deed.kind == RESOLVED:
            left = self._open.get(subject, set())
            left.discard(key)
            if not left and self._spells.get(subject):
                self._spells[subject][-1].ended, self._spells[subject][-1].well = now, deed.outcome == "well"
        elif deed.kind == STARTED:
            begun = self._flying[str(key)] = Try(at=now, what=deed.what)
            self._starts.setdefault(subject, []).append((now, deed.what))
            if self._spells.get(subject):
                self._spells[subject][-1].tries.append(begun)
        elif deed.kind == ENDED and str(key) in self._flying:
            ended = self._flying.pop(str(key))
            ended.helps = deed.outcome == OutcomeKind.SUCCESS
            if not ended.helps:
                ended.after = now - ended.at

    def _opened(self, subject: str, key: Key, now: float) -> None:
        left = self._open.setdefault(subject, set())
        if not left:
            self._spells.setdefault(subject, []).append(Spell(began=now, tries=[]))
        left.add(key)

    # Questions

    def starts_soon(self, subject: str, what: str, now: float) -> bool:
        """Whether the record has the same action a little later."""
        starts = self._starts.get(subject, [])
        place = bisect_right(starts, (now, what))
        return any(at - now <= AHEAD and done == what for at, done in starts[place : place + 3])

    def spell_at(self, subject: str, now: float) -> Spell | None:
        """The failure that the subject is in, or was in last."""
        spells = self._spells.get(subject, [])
        place = bisect_right(spells, now, key=lambda spell: spell.began)
        return spells[place - 1] if place else None

    @staticmethod
    def guess(spell: Spell | None, now: float) -> Guess:
        """What an action about this failure would have come to, at this time."""
        tries: Sequence[Try] = [each for each in spell.tries if each.helps is not None] if spell else ()
        if tries:
            like = min(tries, key=lambda each: abs(each.at - now))
            return Guess(bool(like.helps), like.after, like.result, "attempt")
        if spell is not None and spell.well:
            return Guess(True, _SOON, "done", "recovery")
        return Guess(False, _SOON, "failed", "nothing")


def deeds_of(frame: Plain) -> Iterator[Deed]:
    """What happened in a step of the record."""
    return map(Deed.from_plain, frame.get("done", ()))


def tickets_of(frame: Plain) -> Iterator[Ticket]:
    """The issues in the state of a whole frame."""
    return (Ticket.from_plain(value) for key, value in frame["state"].items() if key.startswith("ticket/"))


def key_of(text: str) -> Key:
    """The key of an issue from its text. The item may be a path."""
    from healthd.model import IssueType  # noqa: PLC0415

    component, _, rest = text.partition("/")
    item, _, type_ = rest.rpartition("/")
    return Key(component, item, IssueType(type_))
