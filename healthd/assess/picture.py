"""The picture of the host: every component as it was last judged."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from healthd.answers import Series
from healthd.assess.score import Part, host_status, overall_score, status_of
from healthd.assess.trend import direction, extended
from healthd.model import Status, Trend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from healthd.assess.trend import Points
    from healthd.model import Assessment, Item

_NAMED: Final = 3

Name = tuple[str, str]
"""An item by component and name."""


@dataclass(slots=True, kw_only=True)
class Component:
    """One component. `score` None: no usable reading, for the `reason`. `checked_at` in Unix seconds, 0.0 never.

    `noun`: what an item of it is. `immediate`: it is judged in the very turn in which something is heard. `absent`:
    this host lacks what it is about, so that it counts for nothing and is not shown. `scores` is its history, by which
    its `trend` goes. `lost`: the items that were known before and are unknown now, as a disk that hangs. `line` is its
    `summary`, once that was asked for.
    """

    name: str
    weight: float
    critical: bool
    combine: Callable[[Iterable[Item]], float]
    noun: str = "item"
    immediate: bool = True
    absent: bool = False
    score: float | None = None
    reason: str = "not judged yet"
    judged: bool = False
    checked_at: float = 0.0
    items: dict[str, Item] = field(default_factory=dict)
    scores: Points = ()
    lost: frozenset[str] = frozenset()
    line: str | None = None

    @property
    def status(self) -> Status:
        """By its score."""
        return status_of(self.score)

    @property
    def trend(self) -> Trend:
        """Where it is heading: as its score says, and for the worse while a limit is foretold."""
        foretold = (each.seconds_to_critical for item in self.items.values() for each in item.measures)
        return Trend.WORSENING if any(seconds is not None for seconds in foretold) else direction(self.scores)

    def take(self, assessment: Assessment, wall: float) -> tuple[list[Name], list[Name]]:
        """Put in what was judged; returns the items that were judged now, and those that are gone."""
        self.checked_at, self.absent = wall, assessment.absent
        if not assessment.usable:
            self.score, self.reason = None, assessment.reason
            return [], []
        new = {item.name: item if item.settled else self._unsettled(item) for item in assessment.items}
        missing = assessment.gone if assessment.partial else self.items.keys() - new.keys()
        gone = sorted(missing & self.items.keys())
        unknown = {name for name, item in new.items() if item.status is Status.UNKNOWN}
        if unknown or self.lost:
            known_before = {name for name in unknown if self._known(name)}
            self.lost = (self.lost - (new.keys() - unknown) | known_before) - frozenset(gone)
        self.items.update(new)
        for name in gone:
            del self.items[name]
        if new or gone or self.score is None:
            self.line = None
            self._combine()
        if self.score is not None:
            if self.scores and wall < self.scores[-1][0]:  # somebody set the clock back
                self.scores = tuple(point for point in self.scores if point[0] < wall)
            self.scores = extended(self.scores, wall, self.score)
        return [(self.name, name) for name in new], [(self.name, name) for name in gone]

    def _known(self, name: str) -> bool:
        return name in self.items and self.items[name].status is not Status.UNKNOWN

    def _combine(self) -> None:
        """The score of all items. One without a usable reading counts by what was wrong with it before, if anything."""
        known = [item for item in self.items.values() if item.status is not Status.UNKNOWN or item.findings]
        if known or not self.items:
            self.score, self.judged, self.reason = self.combine(known), True, ""
        else:
            self.score, self.reason = None, next(iter(self.items.values())).message

    def continuing(self, old: Component) -> Component:
        """This component with what was judged of the old one."""
        return replace(
            self,
            score=old.score,
            reason=old.reason,
            judged=old.judged,
            checked_at=old.checked_at,
            items=old.items,
            absent=old.absent,
            scores=old.scores,
            lost=old.lost,
        )

    def _unsettled(self, item: Item) -> Item:
        """An item between two states keeps the score and the findings that it had."""
        old = self.items.get(item.name)
        return item if old is None else replace(item, status=old.status, score=old.score, findings=old.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Host:
    """What all components come to."""

    shown: Mapping[str, Component]
    left_out: Mapping[str, str]
    usable: frozenset[str]
    unhealthy: frozenset[str]
    parts: Sequence[Part]
    statuses: Mapping[str, Status]
    status: Status
    score: float


class Picture:
    """All components. It is told, it never asks.

    `items` holds every item of each component that has a usable reading, and none of a component that has none: the
    engine must not take an old look for a new one.
    """

    def __init__(self, components: Iterable[Component]) -> None:
        self.components: dict[str, Component] = {component.name: component for component in components}
        self.items: dict[Name, Item] = {}
        self._parts: dict[str, Part] = {}
        self._host: _Host | None = None  # made when asked for; it stands until a component changes

    def take(self, name: str, assessment: Assessment, wall: float) -> tuple[list[Name], list[Name]]:
        """Put in one component's assessment; returns the items judged and those gone."""
        component = self.components[name]
        was_absent = component.absent
        if not assessment.usable:
            for item in component.items:
                self.items.pop((name, item), None)
        elif component.score is None:
            self.items.update(((name, item.name), item) for item in component.items.values())
        judged, gone = component.take(assessment, wall)
        for each in judged:
            self.items[each] = component.items[each[1]]
        for each in gone:
            self.items.pop(each, None)
        part = _part(component)
        if part != self._parts.get(name) or was_absent or not assessment.usable:
            self._parts[name], self._host = part, None
        return judged, gone

    def replace_components(self, components: Iterable[Component]) -> None:
        """Take over other components (a reload); those of the same name keep what was judged."""
        self._host = None
        self._parts.clear()
        kept: dict[str, Component] = {}
        for component in components:
            old = self.components.get(component.name)
            kept[component.name] = component if old is None else component.continuing(old)
        self.components = kept
        self.items = {name: item for name, item in self.items.items() if name[0] in kept}

    @property
    def complete(self) -> bool:
        """Whether every component that is judged within a turn has been judged at least once."""
        return all(component.judged for component in self.components.values() if component.immediate)

    def shown(self) -> Mapping[str, Component]:
        """The components that this host has something of."""
        return self._whole().shown

    def left_out(self) -> Mapping[str, str]:
        """The components that this host has nothing of, each with the reason."""
        return self._whole().left_out

    @property
    def usable(self) -> frozenset[str]:
        """The components that have a usable reading, though it may be one of no items."""
        return self._whole().usable

    def parts(self) -> Sequence[Part]:
        """What each component gives to the host's health."""
        return self._whole().parts

    @property
    def unhealthy(self) -> frozenset[str]:
        """The components that are unhealthy: what depends on one of them is not healed for it."""
        return self._whole().unhealthy

    def status(self) -> Status:
        """The status of the host."""
        return self._whole().status

    def score(self) -> float:
        """The overall score of the host."""
        return self._whole().score

    def statuses(self) -> Mapping[str, Status]:
        """The status of each component; the same object as long as none has changed."""
        return self._whole().statuses

    def _whole(self) -> _Host:
        if self._host is None:
            shown = {name: component for name, component in self.components.items() if not component.absent}
            parts = [_part(component) for component in shown.values()]
            statuses = {name: component.status for name, component in shown.items()}
            self._host = _Host(
                shown=shown,
                left_out={name: each.reason for name, each in self.components.items() if each.absent},
                usable=frozenset(name for name, component in self.components.items() if component.score is not None),
                unhealthy=frozenset(name for name, status in statuses.items() if status is Status.UNHEALTHY),
                parts=parts,
                statuses=statuses,
                status=host_status(parts),
                score=overall_score(parts),
            )
        return self._host

    def values(self) -> Mapping[Series, float]:
        """Every number that there is: the scores of the host and of each component, and what was measured."""
        found = {Series("", "", "score"): self.score()} if self.status() is not Status.UNKNOWN else {}
        for name, component in self.shown().items():
            if component.score is not None:
                found[Series(name, "", "score")] = component.score
            for item in component.items.values():
                for each in item.measures:
                    found[Series(name, item.name, each.name)] = each.value
        return found


def _part(component: Component) -> Part:
    critical = component.critical
    if component.status is Status.UNHEALTHY:  # else it makes no difference
        critical = critical or any(item.critical and item.findings for item in component.items.values())
    return Part(
        score=component.score,
        weight=component.weight,
        critical=critical,
        judged=component.judged,
        lost=bool(component.lost),
    )


def summary(component: Component) -> str:
    """One line on a component: its own message, or what is wrong in it, or how many items are well."""
    if component.line is None:
        component.line = _in_words(component)
    return component.line


def _in_words(component: Component) -> str:
    own = component.items.get("")
    if own is not None:
        return own.message
    bad = sorted(item.name for item in component.items.values() if _is_bad(item))
    items = "1 " + component.noun if len(component.items) == 1 else f"{len(component.items)} {component.noun}s"
    # One that is unknown and has an issue from before counts as not well, as it does in the score.
    unknown = sorted(i.name for i in component.items.values() if i.status is Status.UNKNOWN and not _is_bad(i))
    if not bad and not unknown:
        return f"{items}, all well"
    said = [_some(names, words) for names, words in ((bad, "not well"), (unknown, "unknown")) if names]
    return f"{len(bad or unknown)} of {items} {'; '.join(said)}"


def _some(names: list[str], words: str) -> str:
    """How the items of these names are."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{'is' if len(names) == 1 else 'are'} {words}: {', '.join(names[:_NAMED])}{more}"


def _is_bad(item: Item) -> bool:
    return bool(item.findings) or item.status in (Status.DEGRADED, Status.UNHEALTHY)
