"""The picture of the host: every component as it was last judged."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from healthd.assess.score import Part, host_status, overall_score, status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from healthd.model import Assessment, Item, Status

Name = tuple[str, str]
"""An item by component and name."""


@dataclass(slots=True, kw_only=True)
class Component:
    """One component. `score` None: no usable reading, for the `reason`. `checked_at` in Unix seconds, 0.0 never."""

    name: str
    weight: float
    critical: bool
    combine: Callable[[Iterable[Item]], float]
    score: float | None = None
    reason: str = "not judged yet"
    judged: bool = False
    checked_at: float = 0.0
    items: dict[str, Item] = field(default_factory=dict)

    @property
    def status(self) -> Status:
        """By its score."""
        return status_of(self.score)

    def take(self, assessment: Assessment, wall: float) -> tuple[list[Name], list[Name]]:
        """Put in what was judged; returns the items that were judged now, and those that are gone."""
        self.checked_at = wall
        if not assessment.usable:
            self.score, self.reason = None, assessment.reason
            return [], []
        new = {item.name: self._settled(item) for item in assessment.items}
        lost = assessment.gone if assessment.partial else self.items.keys() - new.keys()
        gone = sorted(lost & self.items.keys())
        self.items.update(new)
        for name in gone:
            del self.items[name]
        if new or gone or self.score is None:
            self.score = self.combine(self.items.values())
        self.judged, self.reason = True, ""
        return [(self.name, name) for name in new], [(self.name, name) for name in gone]

    def continuing(self, old: Component) -> Component:
        """This component with what was judged of the old one."""
        return replace(
            self,
            score=old.score,
            reason=old.reason,
            judged=old.judged,
            checked_at=old.checked_at,
            items=old.items,
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

    def take(self, name: str, assessment: Assessment, wall: float) -> tuple[list[Name], list[Name]]:
        """Put in one component's assessment; returns the items judged and those gone."""
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
        kept: dict[str, Component] = {}
        for component in components:
            old = self.components.get(component.name)
            kept[component.name] = component if old is None else component.continuing(old)
        self.components = kept
        self.items = {name: item for name, item in self.items.items() if name[0] in kept}

    @property
    def complete(self) -> bool:
        """Whether every component has been judged at least once."""
        return all(component.judged for component in self.components.values())

    @property
    def usable(self) -> frozenset[str]:
        """The components that have a usable reading, though it may be one of no items."""
        return frozenset(name for name, component in self.components.items() if component.score is not None)

    def parts(self) -> list[Part]:
        """What each component gives to the host's health."""
        return [
            Part(
                score=component.score,
                weight=component.weight,
                critical=component.critical
                or any(item.critical and item.findings for item in component.items.values()),
                judged=component.judged,
            )
            for component in self.components.values()
        ]

    def status(self) -> Status:
        """The status of the host."""
        return host_status(self.parts())

    def score(self) -> float:
        """The overall score of the host."""
        return overall_score(self.parts())

    def statuses(self) -> Mapping[str, Status]:
        """The status of each component."""
        return {name: component.status for name, component in self.components.items()}
