"""The picture of the host: every component as it was last judged."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from healthd.answers import Series
from healthd.assess.score import Part, host_status, overall_score, status_of
from healthd.assess.trend import direction, extended
from healthd.model import Status, Trend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

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
    its `trend` goes. `lost`: the items that were known before and are unknown now, as a disk that hangs.
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
        new = {item.name: self._settled(item) for item in assessment.items}
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
            self._combine()
        if self.score is not None:
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

    def _settled(self, item: Item) -> Item:
        """An item between two states keeps the score and the findings that it had."""
        old = self.items.get(item.name)
        if item.settled or old is None:
            return item
        return replace(item, status=old.status, score=old.score, findings=old.findings)


class Picture:
    """All components. It is told, it never asks.

    `items` holds every item of each component that has a usable reading, and none of a component that has none: the
    engine must not take an old look for a new one.
    """

    def __init__(self, components: Iterable[Component]) -> None:
        self.components: dict[str, Component] = {component.name: component for component in components}
        self.items: dict[Name, Item] = {}
        self._parts: list[Part] | None = None  # made when asked for, which is several times a turn
        self._status: Status | None = None

    def take(self, name: str, assessment: Assessment, wall: float) -> tuple[list[Name], list[Name]]:
        """Put in one component's assessment; returns the items judged and those gone."""
        self._parts = self._status = None
        component = self.components[name]
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
        return judged, gone

    def replace_components(self, components: Iterable[Component]) -> None:
        """Take over other components (a reload); those of the same name keep what was judged."""
        self._parts = self._status = None
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
        return {name: component for name, component in self.components.items() if not component.absent}

    def left_out(self) -> Mapping[str, str]:
        """The components that this host has nothing of, each with the reason."""
        return {name: component.reason for name, component in self.components.items() if component.absent}

    @property
    def usable(self) -> frozenset[str]:
        """The components that have a usable reading, though it may be one of no items."""
        return frozenset(name for name, component in self.components.items() if component.score is not None)

    def parts(self) -> list[Part]:
        """What each component gives to the host's health."""
        if self._parts is None:
            self._parts = [
                Part(
                    score=component.score,
                    weight=component.weight,
                    critical=component.critical
                    or any(item.critical and item.findings for item in component.items.values()),
                    judged=component.judged,
                    lost=bool(component.lost),
                )
                for component in self.components.values()
                if not component.absent
            ]
        return self._parts

    @property
    def unhealthy(self) -> frozenset[str]:
        """The components that are unhealthy: what depends on one of them is not healed for it."""
        return frozenset(name for name, each in self.components.items() if each.status is Status.UNHEALTHY)

    def status(self) -> Status:
        """The status of the host."""
        if self._status is None:
            self._status = host_status(self.parts())
        return self._status

    def score(self) -> float:
        """The overall score of the host."""
        return overall_score(self.parts())

    def values(self) -> Mapping[Series, float]:
        """Every number that there is: the scores of the host and of each component, and what was measured."""
        found = {Series("", "", "score"): self.score()} if self.status() is not Status.UNKNOWN else {}
        for name, component in self.shown().items():
            if component.score is not None:
                found[Series(name, "", "score")] = component.score
            for item in component.items.values():
                found.update((Series(name, item.name, each.name), each.value) for each in item.measures)
        return found

    def statuses(self) -> Mapping[str, Status]:
        """The status of each component."""
        return {name: component.status for name, component in self.shown().items()}


def summary(component: Component) -> str:
    """One line on a component: its own message, or what is wrong in it, or how many items are well."""
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
