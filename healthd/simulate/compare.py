"""What was done beside what would have been: actions in pairs, and sums."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from healthd.model import OutcomeKind, Severity
from healthd.record.deeds import ENDED, GAVE_UP, HELD, OPENED, RESOLVED, STARTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from healthd.decide.state import Key
    from healthd.simulate.replay import Told

SAME_SECONDS: Final = 10.0
"""The same action on the same subject within so many seconds is the same in both worlds ..."""

MOVED_SECONDS: Final = 3600.0
"""... and within so many it is the same, sooner or later."""

_SEVERITIES: Final = tuple(Severity)


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
    """What one world comes to. `told`: the issues of which people would have been told, by severity.

    `down`: for how many seconds issues were open, all together.
    """

    actions: Mapping[str, int]
    outcomes: Mapping[str, int]
    holds: Mapping[str, int]
    issues: Mapping[str, int]
    told: Mapping[str, int]
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
    left: dict[tuple[str, str], list[Act]] = defaultdict(list)
    for act in would:
        left[act.subject, act.action].append(act)
    found: dict[int, Act] = {}
    for within in (SAME_SECONDS, MOVED_SECONDS):
        for place, act in enumerate(was):
            candidates = left[act.subject, act.action]
            near = min(candidates, key=lambda other: abs(other.now - act.now), default=None)
            if place not in found and near is not None and abs(near.now - act.now) <= within:
                candidates.remove(near)
                found[place] = near
    matched = [Pair(was=act, would=found.get(place)) for place, act in enumerate(was)]
    alone = [Pair(was=None, would=act) for rest in left.values() for act in rest]
    return sorted(matched + alone, key=lambda pair: pair.at)


def sums(told: Sequence[Told], open_then: Iterable[Key], begin: float, end: float, least: str) -> Sums:
    """What a world comes to between two instants.

    `open_then`: what was wrong at the first; `least`: the severity from which on people are told.
    """
    by_kind = defaultdict(list)
    for each in told:
        by_kind[each.deed.kind].append(each.deed)
    announced = [deed for deed in (*by_kind[OPENED], *by_kind[GAVE_UP]) if not deed.quiet and _as_bad(deed.what, least)]
    return Sums(
        actions=dict(Counter(deed.what for deed in by_kind[STARTED])),
        outcomes=dict(Counter(deed.outcome for deed in by_kind[ENDED])),
        holds=dict(Counter(deed.what for deed in by_kind[HELD])),
        issues=dict(Counter(deed.type for deed in by_kind[OPENED])),
        told=dict(Counter(deed.what for deed in announced)),
        gave_up=len(by_kind[GAVE_UP]),
        down=_down(told, open_then, begin, end),
    )


def _as_bad(severity: str, least: str) -> bool:
    return _SEVERITIES.index(Severity(severity)) >= _SEVERITIES.index(Severity(least))


def _down(told: Iterable[Told], open_then: Iterable[Key], begin: float, end: float) -> float:
    since = dict.fromkeys(open_then, begin)
    down = 0.0
    for now, _, deed, _ in told:
        if deed.kind == OPENED:
            since.setdefault(deed.key, now)
        elif deed.kind == RESOLVED and deed.key in since:
            down += now - since.pop(deed.key)
    return down + sum(end - began for began in since.values())


def helped(act: Act) -> bool:
    """Whether it is known to have helped."""
    return act.outcome == OutcomeKind.SUCCESS
