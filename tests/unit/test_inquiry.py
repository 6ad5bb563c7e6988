"""A whole healthd of fakes: an incident has its story and its evidence, whenever healthd was started anew."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from healthd.events import Event
from healthd.evidence import Change, ChangeKind, Changes, Line, Scene
from healthd.inquiry import Inquiry
from tests.fake_units import FakeHost, MemoryStore, service
from tests.fakes import FakeClock
from tests.unit.assembly import Assembly, assembled
from tests.unit.builders import killed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from healthd.evidence import Incident
    from healthd.model import UnitFacts

WEB = service("web.service")
EDITED = Change(at=1.0, kind=ChangeKind.UNIT_FILE, what="/etc/x.conf", text="was edited", own=True)


@asynccontextmanager
async def followed(unit: UnitFacts, store: MemoryStore | None = None) -> AsyncIterator[Assembly]:
    """A healthd whose incidents are looked into."""
    clock, host = FakeClock(), FakeHost()
    host.changes_now = Changes(found=(EDITED,))
    async with assembled(unit, store=store, clock=clock) as healthd:
        inquiry = Inquiry(
            healthd.pipeline,
            healthd.units,
            host,
            store=healthd.store,
            clock=clock,
            log=healthd.log,
            settle=0.0,
        )
        healthd.units.scenes["web.service", "first"] = Scene(lines=(Line(at=1.0, source="web", text="it breaks"),))
        task = asyncio.create_task(inquiry.run())
        await healthd.turn()
        yield healthd
        task.cancel()


async def looked_at(healthd: Assembly, number: int) -> Incident:
    async with asyncio.timeout(5):
        while number not in healthd.store.filed or not healthd.store.filed[number].looked:
            await healthd.turn()
    return healthd.store.filed[number]


def test_a_kill_is_an_incident_with_all_that_is_known_of_it() -> None:
    async def life() -> tuple[Incident, Incident | None]:
        async with followed(WEB) as healthd:
            healthd.units.kill("web.service")
            await healthd.logged(Event.ISSUE_RESOLVED)
            return await looked_at(healthd, 1), await healthd.store.incident(0)

    kept, told = asyncio.run(life())

    assert kept.result.startswith("healed by start_unit of web.service")
    assert (kept.changes, kept.runs[0].lines[0].text) == ((EDITED,), "it breaks")
    assert told is not None
    assert [event.event for event in told.events] == [
        "issue_opened",
        "healing_started",
        "healing_finished",
        "issue_resolved",
    ]


def test_what_was_not_looked_at_before_healthd_ended_is_looked_at_by_the_next() -> None:
    store = MemoryStore()

    async def first() -> None:
        async with assembled(WEB, store=store) as healthd:
            healthd.units.refuses.add("web.service")
            healthd.units.kill("web.service")
            await healthd.logged(Event.HEALING_FINISHED)
            await healthd.turn()

    async def second() -> Incident:
        async with followed(killed("web.service"), store) as healthd:
            return await looked_at(healthd, 1)

    asyncio.run(first())
    assert store.filed == {}
    kept = asyncio.run(second())

    assert (kept.id, kept.title) == (1, "web.service is down: killed by SIGKILL")
    assert [run.invocation for run in kept.runs] == ["first"]


def test_no_number_is_given_again_though_the_state_was_lost() -> None:
    store = MemoryStore()

    async def life(expected: int) -> Incident:
        async with followed(WEB, store) as healthd:
            healthd.units.kill("web.service")
            await healthd.logged(Event.ISSUE_RESOLVED)
            return await looked_at(healthd, expected)

    first = asyncio.run(life(1))
    store.rows.clear()
    store.filed[7] = replace(first, id=7)

    assert asyncio.run(life(8)).id == 8


def test_a_store_that_cannot_be_read_keeps_nobody_from_starting() -> None:
    store = MemoryStore()
    store.broken = True

    async def life() -> bool:
        async with followed(WEB, store) as healthd:
            return healthd.pipeline.picture.complete

    assert asyncio.run(life())
