"""The way of an attempt: from a failure to what the check says afterwards."""

from __future__ import annotations

import pytest

from healthd.config import CleanExit, UnitSettings
from healthd.decide.happenings import Ended, Resolved, Started
from healthd.decide.state import Key
from healthd.model import ActionKind, HoldReason, IssueType, Severity
from tests.fake_units import service
from tests.unit.builders import UNIT, settings
from tests.unit.decide.bench import Bench, fail_attempt


def kinds(bench: Bench, since: int = 0) -> list[str]:
    return [type(happening).__name__ for happening in bench.happened[since:]]


def test_a_unit_that_was_killed_is_started_in_the_same_step() -> None:
    bench = Bench(service(UNIT))

    bench.kill(UNIT)
    bench.turn([UNIT])

    assert kinds(bench) == ["Opened", "Started"]
    (attempt,) = bench.started()
    assert (attempt.action, attempt.unit, attempt.number) == (ActionKind.START_UNIT, UNIT, 1)


def test_a_new_run_that_stays_up_for_the_settle_time_is_success_and_resolves_the_issue() -> None:
    bench = Bench(service(UNIT))
    bench.kill(UNIT)
    bench.turn([UNIT])

    bench.bring_up(UNIT)
    bench.end_job(UNIT)
    bench.turn([UNIT])
    seen = len(bench.happened)
    bench.later(0.9)

    assert kinds(bench, seen) == []

    bench.later(0.1)

    assert kinds(bench, seen) == ["Ended", "Resolved"]
    assert bench.outcomes() == ["success"]


def test_what_the_job_returned_is_not_success_while_the_unit_is_down() -> None:
    bench = Bench(service(UNIT))
    bench.kill(UNIT)
    bench.turn([UNIT])

    bench.kill(UNIT)
    bench.set(UNIT, invocation="another-run")
    fail_attempt(bench, result="done")

    (ended,) = bench.of(Ended)
    assert ended.outcome == "failed"
    assert ended.text == "it started, but did not stay up: killed by SIGKILL"


def test_a_start_whose_condition_is_not_met_says_that_systemd_did_not_start_the_unit() -> None:
    bench = Bench(service(UNIT))
    bench.kill(UNIT)
    bench.turn([UNIT])

    fail_attempt(bench, result="done")

    assert "Condition" in bench.of(Ended)[0].text


def test_a_run_that_ends_before_it_has_settled_is_no_success() -> None:
    bench = Bench(service(UNIT))
    bench.kill(UNIT)
    bench.turn([UNIT])
    bench.bring_up(UNIT)
    bench.end_job(UNIT)
    bench.turn([UNIT])

    bench.later(0.5)
    bench.kill(UNIT)
    bench.turn([UNIT])

    assert bench.outcomes() == ["failed"]
    assert bench.of(Resolved) == []


def test_another_run_in_the_settle_time_must_settle_anew() -> None:
    bench = Bench(service(UNIT))
    bench.kill(UNIT)
    bench.turn([UNIT])
    bench.bring_up(UNIT)
    bench.end_job(UNIT)
    bench.turn([UNIT])

    bench.later(0.9)
    bench.bring_up(UNIT)
    bench.turn([UNIT])
    bench.later(0.9)

    assert bench.outcomes() == []

    bench.later(0.1)

    assert bench.outcomes() == ["success"]


def test_runs_that_never_settle_fail_when_the_verify_time_is_over() -> None:
    bench = Bench(service(UNIT))
    bench.kill(UNIT)
    bench.turn([UNIT])
    bench.end_job(UNIT)

    for _ in range(32):
        bench.bring_up(UNIT)
        bench.turn([UNIT])
        bench.pass_time(0.99)

    assert bench.outcomes() == ["failed"]


def test_a_unit_that_hangs_in_its_start_fails_when_the_verify_time_is_over() -> None:
    bench = Bench(service(UNIT))
    bench.kill(UNIT)
    bench.turn([UNIT])

    bench.set(UNIT, active="activating", sub="start")
    bench.end_job(UNIT, "timeout")
    bench.turn([UNIT])
    bench.later(29.9)

    assert bench.outcomes() == []

    bench.later(0.1)

    assert bench.outcomes() == ["failed"]
    assert bench.held() == [HoldReason.STARTING]


def test_a_refused_attempt_fails_with_the_words_of_the_refusal() -> None:
    bench = Bench(service(UNIT))
    bench.kill(UNIT)
    bench.turn([UNIT])

    bench.end_job(UNIT, "refused", "polkit said no")
    bench.turn([UNIT])

    assert bench.of(Ended)[0].text == "refused: polkit said no"


def test_a_clean_end_is_healed_where_the_table_says_so() -> None:
    table = UnitSettings(clean_exit=CleanExit.HEAL)
    bench = Bench(service(UNIT), configuration=settings(units={UNIT: table}))

    bench.set(UNIT, active="inactive", sub="dead", code=1)
    bench.turn([UNIT])

    assert len(bench.started()) == 1


def test_a_service_that_was_killed_politely_from_outside_is_down() -> None:
    bench = Bench(service(UNIT))

    bench.set(UNIT, active="inactive", sub="dead", code=2, exit_status=15)
    bench.turn([UNIT])

    assert len(bench.started()) == 1


@pytest.mark.parametrize("lost", ["lost", "timeout", "failed", "dependency", "canceled", "broken"])
def test_an_attempt_that_did_not_help_is_over_as_soon_as_that_is_seen(lost: str) -> None:
    bench = Bench(service(UNIT))
    bench.kill(UNIT)
    bench.turn([UNIT])

    fail_attempt(bench, result=lost)

    assert len(bench.outcomes()) == 1
    assert bench.held() == [HoldReason.COOLDOWN]


def test_a_lost_answer_does_not_hide_that_the_attempt_helped() -> None:
    bench = Bench(service(UNIT))
    bench.kill(UNIT)
    bench.turn([UNIT])

    bench.bring_up(UNIT)
    bench.end_job(UNIT, "lost")
    bench.turn([UNIT])
    bench.later(1.0)

    assert bench.outcomes() == ["success"]


def test_each_action_of_a_ladder_has_its_attempt_and_the_last_one_repeats() -> None:
    table = UnitSettings(actions=("reset_failed", "start_unit"))
    bench = Bench(service(UNIT), configuration=settings(units={UNIT: table}))
    bench.kill(UNIT)
    bench.turn([UNIT])

    for _ in range(2):
        fail_attempt(bench)
        bench.later(60.0)

    assert [attempt.action for attempt in bench.started()] == ["reset_failed", "start_unit", "start_unit"]


def test_an_action_that_makes_no_new_run_has_failed_with_its_job() -> None:
    table = UnitSettings(actions=("reset_failed",))
    bench = Bench(service(UNIT), configuration=settings(units={UNIT: table}))
    bench.kill(UNIT)
    bench.turn([UNIT])

    fail_attempt(bench, result="lost")

    assert bench.of(Ended)[0].text == "the job ended with 'lost'"


def test_a_severity_follows_the_settings_while_the_issue_is_open() -> None:
    bench = Bench(service(UNIT), configuration=settings(dry_run=True))
    bench.kill(UNIT)
    bench.turn([UNIT])
    key = Key("services", UNIT, IssueType.SERVICE_DOWN)
    assert bench.state.tickets[key].severity is Severity.HIGH

    bench.settings = settings(dry_run=True, units={UNIT: UnitSettings(critical=True)})
    bench.turn()

    assert bench.state.tickets[key].severity is Severity.CRITICAL


def test_an_attempt_names_the_run_that_it_found_and_who_ordered_it() -> None:
    bench = Bench(service(UNIT, invocation="the-first"))
    bench.kill(UNIT)
    bench.turn([UNIT])

    (started,) = bench.of(Started)

    assert (started.attempt.before, started.attempt.by) == ("the-first", "")
