"""Which checks look when, and what holds after what they saw: the first half of the sentence, for the pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from healthd.assess.judge import Known, judge
from healthd.assess.picture import Component
from healthd.assess.trend import MOST_POINTS
from healthd.model import Status
from healthd.sample import Due
from healthd.schedule import Schedule

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from healthd.answers import Series
    from healthd.assess.judge import Memory
    from healthd.assess.trend import Points
    from healthd.model import Assessment
    from healthd.ports import Clock
    from healthd.sample import Bound, Sampled, Sampler

ABSENT_SECONDS: Final = 600.0
"""What the host lacked is looked for again after so long."""

CONFIRM_SECONDS: Final = 5.0
"""A built-in component that looks worse than before is looked at again after so long, until that is certain."""

RECOVER_SECONDS: Final = 2.0
"""Likewise any component that looks better than before."""


class Looks:
    """The checks of the components: those that are run within a turn, and those that run beside the turns."""

    def __init__(self, sampler: Sampler, clock: Clock, checks: Sequence[Bound]) -> None:
        self._sampler, self._clock = sampler, clock
        self._schedule = Schedule(clock.boot())
        self._immediate: dict[str, Bound] = {}
        self._beside: dict[str, Bound] = {}
        self._memories: dict[str, Memory] = {}
        self._again_at: dict[str, float] = {}
        self._asked: set[str] = set()
        self._out_of_turn: set[str] = set()
        self._begun: dict[str, int] = {}
        self._taken: dict[str, int] = {}
        self._together: set[str] = set()
        self.take(checks)

    def take(self, checks: Iterable[Bound]) -> None:
        """Have these checks. What is remembered of a component holds for one of the same type only."""
        before = {name: check.spec.type for name, check in (*self._immediate.items(), *self._beside.items())}
        self._immediate = {check.name: check for check in checks if check.spec.immediate}
        self._beside = {check.name: check for check in checks if not check.spec.immediate}
        self._schedule.take({name: check.interval for name, check in self._beside.items()}, self._clock.boot())
        self._again_at.clear()
        now = {check.name: check.spec.type for check in checks}
        for name, type_ in before.items():
            if now.get(name) != type_:
                self._sampler.forget(name)
                self._memories.pop(name, None)

    def is_current(self, check: Bound) -> bool:
        """Whether this is a check of the present settings."""
        return self._beside.get(check.name) is check or self._immediate.get(check.name) is check

    def next(self) -> float:
        """The earliest instant (boot seconds) at which a check wants to look."""
        return min(self._schedule.next(), *self._again_at.values(), float("inf"))

    # Looking

    def begin(
        self,
        asked: set[str],
        units: frozenset[str] | None,
        group: asyncio.TaskGroup,
        report: Callable[[Sampled], None],
    ) -> bool:
        """Begin the checks that run beside the turns: whose time has come, that were asked for, whose unit changed.

        `units` None: any may have. One that is running looked before it was asked, and looks again when it is through.
        Returns whether any of them is to be waited for; `through` goes by those.
        """
        now = self._clock.boot()
        self._asked |= self._beside.keys() & asked
        regular = {*self._schedule.due(now), *self._asked}
        wanted = set(regular)
        if units is None or units:
            behind = ((name, check.component.unit) for name, check in self._beside.items() if check.component.unit)
            wanted.update(name for name, unit in behind if units is None or unit in units)
        self._together = wanted & self._beside.keys()
        for name in tuple(self._together):
            if not self._sampler.begin(self._beside[name], group, report):
                self._together.discard(name)
            else:
                self._begun[name] = self._begun.get(name, 0) + 1
                self._asked.discard(name)
                (self._out_of_turn.discard if name in regular else self._out_of_turn.add)(name)
            self._schedule.began(name, now)
        return bool(self._together)

    def through(self, name: str) -> bool:
        """Note that this check is through; returns whether none is waited for any more that was begun with others."""
        self._together.discard(name)
        return not self._together

    def wait_no_more(self) -> None:
        """From now on each check that is through counts by itself."""
        self._together.clear()

    def due(
        self,
        components: Mapping[str, Component],
        asked: set[str],
        units: frozenset[str] | None,
        *,
        regular: bool,
    ) -> list[Due]:
        """The checks that run within this turn, and on what. `units` as for `begin`; `regular`: it is their time."""
        now = self._clock.boot()
        due = []
        for name, check in self._immediate.items():
            again = self._again_at.get(name, now + 1) <= now
            if units is None or again or name in asked or components[name].score is None:
                due.append(Due(check=check, names=None))
            elif units or regular:
                due.append(Due(check=check, names=units))
        return due

    @property
    def busy(self) -> bool:
        """Whether the check of a built-in component runs at this moment."""
        return any(self._beside[name].built_in for name in self._sampler.running & self._beside.keys())

    def recall(self, past: Mapping[Series, Sequence[tuple[float, float]]], offset: float) -> None:
        """Begin with these readings of the past (Unix seconds; `offset` makes boot seconds of them)."""
        memories: dict[str, dict[str, dict[str, Points]]] = {}
        for (component, item, name), points in past.items():
            shifted = tuple((at + offset, value) for at, value in points)
            memories.setdefault(component, {}).setdefault(item, {})[name] = shifted[-MOST_POINTS:]
        for component in self._beside.keys() & memories.keys():
            self._memories[component] = {item: Known(pasts=pasts) for item, pasts in memories[component].items()}

    def hurry(self, components: Iterable[str], at: float) -> None:
        """These components are looked at by then (boot seconds), whatever their interval says."""
        for name in components:
            self._schedule.at_latest(name, at)

    # Judging

    def judge(self, sampled: Sampled) -> Assessment:
        """What holds after this run of a check."""
        name, assessment = sampled.check.name, sampled.assessment
        if not assessment.usable:
            return assessment
        memory = self._memories.get(name, {})
        self._memories[name], judged = judge(
            memory, assessment, sampled.check.rules, sampled.at, out_of_turn=name in self._out_of_turn
        )
        return judged

    def look_again(self, check: Bound, assessment: Assessment, status: Status) -> None:
        """Note when a check looks next, where its interval alone does not say it. `status`: its component's by now."""
        name, again = check.name, assessment.again_at
        if check.spec.immediate:
            if not assessment.partial:
                self._again_at.pop(name, None)
            if again is not None:
                self._again_at[name] = min(again, self._again_at.get(name, again))
            return
        now = self._clock.boot()
        if assessment.absent:
            self._schedule.not_before(name, now + ABSENT_SECONDS)
        if again is not None:
            self._schedule.at_latest(name, again)
        if [item for item in assessment.items if not item.settled]:
            better = status in (Status.DEGRADED, Status.UNHEALTHY)
            pause = RECOVER_SECONDS if better else CONFIRM_SECONDS if check.built_in else check.interval
            self._schedule.at_latest(name, now + pause)

    # Who waits for a look

    def awaited(self, names: Iterable[str]) -> Callable[[], bool]:
        """Whether these components have been looked at in a look that began after this call, if they have one."""
        counts = {name: self._begun.get(name, 0) + 1 for name in names if name in self._beside}

        def done() -> bool:
            return all(self._taken.get(name, 0) >= count or name not in self._beside for name, count in counts.items())

        return done

    def taken(self, sampled: Iterable[Sampled]) -> None:
        """What these runs saw has been decided upon."""
        for one in sampled:
            self._taken[one.check.name] = self._begun.get(one.check.name, 0)


def component_of(check: Bound) -> Component:
    """The component of a check, before anything is known of it."""
    return Component(
        name=check.name,
        weight=check.component.weight,
        critical=check.component.critical,
        combine=check.spec.score,
        noun=check.spec.noun,
        immediate=check.spec.immediate,
    )
