"""Sample: run the checks that are due, each within its time limit, none disturbing another."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from healthd.assess.behind import belonging, instead_of_asking
from healthd.assess.judge import Rules
from healthd.errors import Absent, BusError, ReadError
from healthd.events import Event
from healthd.model import Assessment, Severity
from healthd.soon import waited

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from healthd.config import ComponentSettings, Settings
    from healthd.ports import Log
    from healthd.registry import CheckSpec, Ports
    from healthd.soon import Soon

KEEPS_TIME: Final = 1.0
"""A check that keeps its time limit by itself is given so many seconds more to do so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A check under the name of its component, with its options and what is said of the component."""

    name: str
    spec: CheckSpec
    options: Any
    component: ComponentSettings

    @property
    def rules(self) -> Rules:
        """What it takes to be judged."""
        return Rules(failures=self.component.failures, successes=self.component.successes)

    @property
    def interval(self) -> float:
        """Seconds between two looks."""
        return self.component.interval_seconds

    @property
    def built_in(self) -> bool:
        """Whether it is one of those that are there without being configured."""
        return self.name == self.spec.type


def bind(settings: Settings, specs: Mapping[str, CheckSpec]) -> list[Bound]:
    """The check of each component of the settings."""
    return [
        Bound(name=name, spec=spec, options=spec.options(settings, name), component=component)
        for name, component in settings.component.items()
        if (spec := specs.get(component.type)) is not None
    ]


class Due(NamedTuple):
    """A check that is to run now: for these items, or (None) for all."""

    check: Bound
    names: frozenset[str] | None


LEAST_SECONDS: Final = 0.5
"""What has grown is held against a reading at least so old: an operator's look right after another measures nothing."""


class Sampled(NamedTuple):
    """What came of one run of a check, at `at` (boot seconds), and how many seconds it took."""

    check: Bound
    assessment: Assessment
    at: float
    took: float


class _Readings(NamedTuple):
    """What the next reading is held against: `before`, and a newer one, of `at`, that will be when it is old enough."""

    before: Any = None
    newer: Any = None
    at: float = 0.0

    def until(self, now: float) -> _Readings:
        """These, as they stand for a reading that is taken now."""
        if self.newer is None or now < self.at + LEAST_SECONDS:
            return self
        return _Readings(before=self.newer)

    def followed_by(self, reading: Any, now: float) -> _Readings:
        """These with one that was taken now."""
        return self if self.newer is not None else _Readings(before=self.before, newer=reading, at=now)


class Sampler:
    """Runs checks. One that fails or takes too long gives an unusable assessment with the reason.

    That is said once, until the check works again. A check that runs beside the turns runs once at a time.
    """

    def __init__(self, ports: Ports, log: Log) -> None:
        self._ports, self._log = ports, log
        self._failing: set[str] = set()
        self._broken: set[str] = set()
        self._before: dict[str, _Readings] = {}
        self._running: set[str] = set()

    @property
    def running(self) -> frozenset[str]:
        """The components whose checks run beside the turns at this moment."""
        return frozenset(self._running)

    async def run(self, due: Sequence[Due]) -> list[Sampled]:
        """Run these checks side by side and wait for all of them."""
        begun = [self._one(one) for one in due]
        if len(begun) == 1:  # the common case, on the way of every signal
            return [await waited(begun[0])]
        async with asyncio.TaskGroup() as group:
            tasks = [one if isinstance(one, Sampled) else group.create_task(one) for one in begun]
        return [one if isinstance(one, Sampled) else one.result() for one in tasks]

    def begin(self, check: Bound, group: asyncio.TaskGroup, report: Callable[[Sampled], None]) -> bool:
        """Run a check beside the turns; `report` is called with what came of it, at once where nothing is waited for.

        False: it is running already.
        """
        if check.name in self._running:
            return False
        begun = self._one(Due(check=check, names=None))
        if isinstance(begun, Sampled):
            report(begun)
        else:
            self._running.add(check.name)
            group.create_task(self._beside(check, begun, report), name=f"check {check.name}")
        return True

    def forget(self, name: str) -> None:
        """The component is there no more, or is another one now."""
        self._before.pop(name, None)

    async def _beside(
        self, check: Bound, begun: Coroutine[Any, Any, Sampled], report: Callable[[Sampled], None]
    ) -> None:
        try:
            sampled = await begun
        finally:
            self._running.discard(check.name)
        report(sampled)

    def _one(self, due: Due) -> Soon[Sampled]:
        began = self._ports.clock.boot()
        looked = self._look(due)
        if isinstance(looked, Assessment) and due.check.component.unit is None:
            now = self._ports.clock.boot()
            return Sampled(check=due.check, assessment=looked, at=now, took=now - began)
        return self._waited(due.check, looked, began)

    async def _waited(self, check: Bound, looked: Soon[Assessment], began: float) -> Sampled:
        assessment = await waited(looked)
        now = self._ports.clock.boot()
        await self._know_the_unit(check, assessment)
        return Sampled(check=check, assessment=assessment, at=now, took=now - began)

    def _look(self, due: Due) -> Soon[Assessment]:
        check = due.check
        try:
            assessment = self._by_its_unit(check)
            if assessment is None:
                reading = check.spec.sample(self._ports, check.options, due.names)
                if isinstance(reading, CoroutineType):
                    return self._wait(due, reading)
                assessment = self._assessed(due, reading)
        except Exception as error:  # noqa: BLE001  the border of a check's run, see `_wait`
            return self._unusable(check, error)
        self._works(check)
        return assessment

    async def _wait(self, due: Due, reading: Coroutine[Any, Any, Any]) -> Assessment:
        check, limit = due.check, due.check.component.timeout_seconds
        try:
            async with asyncio.timeout(limit + KEEPS_TIME if check.spec.keeps_time else limit):
                assessment = self._assessed(due, await reading)
        except Exception as error:  # noqa: BLE001  the border of a check's run: a bug in one check is that check's trouble alone
            return self._unusable(check, error)
        self._works(check)
        return assessment

    def _assessed(self, due: Due, reading: Any) -> Assessment:
        check = due.check
        now = self._ports.clock.boot()
        readings = self._before.get(check.name, _Readings()).until(now)
        assessment = check.spec.assess(reading, readings.before, check.options)
        if due.names is None:
            kept = check.spec.keep(reading, readings.before, check.options)
            self._before[check.name] = readings.followed_by(kept, now)
        unit = check.component.unit
        if unit is None:
            return assessment
        facts = self._ports.units.facts().get(unit) if self._ports.units.connected else None
        at = self._ports.clock.monotonic()
        return belonging(assessment, facts, unit, grace=check.component.grace_seconds, at=at)

    def _by_its_unit(self, check: Bound) -> Assessment | None:
        """What the state of the unit behind a component alone says, where nobody is there to be asked."""
        unit = check.component.unit
        if unit is None or not check.spec.asks_unit or not self._ports.units.connected:
            return None
        return instead_of_asking(self._ports.units.facts().get(unit), unit)

    async def _know_the_unit(self, check: Bound, assessment: Assessment) -> None:
        """Have all known of the unit behind what is bad: who needs it decides whether it may be healed.

        Of a unit that runs and is not itself enabled nobody else asked for that.
        """
        unit = check.component.unit
        if unit is None or not any(item.findings for item in assessment.items):
            return
        facts = self._ports.units.facts().get(unit)
        if facts is not None and facts.detail is None:
            with suppress(BusError):  # what is not known now is asked at the next reading, and meanwhile holds healing
                await self._ports.units.describe([unit])

    def _works(self, check: Bound) -> None:
        if self._failing or self._broken:
            self._failing.discard(check.name)
            self._broken.discard(check.name)

    def _unusable(self, check: Bound, error: Exception) -> Assessment:
        match error:
            case TimeoutError():
                return self._failed(check, f"no reading within {check.component.timeout_seconds:g} s")
            case BusError() | ReadError():
                return self._failed(check, str(error))
            case Absent():
                return Assessment(usable=False, absent=True, reason=str(error))
            case _:
                if check.name not in self._broken:  # a traceback is said although a time-out was said before
                    message = f"the check of {check.name} is broken"
                    self._log.exception(Event.CHECK_FAILED, message, error, component=check.name)
                self._broken.add(check.name)
                return Assessment(usable=False, reason=f"the check is broken: {error!r}")

    def _failed(self, check: Bound, reason: str) -> Assessment:
        if check.name not in self._failing:
            self._failing.add(check.name)
            self._log.event(
                Event.CHECK_FAILED,
                f"{check.name} cannot be judged: {reason}",
                severity=Severity.MEDIUM,
                component=check.name,
                reason=reason,
            )
        return Assessment(usable=False, reason=reason)
