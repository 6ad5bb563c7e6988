"""What is done when signals cannot be trusted: a bus that goes away, daemon-reload, daemon-reexec, the safety nets."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from healthd.errors import BusLost, BusTimeout
from healthd.events import Event
from healthd.model import Severity
from tests.integration.stage import on_stage, running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.stage import Stage

WEB, DB = "web.service", "db.service"
DEAD = {"active": "failed", "sub": "failed", "result": "exit-code"}


def enable(root: Path, name: str) -> None:
    """Enable a unit, on disk."""
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    (wants / name).symlink_to(f"/usr/lib/systemd/system/{name}")


async def restart_bus(stage: Stage) -> None:
    """The bus crashes and comes back, and systemd with it."""
    stage.bus.stop()
    await stage.systemd.stop()
    stage.bus.start()
    await stage.systemd.start()


@on_stage
async def test_calls_on_a_dead_bus_fail_at_once(stage: Stage) -> None:
    stage.systemd.add(WEB)
    async with running(stage):
        stage.systemd.held = []
        waiting = asyncio.create_task(stage.units.start(WEB, deadline=60))
        await stage.systemd.until_asked("StartUnit")
        stage.bus.stop()

        with pytest.raises(BusLost):
            await waiting
        with pytest.raises(BusLost):
            await stage.units.start(WEB, deadline=60)
        assert not stage.units.connected


@on_stage
async def test_a_bus_that_comes_back_is_listened_to_again(stage: Stage) -> None:
    stage.systemd.add(WEB)
    async with running(stage):
        await restart_bus(stage)
        await stage.wakes.until(lambda: frozenset() in stage.wakes.seen)
        stage.wakes.take()
        await stage.systemd.tell(WEB, **DEAD)
        await stage.wakes.until(lambda: stage.units.facts()[WEB].active == "failed")

        assert stage.wakes.take() == [frozenset({WEB})]


@on_stage
async def test_a_loss_and_a_return_are_each_said_once_however_often_is_tried_between(stage: Stage) -> None:
    tries = asyncio.Semaphore(0)

    def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        tries.release()

    async with running(stage):
        stage.bus.stop()
        await stage.systemd.stop()
        async with await asyncio.start_unix_server(hang_up, stage.bus.socket):
            for _ in range(3):
                await tries.acquire()
        stage.bus.socket.unlink(missing_ok=True)
        stage.bus.start()
        await stage.systemd.start()
        await stage.wakes.until(lambda: frozenset() in stage.wakes.seen)

    lost, back = stage.log.of(Event.BUS_CHANGED)
    assert (lost.severity, back.severity) == (Severity.MEDIUM, None)


@on_stage
async def test_what_happened_while_the_bus_was_away_is_corrected(stage: Stage) -> None:
    stage.systemd.add(WEB, DB)
    async with running(stage):
        stage.bus.stop()
        await stage.systemd.stop()
        stage.systemd.units[WEB].active = "failed"
        del stage.systemd.units[DB]
        stage.bus.start()
        await stage.systemd.start()
        await stage.wakes.until(lambda: frozenset() in stage.wakes.seen)

        assert {name: unit.active for name, unit in stage.units.facts().items()} == {WEB: "failed"}


@on_stage
async def test_a_unit_that_was_stopped_while_the_bus_was_away_is_known_to_be(stage: Stage) -> None:
    stage.systemd.add(WEB, DB)
    stage.journal[WEB] = True
    async with running(stage):
        stage.bus.stop()
        await stage.systemd.stop()
        for name in (WEB, DB):
            stage.systemd.units[name].active = "inactive"
        stage.bus.start()
        await stage.systemd.start()
        await stage.wakes.until(lambda: frozenset() in stage.wakes.seen)

        assert stage.units.facts()[WEB].stopped_by_job
        assert not stage.units.facts()[DB].stopped_by_job


@on_stage
async def test_a_call_that_is_never_answered_ends_and_the_connection_is_replaced(stage: Stage) -> None:
    stage.systemd.add(WEB)
    async with running(stage):
        stage.systemd.silent.add("StartUnit")
        with pytest.raises(BusTimeout):
            await stage.units.start(WEB, deadline=0.05)
        assert not stage.units.connected

        await stage.wakes.until(lambda: stage.units.connected)
        assert stage.systemd.asked("ListUnits") == 2


@on_stage
async def test_units_that_go_and_come_back_in_a_reload_stay_known_and_wake_nobody(stage: Stage) -> None:
    stage.systemd.add(*(f"d{number}.service" for number in range(200)))
    async with running(stage):
        await stage.systemd.reload()
        await stage.systemd.until_asked("ListUnits", 2)
        await stage.settle()

        assert len(stage.units.facts()) == 200
        assert stage.wakes.take() == []


@on_stage
async def test_facts_are_not_current_while_systemd_reloads(stage: Stage) -> None:
    stage.systemd.add(WEB)
    async with running(stage):
        await stage.systemd.emit("Reloading", "b", True)
        await stage.settle()
        assert not stage.units.connected

        await stage.systemd.emit("Reloading", "b", False)
        await stage.systemd.until_asked("ListUnits", 2)
        await stage.settle()
        assert stage.units.connected


@on_stage
async def test_a_failure_in_the_middle_of_a_reload_wakes_behind_it(stage: Stage) -> None:
    stage.systemd.add(WEB)

    async def fail() -> None:
        await stage.systemd.tell(WEB, **DEAD)
        await stage.settle()
        assert stage.wakes.take() == []

    async with running(stage):
        await stage.systemd.reload(meanwhile=fail)
        await stage.wakes.until(lambda: bool(stage.wakes.seen))

        assert stage.wakes.take() == [frozenset({WEB})]
        assert stage.units.facts()[WEB].result == "exit-code"


@on_stage
async def test_a_reload_has_details_read_again(stage: Stage) -> None:
    unit = stage.systemd.add(WEB)
    async with running(stage):
        await stage.units.describe([WEB])
        unit.more["Restart"] = ("s", "always")
        await stage.systemd.reload()
        await stage.systemd.until_asked("ListUnits", 2)
        await stage.settle()
        await stage.units.describe([WEB])

        detail = stage.units.facts()[WEB].detail
        assert detail is not None
        assert detail.restart == "always"


@on_stage
async def test_a_unit_that_is_enabled_and_disabled_again_is_seen_after_each_reload(stage: Stage) -> None:
    stage.systemd.add(WEB)
    async with running(stage):
        enable(stage.root, WEB)
        await stage.systemd.reload()
        await stage.wakes.until(lambda: stage.units.facts()[WEB].file_state == "enabled")

        (stage.root / "etc/systemd/system/multi-user.target.wants" / WEB).unlink()
        await stage.systemd.reload()
        await stage.wakes.until(lambda: stage.units.facts()[WEB].file_state == "")


@on_stage
async def test_a_systemd_that_re_executes_is_listened_to_on(stage: Stage) -> None:
    stage.systemd.add(WEB)
    async with running(stage):
        await stage.systemd.reexecute()
        await stage.systemd.until_asked("Subscribe", 2)
        await stage.systemd.tell(WEB, **DEAD)
        await stage.wakes.until(lambda: bool(stage.wakes.seen))

        assert stage.units.facts()[WEB].active == "failed"
        assert stage.log.records == []


@on_stage
async def test_a_systemd_that_drops_off_the_bus_and_comes_back_is_asked_again(stage: Stage) -> None:
    """It does when the bus refuses it something, and says nothing about it."""
    stage.systemd.add(WEB)
    async with running(stage):
        await stage.systemd.stop()
        stage.systemd.units[WEB].active = "failed"
        await stage.systemd.start()
        await stage.wakes.until(lambda: bool(stage.wakes.seen))

        assert stage.wakes.take() == [frozenset({WEB})]


@on_stage
async def test_reconciling_corrects_a_failure_that_no_signal_told_of(stage: Stage) -> None:
    stage.systemd.add(WEB)
    async with running(stage):
        stage.systemd.units[WEB].active = "failed"
        await stage.units.reconcile()
        await stage.wakes.until(lambda: bool(stage.wakes.seen))

        assert stage.wakes.take() == [frozenset({WEB})]


@on_stage
async def test_asking_for_failed_units_corrects_one_that_no_signal_told_of(stage: Stage) -> None:
    stage.systemd.add(WEB)
    async with running(stage):
        stage.systemd.units[WEB].active = "failed"
        await stage.units.check_failed()
        await stage.wakes.until(lambda: bool(stage.wakes.seen))

        assert stage.wakes.take() == [frozenset({WEB})]


@on_stage
async def test_asking_for_failed_units_lists_no_others_when_all_is_as_heard(stage: Stage) -> None:
    stage.systemd.add(WEB)
    stage.systemd.add(DB, active="failed")
    async with running(stage):
        await stage.units.check_failed()

        assert stage.systemd.asked("ListUnits") == 1


@on_stage
async def test_who_stopped_a_unit_is_known_before_anybody_is_woken_for_it(stage: Stage) -> None:
    stage.systemd.add(WEB, DB)
    stage.journal[WEB] = True
    async with running(stage):
        stage.journal_answers.clear()
        stage.systemd.units[WEB].active = "inactive"
        reconciling = asyncio.create_task(stage.units.reconcile())
        await stage.systemd.until_asked("ListUnits", 2)
        await stage.systemd.tell(DB, **DEAD)
        await stage.wakes.until(lambda: bool(stage.wakes.seen))
        assert stage.wakes.take() == [frozenset({DB})]

        stage.journal_answers.set()
        await reconciling
        await stage.wakes.until(lambda: bool(stage.wakes.seen))
        assert stage.wakes.take() == [frozenset({WEB})]
        assert stage.units.facts()[WEB].stopped_by_job


@on_stage
async def test_an_answer_does_not_undo_what_a_signal_behind_it_said(stage: Stage) -> None:
    """Both lie in the socket when the loop comes to read it: the list is old by then."""
    stage.systemd.add(WEB)
    async with running(stage):
        stage.systemd.held = []
        listing = asyncio.create_task(stage.units.reconcile())
        await stage.systemd.until_asked("ListUnits", 2)
        await stage.systemd.release()
        await stage.systemd.tell(WEB, **DEAD)
        await listing
        await stage.settle()

        assert stage.units.facts()[WEB].active == "failed"


@on_stage
async def test_details_of_enabled_services_are_read_ahead(stage: Stage) -> None:
    enable(stage.root, WEB)
    stage.systemd.add(WEB, DB)
    async with running(stage):
        await stage.systemd.until_asked("GetAll")
        while stage.units.facts()[WEB].detail is None:
            await stage.settle()

        assert stage.units.facts()[DB].detail is None


@on_stage
async def test_no_connection_at_first_is_said_and_tried_again(stage: Stage) -> None:
    stage.bus.stop()
    await stage.systemd.stop()
    task = asyncio.create_task(stage.units.run())
    await stage.log.said.wait()
    stage.bus.start()
    await stage.systemd.start()
    await stage.wakes.until(lambda: stage.units.connected)
    task.cancel()
    await asyncio.wait([task])

    assert stage.log.events() == [Event.BUS_CHANGED, Event.BUS_CHANGED]


@on_stage
async def test_a_bus_that_does_not_answer_is_given_up_and_tried_again(stage: Stage) -> None:
    async with running(stage):
        stage.bus.freeze()
        with pytest.raises(BusTimeout):
            await stage.units.start(WEB, deadline=0.05)
        assert not stage.units.connected
        stage.bus.thaw()

        await stage.wakes.until(lambda: stage.units.connected)


@on_stage
async def test_a_folder_of_links_that_cannot_be_read_is_said_once_and_the_others_count(stage: Stage) -> None:
    stage.systemd.add(WEB)
    enable(stage.root, WEB)
    (stage.root / "etc/systemd/system/loop.target.wants").symlink_to("loop.target.wants")
    async with running(stage):
        await stage.units.reconcile()

        assert stage.units.facts()[WEB].enabled
    (said,) = stage.log.of(Event.CHECK_FAILED)
    assert (said.severity, "loop.target.wants" in said.message) == (Severity.MEDIUM, True)
