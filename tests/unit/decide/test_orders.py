"""What an operator's order overrules, and how it is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from healthd.config import Heal, UnitSettings
from healthd.decide.happenings import Held, Unsupported
from healthd.model import ActionKind, HoldReason, SystemState
from tests.fake_units import service
from tests.unit.builders import UNIT, detail, killed, settings
from tests.unit.decide.bench import Bench, broken

if TYPE_CHECKING:
    from healthd.config import Settings
    from healthd.model import UnitFacts


OVERRULED = [
    settings(health={"auto_healing_enabled": False}),
    settings(units={UNIT: UnitSettings(heal=Heal.OFF)}),
    settings(units={UNIT: UnitSettings(heal=Heal.SUGGEST)}),
]


@pytest.mark.parametrize("configuration", OVERRULED, ids=["disabled", "heal false", "suggest"])
def test_an_order_overrules_what_the_settings_leave_to_a_person(configuration: Settings) -> None:
    bench = broken(configuration=configuration)
    bench.order(UNIT)
    bench.turn([])

    assert [attempt.by for attempt in bench.started()] == ["alice"]


@pytest.mark.parametrize(
    "unit",
    [
        killed(file_state="disabled"),
        killed(load="masked"),
        killed(detail=detail(service_type="oneshot")),
        killed(result="exit-code", code=1, exit_status=203),
        service(UNIT, active="inactive", sub="dead", code=1),
    ],
    ids=["not enabled", "masked", "oneshot", "config error", "clean exit"],
)
def test_an_order_overrules_healthds_own_caution(unit: UnitFacts) -> None:
    bench = broken(unit)
    bench.order(UNIT)
    bench.turn([])

    assert len(bench.started()) == 1


def test_an_order_overrules_the_pause_and_giving_up() -> None:
    bench = broken(configuration=settings(health={"max_healing_attempts": 1}, host_budget_seconds=0.0))
    bench.end_job(UNIT, "failed")
    bench.turn([UNIT])
    assert bench.held() == [HoldReason.GAVE_UP]

    bench.order(UNIT)
    bench.turn([])

    assert len(bench.started()) == 2


def test_an_order_overrules_that_it_had_failed_before_and_that_the_host_boots() -> None:
    bench = Bench(killed(), fresh=True)
    bench.units.system = SystemState.STARTING
    bench.booted_at = bench.time - 5.0
    bench.restart_healthd()
    bench.turn()
    bench.order(UNIT)
    bench.turn([])

    assert len(bench.started()) == 1


KEPT = {
    "protected": (killed(), settings(protect=("web",)), HoldReason.PROTECTED),
    "not allowed": (killed(), settings(allow=("db",)), HoldReason.NOT_ALLOWED),
    "dry run": (killed(), settings(dry_run=True), HoldReason.DRY_RUN),
    "job": (killed(job=5), settings(), HoldReason.JOB_RUNNING),
}


@pytest.mark.parametrize(("unit", "configuration", "reason"), KEPT.values(), ids=KEPT)
def test_an_order_is_answered_with_what_it_cannot_overrule(
    unit: UnitFacts, configuration: Settings, reason: HoldReason
) -> None:
    bench = broken(unit, configuration)
    bench.order(UNIT)
    happened = bench.turn([])

    assert [held.reason for held in happened if isinstance(held, Held)] == [reason]
    assert bench.started() == []


def test_no_order_overrules_a_budget() -> None:
    bench = broken(configuration=settings(host_budget_actions=1))
    bench.end_job(UNIT, "failed")
    bench.turn([UNIT])
    bench.order(UNIT)
    bench.turn([])

    assert bench.held()[-1] is HoldReason.HOST_BUDGET


def test_an_order_that_is_held_leaves_alone_what_healthd_itself_waits_for() -> None:
    bench = broken(configuration=settings(host_budget_actions=1))
    bench.end_job(UNIT, "failed")
    bench.turn([UNIT])
    waits = bench.step.wake_at
    bench.order(UNIT)
    bench.turn([])

    assert bench.step.wake_at == waits


def test_an_order_during_an_attempt_is_answered_and_does_not_disturb_it() -> None:
    bench = broken()
    before = dict(bench.state.tickets)
    bench.order(UNIT)
    bench.turn([])

    assert bench.held() == [HoldReason.JOB_RUNNING]
    assert bench.state.tickets == before


def test_an_order_for_what_has_just_recovered_is_answered_with_that() -> None:
    bench = broken(configuration=settings(dry_run=True))
    bench.bring_up(UNIT)
    bench.order(UNIT)
    bench.turn([UNIT])

    assert [unsupported.text for unsupported in bench.of(Unsupported)] == ["its check sees no failure any more"]
    assert bench.started() == []


def test_an_order_for_what_has_no_issue_does_nothing() -> None:
    bench = Bench(service(UNIT))
    bench.order(UNIT)

    assert bench.turn([]) == ()


def test_an_order_for_a_closed_issue_does_nothing() -> None:
    bench = broken()
    bench.bring_up(UNIT)
    bench.end_job(UNIT)
    bench.turn([UNIT])
    bench.later(1.0)
    bench.order(UNIT)

    assert bench.turn([]) == ()


def test_an_order_may_name_the_action() -> None:
    bench = broken(configuration=settings(units={UNIT: UnitSettings(heal=Heal.SUGGEST)}))
    bench.order(UNIT, ActionKind.RESET_FAILED)
    bench.turn([])

    assert [attempt.action for attempt in bench.started()] == [ActionKind.RESET_FAILED]
