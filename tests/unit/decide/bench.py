"""A host to try the engine on: units that a test breaks, the real check that looks at them, the real store's entries.

The bench does what the pipeline does, in the same order, and nothing of its own. Time is true time in seconds; boot and
wall clocks are derived from it, so that a test can reboot the host or set its clock wrong.
"""

from __future__ import annotations

import json
from collections.abc import Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from healthd.assess.picture import Component, Picture
from healthd.checks import services
from healthd.config import Settings
from healthd.decide import engine
from healthd.decide.case import Moment
from healthd.decide.happenings import Ended, Held, News, Order, Silencing, Started, Unsilencing
from healthd.decide.silence import Kind, Scope, Silence
from healthd.model import Assessment, IssueType, JobResult
from healthd.record.saved import entries, restore
from healthd.registry import Ports
from tests.fake_units import FakeUnits, service
from tests.fakes import FakeClock
from tests.unit.assembly import ports_of
from tests.unit.builders import UNIT, finding, item, killed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from healthd.decide.happenings import AnyOrder, Happening
    from healthd.decide.silence import Window
    from healthd.decide.state import Attempt, EngineState, Key, Ticket
    from healthd.model import ActionKind, HoldReason, Item, UnitFacts
    from healthd.soon import Soon

_LATE = 1e-6
"""By so much timers are late: a real one is never early."""

EVERYTHING = Scope(Kind.ALL)

_T = TypeVar("_T")
_H = TypeVar("_H")


def at_once(work: Soon[_T]) -> _T:
    """What is at hand, or the result of a coroutine that never waits."""
    if not isinstance(work, Coroutine):
        return work
    try:
        work.send(None)
    except StopIteration as end:
        result: _T = end.value
        return result
    raise AssertionError("it waited for something")


class Bench:
    """healthd's pure middle on a host of fakes. `happened` is all that ever happened, `saved` what is on the disk."""

    def __init__(self, *units: UnitFacts, configuration: Settings | None = None, fresh: bool = False) -> None:
        self.settings = configuration or Settings()
        self.time = self.began = 10_000.0
        self.booted_at = 0.0
        self.boot_id = "boot-1"
        self.wall_error = 0.0
        self.package_work = ""
        self.windows: dict[tuple[str, float], Window | None] = {}
        self.units = FakeUnits(*units)
        self.happened: list[Happening] = []
        self.saved: dict[str, Any] = {}
        self.unsaved: set[Key] = set()
        self.probes: dict[str, bool] = {}
        self.unsettled: set[str] = set()
        self.others: dict[tuple[str, str], Item] = {}
        self.disks: dict[str, bool] = {}
        self.unhealthy: frozenset[str] = frozenset()
        self._judged: tuple[tuple[str, str], ...] = ()
        self.step: engine.Step
        self.state: EngineState
        self._runs = 0
        self._results: dict[str, JobResult] = {}
        self._orders: list[AnyOrder] = []
        self.restart_healthd()
        if not fresh:
            self.state = replace(self.state, fresh=False)
        self.turn()

    # The host

    @property
    def boot(self) -> float:
        return self.time - self.booted_at

    @property
    def wall(self) -> float:
        return 1_700_000_000.0 + self.time + self.wall_error

    def set(self, name: str, **changes: Any) -> None:
        """systemd says this of the unit now."""
        facts = self.units.facts()
        old = facts.get(name) or service(name)
        self.units.put(replace(old, changed_at=self.boot, **changes))

    def kill(self, name: str) -> None:
        """The main process dies of SIGKILL."""
        self.set(name, active="failed", sub="failed", result="signal", code=2, exit_status=9, job=0, own_job=False)

    def bring_up(self, name: str) -> None:
        """The unit runs, in a new run."""
        self._runs += 1
        up = {"active": "active", "sub": "running", "result": "success", "code": 0, "exit_status": 0}
        self.set(name, **up, invocation=f"run-{self._runs}", job=0, own_job=False, stopped_by_job=False)

    # healthd

    def restart_healthd(self) -> None:
        """healthd starts, from what is on the disk: after its first start, a crash, or a reboot."""
        saved = json.loads(json.dumps(self.saved))
        state, self.engine_clock = restore(saved, seed=7, boot_id=self.boot_id, boot=self.boot, wall=self.wall)
        self.state = engine.resume(state, self.engine_clock.now(self.boot))
        self.picture = Picture(
            Component(name=name, weight=1.0, critical=False, combine=services.CHECK.score)
            for name in ("services", "probes", "storage")
        )
        self.again_at: float | None = None
        self.unsaved.clear()
        self._results.clear()
        self._orders.clear()

    def reboot(self) -> None:
        """The host boots anew; everything enabled runs."""
        self.booted_at, self.boot_id = self.time, f"{self.boot_id}+"
        for name in list(self.units.facts()):
            self.bring_up(name)
        self.restart_healthd()

    def pass_time(self, seconds: float) -> None:
        """Time passes and nobody looks."""
        self.time += seconds

    def end_job(self, name: str, result: str = "done", text: str = "") -> None:
        """systemd says how the job of the attempt on this unit ended."""
        for ticket in self.state.tickets.values():
            if ticket.attempt is not None and ticket.attempt.unit == name:
                self._results[str(ticket.key)] = JobResult(result=result, text=text)

    def order(self, name: str, action: ActionKind | None = None) -> None:
        """Somebody wants the item healed by hand."""
        self._orders.append(Order(component="services", item=name, action=action, by="alice"))

    def silence(self, scope: Scope = EVERYTHING, seconds: float = 3600.0, **changes: Any) -> None:
        """Somebody silences something, for a time unless the changes say otherwise."""
        wish = Silence(id="", scope=scope, by="bob", set_at=0.0, set_wall=0.0, seconds=seconds, until=0.0, reminded=0.0)
        self._orders.append(Silencing(silence=replace(wish, **changes)))

    def give(self, order: AnyOrder) -> None:
        """Something asks the engine for something in the next turn."""
        self._orders.append(order)

    def resume(self, *ids: str) -> None:
        """Somebody ends silences."""
        self._orders.append(Unsilencing(ids=frozenset(ids), by="carol"))

    def order_disk(self, name: str) -> None:
        """Somebody wants a disk cleaned up by hand."""
        self._orders.append(Order(component="storage", item=name, action=None, by="alice"))

    def reset(self, name: str) -> None:
        """Somebody has the attempts of an item forgotten; the next turn writes that down."""
        keys = [key for key in self.state.tickets if key.item == name]
        self.state = engine.reset(self.state, keys)
        self.unsaved.update(keys)

    def turn(self, names: Iterable[str] | None = None, *, everything: bool = False) -> tuple[Happening, ...]:
        """One turn, as the pipeline makes it: look (at these units, or at all), decide, write down."""
        judged, gone = self._look(None if names is None else frozenset(names))
        judged += [*self._probe(), *self._measure(), *self._judged]
        self._judged = ()
        news = News(
            items=tuple(judged),
            gone=tuple(gone),
            results=tuple(self._results.items()),
            orders=tuple(self._orders),
            everything=everything,
            complete=self.picture.complete,
        )
        self._results, self._orders = {}, []
        self.before = self.state
        self.step = engine.step(self.settings, self.state, self.moment(), news)
        self.stepped_at = self.moment().now
        self.news = news
        self.state = self.step.state
        self.write()
        self.happened += self.step.happenings
        return self.step.happenings

    def look_at(self, *names: tuple[str, str]) -> tuple[Happening, ...]:
        """A turn that judged these of the `others` anew."""
        self._judged = names
        return self.turn(())

    def write(self) -> None:
        """What the pipeline writes before it dispatches."""
        step = self.step
        self.unsaved |= step.changed
        changed, removed = entries(self.state, self.engine_clock, self.boot, self.unsaved, step.removed)
        self.unsaved.clear()
        self.saved = {**self.saved, **json.loads(json.dumps(changed))}
        for key in removed:
            self.saved.pop(key, None)

    def later(self, seconds: float, *, everything: bool = False) -> tuple[Happening, ...]:
        """Time passes, and healthd wakes whenever it said that it must; returns all that happened."""
        end, before = self.time + seconds, len(self.happened)
        while (due := self.due_at()) is not None and due <= end + _LATE:
            self.time = max(self.time, due + _LATE)
            self.turn(None if self.again_at is not None and self.again_at <= self.boot else ())
        self.time = max(self.time, end)
        self.turn(everything=everything)
        return tuple(self.happened[before:])

    def due_at(self) -> float | None:
        """True time of the next turn that is due without news."""
        wake = self.step.wake_at
        dues = [] if wake is None else [wake - self.engine_clock.offset + self.booted_at]
        dues += [] if self.again_at is None else [self.again_at + self.booted_at]
        return min(dues, default=None)

    def moment(self) -> Moment:
        return Moment(
            now=self.engine_clock.now(self.boot),
            wall=self.wall,
            system=self.units.system,
            booted_for=self.boot,
            current=self.units.connected,
            facts=self.units.facts(),
            items={**self.picture.items, **self.others} if self.others else self.picture.items,
            usable=self.picture.usable,
            unhealthy=self.unhealthy,
            configured=frozenset(self.picture.components),
            package_work=self.package_work,
            windows=self.windows,
        )

    def _look(self, names: frozenset[str] | None) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        if not self.units.connected:
            assessment = Assessment(usable=False, reason="systemd cannot be asked at the moment")
        else:
            whole = self.picture.components["services"].score is None
            options, ports = services.options(self.settings, "services"), self._ports()
            reading = at_once(services.sample(ports, options, None if whole else names))
            assessment = services.assess(reading, None, options)
        if not assessment.partial:
            self.again_at = None
        if assessment.again_at is not None:
            self.again_at = min(assessment.again_at, self.again_at or assessment.again_at)
        return self.picture.take("services", assessment, 0.0)

    def _probe(self) -> list[tuple[str, str]]:
        """A second check with an opinion of units, as good or bad as the test wants it."""
        bad = {name: finding(IssueType.PROBE_FAILED, unit=name) for name, well in self.probes.items() if not well}
        items = tuple(
            item(*([bad[name]] if name in bad else []), name=name, settled=name not in self.unsettled)
            for name in self.probes
        )
        judged, _ = self.picture.take("probes", Assessment(items=items), 0.0)
        return judged

    def _measure(self) -> list[tuple[str, str]]:
        """A third check, of what belongs to no unit: disks that are full, or not."""
        full = finding(IssueType.DISK_FULL, unit=None)
        items = tuple(item(*([full] if is_full else []), name=name, unit=None) for name, is_full in self.disks.items())
        judged, _ = self.picture.take("storage", Assessment(items=items), 0.0)
        return judged

    def _ports(self) -> Ports:
        return ports_of(self.units, clock=FakeClock(boot=self.boot))

    # What a test asks

    def of(self, kind: type[_H]) -> list[_H]:
        """All that happened of this kind, in order."""
        return [happening for happening in self.happened if isinstance(happening, kind)]

    def tickets(self) -> Mapping[str, Ticket]:
        """The tickets by item and type, in words."""
        return {f"{key.item} {key.type}": ticket for key, ticket in self.state.tickets.items()}

    def started(self) -> list[Attempt]:
        """All attempts that were dispatched."""
        return [happening.attempt for happening in self.of(Started)]

    def held(self) -> list[HoldReason]:
        """Why healthd did not act, each time that the reason changed."""
        return [happening.reason for happening in self.of(Held)]

    def outcomes(self) -> list[str]:
        """How attempts ended."""
        return [happening.outcome.value for happening in self.of(Ended)]


def fail_attempt(bench: Bench, name: str = UNIT, result: str = "failed") -> None:
    """The attempt in flight ends, and the unit is down as before."""
    bench.end_job(name, result)
    bench.turn([name])


def healed(bench: Bench, name: str = UNIT) -> None:
    """The attempt in flight brings the unit up, and it stays up."""
    bench.bring_up(name)
    bench.end_job(name)
    bench.turn([name])
    bench.later(1.0)


def broken(unit: UnitFacts | None = None, configuration: Settings | None = None) -> Bench:
    """A host that ran well, whose unit then came to be as given (or was killed)."""
    bench = Bench(service(UNIT), service("other.service"), configuration=configuration)
    bench.units.put(unit or killed())
    bench.turn([UNIT])
    return bench


def the_hold(bench: Bench) -> HoldReason:
    """The one reason for which healthd did not act."""
    (reason,) = bench.held()
    return reason
