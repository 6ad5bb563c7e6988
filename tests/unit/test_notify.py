"""A whole healthd of fakes: what people are to be told reaches the outbox, once, whatever happens to healthd."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from healthd.config import Heal, Settings, UnitSettings
from healthd.errors import StorageError
from healthd.events import Event
from healthd.letters import Letter, Why
from healthd.notify import Notifying
from tests.fake_units import MemoryStore, service
from tests.unit.assembly import Assembly, assembled, with_table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

WEB = service("web.service")


class Folder:
    """Fulfils `ports.Outbox`. `broken`: so many times nothing can be written."""

    def __init__(self, broken: int = 0) -> None:
        self.letters: dict[str, Letter] = {}
        self.broken = broken

    async def put(self, letters: Mapping[str, bytes]) -> None:
        if self.broken:
            self.broken -= 1
            raise StorageError("no space left on device")
        self.letters |= {name: Letter.from_json(data) for name, data in letters.items()}

    def whys(self) -> list[Why]:
        return [letter.why for letter in self.letters.values()]


def told() -> Settings:
    """Somebody is told at once of a unit that healthd does nothing about."""
    base = with_table("web.service", UnitSettings(heal=Heal.SUGGEST))
    return replace(base, alerting=replace(base.alerting, webhook_url="http://127.0.0.1/", group_seconds=0.0))


@asynccontextmanager
async def telling(folder: Folder, store: MemoryStore | None = None) -> AsyncIterator[Assembly]:
    async with assembled(WEB, configuration=told(), store=store) as healthd:
        notifying = Notifying(healthd.pipeline, folder, healthd.log, known=lambda _number: None, again=0.0)
        task = asyncio.create_task(notifying.run())
        yield healthd
        task.cancel()


async def until(healthd: Assembly, folder: Folder, count: int) -> None:
    async with asyncio.timeout(5):
        while len(folder.letters) < count or any(alert.unsent for alert in healthd.pipeline.state.alerts):
            await healthd.turn()


def test_what_is_to_be_told_is_in_the_outbox_and_so_is_its_end() -> None:
    folder = Folder()

    async def life() -> None:
        async with telling(folder) as healthd:
            healthd.units.kill("web.service")
            await until(healthd, folder, 1)
            healthd.units.put(WEB)
            healthd.units.wake("web.service")
            await until(healthd, folder, 2)
            assert healthd.pipeline.state.alerts == ()

    asyncio.run(life())

    assert folder.whys() == [Why.OPENED, Why.RESOLVED]
    assert {letter.key for letter in folder.letters.values()} == {"00000001-1"}


def test_what_cannot_be_written_is_said_once_and_written_when_it_can_be() -> None:
    folder = Folder(broken=3)

    async def life() -> list[str]:
        async with telling(folder) as healthd:
            healthd.units.kill("web.service")
            await until(healthd, folder, 1)
            await healthd.logged(Event.STORAGE_FAILED, 2)
            return [record.message for record in healthd.log.of(Event.STORAGE_FAILED)]

    failed, recovered = asyncio.run(life())

    assert "no space left on device" in failed
    assert recovered == "alerts reach the outbox again"
    assert folder.whys() == [Why.OPENED]


def test_what_was_decided_before_healthd_died_is_written_by_the_next_one_under_the_same_name() -> None:
    store, lost, folder = MemoryStore(), Folder(broken=1_000_000), Folder()

    async def first() -> None:
        async with telling(lost, store) as healthd:
            healthd.units.kill("web.service")
            await healthd.logged(Event.HEALING_HELD)
            await healthd.turn()

    async def second() -> None:
        async with telling(folder, store) as healthd:
            await until(healthd, folder, 1)

    asyncio.run(first())
    words = store.rows["engine"]["alerts"][0]["unsent"]
    asyncio.run(second())

    assert next(iter(folder.letters)) == f"1-1-{words[0][2]:.0f}.json"
