"""When checks are due: in step with the round, in groups where there are many, and never twice for one beat."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from healthd.schedule import PAUSE, TOGETHER, Schedule


def scheduled(**intervals: float) -> Schedule:
    schedule = Schedule(100.0)
    schedule.take(intervals, 100.0)
    return schedule


def test_all_are_due_at_first() -> None:
    schedule = scheduled(a=30.0, b=5.0)

    assert schedule.due(100.0) == ["a", "b"]
    assert schedule.next() == 100.0


def test_the_next_time_is_in_step_with_the_beginning_however_late_it_is() -> None:
    schedule = scheduled(a=30.0)
    schedule.began("a", 107.0)

    assert schedule.due(129.9) == []
    assert schedule.next() == 130.0


def test_beats_that_were_missed_are_not_made_up_for() -> None:
    schedule = scheduled(a=30.0)
    schedule.began("a", 195.0)

    assert schedule.next() == 220.0


def test_a_look_can_come_sooner_but_not_later_than_planned() -> None:
    schedule = scheduled(a=30.0)
    schedule.began("a", 100.0)
    schedule.at_latest("a", 105.0)
    schedule.at_latest("a", 110.0)
    schedule.at_latest("unheard of", 1.0)

    assert schedule.next() == 105.0


def test_a_look_can_be_put_off() -> None:
    schedule = scheduled(a=30.0)
    schedule.not_before("a", 700.0)
    schedule.not_before("unheard of", 1.0)

    assert schedule.next() == 700.0


def test_without_checks_nothing_is_ever_due() -> None:
    assert scheduled().next() == float("inf")


def test_a_reload_keeps_the_time_of_what_stays_and_looks_at_once_at_what_is_new() -> None:
    schedule = scheduled(a=30.0, b=30.0, c=30.0)
    for name in "abc":
        schedule.began(name, 100.0)
    schedule.take({"a": 30.0, "b": 5.0, "d": 30.0}, 120.0)

    assert schedule.due(120.0) == ["b", "d"]


def test_many_new_ones_begin_a_group_at_a_time() -> None:
    schedule = scheduled(**{f"p{n}": 5.0 for n in range(60)}, single=30.0)

    assert [len(schedule.due(100.0 + PAUSE * n + 1e-6)) for n in range(3)] == [26, 51, 61]


def test_few_begin_together_and_many_are_spread_over_their_interval() -> None:
    few, many = scheduled(**{f"p{n}": 5.0 for n in range(TOGETHER)}), scheduled(**{f"p{n}": 5.0 for n in range(500)})

    assert len(_beats(few, TOGETHER)) == 1
    assert len(_beats(many, 500)) == 500 / TOGETHER
    assert max(_beats(many, 500).values()) == TOGETHER


def _beats(schedule: Schedule, count: int) -> Counter[float]:
    """How many are due at each instant of the second interval."""
    for number in range(count):
        schedule.began(f"p{number}", 105.0)
    beats: Counter[float] = Counter()
    while (at := schedule.next()) < 110.0 + 1e-9:
        for name in schedule.due(at):
            beats[round(at, 6)] += 1
            schedule.began(name, at + 5.0)
    return beats


@given(st.floats(0.1, 1000), st.floats(0, 1e6))
def test_the_next_time_is_after_now_and_at_most_an_interval_ahead(interval: float, late: float) -> None:
    schedule = scheduled(a=interval)
    now = 100.0 + late
    schedule.began("a", now)

    assert now < schedule.next() + 1e-6
    assert schedule.next() <= now + interval + 1e-6
