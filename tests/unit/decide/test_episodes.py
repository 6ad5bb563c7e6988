"""Pauses, giving up, and what comes back."""

from __future__ import annotations

from typing import Any

from healthd.decide.happenings import Ended, GaveUp, Opened, Resolved
from healthd.model import HoldReason, Severity
from tests.fake_units import service
from tests.unit.builders import UNIT, settings
from tests.unit.decide.bench import Bench, fail_attempt, healed


def test_pauses_between_attempts_double_and_begin_at_the_end_of_the_last_one() -> None:
    bench = Bench(service(UNIT), configuration=settings(health={"max_healing_attempts": 4}))
    bench.kill(UNIT)
    bench.turn([UNIT])

    pauses = []
    for _ in range(3):
        bench.pass_time(5.0)
        fail_attempt(bench)
        ended = bench.time
        bench.later(100.0)
        pauses.append(bench.started()[-1].started_at - bench.engine_clock.now(ended - bench.booted_at))

    for pause, least in zip(pauses, (10.0, 20.0, 40.0), strict=True):
        assert least <= pause <= 1.1 * least + 1e-6


def test_when_the_attempts_have_run_out_healthd_gives_up_loudly_and_once() -> None:
    bench = Bench(service(UNIT))
    bench.kill(UNIT)
    bench.turn([UNIT])

    for _ in range(3):
        fail_attempt(bench)
        bench.later(60.0)

    assert len(bench.started()) == 3
    (gave_up,) = bench.of(GaveUp)
    assert gave_up.retry == 3600.0
    assert gave_up.ticket.severity is Severity.CRITICAL
    assert bench.held()[-1] is HoldReason.GAVE_UP


def given_up(**auto_healing: Any) -> Bench:
    bench = Bench(service(UNIT), configuration=settings(**auto_healing))
    bench.kill(UNIT)
    bench.turn([UNIT])
    for _ in range(3):
        fail_attempt(bench)
        bench.later(60.0)
    assert len(bench.of(GaveUp)) == 1
    return bench


def test_after_giving_up_there_is_one_slow_retry_after_each_long_pause() -> None:
    bench = given_up()

    bench.later(3600.0)
    assert len(bench.started()) == 4

    fail_attempt(bench)
    bench.later(3599.0)
    assert len(bench.started()) == 4

    bench.later(1.0)
    assert len(bench.started()) == 5
    assert len(bench.of(GaveUp)) == 1


def test_without_a_slow_retry_healthd_gives_up_for_good() -> None:
    bench = given_up(retry_after_give_up_seconds=0.0)

    bench.later(10 * 86_400.0)

    assert len(bench.started()) == 3


def test_a_slow_retry_is_never_sooner_than_the_backoff() -> None:
    bench = given_up(retry_after_give_up_seconds=1.0, host_budget_seconds=0.0)
    ends = [happening.ticket.last_end or 0.0 for happening in bench.of(Ended)]

    assert bench.started()[3].started_at >= ends[2] + 40.0


def test_a_slow_retry_that_helps_resolves_the_issue() -> None:
    bench = given_up()
    bench.later(3600.0)

    healed(bench)

    assert bench.outcomes()[-1] == "success"
    assert len(bench.of(Resolved)) == 1


def test_what_comes_back_within_the_longest_pause_goes_on_counting() -> None:
    bench = Bench(service(UNIT))
    bench.kill(UNIT)
    bench.turn([UNIT])
    healed(bench)

    bench.later(299.0)
    bench.kill(UNIT)
    bench.turn([UNIT])

    assert bench.started()[-1].number == 2


def test_what_comes_back_after_the_longest_pause_begins_anew() -> None:
    bench = Bench(service(UNIT))
    bench.kill(UNIT)
    bench.turn([UNIT])
    healed(bench)

    bench.pass_time(300.0)
    bench.kill(UNIT)
    bench.turn([UNIT])

    assert [attempt.number for attempt in bench.started()] == [1, 1]


def test_without_a_bound_on_the_pauses_an_episode_lasts_as_long_as_its_next_pause() -> None:
    bench = Bench(service(UNIT), configuration=settings(backoff_max_seconds=0.0, backoff_seconds=100.0))
    bench.kill(UNIT)
    bench.turn([UNIT])
    healed(bench)

    bench.later(90.0)
    bench.kill(UNIT)
    bench.turn([UNIT])

    assert bench.held() == [HoldReason.COOLDOWN]


def test_what_comes_back_in_its_pause_waits_for_the_end_of_it() -> None:
    bench = Bench(service(UNIT))
    bench.kill(UNIT)
    bench.turn([UNIT])
    healed(bench)

    bench.kill(UNIT)
    bench.turn([UNIT])

    assert bench.held() == [HoldReason.COOLDOWN]
    assert len(bench.started()) == 1


def test_giving_up_is_not_forgotten_by_a_short_recovery() -> None:
    bench = given_up()

    bench.bring_up(UNIT)
    bench.turn([UNIT])
    bench.later(2.0)
    bench.kill(UNIT)
    bench.turn([UNIT])

    assert len(bench.of(Resolved)) == 1
    assert len(bench.started()) == 3
    assert bench.of(Opened)[-1].ticket.severity is Severity.CRITICAL
