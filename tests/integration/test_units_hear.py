"""How units are heard: signals, wakes, and the traps of systemd's signals."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from jeepney import DBusAddress, HeaderFields, new_signal
from jeepney.io.asyncio import open_dbus_connection

from healthd.model import SystemState
from tests.integration.fake_systemd import MANAGER, PATH, PROPERTIES, UNIT, unit_path
from tests.integration.stage import on_stage, running

if TYPE_CHECKING:
    from tests.integration.stage import Stage

WEB = "web.service"
DEAD = {"active": "failed", "sub": "failed", "result": "signal", "code": 2, "status": 9}


@on_stage
async def test_every_loaded_unit_is_known_once_connected(stage: Stage) -> None:
    stage.systemd.add(WEB, "data.mount", sub="running")
    async with running(stage):
        assert set(stage.units.facts()) == {WEB, "data.mount"}
        assert stage.units.facts()[WEB].active == "active"
        assert stage.units.system_state() is SystemState.RUNNING


@on_stage
async def test_the_first_wake_says_to_look_at_all(stage: Stage) -> None:
    stage.systemd.add(WEB)
    task = asyncio.create_task(stage.units.run())
    await stage.wakes.until(lambda: bool(stage.wakes.seen))
    task.cancel()
    await asyncio.wait([task])

    assert stage.wakes.take() == [frozenset()]


@on_stage
async def test_a_failure_wakes_with_all_its_facts_and_without_a_question(stage: Stage) -> None:
    stage.systemd.add(WEB)
    async with running(stage):
        asked = len(stage.systemd.calls)

        await stage.systemd.tell(WEB, **DEAD)
        await stage.wakes.until(lambda: bool(stage.wakes.seen))

        unit = stage.units.facts()[WEB]
        assert (unit.active, unit.result, unit.code, unit.exit_status) == ("failed", "signal", 2, 9)
        assert len(stage.systemd.calls) == asked


@on_stage
async def test_signals_that_repeat_a_state_wake_once(stage: Stage) -> None:
    stage.systemd.add(WEB)
    async with running(stage):
        for _ in range(5):
            await stage.systemd.tell(WEB, **DEAD)
        await stage.settle()

        assert stage.wakes.take() == [frozenset({WEB})]


@on_stage
async def test_signals_that_say_nothing_new_wake_nobody(stage: Stage) -> None:
    stage.systemd.add(WEB, "system.slice")
    async with running(stage):
        for name in (WEB, "system.slice"):
            await stage.systemd.tell(name)
        await stage.settle()

        assert stage.wakes.take() == []


@on_stage
async def test_a_failure_for_an_instant_ends_as_an_automatic_restart(stage: Stage) -> None:
    stage.systemd.add(WEB)
    async with running(stage):
        await stage.systemd.tell(WEB, **DEAD)
        await stage.systemd.tell(WEB, active="activating", sub="auto-restart")
        await stage.settle()

        unit = stage.units.facts()[WEB]
        assert (unit.active, unit.sub) == ("activating", "auto-restart")
        assert unit.auto_restarts == (stage.clock.boot(),)


@on_stage
async def test_a_burst_of_failures_wakes_with_many_names_at_once(stage: Stage) -> None:
    names = [f"d{number}.service" for number in range(400)]
    stage.systemd.add(*names)
    async with running(stage):
        for name in names:
            await stage.systemd.tell(name, **DEAD)
        await stage.settle()

        wakes = stage.wakes.take()
        assert frozenset().union(*wakes) == set(names)
        assert sum(map(len, wakes)) == len(names)
        assert len(wakes) < len(names)


@on_stage
async def test_a_unit_that_is_new_is_known_when_it_says_something(stage: Stage) -> None:
    async with running(stage):
        stage.systemd.add(WEB, active="inactive", sub="dead")
        await stage.systemd.emit("UnitNew", "so", WEB, unit_path(WEB))
        await stage.systemd.tell(WEB, active="activating", sub="start", job=7)
        await stage.wakes.until(lambda: WEB in stage.units.facts())

        assert stage.units.facts()[WEB].active == "activating"


@on_stage
async def test_a_unit_that_is_unloaded_is_forgotten_and_wakes(stage: Stage) -> None:
    stage.systemd.add(WEB)
    async with running(stage):
        del stage.systemd.units[WEB]
        await stage.systemd.emit("UnitRemoved", "so", WEB, unit_path(WEB))
        await stage.wakes.until(lambda: WEB not in stage.units.facts())

        assert stage.wakes.take() == [frozenset({WEB})]


@on_stage
async def test_units_that_come_and_go_are_never_asked_about(stage: Stage) -> None:
    """A question loads it again, which unloads it again: `systemctl status` of an idle unit would begin a loop."""
    async with running(stage):
        asked = len(stage.systemd.calls)
        for _ in range(20):
            await stage.systemd.emit("UnitNew", "so", WEB, unit_path(WEB))
            await stage.systemd.emit("UnitRemoved", "so", WEB, unit_path(WEB))
        await stage.settle()

        assert [call for call, _ in stage.systemd.calls[asked:]] == ["ListUnitsFiltered"]  # our own settling
        assert stage.wakes.take() == []


@on_stage
async def test_signals_of_a_stranger_are_not_believed(stage: Stage) -> None:
    stage.systemd.add(WEB)
    async with running(stage):
        address = DBusAddress(unit_path(WEB), interface=PROPERTIES)
        body: tuple[Any, ...] = (UNIT, {"ActiveState": ("s", "failed")}, [])
        stranger = await open_dbus_connection("SYSTEM")
        for number in range(1, 10):  # whichever of the connections is ours
            signal = new_signal(address, "PropertiesChanged", "sa{sv}as", body)
            gone = new_signal(DBusAddress(PATH, interface=MANAGER), "UnitRemoved", "so", (WEB, unit_path(WEB)))
            for message in (signal, gone):
                message.header.fields[HeaderFields.destination] = f":1.{number}"
                await stranger.send(message)
        await stage.settle()
        await stranger.close()

        assert stage.units.facts()[WEB].active == "active"
        assert stage.wakes.take() == []


@on_stage
async def test_a_stop_job_leaves_a_unit_that_was_stopped_on_purpose(stage: Stage) -> None:
    stage.systemd.add(WEB)
    async with running(stage):
        await stage.systemd.tell(WEB, job=7)
        await stage.systemd.tell(WEB, active="deactivating", sub="stop-sigterm")
        await stage.systemd.tell(WEB, active="inactive", sub="dead")
        await stage.systemd.end_job(7, WEB, "done")
        await stage.settle()

        assert stage.units.facts()[WEB].stopped_by_job


@on_stage
async def test_a_shutdown_is_known_as_soon_as_its_job_is_there(stage: Stage) -> None:
    async with running(stage):
        stage.systemd.system_state = "stopping"
        await stage.systemd.emit("JobNew", "uos", 9, f"{PATH}/job/9", "shutdown.target")
        await stage.wakes.until(lambda: stage.units.system_state() is SystemState.STOPPING)

        assert stage.wakes.take() == [frozenset()]


@on_stage
async def test_the_end_of_booting_says_to_look_at_all(stage: Stage) -> None:
    stage.systemd.system_state = "starting"
    async with running(stage):
        assert stage.units.system_state() is SystemState.STARTING

        stage.systemd.system_state = "degraded"
        await stage.systemd.emit("StartupFinished", "tttttt", 1, 2, 3, 4, 5, 6)
        await stage.wakes.until(lambda: stage.units.system_state() is SystemState.DEGRADED)

        assert stage.wakes.take() == [frozenset()]


@on_stage
async def test_a_thousand_units_are_listed_once(stage: Stage) -> None:
    stage.systemd.add(*(f"d{number}.service" for number in range(1000)))
    async with running(stage):
        assert len(stage.units.facts()) == 1000
        assert stage.systemd.asked("ListUnits") == 1
