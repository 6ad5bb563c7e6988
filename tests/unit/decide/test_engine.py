"""The step as a whole: what it writes, what it forgets, what a start and a reset make of the state."""

from __future__ import annotations

from dataclasses import replace

import pytest

from healthd.config import ComponentSettings, UnitSettings
from healthd.decide import engine
from healthd.decide.happenings import Ended, GaveUp, Held, News, Opened, Resolved, Started, Unsupported
from healthd.decide.state import EngineState, Key, Mark
from healthd.model import HoldReason, IssueType, Severity
from tests.fake_units import service
from tests.unit.builders import DOWN, UNIT, attempt, finding, item, moment, settings, ticket
from tests.unit.decide.bench import Bench, broken


def test_the_first_complete_look_ends_the_first_run() -> None:
    state = EngineState(seed=1, tickets={})

    early = engine.step(settings(), state, moment(), News(complete=False))
    assert early.state.fresh

    assert not engine.step(settings(), early.state, moment(), News()).state.fresh


def test_what_was_resolved_without_an_attempt_is_forgotten_at_once() -> None:
    bench = Bench(service(UNIT), configuration=settings(dry_run=True))
    bench.kill(UNIT)
    bench.turn([UNIT])
    bench.bring_up(UNIT)
    bench.turn([UNIT])
    bench.later(1.0)

    assert bench.state.tickets == {}
    assert not any(key.startswith("ticket/") for key in bench.saved)


def test_what_was_resolved_by_an_attempt_is_forgotten_after_the_longest_pause() -> None:
    bench = Bench(service(UNIT))
    bench.kill(UNIT)
    bench.turn([UNIT])
    bench.bring_up(UNIT)
    bench.end_job(UNIT)
    bench.turn([UNIT])
    bench.later(299.0)
    assert list(bench.state.tickets) == [DOWN]

    bench.later(5.0)
    assert bench.state.tickets == {}


def test_an_attempt_in_flight_when_healthd_died_counts_and_is_looked_after() -> None:
    bench = Bench(service(UNIT))
    bench.kill(UNIT)
    bench.turn([UNIT])

    bench.restart_healthd()
    bench.turn()

    (ended,) = bench.of(Ended)
    assert ended.text == "healthd ended before the job did: killed by SIGKILL"
    assert bench.state.tickets[DOWN].attempts == 1
    assert bench.held() == [HoldReason.COOLDOWN]


def test_an_attempt_that_helped_while_healthd_was_dead_is_success() -> None:
    bench = Bench(service(UNIT))
    bench.kill(UNIT)
    bench.turn([UNIT])

    bench.bring_up(UNIT)
    bench.restart_healthd()
    bench.turn()
    bench.later(1.0)

    assert bench.outcomes() == ["success"]


@pytest.mark.parametrize("how", ["crash", "reboot"])
def test_giving_up_survives(how: str) -> None:
    bench = Bench(service(UNIT), configuration=settings(health={"max_healing_attempts": 1}))
    bench.kill(UNIT)
    bench.turn([UNIT])
    bench.end_job(UNIT, "failed")
    bench.turn([UNIT])
    assert len(bench.of(GaveUp)) == 1

    if how == "crash":
        bench.restart_healthd()
    else:
        bench.reboot()
        bench.kill(UNIT)
    bench.turn()

    assert len(bench.started()) == 1
    assert bench.state.tickets[DOWN].gave_up


def test_the_backoff_survives_a_wrong_clock_and_a_reboot() -> None:
    bench = Bench(service(UNIT))
    bench.kill(UNIT)
    bench.turn([UNIT])
    bench.end_job(UNIT, "failed")
    bench.turn([UNIT])

    bench.wall_error = 1e9
    bench.reboot()
    bench.kill(UNIT)
    bench.turn()
    bench.later(9.9)
    assert len(bench.started()) == 1

    bench.later(1.2)
    assert len(bench.started()) == 2


def test_what_seemed_well_must_settle_anew_after_a_start_of_healthd() -> None:
    state = EngineState(seed=1, tickets={DOWN: ticket(well_since=1.0)})

    assert engine.resume(state, 500.0).tickets[DOWN].well_since is None


def test_a_verification_goes_on_after_a_start_of_healthd() -> None:
    tried = attempt(ended_at=5.0, result="done", up_since=6.0)
    state = EngineState(seed=1, tickets={DOWN: ticket(attempt=tried)})

    assert engine.resume(state, 500.0).tickets[DOWN].attempt == tried


def test_a_reset_forgets_attempts_pause_giving_up_and_the_units_budget() -> None:
    known = ticket(attempts=3, last_end=5.0, gave_up_at=6.0, hold=HoldReason.GAVE_UP, hold_text="x", existing="y")
    marks = (Mark(1.0, UNIT), Mark(2.0, "other.service"))
    state = EngineState(seed=1, tickets={DOWN: known}, marks=marks)

    clean = engine.reset(state, [DOWN, Key("no", "such", IssueType.READ_ONLY)])

    assert clean.tickets[DOWN] == ticket()
    assert clean.marks == (Mark(1.0, ""), Mark(2.0, "other.service"))


def test_a_reset_during_an_attempt_leaves_it_the_first_of_the_new_count() -> None:
    state = EngineState(seed=1, tickets={DOWN: ticket(attempts=2, attempt=attempt(number=2))})

    clean = engine.reset(state, [DOWN]).tickets[DOWN]

    assert (clean.attempts, clean.attempt) == (1, attempt(number=2))


def test_after_a_reset_healing_begins_anew_at_once() -> None:
    bench = Bench(service(UNIT), configuration=settings(health={"max_healing_attempts": 1}))
    bench.kill(UNIT)
    bench.turn([UNIT])
    bench.end_job(UNIT, "failed")
    bench.turn([UNIT])

    bench.reset(UNIT)
    bench.turn(everything=True)

    assert [tried.number for tried in bench.started()] == [1, 1]


def test_settings_that_grant_more_attempts_take_giving_up_back() -> None:
    bench = Bench(service(UNIT), configuration=settings(health={"max_healing_attempts": 1}))
    bench.kill(UNIT)
    bench.turn([UNIT])
    bench.end_job(UNIT, "failed")
    bench.turn([UNIT])
    assert bench.state.tickets[DOWN].severity is Severity.CRITICAL

    bench.settings = settings(units={UNIT: UnitSettings(max_attempts=2)})
    bench.turn(everything=True)

    assert not bench.state.tickets[DOWN].gave_up
    assert bench.state.tickets[DOWN].severity is Severity.HIGH
    bench.later(11.0)
    assert len(bench.started()) == 2


def test_settings_that_grant_fewer_attempts_make_it_give_up() -> None:
    bench = Bench(service(UNIT))
    bench.kill(UNIT)
    bench.turn([UNIT])
    bench.end_job(UNIT, "failed")
    bench.turn([UNIT])

    bench.settings = settings(health={"max_healing_attempts": 1})
    bench.turn(everything=True)

    assert len(bench.of(GaveUp)) == 1


def test_a_critical_unit_is_a_critical_issue_from_the_beginning() -> None:
    bench = Bench(service(UNIT), configuration=settings(units={UNIT: UnitSettings(critical=True)}))
    bench.kill(UNIT)
    bench.turn([UNIT])

    assert bench.of(Opened)[0].ticket.severity is Severity.CRITICAL


def test_the_issues_of_a_critical_component_are_a_step_up() -> None:
    marked = {"services": ComponentSettings(type="services", critical=True)}
    bench = Bench(service(UNIT), configuration=replace(settings(), component=marked))
    bench.kill(UNIT)
    bench.turn([UNIT])

    assert bench.of(Opened)[0].ticket.severity is Severity.CRITICAL


def test_a_probe_of_a_critical_unit_has_critical_issues() -> None:
    bench = Bench(service(UNIT), configuration=settings(units={UNIT: UnitSettings(critical=True)}))
    bench.probes[UNIT] = False
    bench.turn([UNIT])

    (opened,) = bench.of(Opened)
    assert (opened.ticket.key.type, opened.ticket.severity) == (IssueType.PROBE_FAILED, Severity.CRITICAL)


def test_a_probes_issue_waits_for_the_attempt_on_its_unit_and_is_decided_when_that_has_ended() -> None:
    bench = Bench(service(UNIT), configuration=settings(backoff_seconds=0.0))
    bench.probes[UNIT] = False
    bench.kill(UNIT)
    bench.turn([UNIT])
    assert [started.ticket.key.component for started in bench.of(Started)] == ["services"]
    assert bench.held() == [HoldReason.JOB_RUNNING]

    bench.bring_up(UNIT)
    bench.end_job(UNIT)
    bench.turn([UNIT])
    bench.later(1.0)

    assert [started.ticket.key.component for started in bench.of(Started)] == ["services", "probes"]


def test_a_probes_issue_never_starts_a_unit_that_its_configuration_keeps_down() -> None:
    bench = Bench(service(UNIT))
    bench.probes[UNIT] = False
    bench.set(UNIT, active="failed", sub="failed", result="exit-code", code=1, exit_status=203)
    bench.turn([UNIT])

    assert bench.held() == [HoldReason.CONFIG_ERROR, HoldReason.CONFIG_ERROR]


def test_an_issue_of_a_unit_that_runs_again_though_its_check_has_not_looked_since_is_held() -> None:
    bench = Bench(service(UNIT), configuration=settings(dry_run=True))
    bench.kill(UNIT)
    bench.turn([UNIT])
    bench.settings = settings()
    bench.bring_up(UNIT)
    bench.turn([], everything=True)

    assert bench.held()[-1] is HoldReason.STARTING
    assert bench.started() == []


def test_an_issue_without_a_remedy_is_said_to_be_unsupported_once() -> None:
    key = Key("services", UNIT, IssueType.HIGH_MEMORY)
    seen = item(finding(IssueType.HIGH_MEMORY))
    state = EngineState(seed=1, fresh=False, tickets={})
    instant = moment(units=[service(UNIT)], items=[seen])
    news = News(items=(("services", UNIT),))

    first = engine.step(settings(), state, instant, news)
    second = engine.step(settings(), first.state, instant, replace(news, everything=True))

    assert [type(happening) for happening in first.happenings] == [Opened, Unsupported]
    assert second.happenings == ()
    assert first.state.tickets[key].hold is None


def test_a_failure_that_is_no_units_is_told_apart_by_its_words() -> None:
    seen = item(finding(IssueType.CLOCK_SKEW, unit=None, message="300 s off"))
    state = EngineState(seed=1, tickets={})

    step = engine.step(settings(), state, moment(items=[seen]), News(items=(("services", UNIT),)))

    (opened,) = [each for each in step.happenings if isinstance(each, Opened)]
    assert opened.ticket.existing == "300 s off"


def test_news_of_an_item_that_nobody_has_is_no_news() -> None:
    state = EngineState(seed=1, fresh=False, tickets={})

    assert engine.step(settings(), state, moment(), News(items=(("services", "no.service"),))).happenings == ()


def test_an_issue_of_a_component_without_a_reading_stays_open() -> None:
    bench = Bench(service(UNIT), configuration=settings(dry_run=True))
    bench.kill(UNIT)
    bench.turn([UNIT])
    bench.units.connected = False
    bench.turn()

    assert bench.of(Resolved) == []
    assert bench.state.tickets[DOWN].open


def test_a_stopped_item_of_a_component_without_a_reading_stays_stopped() -> None:
    bench = Bench(service(UNIT))
    bench.set(UNIT, active="inactive", sub="dead", stopped_by_job=True)
    bench.turn([UNIT])
    bench.units.connected = False
    bench.turn()

    assert bench.state.stopped == {("services", UNIT)}


def test_a_crash_loop_that_ends_in_failure_stays_one_issue_until_it_is_quiet() -> None:
    restarts = (1.0, 2.0, 3.0)
    bench = Bench(service(UNIT))
    bench.set(UNIT, auto_restarts=tuple(bench.boot - 4.0 + instant for instant in restarts))
    bench.turn([UNIT])
    for _ in range(3):
        bench.kill(UNIT)
        bench.turn([UNIT])
        bench.bring_up(UNIT)
        bench.end_job(UNIT)
        bench.turn([UNIT])
        bench.later(25.0)

    opened = [happening.ticket.key.type for happening in bench.of(Opened)]
    assert opened.count(IssueType.CRASH_LOOP) == 1

    bench.later(300.0)
    over = [resolved for resolved in bench.of(Resolved) if resolved.ticket.key.type is IssueType.CRASH_LOOP]
    assert [resolved.well for resolved in over] == [True]


def test_healthd_does_not_act_on_a_crash_loop_while_systemd_does() -> None:
    bench = Bench(service(UNIT))
    bench.set(UNIT, auto_restarts=(bench.boot - 3.0, bench.boot - 2.0, bench.boot - 1.0))
    bench.turn([UNIT])

    assert bench.held() == [HoldReason.STARTING]
    assert bench.started() == []


def test_a_look_that_shows_nothing_new_changes_nothing_that_must_be_written() -> None:
    bench = broken(configuration=settings(dry_run=True))
    bench.pass_time(30.0)
    bench.turn()

    assert bench.step.changed == frozenset()


def test_what_a_unit_shows_in_the_middle_of_an_attempt_is_no_other_hold() -> None:
    bench = Bench(service(UNIT))
    loop = (bench.boot - 3.0, bench.boot - 2.0, bench.boot - 1.0)
    bench.set(UNIT, active="failed", sub="failed", result="exit-code", code=1, exit_status=1, auto_restarts=loop)
    bench.turn([UNIT])
    seen = len(bench.happened)

    bench.set(UNIT, active="inactive", sub="dead", result="success", exit_status=0)
    bench.turn([UNIT])

    assert [held.reason for held in bench.happened[seen:] if isinstance(held, Held)] == []
    assert bench.held() == [HoldReason.STARTING]  # of the loop, which systemd itself has ended


def test_a_crash_loop_that_systemd_gave_up_on_is_said_to_be_so() -> None:
    bench = Bench(service(UNIT), configuration=settings(dry_run=True))
    loop = (bench.boot - 3.0, bench.boot - 2.0, bench.boot - 1.0)
    bench.set(UNIT, active="failed", sub="failed", result="exit-code", code=1, exit_status=1, auto_restarts=loop)
    bench.turn([UNIT])

    words = {held.ticket.key.type: held.text for held in bench.of(Held)}
    assert "does not restart it any more" in words[IssueType.CRASH_LOOP]


def test_a_failure_that_somebody_reset_is_no_clean_end() -> None:
    bench = Bench(service(UNIT), configuration=settings(dry_run=True))
    bench.set(UNIT, active="failed", sub="failed", result="exit-code", code=1, exit_status=1)
    bench.turn([UNIT])
    bench.set(UNIT, active="inactive", sub="dead", result="success")
    bench.turn([UNIT])

    assert bench.held() == [HoldReason.DRY_RUN]
    assert bench.state.tickets[DOWN].message == "ended with exit status 1"
