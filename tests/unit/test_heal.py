"""Attempts are carried out side by side, and the end of each is told, whatever it is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from healthd.decide.happenings import Started
from healthd.errors import BusLost
from healthd.events import Event
from healthd.heal import JOB_SECONDS, Healer
from healthd.model import ActionKind, JobResult
from healthd.registry import ActionSpec, find_actions
from tests.fake_units import FakeOutputs, FakeUnits, service
from tests.fakes import FakeLog
from tests.unit.builders import DOWN, UNIT, attempt, killed, ticket

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from healthd.decide.state import Key
    from healthd.ports import Units

    Run = Callable[[Units, str, float], Coroutine[Any, Any, JobResult]]


class Bench:
    """A healer over fakes. `told` lists what was reported, in order."""

    def __init__(self, *units: Any, run: Run | None = None) -> None:
        self.units, self.log, self.outputs = FakeUnits(*units), FakeLog(), FakeOutputs()
        self.told: list[tuple[Key, JobResult]] = []
        self.heard = asyncio.Event()
        actions = dict(find_actions())
        if run is not None:
            actions[ActionKind.START_UNIT] = ActionSpec(kind=ActionKind.START_UNIT, disruptive=False, run=run)
        self.actions = actions

    def healer(self, group: asyncio.TaskGroup) -> Healer:
        return Healer(self.units, self.actions, self.log, group, self._hear, outputs=self.outputs)

    def _hear(self, key: Key, result: JobResult) -> None:
        self.told.append((key, result))
        self.heard.set()

    def heal(self, **changes: Any) -> JobResult:
        """Carry one attempt out; its result."""

        async def life() -> None:
            async with asyncio.TaskGroup() as group:
                self.healer(group).dispatch(DOWN, attempt(**changes))

        asyncio.run(life())
        ((key, result),) = self.told
        assert key == DOWN
        return result


def test_an_attempt_does_its_action_on_its_unit_and_tells_how_the_job_ended() -> None:
    bench = Bench(killed())

    assert bench.heal() == JobResult(result="done")
    assert bench.units.calls == [("start", UNIT)]


def test_an_action_is_given_the_time_that_a_job_may_take() -> None:
    deadlines = []

    async def run(units: Units, unit: str, deadline: float) -> JobResult:
        deadlines.append(deadline)
        return JobResult(result="done")

    Bench(run=run).heal()

    assert deadlines == [JOB_SECONDS]


def test_attempts_on_two_units_run_side_by_side() -> None:
    bench = Bench(killed(), killed("db.service"))
    bench.units.hangs.add(UNIT)
    other = DOWN._replace(item="db.service")

    async def life() -> None:
        async with asyncio.TaskGroup() as group:
            healer = bench.healer(group)
            healer.dispatch(DOWN, attempt())
            healer.dispatch(other, attempt(unit="db.service"))
            await bench.heard.wait()
            bench.units.let_go.set()

    asyncio.run(asyncio.wait_for(life(), 10))

    assert [key for key, _ in bench.told] == [other, DOWN]


def test_an_attempt_for_which_the_bus_was_lost_says_so() -> None:
    bench = Bench(killed())
    bench.units.connected = False

    assert bench.heal() == JobResult(result="lost", text="the bus is away")


def test_an_action_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.heal.JOB_SECONDS", 0.005)
    bench = Bench(killed())
    bench.units.hangs.add(UNIT)

    assert bench.heal() == JobResult(result="timeout", text="no end of it within 0.01 s")


def test_an_action_that_this_healthd_does_not_have_is_not_supported() -> None:
    bench = Bench(killed())
    del bench.actions[ActionKind.DISK_CLEANUP]

    result = bench.heal(action=ActionKind.DISK_CLEANUP)

    assert result == JobResult(result="not_supported", text="this healthd has no action disk_cleanup")


def test_a_unit_of_the_operators_own_is_run_in_place_of_the_unit_that_is_healed() -> None:
    bench = Bench(killed(), service("web-repair.service", active="inactive"))

    bench.heal(action=ActionKind.RUN_UNIT, runs="web-repair.service")

    assert bench.units.calls == [("start", "web-repair.service")]


def test_what_a_chore_reports_comes_with_its_result() -> None:
    bench = Bench()
    bench.outputs.printed["healthd-disk-cleanup"] = "run x\nwon 1024 1 logs"

    result = bench.heal(action=ActionKind.DISK_CLEANUP, unit="healthd-disk-cleanup.service")

    assert result == JobResult(result="done", text="1.0 KiB won (logs 1.0 KiB)")


def test_a_chore_that_left_no_report_ended_as_its_job_did() -> None:
    assert Bench().heal(action=ActionKind.DISK_CLEANUP, unit="healthd-disk-cleanup.service").text == ""


def test_a_chore_is_rehearsed_by_a_unit_that_can_change_nothing() -> None:
    bench = Bench()
    bench.outputs.printed["healthd-dry-run@disk-cleanup"] = "run x\ndry-run\nwon 1024 1 logs"

    async def life() -> JobResult:
        async with asyncio.TaskGroup() as group:
            return await bench.healer(group).rehearse(ActionKind.DISK_CLEANUP)

    assert asyncio.run(life()).text == "1.0 KiB would be won (logs 1.0 KiB)"
    assert bench.units.calls == [("start", "healthd-dry-run@disk-cleanup.service")]


def test_a_bug_in_an_action_fails_the_attempt_and_is_said_with_its_traceback() -> None:
    async def run(units: Units, unit: str, deadline: float) -> JobResult:
        raise ZeroDivisionError("a bug")

    bench = Bench(run=run)

    assert bench.heal() == JobResult(result="broken", text="ZeroDivisionError('a bug')")
    (record,) = bench.log.of(Event.CHECK_FAILED)
    assert isinstance(record.error, ZeroDivisionError)
    assert record.fields == {"issue": str(DOWN), "unit": UNIT}


def test_a_bug_in_an_action_disturbs_no_other_attempt() -> None:
    async def run(units: Units, unit: str, deadline: float) -> JobResult:
        raise BusLost("gone") if unit == UNIT else ZeroDivisionError("a bug")

    bench = Bench(run=run)

    async def life() -> None:
        async with asyncio.TaskGroup() as group:
            healer = bench.healer(group)
            healer.dispatch(DOWN, attempt(unit="buggy.service"))
            healer.dispatch(DOWN, attempt())

    asyncio.run(life())

    assert sorted(result.result for _, result in bench.told) == ["broken", "lost"]


def test_at_the_end_no_job_is_waited_for_and_nothing_is_told() -> None:
    begun = asyncio.Event()

    async def run(units: Units, unit: str, deadline: float) -> JobResult:
        begun.set()
        await asyncio.Event().wait()
        return JobResult(result="never")

    bench = Bench(run=run)

    async def life() -> None:
        async with asyncio.TaskGroup() as group:
            healer = bench.healer(group)
            healer.dispatch(DOWN, attempt())
            await begun.wait()
            healer.abandon()

    asyncio.run(asyncio.wait_for(life(), 10))

    assert bench.told == []


def test_an_attempt_that_has_ended_is_not_abandoned_any_more() -> None:
    bench = Bench(killed())

    async def life() -> None:
        async with asyncio.TaskGroup() as group:
            healer = bench.healer(group)
            healer.dispatch(DOWN, attempt())
            await bench.heard.wait()
            healer.abandon()

    asyncio.run(asyncio.wait_for(life(), 10))

    assert len(bench.told) == 1


def test_what_an_action_would_destroy_is_looked_at_before_it() -> None:
    async def scene() -> list[tuple[str, str]]:
        bench = Bench(killed())

        async def before(unit: str) -> None:
            await asyncio.sleep(0)
            bench.units.calls.append(("before", unit))

        async with asyncio.TaskGroup() as group:
            healer = bench.healer(group)
            healer.before = before
            healer.dispatch(DOWN, attempt())
        return bench.units.calls

    assert asyncio.run(scene()) == [("before", UNIT), ("start", UNIT)]


def test_a_bus_that_does_not_answer_holds_no_restart_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.heal._NAMING_SECONDS", 0.01)

    async def silent(_name: str) -> tuple[str, ...]:
        await asyncio.Event().wait()
        return ()

    async def life() -> list[tuple[str, ...]]:
        bench = Bench()
        bench.units.restarted_with = silent  # type: ignore[method-assign]
        async with asyncio.TaskGroup() as group:
            restart = attempt(action=ActionKind.RESTART_UNIT)
            happened = await bench.healer(group).along([Started(ticket=ticket(), attempt=restart)])
        return [each.along for each in happened if isinstance(each, Started)]

    assert asyncio.run(life()) == [()]
