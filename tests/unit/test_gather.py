"""Evidence: what is read before an action, and what right after, and that nothing of it is in the way of healing."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from healthd import gather
from healthd.assess.picture import Component, Picture
from healthd.decide.happenings import GaveUp, Opened, Started
from healthd.decide.state import Key
from healthd.evidence import Change, ChangeKind, Changes, CoreDump, Line, Scene, UnitFiles
from healthd.figures import GroupUsage, Pressure, Stalls
from healthd.gather import Gatherer
from healthd.model import Assessment, IssueType, Measure
from tests.fake_units import FakeHost, FakeUnits, service
from tests.fakes import FakeClock
from tests.unit.builders import DOWN, UNIT, attempt, item, killed, ticket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from healthd.decide.state import Ticket
    from healthd.model import UnitFacts

LINES = (Line(at=1.0, source="web", text="it breaks"),)
EDITED = Change(at=2.0, kind=ChangeKind.UNIT_FILE, what="/etc/x.conf", text="was edited", own=True)
CORE = CoreDump(at=3.0, pid=812, signal="SIGSEGV", program="/usr/sbin/web", file="")


@dataclass(kw_only=True)
class Scenery:
    """A host with one unit. `found` is all that was handed over."""

    units: FakeUnits = field(default_factory=lambda: FakeUnits(killed()))
    host: FakeHost = field(default_factory=FakeHost)
    clock: FakeClock = field(default_factory=FakeClock)
    picture: Picture = field(default_factory=lambda: Picture([component()]))
    tickets: dict[Key, Ticket] = field(default_factory=dict)
    found: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    come: asyncio.Event = field(default_factory=asyncio.Event)
    gatherer: Gatherer = field(init=False)

    def __post_init__(self) -> None:
        self.gatherer = Gatherer(
            units=self.units,
            host=self.host,
            clock=self.clock,
            picture=self.picture,
            tickets=lambda: self.tickets,
            found=self._take,
            settle=0.0,
        )

    def _take(self, incident: int, **what: Any) -> None:
        self.found.append((incident, what))
        self.come.set()

    async def until(self, name: str, times: int = 1) -> list[Any]:
        """Wait until something of this name was handed over so often."""
        async with asyncio.timeout(5):
            while len(self.of(name)) < times:
                self.come.clear()
                await self.come.wait()
        return self.of(name)

    async def until_asked(self, times: int) -> None:
        """Wait until the journal was asked for scenes so often."""
        async with asyncio.timeout(5):
            while len(self.units.scenes_asked) < times:  # noqa: ASYNC110  it does not say that it was asked
                await asyncio.sleep(0)

    def of(self, name: str) -> list[Any]:
        return [what[name] for _, what in self.found if what.get(name) is not None]


def component() -> Component:
    return Component(name="services", weight=1.0, critical=False, combine=lambda _: 0.5)


@asynccontextmanager
async def at_work(scenery: Scenery) -> AsyncIterator[Scenery]:
    task = asyncio.create_task(scenery.gatherer.run())
    yield scenery
    task.cancel()


def opened(incident: int = 1, unit: UnitFacts | None = None, **changes: Any) -> Opened:
    return Opened(ticket=ticket(incident=incident, **changes), unit=unit or killed())


def test_what_a_failed_run_left_is_found_with_what_changed_in_the_hour_before() -> None:
    async def play() -> Scenery:
        async with at_work(Scenery()) as scenery:
            scenery.units.scenes[UNIT, "first"] = Scene(lines=LINES, core=CORE)
            scenery.units.files_now[UNIT] = UnitFiles(name=UNIT, fragment="/etc/x")
            scenery.host.changes_now = Changes(found=(EDITED,), missed=("/etc/y cannot be looked at",))
            scenery.gatherer.hear([opened()])
            await scenery.until("run")
            return scenery

    scenery = asyncio.run(play())

    (run,), (changes,), (missed,) = scenery.of("run"), scenery.of("changes"), scenery.of("missed")
    assert (run.unit, run.invocation, run.text, run.result, run.exit_status) == (
        UNIT,
        "first",
        "killed by SIGKILL",
        "signal",
        9,
    )
    assert (run.lines, run.core, changes, missed) == (LINES, CORE, (EDITED,), ("/etc/y cannot be looked at",))
    ((units, since, until),) = scenery.host.looked_for
    assert (units, until - since) == ([UnitFiles(name=UNIT, fragment="/etc/x")], 3601.0)


def test_how_host_and_component_stood_is_noted_at_once() -> None:
    scenery = Scenery()
    stalls = Stalls(some=1.0, some_10s=2.5)
    scenery.host.pressure_now = Pressure(at=0.0, stalls={"cpu": stalls})
    restarts = Measure(name="restarts", value=3.0, seconds_to_critical=90.0)
    scenery.picture.take("services", Assessment(items=(item(measures=(restarts,)),)), 0.0)
    scenery.tickets[DOWN] = ticket(incident=1)
    disk = Key("storage", "/var", IssueType.DISK_FULL)
    scenery.tickets[disk] = ticket(disk, incident=2, message="97 % used", unit=None)

    scenery.gatherer.hear([opened()])

    (stood,) = scenery.of("surroundings")
    assert (stood.memory_total, stood.load) == (2 * 2**30, None)
    assert (stood.pressure, stood.values, stood.seconds_to_critical) == ({"cpu": 2.5}, {"restarts": 3.0}, 90.0)
    assert (stood.score, stood.trend) == (0.5, "worsening")
    assert stood.beside == ("storage /var: 97 % used",)


def test_memory_and_tasks_of_a_unit_that_runs_are_read_before_the_action() -> None:
    async def play(unit: UnitFacts) -> Scenery:
        async with at_work(Scenery(units=FakeUnits(unit))) as scenery:
            group = GroupUsage(memory=5 * 2**20, memory_max=None, cpu_seconds=1.0, tasks=7, tasks_max=None)
            scenery.host.groups[f"/system.slice/{UNIT}"] = group
            await scenery.gatherer.before(UNIT)
            scenery.gatherer.hear([opened(unit=unit), Started(ticket=ticket(incident=1), attempt=attempt(), unit=unit)])
            await scenery.until("run")
            return scenery

    ran, dead = asyncio.run(play(service(UNIT))), asyncio.run(play(killed()))

    assert [(run.memory, run.tasks, run.result) for run in ran.of("run")] == [(5 * 2**20, 7, "")]
    assert [(run.memory, run.tasks) for run in dead.of("run")] == [(None, None)]
    assert dead.units.calls == [("unit_files", UNIT)]  # of one that is dead nothing is asked on the way to its start


def test_an_action_never_fails_for_evidence_that_cannot_be_had() -> None:
    async def play() -> None:
        scenery = Scenery(units=FakeUnits(service(UNIT)))
        await scenery.gatherer.before(UNIT)  # there is no such control group
        await scenery.gatherer.before("unknown.service")
        scenery.units.connected = False
        await scenery.gatherer.before(UNIT)

    asyncio.run(play())


def test_of_actions_without_end_no_more_is_remembered_than_could_be_of_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "MOST_WAITING", 3)

    async def play() -> int:
        units = [service(f"{n}.service") for n in range(9)]
        scenery = Scenery(units=FakeUnits(*units))
        group = GroupUsage(memory=1, memory_max=None, cpu_seconds=None, tasks=1, tasks_max=None)
        for unit in units:
            scenery.host.groups[f"/system.slice/{unit.name}"] = group
            await scenery.gatherer.before(unit.name)
        return len(scenery.gatherer._usage)

    assert asyncio.run(play()) == 3


def test_what_cannot_be_read_is_said() -> None:
    async def play() -> Scenery:
        async with at_work(Scenery()) as scenery:
            scenery.units.scenes[UNIT, "first"] = None
            scenery.units.connected = False
            scenery.host.changes_now = None
            scenery.gatherer.hear([opened()])
            await scenery.until("run")
            return scenery

    scenery = asyncio.run(play())

    assert scenery.of("missed") == [
        (
            "what web.service wrote last cannot be read from the journal",
            "systemd does not say which files web.service is made of: the bus is away",
            "not readable here",
        )
    ]
    assert scenery.of("changes") == []


def test_an_issue_without_a_unit_has_no_run_but_all_else() -> None:
    async def play() -> Scenery:
        async with at_work(Scenery()) as scenery:
            scenery.host.changes_now = Changes(found=(EDITED,))
            scenery.gatherer.hear([Opened(ticket=ticket(incident=4, unit=None))])
            await scenery.until("changes")
            return scenery

    scenery = asyncio.run(play())

    assert scenery.of("run") == []
    assert scenery.of("changes") == [(EDITED,)]


def test_each_failed_run_is_looked_at_once_and_of_many_the_first_ones() -> None:
    async def play() -> Scenery:
        async with at_work(Scenery()) as scenery:
            scenery.gatherer.hear([opened(), opened(), GaveUp(ticket=ticket(incident=1), retry=None)])
            for number in range(2, 10):
                unit = killed(invocation=f"run-{number}")
                scenery.gatherer.hear([Started(ticket=ticket(incident=1), attempt=attempt(number=number), unit=unit)])
            await scenery.until("run", gather.MOST_RUNS)
            return scenery

    scenery = asyncio.run(play())

    assert [run.invocation for run in scenery.of("run")] == ["first", "run-2", "run-3", "run-4", "run-5"]
    assert len(scenery.host.looked_for) == 1  # what changed before is the same for all of them
    assert len(scenery.of("surroundings")) == 1


def test_a_core_dump_that_is_not_written_yet_is_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "LATER_SECONDS", (0.0, 0.0))

    async def play() -> Scenery:
        async with at_work(Scenery()) as scenery:
            scenery.gatherer.hear([opened(unit=killed(code=3, exit_status=11))])
            await scenery.until("run")
            scenery.units.scenes[UNIT, "first"] = Scene(core=CORE)
            await scenery.until("run", 2)
            return scenery

    scenery = asyncio.run(play())

    assert [run.core for run in scenery.of("run")] == [None, CORE]
    assert len(scenery.of("changes")) == 1


def test_last_words_that_come_late_are_found_by_a_later_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "LATER_SECONDS", (0.0, 0.0))
    exited = Line(at=1.5, source="systemd", text="Main process exited")

    async def play() -> Scenery:
        async with at_work(Scenery()) as scenery:
            scenery.units.scenes[UNIT, "first"] = Scene(lines=(exited,))
            scenery.gatherer.hear([opened()])
            await scenery.until_asked(2)
            scenery.units.scenes[UNIT, "first"] = Scene(lines=(*LINES, exited))
            await scenery.until("run", 2)
            return scenery

    scenery = asyncio.run(play())

    assert [run.lines for run in scenery.of("run")] == [(exited,), (*LINES, exited)]
    assert len(scenery.host.looked_for) == 1


def test_a_unit_that_wrote_nothing_is_looked_at_again_and_told_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "LATER_SECONDS", (0.0, 0.0))

    async def play() -> Scenery:
        async with at_work(Scenery()) as scenery:
            scenery.gatherer.hear([opened()])
            await scenery.until_asked(3)
            scenery.gatherer.hear([opened(incident=2, unit=killed(invocation="other"))])
            await scenery.until("run", 2)
            return scenery

    scenery = asyncio.run(play())

    assert [run.invocation for run in scenery.of("run")] == ["first", "other"]
    assert scenery.units.scenes_asked[:4] == ["first", "first", "first", "other"]


def test_in_a_storm_what_finds_no_room_is_said_and_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "MOST_WAITING", 2)
    scenery = Scenery()
    units = [killed(f"{n}.service") for n in range(4)]

    scenery.gatherer.hear(
        [Opened(ticket=ticket(incident=n, unit=unit.name), unit=unit) for n, unit in enumerate(units, 1)]
    )

    assert [number for number, what in scenery.found if "missed" in what] == [3, 4]


def test_while_something_is_being_healed_evidence_waits_but_not_for_ever() -> None:
    async def play(*, heals_for_ever: bool) -> Scenery:
        scenery = Scenery()
        scenery.tickets[DOWN] = ticket(incident=1, attempt=attempt())
        async with at_work(scenery):
            scenery.gatherer.hear([opened()])
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert scenery.of("run") == []
            if not heals_for_ever:
                scenery.tickets[DOWN] = ticket(incident=1, attempt=attempt(ended_at=1.0))
            await scenery.until("run")
        return scenery

    for heals_for_ever in (False, True):
        assert len(asyncio.run(play(heals_for_ever=heals_for_ever)).of("run")) == 1


def test_an_issue_without_an_incident_is_not_looked_at() -> None:
    scenery = Scenery()

    scenery.gatherer.hear([Opened(ticket=replace(ticket(), incident=0), unit=killed())])

    assert scenery.found == []


def test_incidents_without_end_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "_MOST_INCIDENTS", 3)
    scenery = Scenery()

    scenery.gatherer.hear([Opened(ticket=ticket(incident=n, unit=None)) for n in range(1, 20)])

    assert sorted(scenery.gatherer._seen) == [17, 18, 19]
