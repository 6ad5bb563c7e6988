"""A leak is foretold, a sawtooth is not; wild readings move nothing."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthd.assess.trend import HORIZON, LEAST_POINTS, MOST_POINTS, Points, direction, extended, seconds_to
from healthd.model import Trend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def life(value: Callable[[float], float], seconds: float, *, every: float = 30.0) -> Iterator[tuple[float, Points]]:
    """The history at each reading of a value that is this function of time."""
    points: Points = ()
    at = 0.0
    while at <= seconds:
        points = extended(points, at, value(at))
        yield at, points
        at += every


def first_warning(
    value: Callable[[float], float], limit: float, seconds: float, *, every: float = 30.0
) -> float | None:
    """When the limit is first foretold."""
    told = ((at, seconds_to(points, limit)) for at, points in life(value, seconds, every=every))
    return next((at for at, ahead in told if ahead is not None), None)


@pytest.mark.parametrize("hours", [0.5, 1.0, 3.0, 8.0])
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_a_leak_is_foretold_more_than_ten_minutes_ahead(hours: float, noise: float) -> None:
    chance, full = random.Random(1), hours * 3600
    at = first_warning(lambda at: 40 + 55 * at / full + chance.gauss(0, noise), 95.0, full)

    assert at is not None
    assert full - at >= 600


def test_a_disk_that_fills_within_a_quarter_of_an_hour_is_foretold_ten_minutes_ahead() -> None:
    at = first_warning(lambda at: 10 + 85 * at / 900, 95.0, 900, every=5.0)

    assert at is not None
    assert 900 - at >= 600


def test_the_time_that_is_foretold_is_right() -> None:
    *_, (at, points) = life(lambda at: 50 + at / 60, 1200)

    assert seconds_to(points, 95.0) == pytest.approx((95 - 50) * 60 - at, rel=0.05)


def test_what_falls_towards_its_limit_is_foretold_too() -> None:
    *_, (_, points) = life(lambda at: 50 - at / 60, 1200)

    assert seconds_to(points, 5.0, falling=True) == pytest.approx(1500, rel=0.05)
    assert seconds_to(points, 95.0) is None


def test_what_is_beyond_its_limit_is_there_now() -> None:
    *_, (_, points) = life(lambda at: 50 + at / 20, 1200)

    assert seconds_to(points, 95.0) == 0.0


@pytest.mark.parametrize("period", [120.0, 240.0, 300.0, 600.0, 900.0])
def test_a_sawtooth_foretells_nothing_after_its_first_fall(period: float) -> None:
    foretold = [
        at
        for at, points in life(lambda at: 40 + 50 * (at % period) / period, 6 * 3600)
        if at > period and seconds_to(points, 95.0) is not None
    ]

    assert foretold == []


def test_a_sawtooth_that_is_short_foretells_nothing_at_all() -> None:
    assert first_warning(lambda at: 40 + 50 * (at % 300) / 300, 95.0, 6 * 3600) is None


def test_noise_foretells_nothing() -> None:
    chance = random.Random(2)

    assert first_warning(lambda _: 60 + chance.gauss(0, 5), 95.0, 6 * 3600) is None


def test_a_step_that_stays_foretells_nothing() -> None:
    assert first_warning(lambda at: 40.0 if at < 1800 else 80.0, 95.0, 4 * 3600) is None


def test_wild_readings_neither_hide_a_leak_nor_make_one() -> None:
    chance = random.Random(3)

    def steady(_: float) -> float:
        return 40 + (50 if chance.random() < 0.05 else 0)

    def leaking(at: float) -> float:
        return 40 + 55 * at / 3600 + (30 if chance.random() < 0.05 else 0)

    assert first_warning(steady, 95.0, 3 * 3600) is None
    at = first_warning(leaking, 95.0, 3600)
    assert at is not None
    assert 3600 - at >= 600


def test_too_few_readings_or_too_little_time_foretell_nothing() -> None:
    few = tuple((30.0 * index, float(index)) for index in range(LEAST_POINTS - 1))
    quick = tuple((0.1 * index, float(index)) for index in range(60))

    assert seconds_to(few, 12.0) is None
    assert seconds_to(quick, 65.0) is None


def test_what_is_farther_ahead_than_the_horizon_is_not_foretold() -> None:
    *_, (_, points) = life(lambda at: 10 + at / 600, 3600)

    assert seconds_to(points, 95.0) is None


@given(st.lists(st.tuples(st.floats(-5, 900), st.floats(0, 100)), max_size=300))
def test_a_history_is_short_in_order_and_no_older_than_the_horizon(steps: list[tuple[float, float]]) -> None:
    points: Points = ()
    at = 0.0
    for step, value in steps:
        at += step
        points = extended(points, at, value)

    instants = [instant for instant, _ in points]
    assert len(points) <= MOST_POINTS
    assert instants == sorted(set(instants))
    assert not points or instants[0] >= instants[-1] - HORIZON


@pytest.mark.parametrize(
    ("scores", "trend"),
    [
        ([], Trend.STABLE),
        ([1.0], Trend.STABLE),
        ([0.3] * 12, Trend.STABLE),
        ([1.0, 1.0, 0.9, 0.8, 0.7, 0.6], Trend.WORSENING),
        ([0.5, 0.5, 0.7, 0.9, 1.0, 1.0], Trend.IMPROVING),
        ([0.90, 0.91, 0.92, 0.93, 0.92, 0.94], Trend.STABLE),
        ([1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], Trend.STABLE),
    ],
)
def test_a_score_has_a_direction(scores: list[float], trend: Trend) -> None:
    assert direction(tuple((30.0 * index, score) for index, score in enumerate(scores))) is trend
