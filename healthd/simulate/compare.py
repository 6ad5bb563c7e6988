"""What was done beside what would have been: actions in pairs, and sums."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from healthd.record.deeds import ENDED, GAVE_UP, HELD, OPENED, RESOLVED, STARTED, TOLD

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

    from healthd.decide.state import Key
    from healthd.simulate.replay import Told

SAME_SECONDS: Final = 10.0
"""The same action on the same subject within so many seconds is the same in both worlds ..."""

MOVED_SECONDS: Final = 3600.0
"""... and within so many it is the same, sooner or later."""


class Dated(Protocol):
    """What happened at an instant, in engine seconds."""

    @property
    def now(self) -> float:
        """When."""


_E = TypeVar("_E", bound=Dated)


@dataclass(slots=True, kw_only=True)
class Act:
    """An action in one of the worlds. `instead`: how things stood in the other one at that time."""

    now: float
    at: float
    subject: str
    action: str
    number: int
    by: str
    instead: str
    outcome: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """An action that was carried out, and the one that would have been; one of them may be missing."""

    was: Act | None
    would: Act | None

    @property
    def at(self) -> float:
        """When, in Unix seconds."""
        return min(act.at for act in (self.was, self.would) if act is not None)

    @property
    def subject(self) -> str:
        """What it is about."""
        return next(act.subject for act in (self.was, self.would) if act is not None)

    @property
    def same(self) -> bool:
        """Whether it makes no difference."""
        if self.was is None or self.would is None:
            return False
        return abs(self.was.now - self.would.now) <= SAME_SECONDS and self.was.outcome == self.would.outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What one world comes to. `told`: the messages to people by why they are sent, `told_to` by who gets them.

    `down`: for how many seconds issues were open, all together.
    """

    actions: Mapping[str, int]
    outcomes: Mapping[str, int]
    holds: Mapping[str, int]
    issues: Mapping[str, int]
    told: Mapping[str, int]
    told_to: Mapping[str, int]
    gave_up: int
    down: float


def acts(told: Iterable[Told]) -> list[Act]:
    """The actions of a world, in order, with what became of each."""
    found: list[Act] = []
    flying: dict[Key, Act] = {}
    for now, at, deed, instead in told:
        if deed.kind == STARTED:
            act = Act(
                now=now,
                at=at,
                subject=deed.subject,
                action=deed.what,
                number=deed.number,
                by=deed.by,
                instead=instead,
            )
            found.append(act)
            flying[deed.key] = act
        elif deed.kind == ENDED and deed.key in flying:
            act = flying.pop(deed.key)
            act.outcome, act.text = deed.outcome, deed.text
    return found


def pairs(was: Sequence[Act], would: Sequence[Act]) -> list[Pair]:
    """All actions of both worlds, those that are the same in one pair; in the order of time."""
    found = matched(was, would, lambda act: (act.subject, act.action))
    return sorted((Pair(was=one, would=other) for one, other in found), key=lambda pair: pair.at)


def matched(
    was: Sequence[_E], would: Sequence[_E], kind: Callable[[_E], Hashable]
) -> Iterator[tuple[_E | None, _E | None]]:
    """What was and what would have been, beside each other where it is of one kind and near in time."""
    left: dict[Hashable, list[_E]] = defaultdict(list)
    for each in would:
        left[kind(each)].append(each)
    found: dict[int, _E] = {}
    for within in (SAME_SECONDS, MOVED_SECONDS):
        for place, each in enumerate(was):
            candidates = left[kind(each)]
            near = min(candidates, key=lambda other: abs(other.now - each.now), default=None)
            if place not in found and near is not None and abs(near.now - each.now) <= within:
                candidates.remove(near)
                found[place] = near
    yield from ((each, found.get(place)) for place, each in enumerate(was))
    yield from ((None, each) for rest in left.values() for each in rest)


def sums(told: Sequence[Told], open_then: Iterable[Key], begin: float, end: float) -> Sums:
    """What a world comes to between two instants. `open_then`: what was wrong at the first."""
    by_kind = defaultdict(list)
    for each in told:
        by_kind[each.deed.kind].append(each.deed)
    return Sums(
        actions=dict(Counter(deed.what for deed in by_kind[STARTED])),
        outcomes=dict(Counter(deed.outcome for deed in by_kind[ENDED])),
        holds=dict(Counter(deed.what for deed in by_kind[HELD])),
        issues=dict(Counter(deed.type for deed in by_kind[OPENED])),
        told=dict(Counter(deed.what for deed in by_kind[TOLD])),
        told_to=dict(Counter(to for deed in by_kind[TOLD] for to in filter(None, deed.to.split(",")))),
        gave_up=len(by_kind[GAVE_UP]),
        down=_down(told, open_then, begin, end),
    )


def _down(told: Iterable[Told], open_then: Iterable[Key], begin: float, end: float) -> float:
    since = dict.fromkeys(open_then, begin)
    down = 0.0
    for now, _, deed, _ in told:
        if deed.kind == OPENED:
            since.setdefault(deed.key, now)
        elif deed.kind == RESOLVED and deed.key in since:
            down += now - since.pop(deed.key)
    return down + sum(end - began for began in since.values())
