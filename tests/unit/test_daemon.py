from __future__ import annotations

import asyncio
import gc
import os
import signal
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from healthd import daemon
from healthd.errors import ConfigError, HealthdError
from healthd.events import Event
from healthd.model import Problem
from tests.fake_units import FakeHost
from tests.unit.assembly import settings
from tests.unit.doors import WEB, Doors, Notifier, Socket, Units, played, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthd.config import Settings

PROBLEM = Problem(file="healthd.toml", line=3, key="health.check", found="unknown key", allowed="")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setattr(daemon, "LinuxHost", SimpleNamespace(below=lambda _root: FakeHost()))
    monkeypatch.setattr(daemon, "runs_under_systemd", lambda: True)
    monkeypatch.setattr(daemon, "inherited", lambda: ())
    monkeypatch.setattr("healthd.checks.services.PATIENCE", 0.0)
    monkeypatch.setattr("healthd.expose.sockets.make_sockets", lambda directory: [Socket(f"{directory}/healthd.sock")])
    yield monkeypatch
    gc.unfreeze()


async def nothing(_doors: Doors) -> None:
    """For scenes in which nothing happens."""


def test_it_is_ready_with_the_first_judgement_and_says_when_it_stops(world: pytest.MonkeyPatch) -> None:
    doors = played(world, nothing)

    assert doors.notifier.told == ["ready: healthy, score 1.00 - services: 1 unit, all well", "stopping"]
    assert doors.messages(Event.DAEMON_READY) == [
        "healthd 0.1.0 watches 1 units; healing is on; configuration: defaults only"
    ]
    assert doors.log.events()[-1] is Event.DAEMON_STOPPING
    assert gc.isenabled()


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        (replace(settings(), health=replace(settings().health, auto_healing_enabled=False)), "healing is off"),
        (settings(dry_run=True), "healing is dry run"),
    ],
    ids=["off", "dry-run"],
)
def test_what_healing_may_do_is_said_at_the_start(changed: Settings, word: str, world: pytest.MonkeyPatch) -> None:
    def prepare(doors: Doors) -> None:
        doors.settings = changed

    assert word in played(world, nothing, prepare=prepare).messages(Event.DAEMON_READY)[0]


def test_the_status_line_follows_what_happens(world: pytest.MonkeyPatch) -> None:
    async def scene(doors: Doors) -> None:
        doors.units.hangs.add("web.service")
        doors.units.kill("web.service")
        await doors.notifier.until("status: auto_healing, score 0.60 - services: 1 of 1 unit is not well: web.service")

    played(world, scene)


def test_a_bus_that_is_away_is_said_and_nothing_is_claimed(world: pytest.MonkeyPatch) -> None:
    def prepare(doors: Doors) -> None:
        doors.units.away, doors.units.connected = True, False

    world.setattr(daemon, "_BUS_WAIT", 0.0)
    doors = played(world, nothing, prepare=prepare)

    assert doors.notifier.told[0] == "ready: unknown - services: systemd cannot be asked at the moment"
    assert "no_bus" in [record.fields["reason"] for record in doors.log.of(Event.FEATURE_OFF)]
    assert "watches nothing yet" in doors.messages(Event.DAEMON_READY)[0]


def test_without_a_manager_it_says_what_is_off(world: pytest.MonkeyPatch) -> None:
    def prepare(doors: Doors) -> None:
        doors.notifier.active, doors.notifier.why_off = False, "NOTIFY_SOCKET is not set"

    world.setattr(daemon, "runs_under_systemd", lambda: False)
    reasons = [record.fields["reason"] for record in played(world, nothing, prepare=prepare).log.of(Event.FEATURE_OFF)]

    assert reasons == ["no_socket_unit", "no_notify"]


def test_sockets_that_cannot_be_made_leave_healing_as_it_is(world: pytest.MonkeyPatch) -> None:
    def refuse(_directory: Path) -> list[Socket]:
        raise HealthdError("/run/healthd/healthd.sock is in use: another healthd runs")

    world.setattr("healthd.expose.sockets.make_sockets", refuse)
    doors = played(world, nothing)

    assert "the API is off: /run/healthd/healthd.sock is in use" in doors.messages(Event.FEATURE_OFF)[0]
    assert doors.notifier.told[0].startswith("ready")


def test_sockets_that_systemd_handed_over_are_served_and_closed(world: pytest.MonkeyPatch) -> None:
    handed = Socket("/run/healthd/healthd.sock")
    world.setattr(daemon, "inherited", lambda: (type("Inherited", (), {"socket": handed}),))

    async def scene(doors: Doors) -> None:
        assert doors.control is not None
        lines = {line.name: line for line in await doors.control.diagnose()}
        assert lines["sockets"].text == "serving /run/healthd/healthd.sock"

    doors = played(world, scene)

    assert handed.closed
    assert doors.log.of(Event.FEATURE_OFF) == []


def test_a_hang_up_applies_the_configuration_anew_with_its_warnings(world: pytest.MonkeyPatch) -> None:
    async def scene(doors: Doors) -> None:
        doors.settings = replace(settings(dry_run=True), files=("a.toml",), warnings=(PROBLEM,))
        os.kill(os.getpid(), signal.SIGHUP)
        await doors.notifier.until("ready", 2)
        assert doors.control is not None
        assert doors.control.config()["auto_healing"]["dry_run"] is True

    doors = played(world, scene)

    assert doors.notifier.told[1] == "reloading"
    told = ["configuration in force: a.toml", f"warning: {PROBLEM}"]
    assert doors.messages(Event.CONFIG_RELOADED) == told


def test_a_wrong_configuration_is_refused_and_the_old_one_stays(world: pytest.MonkeyPatch) -> None:
    async def scene(doors: Doors) -> None:
        doors.settings = ConfigError([PROBLEM])
        os.kill(os.getpid(), signal.SIGHUP)
        await doors.notifier.until("ready", 2)
        assert doors.control is not None
        assert doors.control.config()["auto_healing"]["dry_run"] is False
        (line, *_) = await doors.control.diagnose()
        assert "healthd.toml:3" in line.text
        with pytest.raises(ConfigError):
            await doors.control.apply_configuration()

    assert "healthd.toml:3" in played(world, scene).messages(Event.CONFIG_REJECTED)[0]


def test_a_hang_up_before_it_is_ready_waits_until_it_is(world: pytest.MonkeyPatch) -> None:
    def prepare(doors: Doors) -> None:
        load = doors.store.load

        async def load_and_hang_up() -> Any:
            os.kill(os.getpid(), signal.SIGHUP)
            return await load()

        doors.store.load = load_and_hang_up  # type: ignore[method-assign]

    async def scene(doors: Doors) -> None:
        await doors.notifier.until("ready", 2)

    told = [each.partition(":")[0] for each in played(world, scene, prepare=prepare).notifier.told]

    assert [each for each in told if each != "status"] == ["ready", "reloading", "ready", "stopping"]


def test_a_stop_before_it_is_ready_does_not_wait_for_it(world: pytest.MonkeyPatch) -> None:
    async def play() -> list[str]:
        doors = Doors(units=Units(WEB), notifier=Notifier())
        doors.units.away = True
        doors.units.connected = False
        async with running(world, doors):
            await asyncio.sleep(0)
        return doors.notifier.told

    assert asyncio.run(play()) == ["stopping"]


def test_a_state_that_cannot_be_read_is_set_aside_and_said(world: pytest.MonkeyPatch) -> None:
    doors = played(world, nothing, prepare=lambda doors: doors.store.fails.add("load"))

    assert "it is kept as /var/lib/healthd/history.db.broken-1" in doors.messages(Event.STORAGE_FAILED)[0]


def test_a_state_that_cannot_even_be_set_aside_is_no_reason_not_to_heal(world: pytest.MonkeyPatch) -> None:
    doors = played(world, nothing, prepare=lambda doors: doors.store.fails.update(("load", "set_aside")))

    assert "goes on from memory (cannot set_aside)" in doors.messages(Event.STORAGE_FAILED)[0]
    assert doors.notifier.told[0].startswith("ready")


def test_a_state_that_cannot_be_synced_at_the_end_is_said(world: pytest.MonkeyPatch) -> None:
    doors = played(world, nothing, prepare=lambda doors: doors.store.fails.add("close"))

    assert "could not be synced" in doors.messages(Event.STORAGE_FAILED)[0]


def test_the_watchdog_is_fed_while_the_newest_round_is_young(world: pytest.MonkeyPatch) -> None:
    def prepare(doors: Doors) -> None:
        doors.notifier.interval = 0.03

    async def scene(doors: Doors) -> None:
        await doors.notifier.until("alive", 3)
        assert doors.control is not None
        lines = {line.name: line for line in await doors.control.diagnose()}
        assert lines["watchdog"].ok is True

    played(world, scene, prepare=prepare)


def test_the_watchdog_is_not_fed_when_the_newest_round_is_old(world: pytest.MonkeyPatch) -> None:
    def prepare(doors: Doors) -> None:
        doors.notifier.interval = 0.003

    async def scene(doors: Doors) -> None:
        await doors.notifier.until("alive")
        doors.clock.advance(40)  # an interval and the time limit of its checks
        fed = doors.notifier.told.count("alive")
        await asyncio.sleep(0.02)
        assert doors.notifier.told.count("alive") == fed

    played(world, scene, prepare=prepare)


def test_without_a_watchdog_the_doctor_says_why(world: pytest.MonkeyPatch) -> None:
    async def scene(doors: Doors) -> None:
        assert doors.control is not None
        lines = {line.name: line for line in await doors.control.diagnose()}
        assert (lines["watchdog"].ok, lines["watchdog"].text) == (None, "WatchdogSec= is not set for healthd")

    played(world, scene)


def test_a_task_that_breaks_ends_the_daemon(world: pytest.MonkeyPatch) -> None:
    class Broken(Units):
        async def run(self) -> None:
            raise LookupError("a bug")

    async def play() -> None:
        doors = Doors(units=Broken(WEB), notifier=Notifier())
        async with running(world, doors) as task:
            with pytest.raises(ExceptionGroup) as caught:
                await task
            assert isinstance(caught.value.exceptions[0], LookupError)
            os.kill(os.getpid(), signal.SIGCONT)  # harmless; the daemon is gone

    with pytest.raises(ExceptionGroup):
        asyncio.run(play())
