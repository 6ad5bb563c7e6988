from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from healthd.config import UnitSettings
from healthd.decide.policy import Verdict
from healthd.errors import BusLost, RequestError
from healthd.events import Event
from healthd.model import ActionKind, HoldReason, Status
from tests.fake_units import service
from tests.unit.assembly import Assembly, assembled, settings, with_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthd.answers import Explanation
    from healthd.config import Settings

WEB = service("web.service")
STOPPED = service("stopped.service", active="inactive", sub="dead", stopped_by_job=True)
STATIC = service("dbus.service", file_state="static")
LOOP = service("loop.service")


async def nothing(_healthd: Assembly) -> None:
    """For scenes in which nothing happens."""


async def killed(healthd: Assembly) -> None:
    healthd.units.kill("web.service")
    await healthd.turn()


async def looping(healthd: Assembly) -> None:
    healthd.units.put(service("loop.service", auto_restarts=(980.0, 985.0, 990.0)))
    await healthd.turn()


def explained(
    name: str, *units: Any, configuration: Settings | None = None, after: Callable[[Assembly], Any] = nothing
) -> tuple[Explanation, Assembly]:
    """What `explain` says of this name once it has happened, with the healthd that said it."""

    async def scene() -> tuple[Explanation, Assembly]:
        async with assembled(*units, configuration=configuration) as healthd:
            await after(healthd)
            return await healthd.explainer.explain(name), healthd

    return asyncio.run(scene())


def test_it_names_the_reading_the_hold_and_until_when() -> None:
    async def killed_for_good(healthd: Assembly) -> None:
        healthd.units.stays_down.add("web.service")
        healthd.units.kill("web.service")
        await healthd.logged(Event.HEALING_HELD)

    told, healthd = explained("web", WEB, after=killed_for_good)

    assert told.facts["active state"] == "failed (failed)"
    assert told.facts["exit"] == "signal 9"
    assert (told.decision, told.hold) == ("hold", HoldReason.COOLDOWN)
    assert told.issue is not None
    assert told.until is not None
    assert 10.0 <= told.until - healthd.clock.wall() <= 11.0


@pytest.mark.parametrize("name", ["web", "web.service", "services/web", "services/web.service"])
def test_an_item_has_its_name_with_and_without_type_and_component(name: str) -> None:
    told, _ = explained(name, WEB)

    assert (told.name, told.component, told.status) == ("web.service", "services", Status.HEALTHY)
    assert (told.decision, told.hold_text, told.issue) == ("nothing", "there is no issue", None)


@pytest.mark.parametrize("name", ["mail", "other/web", "web.socket", ""])
def test_a_name_that_nobody_knows_is_a_404(name: str) -> None:
    async def scene() -> int:
        async with assembled(WEB) as healthd:
            with pytest.raises(RequestError) as caught:
                await healthd.explainer.explain(name)
            return caught.value.status

    assert asyncio.run(scene()) == 404


def test_of_a_component_it_tells_what_is_wrong_in_it_and_of_the_worst_issue() -> None:
    async def both(healthd: Assembly) -> None:
        await looping(healthd)
        await killed(healthd)

    told, _ = explained("services", WEB, LOOP, after=both, configuration=settings(dry_run=True))

    assert told.name == told.component == "services"
    assert told.facts["web.service"] == "killed by SIGKILL"
    assert told.facts["loop.service"] == "systemd restarted it 3 times in 10 s"
    assert told.facts["weight"] == "0.35 of 0.35"
    assert told.message == "2 of 2 units are not well: loop.service, web.service"
    assert told.issue is not None
    assert told.hold is not None


def test_a_component_that_is_well_has_nothing_to_be_done() -> None:
    told, _ = explained("services", WEB)

    assert (told.decision, told.score, told.message) == ("nothing", 1.0, "1 unit, all well")


def test_a_component_without_a_reading_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.checks.services.PATIENCE", 0.0)

    async def away(healthd: Assembly) -> None:
        healthd.units.connected = False
        healthd.units.wake()
        await healthd.logged(Event.COMPONENT_CHANGED, 2)

    told, _ = explained("services", WEB, after=away)

    assert (told.status, told.score) == (Status.UNKNOWN, 0.0)
    assert told.message == "systemd cannot be asked at the moment"


def test_a_dry_run_names_the_action_that_it_holds() -> None:
    told, _ = explained("web", WEB, after=killed, configuration=settings(dry_run=True))

    assert (told.decision, told.hold, told.action) == ("hold", HoldReason.DRY_RUN, ActionKind.START_UNIT)


def test_an_attempt_that_runs_is_said() -> None:
    async def in_flight(healthd: Assembly) -> None:
        healthd.units.hangs.add("web.service")
        healthd.units.kill("web.service")
        await healthd.logged(Event.HEALING_STARTED)

    told, _ = explained("web", WEB, after=in_flight)

    assert (told.decision, told.action, told.hold) == ("running", ActionKind.START_UNIT, None)
    assert told.hold_text == "attempt 1 is running"


def test_of_a_unit_that_somebody_stopped_it_says_that_it_is_left_alone() -> None:
    told, _ = explained("stopped.service", STOPPED)

    assert (told.status, told.decision, told.hold) == (Status.HEALTHY, "hold", HoldReason.OPERATOR_STOPPED)


def test_of_a_loaded_unit_it_says_that_it_is_not_watched_and_why_it_would_not_be_healed() -> None:
    told, _ = explained("dbus", WEB, STATIC)

    assert (told.component, told.status, told.hold) == ("", Status.UNKNOWN, HoldReason.PROTECTED)
    assert "does not watch" in told.message


@pytest.mark.parametrize(
    ("code", "words"), [(1, "status 3"), (2, "signal 3"), (3, "signal 3, core dumped")], ids=["exit", "kill", "core"]
)
def test_the_end_of_a_process_is_told_in_words(code: int, words: str) -> None:
    down = replace(WEB, active="failed", sub="failed", result="exit-code", code=code, exit_status=3, job=7)

    told, _ = explained("web", down, configuration=settings(dry_run=True))

    assert told.facts["exit"] == words
    assert told.facts["job"] == "job 7 is queued"
    assert (told.facts["type"], told.facts["Restart="]) == ("simple", "no")


def test_what_systemd_has_not_said_is_left_out() -> None:
    told, _ = explained("web", replace(WEB, detail=None, file_state="enabled", invocation=""))

    assert told.facts == {"active state": "active (running)", "unit file": "enabled", "result": "success"}


def test_restarts_by_systemd_itself_are_counted() -> None:
    told, _ = explained("loop", LOOP, after=looping)

    assert told.facts["automatic restarts"] == "3"
    assert told.hold is HoldReason.STARTING


def test_units_that_a_restart_takes_along_are_named_when_it_would_be_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.explain.rule", lambda *_: Verdict(action=ActionKind.RESTART_UNIT))
    alone, _ = explained("loop", LOOP, after=looping)

    async def with_others(healthd: Assembly) -> None:
        healthd.units.restarts_too = ("worker.service",)
        await looping(healthd)

    along, _ = explained("loop", LOOP, after=with_others)

    assert (alone.also_restarts, along.also_restarts) == ((), ("worker.service",))


def test_of_a_unit_with_a_ladder_it_names_the_rung_that_comes_next() -> None:
    table = UnitSettings(actions=("start_unit", "run_unit:mend.service"))

    async def in_vain(healthd: Assembly) -> None:
        healthd.units.stays_down.add("web.service")
        healthd.units.kill("web.service")
        await healthd.logged(Event.HEALING_HELD)

    told, _ = explained("web", WEB, configuration=with_table("web.service", table), after=in_vain)

    assert told.hold is HoldReason.COOLDOWN
    assert told.facts["next of its actions"] == "run_unit:mend.service"


def test_a_bus_that_is_away_does_not_keep_the_rest_of_the_answer_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.explain.rule", lambda *_: Verdict(action=ActionKind.RESTART_UNIT))
    asked = []

    async def away(healthd: Assembly) -> None:
        async def lost(_name: str) -> tuple[str, ...]:
            asked.append(_name)
            raise BusLost("the bus is away")

        healthd.units.restarted_with = lost  # type: ignore[method-assign]
        await looping(healthd)

    told, _ = explained("loop", LOOP, after=away)

    assert asked == ["loop.service"]
    assert (told.action, told.also_restarts) == (ActionKind.RESTART_UNIT, ())


def test_what_is_down_comes_before_the_crash_loop_that_led_there() -> None:
    async def given_up(healthd: Assembly) -> None:
        await looping(healthd)
        healthd.clock.advance(1)
        healthd.units.stays_down.add("loop.service")
        healthd.units.kill("loop.service")
        await healthd.logged(Event.HEALING_FINISHED)

    told, healthd = explained("loop", LOOP, after=given_up)

    assert len(healthd.view.issues()) == 2
    assert told.issue is not None
    assert (told.issue.type, told.hold) == ("service_down", HoldReason.COOLDOWN)
