"""The daemon's parts put together over fakes: what `daemon.py` does, without a bus, a disk or a clock."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from healthd.answers import Diagnosis
from healthd.config import ComponentSettings, Settings, UnitSettings
from healthd.control import Controller
from healthd.decide.engine import resume
from healthd.decide.state import EngineClock
from healthd.doctor import Doctor
from healthd.explain import Explainer
from healthd.heal import Healer
from healthd.pipeline import Pipeline
from healthd.record.beats import Beats, expected_beats
from healthd.record.saved import restore
from healthd.registry import Ports, find_actions, find_checks
from healthd.replies import Replies
from healthd.sample import Bound, Sampler, bind
from healthd.tally import Tally
from healthd.view import View
from tests.fake_net import FakeNet
from tests.fake_units import FakeHost, FakeOutputs, FakeUnits, MemoryStore
from tests.fakes import FakeClock, FakeLog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterable, Mapping

    from healthd.events import Event
    from healthd.ports import Net
    from tests.fakes import Logged

_SOON = 5.0
SERVICES = ComponentSettings(type="services", weight=0.35, failures=1, successes=1, timeout_seconds=60.0)


def settings(**auto_healing: Any) -> Settings:
    """The defaults, but for these keys of [auto_healing], and the component `services` only.

    Recovery need not settle: the clock stands still.
    """
    defaults = Settings()
    return replace(
        defaults,
        auto_healing=replace(defaults.auto_healing, **{"settle_seconds": 0.0, **auto_healing}),
        component={"services": SERVICES},
    )


def with_table(unit: str, table: UnitSettings, **auto_healing: Any) -> Settings:
    """These settings with a table for one unit."""
    base = settings(**auto_healing)
    return replace(base, services=replace(base.services, unit={unit: table}))


def bound(configuration: Settings, *others: Bound) -> list[Bound]:
    """The checks of the components of the settings, and others if a test has some."""
    return [*bind(configuration, find_checks()), *others]


def ports_of(  # noqa: PLR0917
    units: FakeUnits | None = None,
    host: FakeHost | None = None,
    clock: FakeClock | None = None,
    beats: Beats | None = None,
    net: Net | None = None,
    outputs: FakeOutputs | None = None,
) -> Ports:
    """What a check may reach; of what a test does not name, a host on which nothing happens."""
    clock = clock or FakeClock()
    nobody = Beats(
        None, store=MemoryStore(), clock=clock, engine_clock=EngineClock(boot_id="this-boot", offset=0.0), log=FakeLog()
    )
    return Ports(
        units=units or FakeUnits(),
        host=host or FakeHost(),
        net=net or FakeNet(),
        clock=clock,
        beats=beats or nobody,
        outputs=outputs or FakeOutputs(),
    )


@dataclass(kw_only=True)
class Assembly:
    """A running healthd of fakes."""

    pipeline: Pipeline
    units: FakeUnits
    clock: FakeClock
    log: FakeLog
    store: MemoryStore
    beats: Beats
    view: View
    explainer: Explainer
    reports: FakeOutputs

    async def logged(self, event: Event, count: int = 1) -> Logged:
        """Wait until this event was recorded so many times; returns the newest."""
        async with asyncio.timeout(_SOON):
            while len(self.log.of(event)) < count:
                await self.pipeline.turned()
        return self.log.of(event)[-1]

    async def turn(self) -> None:
        """Let one turn pass."""
        async with asyncio.timeout(_SOON):
            self.units.wake("nothing.service")
            await self.pipeline.look(())


def doctor_of(healthd: Assembly, **changes: Any) -> Doctor:
    """A doctor for whom all that the daemon itself knows is well, but for the changes."""
    known: dict[str, Any] = {
        "log_is_journal": True,
        "watchdog": lambda: Diagnosis(name="watchdog", ok=True, text="fed"),
        "sockets": ["/run/healthd/healthd.sock"],
    }
    return Doctor(pipeline=healthd.pipeline, units=healthd.units, store=healthd.store, **{**known, **changes})


class NoBox:
    """Fulfils `Letterbox` where nobody is to be told."""

    async def put(self, letters: Mapping[str, bytes]) -> None:
        raise AssertionError(letters)

    async def notes(self, known: Collection[str]) -> tuple[Mapping[str, bytes], int]:
        raise AssertionError(known)


def controller(healthd: Assembly, *, under_systemd: bool = True) -> Controller:
    """What the API asks of this healthd. `apply` is noted among the calls of its units."""

    async def apply() -> None:
        healthd.units.calls.append(("apply", ""))

    tally = Tally(healthd.pipeline, healthd.view, FakeHost())
    replies = Replies(NoBox(), healthd.clock, receivers=tuple, tally=tally.delivered, waits=tally.wait)
    return Controller(
        pipeline=healthd.pipeline,
        view=healthd.view,
        explainer=healthd.explainer,
        doctor=doctor_of(healthd),
        units=healthd.units,
        store=healthd.store,
        tally=tally,
        replies=replies,
        beats=healthd.beats,
        clock=healthd.clock,
        apply=apply,
        under_systemd=under_systemd,
    )


@asynccontextmanager
async def assembled(
    *units: Any,
    configuration: Settings | None = None,
    store: MemoryStore | None = None,
    judged: bool = True,
    others: Iterable[Bound] = (),
    clock: Any = None,
    net: Net | None = None,
    host: FakeHost | None = None,
) -> AsyncIterator[Assembly]:
    """A running healthd over these units; `judged`: its first turn is done. Clock and network are fakes by default."""
    fakes, log, reports = FakeUnits(*units), FakeLog(), FakeOutputs()
    clock, host, store = clock or FakeClock(), host or FakeHost(), store or MemoryStore()
    configuration = configuration or settings()
    state, engine_clock = restore(await store.load(), seed=1, boot_id=host.boot_id(), boot=clock.boot())
    beats = Beats(None, store=store, clock=clock, engine_clock=engine_clock, log=log)
    await beats.expect(expected_beats(configuration))
    pipeline = Pipeline(
        settings=configuration,
        checks=bound(configuration, *others),
        sampler=Sampler(ports_of(fakes, host, clock, beats, net), log),
        units=fakes,
        host=host,
        clock=clock,
        store=store,
        log=log,
        state=resume(state, engine_clock.now(clock.boot())),
        engine_clock=engine_clock,
    )
    fakes.on_change(pipeline.heard)
    view = View(pipeline, host, clock, clock.boot())
    async with asyncio.TaskGroup() as group:
        healer = Healer(fakes, find_actions(), log, group, pipeline.reported, outputs=reports)
        pipeline.healer = healer
        task = group.create_task(pipeline.run())
        if judged:
            await pipeline.turned()
        yield Assembly(
            pipeline=pipeline,
            units=fakes,
            clock=clock,
            log=log,
            store=store,
            beats=beats,
            view=view,
            explainer=Explainer(pipeline, fakes, view),
            reports=reports,
        )
        healer.abandon()
        task.cancel()
