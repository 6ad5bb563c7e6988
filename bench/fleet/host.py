"""A host that never was: units that break and come back as a scene says, and the engine that heals them.

What is between them is what the pipeline does, without its waiting: judge as the check does, step, carry out.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from healthd.assess.picture import Component, Picture
from healthd.assess.score import counted, worst
from healthd.checks import services
from healthd.config.chores import CHORES
from healthd.decide import engine
from healthd.decide.case import Moment
from healthd.decide.happenings import News, Spooled, Started
from healthd.decide.state import EngineState
from healthd.detail import UnitDetail
from healthd.model import (
    Assessment,
    Finding,
    IssueType,
    Item,
    JobResult,
    Status,
    SystemState,
    UnitFacts,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from healthd.config import Settings
    from healthd.decide.happenings import Happening
    from healthd.letters import Why
    from healthd.record.tape import Tape

WALL: Final = 1_790_000_000.0
_LATE: Final = 0.002  # a real timer is never early, and some milliseconds late
_JOB: Final = 0.3
ROUND: Final = 1800.0
_DOWN: Final = {"active": "failed", "sub": "failed", "result": "exit-code", "code": 1, "exit_status": 1}
_UP: Final = {"active": "active", "sub": "running", "result": "success", "code": 0, "exit_status": 0}


def unit(name: str, *, requires: tuple[str, ...] = ()) -> UnitFacts:
    """An enabled service that runs."""
    detail = UnitDetail(
        service_type="simple",
        restart="no",
        remain_after_exit=False,
        triggered=False,
        required_by_enabled=False,
        can_reload=False,
        requires=requires,
    )
    return UnitFacts(name=name, active="active", sub="running", file_state="enabled", invocation="0", detail=detail)


class Event(NamedTuple):
    """Something that happens to the host: `what` is called with it at this time."""

    at: float
    number: int
    what: Callable[[], None]


@dataclass(slots=True, kw_only=True)
class Scene:
    """What befalls a host.

    `starts(unit, now)`: whether a start of it succeeds; `answers(unit, now)`: whether its probe is answered;
    `cleans(now)`: whether a cleanup of the disk makes room. `events` are instants, kinds, and what they are about.
    """

    units: Sequence[UnitFacts]
    probed: Sequence[str] = ()
    starts: Callable[[str, float], bool] = lambda _unit, _now: True
    answers: Callable[[str, float], bool] = lambda _unit, _now: True
    cleans: Callable[[float], bool] = lambda _now: True
    events: list[tuple[float, str, Any]] = field(default_factory=list)


class PretendHost:
    """One host.

    `seen` is called with each happening and its time, before anything is carried out; `told` with why people are sent a
    message.
    """

    def __init__(
        self,
        settings: Settings,
        scene: Scene,
        *,
        seed: int,
        seen: Callable[[float, Happening], None],
        told: Callable[[Why], None] = lambda _why: None,
        tape: Tape | None = None,
    ) -> None:
        self.settings, self.scene, self.now = settings, scene, 0.0
        self.facts = {each.name: each for each in scene.units}
        self.steps = 0
        self._seen, self._told, self._tape = seen, told, tape
        self._state = EngineState(seed=seed, tickets={}, fresh=False)
        self._wake: float | None = None
        self._disk_full = False
        self._seen_well: dict[str, bool] = {}
        self._runs = 0
        self._queue: list[Event] = []
        self._results: list[tuple[str, JobResult]] = []
        self._pictured = Picture(
            [
                Component(name="services", weight=1.0, critical=False, combine=counted),
                *(Component(name=f"probe-{name}", weight=1.0, critical=False, combine=worst) for name in scene.probed),
                Component(name="storage", weight=1.0, critical=False, combine=worst),
            ]
        )
        for at, kind, value in scene.events:
            self._later(at, lambda kind=kind, value=value: self._happens(kind, value))  # type: ignore[misc]
        self._turn(None)
        if tape is not None:
            self._later(ROUND, self._round)

    def _round(self) -> None:
        """Now and then all is looked at; it is what keeps a tape whole."""
        self._turn(None)
        self._later(self.now + ROUND, self._round)

    def run(self, until: float) -> None:
        """Let the time pass."""
        while True:
            due = self._queue[0].at if self._queue else float("inf")
            wake = float("inf") if self._wake is None else self._wake + _LATE
            if min(due, wake) > until:
                self.now = until
                return
            if wake < due:
                self.now = max(self.now, wake)
                self._turn(())
            else:
                event = heapq.heappop(self._queue)
                self.now = max(self.now, event.at)
                event.what()

    # What happens

    def _happens(self, kind: str, value: Any) -> None:
        match kind:
            case "fails":
                names = (value,) if isinstance(value, str) else value
                for name in names:
                    self._set(name, **_DOWN)
                self._turn(names)
            case "probe":
                self._turn(())
            case "breaks":
                value()
            case "disk":
                self._disk_full = value
                self._turn(())
            case _:
                raise ValueError(kind)

    def _set(self, name: str, **changes: Any) -> None:
        self.facts[name] = replace(self.facts[name], changed_at=self.now, **changes)

    def _later(self, at: float, what: Callable[[], None]) -> None:
        self._runs += 1
        heapq.heappush(self._queue, Event(at, self._runs, what))

    # healthd

    def _turn(self, names: Iterable[str] | None) -> None:
        judged, gone = self._look(None if names is None else frozenset(names))
        moment = Moment(
            now=self.now,
            wall=WALL + self.now,
            system=SystemState.RUNNING,
            booted_for=self.now + 5000.0,
            current=True,
            facts=self.facts,
            items=self._pictured.items,
            usable=self._pictured.usable,
            unhealthy=self._pictured.unhealthy,
            configured=frozenset(self._pictured.components),
        )
        if self._tape is not None:
            moment = self._tape.watched(moment)
        # What is to be sent is in the outbox by the next turn.
        words = frozenset((alert.id, word.number) for alert in self._state.alerts for word in alert.unsent)
        orders = (Spooled(words=words),) if words else ()
        news = News(items=tuple(judged), gone=tuple(gone), results=tuple(self._results), orders=orders)
        self._results = []
        step = engine.step(self.settings, self._state, moment, news)
        if self._tape is not None:
            self._tape.take(self.settings, self._state, moment, news, step)
        self._state, self._wake = step.state, step.wake_at
        self.steps += 1
        for happening in step.happenings:
            self._seen(self.now, happening)
        for alert in self._state.alerts:
            for word in alert.unsent:
                if (alert.id, word.number) not in words:
                    self._told(word.why)
        for happening in step.happenings:
            if isinstance(happening, Started):
                self._carry_out(happening)

    def _look(self, names: frozenset[str] | None) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        looked_at = self.facts if names is None else {name: self.facts[name] for name in names if name in self.facts}
        reading = services.Reading(at=self.now, current=True, units=tuple(looked_at.values()), names=names)
        judged, gone = self._pictured.take("services", services.assess(reading, None, self.settings.services), WALL)
        for name in self.scene.probed:
            well = not self.facts[name].running or self.scene.answers(name, self.now)
            judged += self._take(f"probe-{name}", IssueType.PROBE_FAILED, name, well=well)
        return judged + self._take("storage", IssueType.DISK_FULL, None, well=not self._disk_full), gone

    def _take(self, component: str, issue: IssueType, unit_name: str | None, *, well: bool) -> list[tuple[str, str]]:
        """One item that is well or not; where that is as before there is nothing to take in."""
        if self._seen_well.get(component) is well:
            return [(component, "/var" if unit_name is None else "")] if not well else []
        self._seen_well[component] = well
        item = _item("/var" if unit_name is None else "", issue, unit_name, well=well)
        return self._pictured.take(component, Assessment(items=(item,)), WALL)[0]

    def _carry_out(self, started: Started) -> None:
        key, attempt = str(started.ticket.key), started.attempt
        if attempt.action in CHORES:
            self._later(self.now + _JOB, lambda: self._cleaned(key))
        else:
            self._later(self.now + _JOB, lambda: self._started(key, attempt.unit))

    def _started(self, key: str, name: str) -> None:
        self._runs += 1
        up = self.scene.starts(name, self.now)
        self._set(name, **(_UP if up else _DOWN), invocation=str(self._runs))
        self._results.append((key, JobResult(result="done" if up else "failed")))
        self._turn((name,))

    def _cleaned(self, key: str) -> None:
        self._disk_full = self._disk_full and not self.scene.cleans(self.now)
        self._results.append((key, JobResult(result="done")))
        self._turn(())


def _item(name: str, issue: IssueType, unit_name: str | None, *, well: bool) -> Item:
    message = "well" if well else f"{issue}"
    findings = () if well else (Finding(type=issue, message=message, unit=unit_name, cause="limit"),)
    status, score = (Status.HEALTHY, 1.0) if well else (Status.UNHEALTHY, 0.0)
    return Item(name=name, status=status, score=score, message=message, findings=findings, unit=unit_name)
