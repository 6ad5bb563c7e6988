"""Backoff, jitter and budgets, as numbers."""

from __future__ import annotations

import pytest

from healthd.config import UnitSettings
from healthd.decide.limits import Usage, backoff, free_at, host_instants, jitter, remembered
from healthd.decide.state import Mark
from tests.unit.builders import DOWN, UNIT, attempt, settings, ticket


@pytest.mark.parametrize(("attempts", "pause"), [(0, 0.0), (1, 10.0), (2, 20.0), (3, 40.0), (5, 160.0), (6, 300.0)])
def test_each_pause_is_twice_the_one_before_up_to_the_longest(attempts: int, pause: float) -> None:
    assert backoff(settings().auto_healing, attempts) == pause


def test_without_a_longest_pause_they_go_on_growing() -> None:
    assert backoff(settings(backoff_max_seconds=0.0).auto_healing, 11) == 10_240.0


def test_no_number_of_attempts_is_too_large_for_a_pause() -> None:
    assert backoff(settings().auto_healing, 100_000) == 300.0


def test_a_backoff_of_zero_is_no_pause() -> None:
    assert backoff(settings(backoff_seconds=0.0).auto_healing, 5) == 0.0


def test_jitter_only_lengthens_a_pause_and_by_a_tenth_at_most() -> None:
    factors = [jitter(seed, DOWN, number) for seed in range(50) for number in range(1, 5)]

    assert all(1.0 <= factor <= 1.1 for factor in factors)
    assert len(set(factors)) == len(factors)


def test_there_is_a_jitter_for_what_has_a_name_that_is_no_utf8() -> None:
    assert 1.0 <= jitter(1, DOWN._replace(item="/mnt/\udcff"), 1) <= 1.1


def test_jitter_is_the_same_for_the_same_host_issue_and_attempt() -> None:
    assert jitter(7, DOWN, 2) == jitter(7, DOWN, 2)


def test_an_action_fits_while_fewer_than_the_limit_were_done() -> None:
    assert free_at([1.0, 2.0], 3, 60.0) is None


def test_one_more_fits_a_window_after_the_oldest_of_the_last_ones() -> None:
    assert free_at([1.0, 2.0, 5.0], 2, 60.0) == 62.0


@pytest.mark.parametrize(("limit", "window"), [(0, 60.0), (2, 0.0)])
def test_a_limit_or_a_window_of_zero_is_off(limit: int, window: float) -> None:
    assert free_at([1.0, 2.0, 3.0], limit, window) is None


def test_the_instants_of_a_window_are_those_since_its_beginning() -> None:
    marks = [Mark(10.0, UNIT), Mark(50.0, "b.service")]

    assert host_instants(marks, 70.0, 60.0) == [50.0]


def test_usage_knows_what_is_in_flight_and_what_each_unit_had() -> None:
    usage = Usage([ticket(attempt=attempt()), ticket()], [Mark(1.0, UNIT), Mark(2.0, "b.service")])

    usage.began(Mark(3.0, "b.service"))
    usage.ended(UNIT)

    assert usage.acting == {"b.service"}
    assert usage.host == [1.0, 2.0, 3.0]
    assert (usage.of_unit("b.service"), usage.of_unit("c.service")) == ([2.0, 3.0], ())


def test_what_was_done_is_remembered_for_an_hour_at_least() -> None:
    marks = (Mark(0.0, UNIT), Mark(0.1, UNIT))

    assert remembered(settings(host_budget_seconds=60.0), marks, 3600.0) == (Mark(0.1, UNIT),)


def test_what_was_done_is_remembered_for_as_long_as_the_window() -> None:
    marks = (Mark(0.0, UNIT),)

    assert remembered(settings(host_budget_seconds=7200.0), marks, 7199.0) == marks


MANY = tuple(Mark(float(number), UNIT) for number in range(250))


@pytest.mark.parametrize(
    "off",
    [
        settings(host_budget_seconds=0.0),
        settings(health={"max_healing_attempts": 0}, host_budget_actions=0),
    ],
    ids=["no window", "no counts"],
)
def test_while_all_budgets_are_off_a_few_are_enough(off: object) -> None:
    assert remembered(off, MANY, 300.0) == MANY[-100:]  # type: ignore[arg-type]


def test_one_units_own_budget_is_a_budget() -> None:
    units = {"a.service": UnitSettings(max_attempts=2)}
    own = settings(health={"max_healing_attempts": 0}, units=units, host_budget_actions=0)

    assert remembered(own, MANY, 300.0) == MANY
