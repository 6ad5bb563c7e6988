from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from healthd.config import ComponentSettings, Heal, UnitSettings
from healthd.errors import RequestError
from healthd.events import Event
from healthd.model import ActionKind, HoldReason, IssueType, OutcomeKind
from tests.fake_units import service
from tests.unit.assembly import SERVICES, assembled, controller, settings, with_table
from tests.unit.expose.fake_control import INCIDENT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from healthd.answers import Finished
    from healthd.model import UnitFacts

WEB = service("web.service")
LOOPED = service("web.service", auto_restarts=(980.0, 985.0, 990.0))


@pytest.mark.parametrize("verb", ["explain", "heal", "check", "reset"])
def test_a_name_that_nobody_knows_is_a_404(verb: str) -> None:
    async def scene() -> None:
        async with assembled(WEB) as healthd:
            control = controller(healthd)
            asked: dict[str, Callable[[], Awaitable[object]]] = {
                "explain": lambda: control.explain("nonsense"),
                "heal": lambda: control.heal("nonsense", None, dry_run=False, by="me"),
                "check": lambda: control.check("nonsense", by="me"),
                "reset": lambda: control.reset("nonsense", by="me"),
            }
            with pytest.raises(RequestError) as caught:
                await asked[verb]()
            assert caught.value.status == 404

    asyncio.run(scene())


def test_heal_by_hand_overrules_a_suggestion_and_waits_for_the_outcome() -> None:
    async def scene() -> tuple[list[tuple[str, str]], OutcomeKind | None, list[tuple[str, str]]]:
        configuration = with_table("web.service", UnitSettings(heal=Heal.SUGGEST))
        async with assembled(WEB, configuration=configuration) as healthd:
            healthd.units.kill("web.service")
            await healthd.logged(Event.HEALING_HELD)
            before = list(healthd.units.calls)
            done = await controller(healthd).heal("web", None, dry_run=False, by="alice")
            return before, done.outcome, healthd.units.calls

    assert asyncio.run(scene()) == ([], OutcomeKind.SUCCESS, [("start", "web.service")])


def test_heal_by_hand_never_overrules_dry_run() -> None:
    async def scene() -> tuple[str, HoldReason | None, list[tuple[str, str]]]:
        async with assembled(WEB, configuration=settings(dry_run=True)) as healthd:
            healthd.units.kill("web.service")
            await healthd.logged(Event.HEALING_HELD)
            done = await controller(healthd).heal("web", None, dry_run=False, by="alice")
            return done.decision, done.hold, healthd.units.calls

    assert asyncio.run(scene()) == ("hold", HoldReason.DRY_RUN, [])


def test_a_dry_run_of_heal_says_what_would_be_done_and_touches_nothing() -> None:
    async def scene() -> tuple[str, ActionKind | None, list[tuple[str, str]]]:
        configuration = with_table("web.service", UnitSettings(heal=Heal.OFF))
        async with assembled(WEB, configuration=configuration) as healthd:
            healthd.units.kill("web.service")
            await healthd.logged(Event.HEALING_HELD)
            told = await controller(healthd).heal("web", None, dry_run=True, by="alice")
            return told.decision, told.action, healthd.units.calls

    assert asyncio.run(scene()) == ("act", ActionKind.START_UNIT, [])


def test_heal_of_what_is_well_is_refused_with_a_hint() -> None:
    async def scene() -> None:
        async with assembled(WEB) as healthd:
            with pytest.raises(RequestError, match="no open issue") as caught:
                await controller(healthd).heal("web", None, dry_run=False, by="me")
            assert caught.value.status == 409
            assert "systemctl restart" in caught.value.hint

    asyncio.run(scene())


def test_reset_forgets_the_attempts_and_healing_begins_anew() -> None:
    async def scene() -> tuple[tuple[str, ...], int]:
        async with assembled(WEB, configuration=settings(backoff_seconds=0.0)) as healthd:
            healthd.units.stays_down.add("web.service")
            healthd.units.kill("web.service")
            await healthd.logged(Event.HEALING_GAVE_UP)
            healthd.units.stays_down.clear()
            keys = await controller(healthd).reset("web", by="alice")
            await healthd.logged(Event.ISSUE_RESOLVED)
            return keys, len(healthd.units.calls)

    keys, calls = asyncio.run(scene())

    assert keys == ("services/web.service/service_down",)
    assert calls == 4


def test_check_looks_now_and_returns_how_things_stand() -> None:
    async def scene() -> float:
        async with assembled(WEB) as healthd:
            healthd.clock.advance(5)
            status = await controller(healthd).check("web", by="me")
            return status.health_checks["services"].last_check - healthd.clock.wall()

    assert asyncio.run(scene()) == 0.0


def test_an_order_for_what_gets_well_meanwhile_is_answered_at_once() -> None:
    async def scene() -> None:
        configuration = with_table("web.service", UnitSettings(heal=Heal.OFF))
        async with assembled(WEB, configuration=configuration) as healthd:
            healthd.units.kill("web.service")
            await healthd.logged(Event.HEALING_HELD)
            healthd.units.put(WEB)
            with pytest.raises(RequestError, match="no open issue") as caught:
                await asyncio.wait_for(controller(healthd).heal("web", None, dry_run=False, by="me"), 5)
            assert caught.value.status == 409

    asyncio.run(scene())


def test_an_order_for_an_item_with_two_issues_tells_of_the_attempt_and_not_of_the_hold() -> None:
    async def scene() -> tuple[int, Finished]:
        configuration = with_table("web.service", UnitSettings(heal=Heal.SUGGEST))
        async with assembled(LOOPED, configuration=configuration) as healthd:
            healthd.units.kill("web.service")
            await healthd.logged(Event.HEALING_HELD, 2)
            issues = len(controller(healthd).issues())
            return issues, await controller(healthd).heal("web", None, dry_run=False, by="me")

    issues, done = asyncio.run(scene())

    assert issues == 2
    assert (done.decision, done.outcome, done.action) == ("act", OutcomeKind.SUCCESS, ActionKind.START_UNIT)


def test_an_order_that_does_not_help_says_so() -> None:
    async def scene() -> Finished:
        async with assembled(WEB, configuration=with_table("web.service", UnitSettings(heal=Heal.OFF))) as healthd:
            healthd.units.stays_down.add("web.service")
            healthd.units.kill("web.service")
            await healthd.logged(Event.HEALING_HELD)
            return await controller(healthd).heal("services", ActionKind.RESTART_UNIT, dry_run=False, by="me")

    done = asyncio.run(scene())

    assert (done.outcome, done.action) == (OutcomeKind.FAILED, ActionKind.RESTART_UNIT)
    assert done.text.startswith("web.service: the job ended with 'failed'")


def test_an_order_without_a_remedy_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.decide.policy.remedy_of", lambda _case: None)

    async def scene() -> tuple[Finished, Finished]:
        async with assembled(WEB) as healthd:
            healthd.units.kill("web.service")
            await healthd.logged(Event.ISSUE_OPENED)
            control = controller(healthd)
            return (
                await control.heal("web", None, dry_run=True, by="me"),
                await control.heal("web", None, dry_run=False, by="me"),
            )

    told, done = asyncio.run(scene())

    assert (told.decision, told.action, told.hold) == ("hold", None, None)
    assert (done.outcome, done.action) == (OutcomeKind.NOT_SUPPORTED, None)
    assert "no remedy" in told.text
    assert "no remedy" in done.text


@pytest.mark.parametrize("unit", [WEB, LOOPED], ids=["one issue", "beside its crash loop"])
def test_an_order_that_the_budget_holds_says_until_when(unit: UnitFacts) -> None:
    async def scene() -> float | None:
        configuration = settings(host_budget_actions=1, backoff_seconds=0.0)
        async with assembled(unit, configuration=configuration) as healthd:
            healthd.units.stays_down.add("web.service")
            healthd.units.kill("web.service")
            await healthd.logged(Event.HEALING_FINISHED)
            done = await controller(healthd).heal("web", None, dry_run=False, by="me")
            assert done.hold is HoldReason.HOST_BUDGET
            return done.until and done.until - healthd.clock.wall()

    assert asyncio.run(scene()) == 600.0


def test_what_is_being_healed_is_not_healed_twice() -> None:
    async def scene() -> None:
        async with assembled(WEB) as healthd:
            healthd.units.hangs.add("web.service")
            healthd.units.kill("web.service")
            await healthd.logged(Event.HEALING_STARTED)
            with pytest.raises(RequestError, match="already healing") as caught:
                await controller(healthd).heal("web", None, dry_run=False, by="me")
            assert caught.value.status == 409

    asyncio.run(scene())


def test_a_whole_component_that_is_well_has_nothing_to_heal() -> None:
    async def scene() -> str:
        async with assembled(WEB) as healthd:
            with pytest.raises(RequestError) as caught:
                await controller(healthd).heal("services", None, dry_run=False, by="me")
            return caught.value.hint

    assert asyncio.run(scene()) == "healthctl status"


@pytest.mark.parametrize(
    ("unit", "hint"),
    [
        (WEB, "systemctl restart web.service"),
        (service("web.service", active="inactive", sub="dead", stopped_by_job=True), "systemctl start web.service"),
        (service("dbus.service"), ""),
    ],
    ids=["runs", "stopped", "protected"],
)
def test_what_has_no_issue_is_left_to_the_operator_but_for_what_is_protected(unit: UnitFacts, hint: str) -> None:
    async def scene() -> str:
        async with assembled(unit) as healthd:
            with pytest.raises(RequestError, match="no open issue") as caught:
                await controller(healthd).heal(unit.name, None, dry_run=False, by="me")
            return caught.value.hint

    assert asyncio.run(scene()) == hint


def test_a_component_in_which_several_items_have_issues_is_not_healed_as_one() -> None:
    async def scene() -> str:
        async with assembled(WEB, service("mail.service"), configuration=settings(dry_run=True)) as healthd:
            healthd.units.kill("web.service")
            healthd.units.kill("mail.service")
            await healthd.turn()
            with pytest.raises(RequestError) as caught:
                await controller(healthd).heal("services", None, dry_run=False, by="me")
            return str(caught.value)

    assert asyncio.run(scene()) == "2 items of services have issues: name one"


def test_reset_during_an_attempt_keeps_the_attempt_as_the_first_of_the_new_count() -> None:
    async def scene() -> tuple[int, list[tuple[str, str]]]:
        async with assembled(WEB, configuration=settings(backoff_seconds=0.0)) as healthd:
            healthd.units.stays_down.add("web.service")
            healthd.units.kill("web.service")
            await healthd.logged(Event.HEALING_STARTED, 2)
            healthd.units.hangs.add("web.service")
            await healthd.logged(Event.HEALING_STARTED, 3)
            await controller(healthd).reset("services", by="me")
            attempts = controller(healthd).issues()[0].attempts
            healthd.units.stays_down.clear()
            healthd.units.let_go.set()
            await healthd.logged(Event.ISSUE_RESOLVED)
            return attempts, healthd.units.calls

    attempts, calls = asyncio.run(scene())

    assert attempts == 1
    assert len([call for call in calls if call[0] == "start"]) == 3


def test_reset_forgets_the_attempts_of_what_is_well_again_too() -> None:
    async def scene() -> tuple[tuple[str, ...], int]:
        async with assembled(WEB) as healthd:
            healthd.units.kill("web.service")
            await healthd.logged(Event.ISSUE_RESOLVED)
            reset = await controller(healthd).reset("web.service", by="me")
            healthd.units.hangs.add("web.service")
            healthd.units.kill("web.service")
            await healthd.logged(Event.HEALING_STARTED, 2)
            return reset, controller(healthd).issues()[0].attempts

    assert asyncio.run(scene()) == (("services/web.service/service_down",), 1)


def test_reset_of_a_unit_that_is_not_watched_is_a_404() -> None:
    async def scene() -> RequestError:
        async with assembled(WEB, service("quiet.service", file_state="static")) as healthd:
            with pytest.raises(RequestError) as caught:
                await controller(healthd).reset("quiet", by="me")
            return caught.value

    assert asyncio.run(scene()).status == 404


@pytest.mark.parametrize("name", [None, "services", "web"])
def test_a_check_that_does_not_end_is_a_504(name: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.control._CHECK_SECONDS", 0.0)

    async def scene() -> int:
        async with assembled(WEB) as healthd:
            with pytest.raises(RequestError) as caught:
                await controller(healthd).check(name, by="me")
            return caught.value.status

    assert asyncio.run(scene()) == 504


HEARTBEAT = ComponentSettings(type="heartbeat", failures=1, successes=1, options={"every_seconds": 60.0})


def test_a_heartbeat_ends_the_issue_that_its_absence_was() -> None:
    configuration = replace(settings(settle_seconds=0.0), component={"services": SERVICES, "backup": HEARTBEAT})

    async def scene() -> None:
        async with assembled(WEB, configuration=configuration) as healthd:
            healthd.clock.advance(67)
            await healthd.pipeline.look(["backup"])
            assert [issue.type for issue in healthd.view.issues()] == [IssueType.HEARTBEAT_MISSED]

            await controller(healthd).heartbeat("backup", by="cron")
            await healthd.logged(Event.ISSUE_RESOLVED)

    asyncio.run(scene())


@pytest.mark.parametrize("name", ["services", "nonsense"])
def test_only_a_component_that_waits_for_heartbeats_takes_one(name: str) -> None:
    async def scene() -> None:
        async with assembled(WEB) as healthd:
            with pytest.raises(RequestError, match=f"no component of type heartbeat is called {name}") as caught:
                await controller(healthd).heartbeat(name, by="me")
            assert caught.value.status == 404

    asyncio.run(scene())


def test_an_incident_is_found_by_its_number_and_the_newest_by_zero() -> None:
    async def scene() -> tuple[list[int], int, str]:
        async with assembled(WEB) as healthd:
            control = controller(healthd)
            with pytest.raises(RequestError, match="there has been no incident yet"):
                await control.incident(0)
            for number in (3, 4):
                healthd.store.file(replace(INCIDENT, id=number))
            with pytest.raises(RequestError) as caught:
                await control.incident(9)
            listed = [incident.id for incident in await control.incidents(since=0.0, most=9)]
            return listed, (await control.incident(0)).id, str(caught.value)

    assert asyncio.run(scene()) == ([4, 3], 4, "there is no incident 9")
