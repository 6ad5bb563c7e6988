from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from healthd.answers import Diagnosis
from healthd.config import Heal, Settings, UnitSettings
from healthd.control import Controller
from healthd.doctor import Doctor
from healthd.errors import RequestError
from healthd.events import Event
from healthd.model import ActionKind, HoldReason, JobResult, OutcomeKind, Status
from tests.fake_units import MemoryStore, service
from tests.unit.assembly import Assembly, assembled, settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

WEB = service("web.service")
STOPPED = service("stopped.service", active="inactive", sub="dead", stopped_by_job=True)


def controller(healthd: Assembly, *, under_systemd: bool = True) -> Controller:
    async def apply() -> None:
        healthd.units.calls.append(("apply", ""))

    doctor = Doctor(
        pipeline=healthd.pipeline,
        units=healthd.units,
        store=healthd.store,
        log_is_journal=True,
        watchdog=lambda: Diagnosis(name="watchdog", ok=True, text="fed"),
        sockets=["/run/healthd/healthd.sock"],
    )
    return Controller(
        pipeline=healthd.pipeline,
        view=healthd.view,
        explainer=healthd.explainer,
        doctor=doctor,
        units=healthd.units,
        apply=apply,
        under_systemd=under_systemd,
    )


def with_table(unit: str, table: UnitSettings) -> Settings:
    base = settings()
    return replace(base, services=replace(base.services, unit={unit: table}))


def test_explain_names_the_reading_the_hold_and_until_when() -> None:
    async def scene() -> tuple[Mapping[str, str], str, HoldReason | None, float]:
        async with assembled(WEB) as healthd:
            healthd.units.stays_down.add("web.service")
            healthd.units.kill("web.service")
            await healthd.logged(Event.HEALING_HELD)
            told = await controller(healthd).explain("web")
            assert told.until is not None
            return told.facts, told.decision, told.hold, told.until - healthd.clock.wall()

    facts, decision, hold, wait = asyncio.run(scene())

    assert facts["active state"] == "failed (failed)"
    assert facts["exit"] == "signal 9"
    assert (decision, hold) == ("hold", HoldReason.COOLDOWN)
    assert 10.0 <= wait <= 11.0


def test_explain_says_of_a_unit_that_somebody_stopped_that_it_is_left_alone() -> None:
    async def scene() -> tuple[Status, HoldReason | None]:
        async with assembled(STOPPED) as healthd:
            told = await controller(healthd).explain("stopped.service")
            return told.status, told.hold

    assert asyncio.run(scene()) == (Status.HEALTHY, HoldReason.OPERATOR_STOPPED)


def test_explain_tells_that_a_loaded_unit_is_not_watched_and_why_it_would_not_be_healed() -> None:
    async def scene() -> tuple[str, HoldReason | None]:
        async with assembled(WEB, service("dbus.service", file_state="static")) as healthd:
            told = await controller(healthd).explain("dbus")
            return told.component, told.hold

    assert asyncio.run(scene()) == ("", HoldReason.PROTECTED)


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


def test_reload_is_systemds_and_its_refusal_carries_what_was_wrong() -> None:
    async def scene() -> RequestError:
        async with assembled(WEB, service("healthd.service")) as healthd:

            async def refused(name: str, *, deadline: float) -> JobResult:
                assert (name, deadline > 0) == ("healthd.service", True)
                return JobResult(result="failed")

            healthd.units.reload = refused  # type: ignore[method-assign]
            control = controller(healthd)
            control._doctor.rejected = "/etc/healthd/healthd.toml:3: health.check: unknown key"
            with pytest.raises(RequestError) as caught:
                await control.reload(by="me")
            return caught.value

    error = asyncio.run(scene())

    assert error.status == 422
    assert "healthd.toml:3" in str(error)


def test_without_systemd_a_reload_is_applied_directly() -> None:
    async def scene() -> list[tuple[str, str]]:
        async with assembled(WEB) as healthd:
            await controller(healthd, under_systemd=False).reload(by="me")
            return healthd.units.calls

    assert asyncio.run(scene()) == [("apply", "")]


def test_the_doctor_finds_a_unit_that_polkit_does_not_grant() -> None:
    async def scene() -> Mapping[str, Diagnosis]:
        async with assembled(WEB, service("mail.service")) as healthd:
            healthd.units.refuses.add("mail.service")
            return {each.name: each for each in await controller(healthd).diagnose()}

    found = asyncio.run(scene())

    assert found["polkit"].ok is False
    assert "mail.service" in found["polkit"].text
    assert "60-healthd-units.rules" in found["polkit"].remedy


def test_the_doctor_leaves_failed_and_protected_units_alone() -> None:
    async def scene() -> list[tuple[str, str]]:
        protected = service("systemd-logind.service")
        async with assembled(WEB, protected, configuration=settings(dry_run=True)) as healthd:
            healthd.units.kill("web.service")
            await healthd.logged(Event.HEALING_HELD)
            await controller(healthd).diagnose()
            return [call for call in healthd.units.calls if call[0] == "reset_failed"]

    assert asyncio.run(scene()) == []


def test_the_doctor_says_that_the_state_cannot_be_written_and_that_the_bus_is_away() -> None:
    async def scene() -> Mapping[str, Diagnosis]:
        store = MemoryStore()
        async with assembled(WEB, store=store) as healthd:
            store.broken = True
            healthd.units.connected = False
            return {each.name: each for each in await controller(healthd).diagnose()}

    found = asyncio.run(scene())

    assert found["state"].ok is False
    assert found["system bus"].ok is False
    assert found["polkit"].ok is None


def test_the_budget_shows_what_was_used_and_what_is_left() -> None:
    async def scene() -> tuple[int | None, tuple[str, ...]]:
        async with assembled(WEB) as healthd:
            healthd.units.kill("web.service")
            await healthd.logged(Event.ISSUE_RESOLVED)
            budget = controller(healthd).budget()
            return budget.remaining, tuple(unit for unit, _ in budget.used)

    assert asyncio.run(scene()) == (9, ("web.service",))


def test_check_looks_now_and_returns_how_things_stand() -> None:
    async def scene() -> float:
        async with assembled(WEB) as healthd:
            healthd.clock.advance(5)
            status = await controller(healthd).check("web", by="me")
            return status.health_checks["services"].last_check - healthd.clock.wall()

    assert asyncio.run(scene()) == 0.0
