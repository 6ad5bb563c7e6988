"""Making way for units: what their last words ask for, and when they are heard."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from healthd.expose.way import Way, wanted
from healthd.model import SystemState
from tests.fake_units import FakeHost, FakeUnits, service

HELD = frozenset({8080, 9090})


@pytest.mark.parametrize(
    ("words", "ports"),
    [
        (['level=error err="listen tcp 0.0.0.0:9090: bind: address already in use"'], {9090}),
        (["nginx: [emerg] bind() to 0.0.0.0:8080 failed (98: Address already in use)"], {8080}),
        (["nginx: [emerg] bind() to [::]:8080 failed (98: Unknown error)"], {8080}),
        (["Error: listen EADDRINUSE: address already in use :::8080"], {8080}),
        (["web.socket: Failed to create listening socket ([::]:9090): Address already in use"], {9090}),
        (["could not bind to port 8080: Address already in use"], {8080}),
        (["[::1]:8080: address in use"], {8080}),
        (["Failed to initialize connector [HTTP/1.1-8080]", "java.net.BindException: Address already in use"], {8080}),
        (["serving at 8080", "OSError: [Errno 98] Address already in use"], {8080}),
        (["OSError: [Errno 98] Address already in use"], {8080, 9090}),
        (["bind: address already in use: 0.0.0.0:25"], set()),
        (["bind() to 0.0.0.0:80 failed (98: Address already in use)"], set()),
        (["listening on :443", "OSError: [Errno 98] Address already in use"], set()),
        (["cannot connect to 10.0.0.1:8080", "out of memory"], set()),
        (["listen tcp :18080: bind: address already in use"], set()),
        ([], set()),
    ],
)
def test_last_words_name_the_port_that_is_wanted(words: list[str], ports: set[int]) -> None:
    assert wanted(words, HELD) == ports


class Listeners:
    """Holds ports, and remembers to whom they were given up."""

    def __init__(self, *ports: int) -> None:
        self.ports = set(ports)
        self.given: list[tuple[int, str]] = []
        self.more = asyncio.Event()

    def held(self) -> frozenset[int]:
        return frozenset(self.ports)

    def give_up(self, port: int, unit: str) -> None:
        self.ports.discard(port)
        self.given.append((port, unit))
        self.more.set()


class Young(FakeHost):
    """Has booted a moment ago."""

    def uptime(self) -> float:
        return 5.0


class Scene:
    def __init__(self, *ports: int) -> None:
        self.units = FakeUnits(service("web.service"))
        self.listeners = Listeners(*ports)
        self.way = Way(self.units, Young(), self.listeners)  # type: ignore[arg-type]

    def fails(self, run: str, *words: str, **changes: str) -> None:
        self.units.wrote("web.service", run, *words)
        state = {"active": "failed", "sub": "failed", "result": "exit-code", "invocation": run} | changes
        self.units.put(replace(self.units.facts()["web.service"], **state))  # type: ignore[arg-type]

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


def played(*steps: tuple[str, ...], ports: tuple[int, ...] = (8080, 9090), **changes: str) -> list[tuple[int, str]]:
    """To whom ports were given when a unit fails with these runs and last words."""

    async def scene() -> list[tuple[int, str]]:
        stage = Scene(*ports)
        task = asyncio.create_task(stage.way.run())
        await stage.settle()
        for run, *words in steps:
            stage.fails(run, *words, **changes)
            await stage.settle()
        task.cancel()
        return stage.listeners.given

    return asyncio.run(scene())


IN_USE = "bind: address already in use"


def test_a_unit_that_fails_for_a_port_of_healthds_gets_it() -> None:
    assert played(("one", f"listen tcp :9090: {IN_USE}")) == [(9090, "web.service")]


def test_one_that_systemd_starts_again_by_itself_gets_it_too() -> None:
    given = played(("one", f"listen tcp :9090: {IN_USE}"), active="activating", sub="auto-restart")

    assert given == [(9090, "web.service")]


def test_a_unit_that_is_well_or_failed_for_another_reason_gets_nothing() -> None:
    assert played(("one", "segmentation fault")) == []
    assert played(("one", f"listen tcp :9090: {IN_USE}"), active="active", sub="running") == []


def test_a_run_is_asked_about_once() -> None:
    assert played(("one", "nothing"), ("one", f":9090: {IN_USE}")) == []
    assert played(("one", "nothing"), ("two", f":9090: {IN_USE}")) == [(9090, "web.service")]


def test_a_unit_that_names_no_port_and_fails_though_all_are_free_takes_them_but_once() -> None:
    async def scene() -> list[tuple[int, str]]:
        stage = Scene(8080)
        task = asyncio.create_task(stage.way.run())
        await stage.settle()
        for run in ("one", "two", "three", "four"):
            stage.fails(run, IN_USE)
            await stage.settle()
            if run == "two":
                stage.listeners.ports.add(8080)
        task.cancel()
        return stage.listeners.given

    assert asyncio.run(scene()) == [(8080, "web.service")]


def test_while_the_host_starts_its_units_choose_first() -> None:
    async def scene() -> None:
        stage = Scene()
        stage.units.system = SystemState.STARTING
        task = asyncio.create_task(stage.way.run())
        settled = asyncio.create_task(stage.way.settled())
        await stage.settle()
        assert not settled.done()
        stage.units.system = SystemState.RUNNING
        stage.units.wake()
        await asyncio.wait_for(settled, 5)
        task.cancel()

    asyncio.run(scene())


def test_a_host_that_takes_too_long_to_start_is_not_waited_for() -> None:
    async def scene() -> None:
        stage = Scene()
        stage.units.system = SystemState.STARTING
        await asyncio.wait_for(Way(stage.units, FakeHost(), stage.listeners).settled(), 5)  # type: ignore[arg-type]

    asyncio.run(scene())


def test_a_storm_of_failures_leaves_most_units_alone() -> None:
    async def scene() -> int:
        stage = Scene(8080)
        names = [f"web-{number}.service" for number in range(100)]
        for name in names:
            stage.units.put(service(name, active="failed", invocation="one"))
            stage.units.wrote(name, "one", f":8080: {IN_USE}")
        stage.way.heard(frozenset(names))
        return stage.way._failed.qsize()

    assert asyncio.run(scene()) == 16


@pytest.mark.parametrize("told", [True, False], ids=["told of", "among all"])
def test_a_unit_that_is_loaded_no_more_is_forgotten(told: bool) -> None:
    async def life() -> list[str]:
        units = FakeUnits()
        way = Way(units, FakeHost(), Listeners(8080))  # type: ignore[arg-type]
        for number in range(3):
            name = f"run-{number}.service"
            units.put(service(name, active="failed", sub="failed"))
            way.heard(frozenset({name}))
            units.remove(name)
            way.heard(frozenset({name} if told else ()))
        return list(way._asked)  # what it remembers shows nowhere else

    assert asyncio.run(life()) == []
