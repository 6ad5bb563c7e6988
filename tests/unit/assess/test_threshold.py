"""A value against its limits: 1.0 up to the warning, then evenly down, and a margin before it clears."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthd.assess.threshold import Level, falling, level_of, score_of
from healthd.model import Measure

USED: dict[str, Any] = {"warning": 85.0, "critical": 95.0, "limit": 100.0}
DAYS: dict[str, Any] = {"warning": 21.0, "critical": 7.0, "limit": 0.0}


def measure(value: float, **limits: Any) -> Measure:
    return Measure(name="used_percent", value=value, **(limits or USED))


def score(value: float, before: Level = Level.OK, **limits: Any) -> float:
    one = measure(value, **limits)
    return score_of(one, level_of(one, before))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, 1.0),
        (85.0, 1.0),
        (85.001, 0.79),
        (90.0, 0.645),
        (95.0, 0.5),
        (95.001, 0.4899),
        (97.5, 0.245),
        (100.0, 0.0),
        (120.0, 0.0),
    ],
)
def test_the_score_falls_evenly_between_the_limits(value: float, expected: float) -> None:
    assert score(value) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("days", "expected"), [(365.0, 1.0), (21.0, 1.0), (14.0, 0.645), (7.0, 0.5), (3.5, 0.245), (0.0, 0.0), (-3.0, 0.0)]
)
def test_where_critical_is_below_warning_less_is_worse(days: float, expected: float) -> None:
    assert score(days, **DAYS) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("limits", "value", "expected"),
    [
        ({"warning": 80.0}, 81.0, 0.79),
        ({"warning": 80.0, "limit": 100.0}, 90.0, 0.645),
        ({"critical": 10.0}, 10.0, 1.0),
        ({"critical": 10.0}, 15.0, 0.245),
        ({"critical": 10.0}, 25.0, 0.0),
        ({"warning": 5.0, "critical": 20.0}, 27.5, 0.245),
        ({"warning": 5.0, "critical": 5.0}, 6.0, 0.392),
        ({"critical": 0.0}, 1.0, 0.0),
        ({}, 1e9, 1.0),
    ],
)
def test_one_limit_is_enough_and_none_is_no_judgement(limits: dict[str, Any], value: float, expected: float) -> None:
    one = Measure(name="errors", value=value, **limits)

    assert score_of(one, level_of(one)) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("limits", "less"),
    [(DAYS, True), (USED, False), ({"critical": 7.0, "limit": 0.0}, True), ({"warning": 7.0}, False), ({}, False)],
)
def test_the_limits_say_which_way_is_worse(limits: dict[str, Any], less: bool) -> None:
    assert falling(Measure(name="x", value=1.0, **limits)) is less


@pytest.mark.parametrize(
    ("value", "before", "level"),
    [
        (84.0, Level.OK, Level.OK),
        (84.0, Level.WARNING, Level.WARNING),
        (82.0, Level.WARNING, Level.OK),
        (94.0, Level.CRITICAL, Level.CRITICAL),
        (92.0, Level.CRITICAL, Level.WARNING),
        (10.0, Level.CRITICAL, Level.OK),
        (96.0, Level.OK, Level.CRITICAL),
    ],
)
def test_clearing_needs_a_margin_and_getting_worse_needs_none(value: float, before: Level, level: Level) -> None:
    assert level_of(measure(value), before) is level


@pytest.mark.parametrize(("before", "expected"), [(Level.WARNING, 0.79), (Level.CRITICAL, 0.49)])
def test_what_is_kept_for_the_margin_has_the_best_score_of_its_range(before: Level, expected: float) -> None:
    assert score(84.0 if before is Level.WARNING else 94.0, before) == pytest.approx(expected)


def test_a_single_limit_has_a_margin_too() -> None:
    assert level_of(measure(77.0, warning=80.0), Level.WARNING) is Level.WARNING
    assert level_of(measure(75.0, warning=80.0), Level.WARNING) is Level.OK


LIMITS = st.floats(min_value=0, max_value=1e6)


@given(LIMITS, LIMITS, st.sampled_from(Level))
def test_nothing_at_all_always_clears(warning: float, more: float, before: Level) -> None:
    one = Measure(name="errors", value=0.0, warning=warning, critical=warning + more)

    assert level_of(one, before) is Level.OK


@given(LIMITS, LIMITS, st.floats(-1e7, 1e7), st.floats(0, 1e6), st.sampled_from(Level))
def test_worse_is_never_better(warning: float, critical: float, value: float, more: float, before: Level) -> None:
    one = Measure(name="x", value=value, warning=warning, critical=critical)
    worse = Measure(
        name="x", value=value - more if critical < warning else value + more, warning=warning, critical=critical
    )

    assert level_of(worse, before) >= level_of(one, before)
    assert score_of(worse, level_of(worse, before)) <= score_of(one, level_of(one, before))


@given(LIMITS, LIMITS, st.floats(-1e7, 1e7), st.sampled_from(Level))
def test_a_level_and_its_score_belong_together(warning: float, critical: float, value: float, before: Level) -> None:
    one = Measure(name="x", value=value, warning=warning, critical=critical)
    level = level_of(one, before)

    match level:
        case Level.OK:
            assert score_of(one, level) == 1.0
        case Level.WARNING:
            assert 0.5 <= score_of(one, level) <= 0.79
        case Level.CRITICAL:
            assert 0.0 <= score_of(one, level) <= 0.49
