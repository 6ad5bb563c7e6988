from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from healthd.config import Settings
from healthd.events import Event
from healthd.model import JobResult, State, Status, SystemState
from tests.fake_units import MemoryStore, service
from tests.unit.assembly import Assembly, assembled, bound, settings

WEB = service("web.service")
DATABASE = service("database.service")


def test_a_killed_unit_is_started_once_and_the_story_is_told_in_order() -> None:
    async def scene() -> Assembly:
        async with assembled(WEB, DATABASE) as healthd:
            healthd.units.kill("web.service")
            await healthd.logged(Event.ISSUE_RESOLVED)
            return healthd

    healthd = asyncio.run(scene())
    story = [event for event in healthd.log.events() if event.startswith(("issue", "healing"))]

    assert story == [Event.ISSUE_OPENED, Event.HEALING_STARTED, Event.HEALING_FINISHED, Event.ISSUE_RESOLVED]
    assert healthd.units.calls == [("start", "web.service")]
    assert healthd.pipeline.picture.status() is Status.HEALTHY


def test_an_attempt_is_on_disk_before_it_is_dispatched() -> None:
    seen: list[bool] = []

    async def scene() -> None:
        store = MemoryStore()
        async with assembled(WEB, store=store) as healthd:
            healthd.units.hangs.add("web.service")
            start = healthd.units.start

            async def note(name: str, *, deadline: float) -> JobResult:
                seen.append('"attempt":{' in json.dumps(store.rows, separators=(",", ":")))
                return await start(name, deadline=deadline)

            healthd.units.start = note  # type: ignore[method-assign]
            healthd.units.kill("web.service")
            await healthd.logged(Event.HEALING_STARTED)
            await asyncio.sleep(0)
            healthd.units.let_go.set()
            await healthd.logged(Event.ISSUE_RESOLVED)

    asyncio.run(scene())

    assert seen == [True]


def test_a_disk_that_fails_is_said_once_and_healing_goes_on_from_memory() -> None:
    async def scene() -> Assembly:
        store = MemoryStore()
        async with assembled(WEB, DATABASE, store=store) as healthd:
            store.broken = True
            healthd.units.kill("web.service")
            await healthd.logged(Event.ISSUE_RESOLVED)
            healthd.units.kill("database.service")
            await healthd.logged(Event.ISSUE_RESOLVED, 2)
            return healthd

    healthd = asyncio.run(scene())

    assert [record.fields["reason"] for record in healthd.log.of(Event.STORAGE_FAILED)] == ["cannot_write"]
    assert [call for call, _ in healthd.units.calls] == ["start", "start"]


def test_what_could_not_be_written_is_written_when_the_disk_works_again() -> None:
    async def scene() -> Assembly:
        store = MemoryStore()
        async with assembled(WEB, store=store) as healthd:
            store.broken = True
            healthd.units.kill("web.service")
            await healthd.logged(Event.ISSUE_RESOLVED)
            store.broken = False
            await healthd.turn()
            return healthd

    healthd = asyncio.run(scene())

    assert any("web.service" in key for key in healthd.store.rows)
    assert healthd.log.of(Event.STORAGE_FAILED)[-1].fields["reason"] == "recovered"


def test_the_host_is_auto_healing_while_an_attempt_runs() -> None:
    async def scene() -> State:
        async with assembled(WEB) as healthd:
            healthd.units.hangs.add("web.service")
            healthd.units.kill("web.service")
            await healthd.logged(Event.HEALING_STARTED)
            return healthd.pipeline.host_state()

    assert asyncio.run(scene()) is State.AUTO_HEALING


def test_a_bus_that_stays_away_makes_services_unknown_and_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.checks.services.PATIENCE", 0.0)

    async def scene() -> Assembly:
        async with assembled(WEB) as healthd:
            healthd.units.connected = False
            healthd.units.kill("web.service")
            await healthd.logged(Event.COMPONENT_CHANGED, 2)
            return healthd

    healthd = asyncio.run(scene())

    assert healthd.pipeline.picture.components["services"].status is Status.UNKNOWN
    assert healthd.pipeline.picture.status() is Status.UNKNOWN
    assert healthd.units.calls == []


def test_a_failure_that_came_while_the_bus_was_away_is_healed_when_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.checks.services.PATIENCE", 0.0)

    async def scene() -> Assembly:
        async with assembled(WEB) as healthd:
            healthd.units.connected = False
            healthd.units.kill("web.service")
            await healthd.logged(Event.COMPONENT_CHANGED, 2)
            healthd.units.connected = True
            healthd.units.wake()
            await healthd.logged(Event.ISSUE_RESOLVED)
            return healthd

    assert ("start", "web.service") in asyncio.run(scene()).units.calls


def test_nothing_is_done_while_the_host_shuts_down() -> None:
    async def scene() -> Assembly:
        async with assembled(WEB) as healthd:
            healthd.units.system = SystemState.STOPPING
            healthd.units.kill("web.service")
            await healthd.logged(Event.HEALING_HELD)
            return healthd

    healthd = asyncio.run(scene())

    assert healthd.log.of(Event.HEALING_HELD)[0].fields["reason"] == "shutting_down"
    assert healthd.units.calls == []


def test_a_reload_that_switches_healing_on_heals_what_is_down() -> None:
    async def scene() -> Assembly:
        off = replace(settings(), health=replace(Settings().health, auto_healing_enabled=False))
        async with assembled(WEB, configuration=off) as healthd:
            healthd.units.kill("web.service")
            await healthd.logged(Event.HEALING_HELD)
            healthd.pipeline.reconfigure(settings(), bound(settings()))
            await healthd.logged(Event.ISSUE_RESOLVED)
            return healthd

    assert asyncio.run(scene()).units.calls == [("start", "web.service")]


def test_attempts_are_still_known_after_a_restart_of_healthd() -> None:
    async def scene() -> list[object]:
        store = MemoryStore()
        async with assembled(WEB, store=store) as first:
            first.units.stays_down.add("web.service")
            first.units.kill("web.service")
            await first.logged(Event.HEALING_HELD)
        down = service("web.service", active="failed", sub="failed", result="signal", code=2, exit_status=9)
        async with assembled(down, store=store) as second:
            await second.turn()
            return [second.units.calls, second.view.issues()[0].attempts, second.view.issues()[0].hold]

    assert asyncio.run(scene()) == [[], 1, "cooldown"]


def test_a_round_without_news_saves_nothing_and_says_nothing() -> None:
    async def scene() -> tuple[int, int]:
        async with assembled(WEB) as healthd:
            rows, records = dict(healthd.store.rows), len(healthd.log.records)
            healthd.clock.advance(30)
            await healthd.turn()
            return int(rows != healthd.store.rows), len(healthd.log.records) - records

    assert asyncio.run(scene()) == (0, 0)


def test_the_safety_net_asks_for_failed_units_now_and_then_and_for_all_units_more_rarely() -> None:
    async def scene() -> list[str]:
        async with assembled(WEB) as healthd:
            for _ in range(40):
                healthd.clock.advance(30)
                await healthd.turn()
            return [verb for verb, _ in healthd.units.calls]

    calls = asyncio.run(scene())

    assert calls.count("reconcile") == 2
    assert calls.count("check_failed") >= 15
