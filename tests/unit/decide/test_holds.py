"""Why healthd does not act: each reason, and what ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from healthd.config import Heal, UnitSettings
from healthd.decide.case import Case
from healthd.decide.happenings import Held, LeftAlone, Opened
from healthd.decide.policy import rule
from healthd.model import HoldReason, IssueType, SystemState
from tests.fake_units import service
from tests.unit.builders import UNIT, detail, killed, settings
from tests.unit.decide.bench import Bench, broken, the_hold

if TYPE_CHECKING:
    from healthd.model import UnitFacts


def test_healing_that_is_switched_off_is_disabled() -> None:
    assert the_hold(broken(configuration=settings(health={"auto_healing_enabled": False}))) is HoldReason.DISABLED


def test_restarts_that_are_switched_off_are_disabled() -> None:
    assert the_hold(broken(configuration=settings(service_restart_enabled=False))) is HoldReason.DISABLED


def test_a_unit_whose_table_says_no_is_disabled() -> None:
    assert the_hold(broken(configuration=settings(units={UNIT: UnitSettings(heal=Heal.OFF)}))) is HoldReason.DISABLED


def test_a_protected_unit_is_held() -> None:
    assert the_hold(broken(configuration=settings(protect=("web",)))) is HoldReason.PROTECTED


def test_a_unit_that_allow_does_not_name_is_held() -> None:
    assert the_hold(broken(configuration=settings(allow=("db.service",)))) is HoldReason.NOT_ALLOWED


@pytest.mark.parametrize(
    ("file_state", "word"), [("disabled", "disabled"), ("transient", "transient"), ("", "not enabled")]
)
def test_a_unit_that_the_host_is_not_meant_to_run_is_not_allowed(file_state: str, word: str) -> None:
    bench = broken(killed(file_state=file_state))

    assert the_hold(bench) is HoldReason.NOT_ALLOWED
    assert word in bench.of(Held)[0].text


@pytest.mark.parametrize("file_state", ["enabled", "enabled-runtime", "generated"])
def test_a_unit_that_is_enabled_in_any_way_is_healed(file_state: str) -> None:
    assert len(broken(killed(file_state=file_state)).started()) == 1


def test_a_unit_that_an_enabled_one_requires_is_healed() -> None:
    assert len(broken(killed(file_state="static", detail=detail(required_by_enabled=True))).started()) == 1


def test_a_transient_unit_is_held_even_if_an_enabled_one_requires_it() -> None:
    bench = broken(killed(file_state="transient", detail=detail(required_by_enabled=True)))

    assert the_hold(bench) is HoldReason.NOT_ALLOWED


def test_a_table_that_says_heal_allows_a_disabled_unit() -> None:
    configuration = settings(units={UNIT: UnitSettings(heal=Heal.ON)})

    assert len(broken(killed(file_state="disabled"), configuration).started()) == 1


def test_a_failed_unit_that_somebody_masks_is_held() -> None:
    assert the_hold(broken(killed(load="masked"))) is HoldReason.OPERATOR_STOPPED


STOPPED = service(UNIT, active="inactive", sub="dead", stopped_by_job=True)


@pytest.mark.parametrize("unit", [STOPPED, killed(stopped_by_job=True, result="timeout")], ids=["inactive", "failed"])
def test_a_stop_is_no_issue_and_leaving_the_unit_alone_is_said_once(unit: UnitFacts) -> None:
    bench = broken(unit)
    bench.turn()
    bench.restart_healthd()
    bench.turn()

    assert [left.unit for left in bench.of(LeftAlone)] == [UNIT]
    assert bench.state.tickets == {}


def test_a_stop_after_a_start_is_said_again() -> None:
    bench = broken(service(UNIT, active="inactive", sub="dead", stopped_by_job=True))
    bench.bring_up(UNIT)
    bench.turn([UNIT])
    bench.set(UNIT, active="inactive", sub="dead", stopped_by_job=True)
    bench.turn([UNIT])

    assert len(bench.of(LeftAlone)) == 2


def test_a_stop_from_before_healthd_first_ran_is_not_said() -> None:
    bench = Bench(service(UNIT, active="inactive", sub="dead", stopped_by_job=True), fresh=True)

    assert bench.happened == []


def test_a_stopped_unit_that_is_gone_is_forgotten() -> None:
    bench = broken(service(UNIT, active="inactive", sub="dead", stopped_by_job=True))
    bench.units.remove(UNIT)
    bench.turn([UNIT])

    assert bench.state.stopped == frozenset()


def test_what_had_failed_before_healthd_first_ran_is_only_reported() -> None:
    bench = Bench(killed(), fresh=True)
    bench.later(100_000.0)

    assert the_hold(bench) is HoldReason.ALREADY_FAILED


def test_it_stays_so_after_a_restart_of_healthd() -> None:
    bench = Bench(killed(), fresh=True)
    bench.restart_healthd()
    bench.turn()

    assert bench.started() == []


def test_somebodys_reset_of_the_failed_state_does_not_make_it_another_failure() -> None:
    bench = Bench(killed(), fresh=True)
    bench.set(UNIT, active="inactive", sub="dead", result="success")
    bench.turn([UNIT])

    assert bench.started() == []


def test_another_failure_of_such_a_unit_is_healed() -> None:
    bench = Bench(killed(), fresh=True)
    bench.set(UNIT, invocation="somebody tried")
    bench.turn([UNIT])

    assert len(bench.started()) == 1


def test_what_fails_while_the_first_look_is_not_complete_counts_as_already_failed() -> None:
    bench = Bench(service(UNIT), fresh=True)
    bench.units.connected = False
    bench.restart_healthd()
    bench.saved = {}
    bench.restart_healthd()
    bench.turn()
    assert bench.state.fresh

    bench.units.connected = True
    bench.kill(UNIT)
    bench.turn()

    assert the_hold(bench) is HoldReason.ALREADY_FAILED
    assert not bench.state.fresh


def test_a_failed_oneshot_is_not_run_again_unasked() -> None:
    bench = broken(killed(detail=detail(service_type="oneshot")))

    assert the_hold(bench) is HoldReason.ONESHOT
    assert [opened.ticket.key.type for opened in bench.of(Opened)] == [IssueType.JOB_FAILED]


def test_a_clean_end_is_reported_and_left_so() -> None:
    bench = broken(service(UNIT, active="inactive", sub="dead", code=1))

    assert the_hold(bench) is HoldReason.CLEAN_EXIT


@pytest.mark.parametrize("status", [78, 200, 203, 217, 226, 243])
def test_a_wrong_configuration_is_reported_and_not_restarted(status: int) -> None:
    assert the_hold(broken(killed(result="exit-code", code=1, exit_status=status))) is HoldReason.CONFIG_ERROR


def test_a_suggestion_is_told_and_not_done() -> None:
    bench = broken(configuration=settings(units={UNIT: UnitSettings(heal=Heal.SUGGEST)}))

    assert the_hold(bench) is HoldReason.SUGGEST


def test_a_host_that_boots_is_waited_for_at_most_two_minutes() -> None:
    bench = Bench(service(UNIT))
    bench.units.system = SystemState.STARTING
    bench.booted_at = bench.time - 60.0
    bench.restart_healthd()
    bench.kill(UNIT)
    bench.turn()
    assert the_hold(bench) is HoldReason.STARTING

    bench.later(59.0)
    assert bench.started() == []

    bench.later(1.0)
    assert len(bench.started()) == 1


def test_a_boot_that_ends_lets_go_at_once() -> None:
    bench = Bench(service(UNIT))
    bench.units.system = SystemState.STARTING
    bench.booted_at = bench.time - 60.0
    bench.restart_healthd()
    bench.kill(UNIT)
    bench.turn()

    bench.units.system = SystemState.RUNNING
    bench.turn([], everything=True)

    assert len(bench.started()) == 1


@pytest.mark.parametrize("sub", ["auto-restart", "auto-restart-queued"])
def test_systemds_own_restart_is_waited_for(sub: str) -> None:
    bench = broken(configuration=settings(dry_run=True))
    bench.set(UNIT, active="activating", sub=sub)
    bench.turn([UNIT])

    assert bench.held() == [HoldReason.DRY_RUN, HoldReason.STARTING]


def test_a_unit_that_is_starting_is_waited_for() -> None:
    bench = broken(configuration=settings(dry_run=True))
    bench.set(UNIT, active="activating", sub="start")
    bench.turn([UNIT])

    assert bench.held()[-1] is HoldReason.STARTING


def test_a_unit_that_shows_failed_for_an_instant_is_left_to_systemd() -> None:
    restarting = detail(restart="on-failure")
    bench = Bench(service(UNIT, detail=restarting))
    bench.kill(UNIT)
    bench.turn([UNIT])
    bench.set(UNIT, active="activating", sub="auto-restart")
    bench.turn([UNIT])
    bench.bring_up(UNIT)
    bench.turn([UNIT])
    bench.later(1.0)

    assert bench.happened == []


def test_a_unit_that_systemd_gave_up_on_is_healed_after_the_second_look() -> None:
    bench = Bench(service(UNIT, detail=detail(restart="on-failure")))
    bench.kill(UNIT)
    bench.turn([UNIT])
    assert bench.started() == []

    bench.later(0.1)

    assert len(bench.started()) == 1


def test_an_open_issue_is_not_acted_on_while_the_unit_shows_failed_for_an_instant() -> None:
    bench = Bench(service(UNIT, detail=detail(restart="on-failure")), configuration=settings(dry_run=True))
    bench.kill(UNIT)
    bench.later(0.1)
    bench.bring_up(UNIT)
    bench.turn([UNIT])
    bench.kill(UNIT)
    bench.settings = settings()
    bench.turn([UNIT])

    assert bench.held()[-1] is HoldReason.STARTING
    assert bench.started() == []


def test_somebody_elses_job_is_waited_for() -> None:
    bench = broken(killed(job=77))
    assert the_hold(bench) is HoldReason.JOB_RUNNING

    bench.set(UNIT, job=0)
    bench.turn([UNIT])
    assert len(bench.started()) == 1


def test_a_job_of_healthds_own_that_outlived_its_attempt_is_waited_for() -> None:
    assert the_hold(broken(killed(job=77, own_job=True))) is HoldReason.JOB_RUNNING


def test_a_unit_that_is_still_stopping_is_waited_for() -> None:
    bench = broken(configuration=settings(units={UNIT: UnitSettings(heal=Heal.SUGGEST)}))
    bench.set(UNIT, active="deactivating", sub="stop-sigterm")
    case = Case(
        settings=settings(),
        state=bench.state,
        moment=bench.moment(),
        ticket=next(iter(bench.state.tickets.values())),
        by_hand=True,
    )

    assert rule(case).hold is HoldReason.JOB_RUNNING


def test_nothing_is_done_while_the_host_shuts_down() -> None:
    bench = Bench(service(UNIT))
    bench.units.system = SystemState.STOPPING
    bench.kill(UNIT)
    bench.turn([UNIT])

    assert the_hold(bench) is HoldReason.SHUTTING_DOWN


def test_a_pause_after_an_attempt_is_a_cooldown_that_says_until_when() -> None:
    bench = broken()
    bench.end_job(UNIT, "failed")
    bench.turn([UNIT])

    (held,) = bench.of(Held)
    assert held.reason is HoldReason.COOLDOWN
    assert held.wait is not None
    assert 10.0 <= held.wait <= 11.0


def test_a_unit_has_a_budget_of_its_own_over_all_its_episodes() -> None:
    bench = broken(configuration=settings(backoff_seconds=0.0, backoff_max_seconds=0.0))
    for _ in range(3):
        bench.bring_up(UNIT)
        bench.end_job(UNIT)
        bench.turn([UNIT])
        bench.later(2.0)
        bench.kill(UNIT)
        bench.turn([UNIT])

    assert len(bench.started()) == 3
    assert bench.held() == [HoldReason.UNIT_BUDGET]

    bench.later(600.0)
    assert len(bench.started()) == 4


def test_the_host_has_a_budget_over_all_units() -> None:
    names = [f"unit-{number:02}.service" for number in range(12)]
    bench = Bench(*(service(name) for name in names), configuration=settings(cascade_units=0))
    for name in names:
        bench.kill(name)
    bench.turn(names)

    assert len(bench.started()) == 10
    assert bench.held() == [HoldReason.HOST_BUDGET] * 2

    bench.later(599.0)
    assert len({attempt.unit for attempt in bench.started()}) == 10

    bench.later(1.0)
    assert {attempt.unit for attempt in bench.started()} == set(names)


def test_limits_of_zero_are_switched_off() -> None:
    names = [f"unit-{number:02}.service" for number in range(40)]
    free = settings(health={"max_healing_attempts": 0}, host_budget_actions=0, cascade_units=0, backoff_seconds=0.0)
    bench = Bench(*(service(name) for name in names), configuration=free)
    for name in names:
        bench.kill(name)
    bench.turn(names)
    for name in names:
        bench.end_job(name, "failed")
    bench.turn(names)

    assert len(bench.started()) == 80


def test_without_a_usable_reading_nothing_is_done() -> None:
    bench = broken()
    bench.end_job(UNIT, "failed")
    bench.turn([UNIT])

    bench.units.connected = False
    bench.turn()
    bench.later(3600.0)
    assert len(bench.started()) == 1
    assert bench.held()[-1] is HoldReason.UNKNOWN_STATUS

    bench.units.connected = True
    bench.turn()
    assert len(bench.started()) == 2


def test_a_dry_run_says_what_would_be_done_and_touches_nothing() -> None:
    bench = broken(configuration=settings(dry_run=True))
    bench.later(100_000.0)

    assert the_hold(bench) is HoldReason.DRY_RUN
    assert "start_unit" in bench.of(Held)[0].text
    assert bench.started() == []


def test_a_hold_is_said_when_it_changes_and_not_each_time_that_it_is_decided() -> None:
    bench = broken(configuration=settings(dry_run=True))
    for _ in range(5):
        bench.turn(everything=True)

    assert len(bench.of(Held)) == 1
