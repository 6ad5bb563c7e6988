from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from healthd.answers import Diagnosis, Wish
from healthd.assess.picture import Component
from healthd.assess.score import worst
from healthd.errors import BusTimeout, StorageError
from healthd.events import Event
from healthd.model import Assessment, JobResult, Problem
from tests.fake_units import MemoryStore, service
from tests.unit.assembly import Assembly, assembled, controller, doctor_of, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from healthd.config import Settings

WEB = service("web.service")
MAIL = service("mail.service")


def nothing(_healthd: Assembly) -> None:
    """For a host on which nothing is wrong."""


def found(
    *units: Any,
    configuration: Settings | None = None,
    store: MemoryStore | None = None,
    wrong: Callable[[Assembly], None] = nothing,
    **known: Any,
) -> Mapping[str, Diagnosis]:
    """What the doctor says of each thing on a host on which this is wrong."""

    async def scene() -> Mapping[str, Diagnosis]:
        async with assembled(*units, configuration=configuration, store=store) as healthd:
            wrong(healthd)
            return {each.name: each for each in await doctor_of(healthd, **known).diagnose()}

    return asyncio.run(scene())


def test_where_all_is_well_nothing_is_broken() -> None:
    lines = found(WEB)

    assert {each.ok for each in lines.values()} == {True}
    assert lines["system bus"].text == "systemd answers; loaded: 1 unit"
    assert lines["sockets"].text == "serving /run/healthd/healthd.sock"
    assert lines["configuration"].text == "in force: the defaults"


def test_it_finds_a_unit_that_polkit_does_not_grant() -> None:
    lines = found(WEB, MAIL, wrong=lambda healthd: healthd.units.refuses.add("mail.service"))

    assert lines["polkit"].ok is False
    assert lines["polkit"].text == "1 of 2 units may not be healed: mail.service: polkit said no"
    assert "60-healthd-units.rules" in lines["polkit"].remedy


def test_units_that_are_refused_for_one_reason_are_told_together() -> None:
    units = [service(f"unit-{number}.service") for number in range(5)]

    lines = found(*units, wrong=lambda healthd: healthd.units.refuses.update(unit.name for unit in units))

    named = "unit-0.service, unit-1.service, unit-2.service and 2 more"
    assert lines["polkit"].text == f"5 of 5 units may not be healed: {named}: polkit said no"


def test_a_polkit_that_does_not_answer_is_waited_for_once() -> None:
    asked = []

    def silent(healthd: Assembly) -> None:
        async def no_answer(name: str, *, deadline: float) -> JobResult:
            asked.append((name, deadline))
            raise BusTimeout("no answer")

        healthd.units.reset_failed = no_answer  # type: ignore[method-assign]

    lines = found(WEB, MAIL, wrong=silent)

    assert lines["polkit"].ok is False
    assert [name for name, _ in asked] == ["mail.service"]


def test_it_asks_nothing_about_units_that_would_lose_something_by_it() -> None:
    async def scene() -> tuple[list[tuple[str, str]], Diagnosis]:
        protected = service("systemd-logind.service")
        looping = service("loop.service", auto_restarts=(999.0,))
        async with assembled(WEB, protected, looping, configuration=settings(dry_run=True)) as healthd:
            healthd.units.kill("web.service")
            await healthd.logged(Event.HEALING_HELD)
            lines = await doctor_of(healthd).diagnose()
            return healthd.units.calls, next(line for line in lines if line.name == "polkit")

    calls, polkit = asyncio.run(scene())

    assert "reset_failed" not in [verb for verb, _ in calls]
    assert polkit.ok is None


def test_a_bus_that_is_away_is_said_and_what_needs_it_is_not_tried() -> None:
    def away(healthd: Assembly) -> None:
        healthd.units.connected = False

    lines = found(WEB, wrong=away)

    assert [lines[name].ok for name in ("system bus", "polkit", "journal")] == [False, None, None]


def test_a_bus_that_does_not_answer_is_said_in_its_own_words() -> None:
    def silent(healthd: Assembly) -> None:
        async def no_answer() -> None:
            raise BusTimeout("no answer within 10 s")

        healthd.units.check_failed = no_answer  # type: ignore[method-assign]

    assert found(WEB, wrong=silent)["system bus"].text == "no answer within 10 s"


def test_a_state_that_cannot_be_written_is_said() -> None:
    store = MemoryStore()

    def full(_healthd: Assembly) -> None:
        store.broken = True

    lines = found(WEB, store=store, wrong=full)

    assert (lines["state"].ok, lines["state"].text) == (False, "no space left on device")


def test_whether_the_state_can_be_written_is_tried_by_writing_something() -> None:
    class ReadOnly(MemoryStore):
        async def save(self, changed: Mapping[str, Any], removed: Sequence[str]) -> None:
            if changed or removed:
                raise StorageError("attempt to write a readonly database")

    assert found(WEB, store=ReadOnly())["state"].text == "attempt to write a readonly database"


def test_a_journal_that_cannot_be_read_is_said() -> None:
    def unreadable(healthd: Assembly) -> None:
        async def unknown(name: str) -> bool | None:
            return None

        healthd.units.stopped_on_purpose = unknown  # type: ignore[method-assign]

    lines = found(WEB, wrong=unreadable)

    assert lines["journal"].ok is False
    assert "systemd-journal" in lines["journal"].remedy


def test_a_refused_reload_is_remembered_with_what_was_wrong() -> None:
    async def scene() -> Diagnosis:
        async with assembled(WEB) as healthd:
            doctor = doctor_of(healthd)
            doctor.rejected = "healthd.toml:3: health.check: unknown key"
            return (await doctor.diagnose())[0]

    line = asyncio.run(scene())

    assert (line.name, line.ok) == ("configuration", False)
    assert "healthd.toml:3" in line.text


def test_every_warning_about_the_configuration_is_shown() -> None:
    problems = tuple(Problem(file="a.toml", line=n, key="k", found="odd", allowed="") for n in (1, 2))

    line = found(WEB, configuration=replace(settings(), warnings=problems, files=("a.toml",)))["configuration"]

    assert line.ok is False
    assert line.text.splitlines() == ["a.toml:1: k: odd", "a.toml:2: k: odd"]


def test_what_the_host_lacks_is_said_and_nothing_is_broken() -> None:
    def lacks_sensors(healthd: Assembly) -> None:
        lacking = Component(name="temperature", weight=0.02, critical=False, combine=worst)
        picture = healthd.pipeline.picture
        picture.replace_components([*picture.components.values(), lacking])
        picture.take("temperature", Assessment(usable=False, absent=True, reason="no temperature sensor"), 1.0)

    line = found(WEB, wrong=lacks_sensors)["left out"]

    assert (line.ok, line.text) == (None, "temperature: no temperature sensor")


def test_what_the_daemon_itself_knows_is_passed_on() -> None:
    lines = found(WEB, log_is_journal=False, sockets=[], watchdog=lambda: Diagnosis(name="watchdog", ok=None, text="-"))

    assert [lines[name].ok for name in ("log", "sockets", "watchdog")] == [None, False, None]


def test_what_is_silenced_is_named_and_is_no_fault() -> None:
    async def scene() -> Sequence[Diagnosis]:
        async with assembled(WEB) as healthd:
            wish = Wish(
                name="web", everything=False, seconds=None, while_unit=None, calendar=None, reason="disk", by="alice"
            )
            await controller(healthd).silence(wish)
            return await doctor_of(healthd).diagnose()

    (line,) = (each for each in asyncio.run(scene()) if each.name == "silences")

    assert (line.ok, line.text) == (None, "web.service (s1), set by alice: disk")
