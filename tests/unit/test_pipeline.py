from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from healthd.config import HealthSettings, Settings
from healthd.decide import engine
from healthd.errors import BusLost
from healthd.events import Event
from healthd.model import JobResult, State, Status, SystemState
from tests.fake_units import MemoryStore, service
from tests.unit.assembly import Assembly, assembled, bound, settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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


@pytest.mark.parametrize("interval", [1, 7, 30, 60])
def test_the_safety_net_asks_for_failed_units_each_minute_and_for_all_each_ten_however_often_rounds_come(
    interval: int,
) -> None:
    async def scene() -> list[str]:
        configuration = replace(settings(), health=HealthSettings(check_interval_seconds=interval))
        async with assembled(WEB, configuration=configuration) as healthd:
            for _ in range(1260 // interval):
                healthd.clock.advance(interval)
                await healthd.turn()
            return [verb for verb, _ in healthd.units.calls]

    calls = asyncio.run(scene())

    assert calls.count("reconcile") == 2
    assert 18 <= calls.count("check_failed") <= 20


class SlowStore(MemoryStore):
    """Its writes wait while `held`."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.asked = asyncio.Event()

    async def save(self, changed: Mapping[str, Any], removed: Sequence[str]) -> None:
        self.asked.set()
        await self.go_on.wait()
        await super().save(changed, removed)


class SlowLook:
    """Makes the next look at units that are down wait until it is let go."""

    def __init__(self, healthd: Assembly) -> None:
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        self._describe = healthd.units.describe
        healthd.units.describe = self.describe  # type: ignore[method-assign]

    async def describe(self, names: Iterable[str]) -> None:
        self.begun.set()
        await self.go_on.wait()
        await self._describe(names)


UNREAD_AND_DOWN = service("web.service", active="failed", sub="failed", result="signal", code=2, detail=None)


def without(unit: str) -> Settings:
    """Settings that leave a unit out."""
    base = settings()
    return replace(base, services=replace(base.services, ignore=(unit,)))


def test_a_look_that_is_asked_for_during_a_turn_is_a_new_one() -> None:
    async def scene() -> tuple[bool, float]:
        async with assembled(WEB) as healthd:
            slow = SlowLook(healthd)
            healthd.units.put(UNREAD_AND_DOWN)
            await slow.begun.wait()
            healthd.clock.advance(7)
            looked = asyncio.create_task(healthd.pipeline.look(["services"]))
            turned = asyncio.create_task(healthd.pipeline.turned())
            slow.go_on.set()
            await turned
            too_early = looked.done()
            await looked
            return too_early, healthd.pipeline.picture.components["services"].checked_at - healthd.clock.wall()

    assert asyncio.run(scene()) == (False, 0.0)


def test_what_an_operator_resets_during_a_write_is_written_too() -> None:
    async def scene() -> int:
        store = SlowStore()
        async with assembled(WEB, DATABASE, store=store) as healthd:
            healthd.units.stays_down.add("web.service")
            healthd.units.kill("web.service")
            await healthd.logged(Event.HEALING_HELD)
            healthd.units.hangs.add("web.service")
            healthd.clock.advance(60)
            healthd.units.wake()
            await healthd.logged(Event.HEALING_STARTED, 2)
            pipeline, tickets = healthd.pipeline, tuple(healthd.pipeline.state.tickets)
            store.asked.clear()
            store.go_on.clear()
            healthd.units.kill("database.service")
            await store.asked.wait()
            pipeline.change_state(engine.reset(pipeline.state, tickets), tickets)
            store.go_on.set()
            await pipeline.look(())
            return int(store.rows["ticket/services/web.service/service_down"]["attempts"])

    assert asyncio.run(scene()) == 1  # the second one, which is in flight, is the first of the new count


def test_what_was_seen_under_the_settings_before_a_reload_is_not_acted_upon() -> None:
    async def scene() -> Assembly:
        async with assembled(WEB, DATABASE) as healthd:
            slow = SlowLook(healthd)
            healthd.units.put(UNREAD_AND_DOWN)
            await slow.begun.wait()
            configuration = without("web.service")
            healthd.pipeline.reconfigure(configuration, bound(configuration))
            slow.go_on.set()
            await healthd.pipeline.look(())
            return healthd

    healthd = asyncio.run(scene())

    assert healthd.units.calls == []
    assert healthd.log.of(Event.ISSUE_OPENED) == []


@pytest.mark.parametrize("others", [(DATABASE,), ()], ids=["one-of-two", "the-only-one"])
def test_a_unit_that_a_reload_leaves_out_vanishes_with_its_issue(others: tuple[Any, ...]) -> None:
    async def scene() -> tuple[Assembly, str]:
        async with assembled(WEB, *others, configuration=settings(dry_run=True)) as healthd:
            healthd.units.kill("web.service")
            await healthd.logged(Event.ISSUE_OPENED)
            configuration = without("web.service")
            healthd.pipeline.reconfigure(configuration, bound(configuration))
            resolved = await healthd.logged(Event.ISSUE_RESOLVED)
            return healthd, resolved.message

    healthd, message = asyncio.run(scene())

    assert ("services", "web.service") not in healthd.pipeline.picture.items
    assert healthd.view.issues() == ()
    assert "need not be watched" in message


def test_a_reload_changes_the_weight_of_a_component_and_keeps_what_was_judged() -> None:
    async def scene() -> tuple[float, int]:
        async with assembled(WEB, DATABASE) as healthd:
            heavier = replace(settings(), services=replace(settings().services, weight=0.9))
            checks = [replace(check, component=replace(check.component, weight=0.9)) for check in bound(heavier)]
            healthd.pipeline.reconfigure(heavier, checks)
            component = healthd.pipeline.picture.components["services"]
            return component.weight, len(component.items)

    assert asyncio.run(scene()) == (0.9, 2)


def test_a_reload_that_shortens_the_interval_does_not_wait_for_the_old_one() -> None:
    async def scene() -> float | None:
        async with assembled(WEB) as healthd:
            shorter = replace(settings(), health=replace(settings().health, check_interval_seconds=2.0))
            healthd.pipeline.reconfigure(shorter, bound(shorter))
            healthd.clock.advance(2)
            await healthd.turn()
            return healthd.pipeline.round_at

    assert asyncio.run(scene()) == 1002.0


def test_a_unit_that_healthd_waits_for_is_looked_at_again_when_its_time_has_come() -> None:
    async def scene() -> tuple[Status, Status]:
        async with assembled(WEB, configuration=settings(dry_run=True)) as healthd:
            restarting = replace(WEB.detail, restart="always") if WEB.detail else None
            now = healthd.clock.boot()
            down = replace(WEB, active="failed", sub="failed", result="signal", code=2, exit_status=9)
            healthd.units.put(replace(down, detail=restarting, changed_at=now))
            await healthd.pipeline.turned()
            before = healthd.pipeline.picture.items["services", "web.service"].status
            healthd.clock.advance(1)
            await healthd.logged(Event.ISSUE_OPENED)
            return before, healthd.pipeline.picture.items["services", "web.service"].status

    assert asyncio.run(scene()) == (Status.HEALTHY, Status.UNHEALTHY)


def test_a_bus_that_does_not_answer_the_safety_net_is_no_reason_to_stop() -> None:
    async def scene() -> tuple[int, float | None]:
        async with assembled(WEB) as healthd:

            async def lost() -> None:
                raise BusLost("the bus is away")

            healthd.units.check_failed = lost  # type: ignore[method-assign]
            for _ in range(2):
                healthd.clock.advance(30)
                await healthd.turn()
            return sum(record.event is None for record in healthd.log.records), healthd.pipeline.round_at

    assert asyncio.run(scene()) == (1, 1060.0)


def test_a_state_that_could_not_be_written_is_not_lost_when_nothing_else_changes() -> None:
    async def scene() -> bool:
        store = MemoryStore()
        async with assembled(WEB, store=store, configuration=settings(dry_run=True)) as healthd:
            store.broken = True
            healthd.units.kill("web.service")
            await healthd.logged(Event.STORAGE_FAILED)
            store.broken = False
            await healthd.turn()
            return any("web.service" in key for key in store.rows)

    assert asyncio.run(scene())
