"""Silences as operators set and end them: what a name stands for, and what is refused and why."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from healthd.answers import Wish
from healthd.config import ComponentSettings
from healthd.decide.silence import MOST_SILENCES
from healthd.errors import RequestError
from healthd.events import Event
from healthd.model import HoldReason
from tests.fake_units import service
from tests.unit.assembly import Assembly, assembled, controller, settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from healthd.answers import Quiet
    from healthd.control import Controller

WEB, BACKUP = service("web.service"), service("backup.service")
NOTHING = Wish(
    name=None, everything=False, seconds=None, while_unit=None, calendar=None, reason="", by="alice (claimed)"
)


def wish(name: str | None = None, **changes: Any) -> Wish:
    return replace(NOTHING, name=name, **changes)


@asynccontextmanager
async def healthd_with(*units: Any) -> AsyncIterator[tuple[Assembly, Controller]]:
    site = ComponentSettings(type="unit", weight=0.1, unit="web.service")
    base = settings()
    configuration = replace(base, component={**base.component, "site": site})
    async with assembled(*(units or (WEB, BACKUP)), configuration=configuration) as healthd:
        yield healthd, controller(healthd)


def done(scene: Callable[[Assembly, Controller], Awaitable[Any]]) -> Any:
    async def play() -> Any:
        async with healthd_with() as (healthd, control):
            return await scene(healthd, control)

    return asyncio.run(play())


def refused(wished: Wish) -> RequestError:
    async def scene(_healthd: Assembly, control: Controller) -> RequestError:
        with pytest.raises(RequestError) as error:
            await control.silence(wished)
        return error.value

    error: RequestError = done(scene)
    return error


def made(wished: Wish) -> Quiet:
    async def scene(_healthd: Assembly, control: Controller) -> Quiet:
        return await control.silence(wished)

    quiet: Quiet = done(scene)
    return quiet


@pytest.mark.parametrize(
    ("wished", "kind", "scope"),
    [
        (wish(everything=True), "all", "everything"),
        (wish("services"), "component", "component services"),
        (wish("site"), "component", "component site"),
        (wish("web.service"), "units", "web.service"),
        (wish("web"), "units", "web.service"),
        (wish("services/web"), "units", "web.service"),
        (wish("web-*.service"), "units", "web-*.service"),
    ],
)
def test_a_name_is_a_component_an_item_a_unit_or_a_pattern(wished: Wish, kind: str, scope: str) -> None:
    quiet = made(wished)

    assert (quiet.kind, quiet.scope, quiet.in_force) == (kind, scope, True)


def test_it_lasts_an_hour_unless_said_otherwise() -> None:
    quiet = made(wish("web"))
    assert quiet.until is not None
    assert quiet.until - quiet.set_at == pytest.approx(3600.0)
    quiet = made(wish("web", seconds=60.0, reason="new disk"))
    assert quiet.until is not None
    assert quiet.until - quiet.set_at == pytest.approx(60.0)

    assert (quiet.id, quiet.by, quiet.reason) == ("s1", "alice (claimed)", "new disk")


def test_with_a_unit_it_ends_with_it_and_with_a_time_no_later_than_that() -> None:
    quiet = made(wish("web", while_unit="backup"))
    assert (quiet.while_unit, quiet.until) == ("backup.service", None)

    assert made(wish("web", while_unit="backup", seconds=60.0)).until is not None


def test_by_a_calendar_it_says_when_the_next_window_begins() -> None:
    quiet = made(wish(everything=True, calendar="Sun 02:00", seconds=600.0))

    assert (quiet.in_force, quiet.until, quiet.seconds) == (False, None, 600.0)
    assert quiet.begins is not None
    assert quiet.begins > quiet.set_at


@pytest.mark.parametrize(
    ("wished", "status", "said"),
    [
        (NOTHING, 400, "what is to be silenced"),
        (wish("web", everything=True), 400, "one or the other"),
        (wish("web", calendar="daily", while_unit="backup"), 400, "not by both"),
        (wish("web", seconds=0.0), 400, "from a second to 366 days"),
        (wish("web", seconds=1e9), 400, "from a second to 366 days"),
        (wish("wbe"), 404, "no component, item or loaded unit"),
        (wish("web-[.service"), 400, "no pattern of unit names"),
        (wish("web", while_unit="nothing"), 404, "no loaded unit"),
        (wish("web", calendar="whenever"), 400, "no calendar expression"),
        (wish("web", calendar="daily Nowhere/Land"), 400, "no time zone"),
        (wish("web", calendar="hourly", seconds=7200.0), 400, "comes again after 3600 s"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_in_one_line(wished: Wish, status: int, said: str) -> None:
    error = refused(wished)

    assert error.status == status
    assert said in str(error)
    assert "\n" not in str(error)


def test_a_unit_that_does_not_run_is_no_end_to_wait_for() -> None:
    async def scene() -> None:
        async with healthd_with(WEB, replace(BACKUP, active="inactive", sub="dead", stopped_by_job=True)) as (
            _,
            control,
        ):
            with pytest.raises(RequestError, match="does not run") as error:
                await control.silence(wish("web", while_unit="backup"))
            assert error.value.status == 409

    asyncio.run(scene())


def test_what_is_silenced_is_on_the_disk_before_that_is_answered_and_is_held() -> None:
    async def scene(healthd: Assembly, control: Controller) -> None:
        quiet = await control.silence(wish("site"))
        assert '"by":"alice (claimed)"' in str(healthd.store.rows).replace("': '", '":"').replace("'", '"')
        healthd.units.kill("web.service")
        held = await healthd.logged(Event.HEALING_HELD)
        assert held.fields["reason"] is HoldReason.SILENCED
        assert control.status().silences == control.silences() == (quiet,)
        assert (await control.explain("web")).hold is HoldReason.SILENCED
        started = healthd.log.of(Event.SILENCE_STARTED)[0]
        assert (started.fields["silence"], started.fields["by"]) == ("s1", "alice (claimed)")

    done(scene)


def test_more_than_some_are_refused() -> None:
    async def scene(_healthd: Assembly, control: Controller) -> None:
        for _ in range(MOST_SILENCES):
            await control.silence(wish("web"))
        with pytest.raises(RequestError, match="already"):
            await control.silence(wish("web"))

    done(scene)


# Ending them


@pytest.mark.parametrize(
    ("name", "everything", "ended"),
    [
        ("s2", False, ["s2"]),
        ("web", False, ["s1", "s3"]),
        ("services", False, ["s2"]),
        (None, True, ["s1", "s2", "s3", "s4"]),
    ],
)
def test_they_end_by_id_by_name_or_all(name: str | None, everything: bool, ended: list[str]) -> None:
    async def scene(_healthd: Assembly, control: Controller) -> None:
        for target in ("web", "services", "web.service"):
            await control.silence(wish(target))
        await control.silence(wish(everything=True))
        gone = await control.resume(name, everything=everything, by="bob")
        assert [each.id for each in gone] == ended
        assert not {each.id for each in control.silences()} & set(ended)

    done(scene)


def test_without_a_name_the_only_one_ends_and_of_several_none() -> None:
    async def scene(healthd: Assembly, control: Controller) -> None:
        with pytest.raises(RequestError, match="nothing is silenced"):
            await control.resume(None, everything=False, by="bob")
        await control.silence(wish("web"))
        assert [each.id for each in await control.resume(None, everything=False, by="bob")] == ["s1"]
        assert "bob ended it" in healthd.log.of(Event.SILENCE_ENDED)[0].message
        await control.silence(wish("web"))
        await control.silence(wish("services"))
        with pytest.raises(RequestError, match="name one"):
            await control.resume(None, everything=False, by="bob")

    done(scene)


def test_of_a_name_that_only_a_wider_silence_covers_that_is_said() -> None:
    async def scene(_healthd: Assembly, control: Controller) -> None:
        with pytest.raises(RequestError, match="web is not silenced"):
            await control.resume("web", everything=False, by="bob")
        await control.silence(wish("site"))
        for name in ("web", "web.service"):
            with pytest.raises(RequestError, match="with component site"):
                await control.resume(name, everything=False, by="bob")
        with pytest.raises(RequestError, match="backup is not silenced"):
            await control.resume("backup", everything=False, by="bob")
        await control.silence(wish(everything=True))
        with pytest.raises(RequestError, match="with everything"):
            await control.resume("services", everything=False, by="bob")

    done(scene)
