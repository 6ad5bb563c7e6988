"""A receiver that is down is tried again and again, ever more rarely, and at least once a minute in the beginning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthd.deliver.pauses import LONG_SECONDS, SHORT_SECONDS, WISH_SECONDS, YOUNG_SECONDS, pause
from healthd.deliver.ways import HTTP_SECONDS


@pytest.mark.parametrize(("tries", "seconds"), [(1, 1.0), (2, 2.0), (3, 4.0), (6, 32.0), (7, 45.0), (10_000, 45.0)])
def test_pauses_double(tries: int, seconds: float) -> None:
    assert pause(tries, 0.0, 0.0) == seconds


def test_chance_shortens_a_pause_by_up_to_a_half() -> None:
    assert pause(3, 0.0, 1.0) == 2.0


def test_after_ten_minutes_pauses_may_be_longer() -> None:
    assert pause(100, YOUNG_SECONDS, 0.0) == LONG_SECONDS


@pytest.mark.parametrize(("wished", "seconds"), [(0.0, 1.0), (120.0, 120.0), (1e9, WISH_SECONDS)])
def test_a_receiver_may_ask_for_a_longer_pause_within_reason(wished: float, seconds: float) -> None:
    assert pause(1, 0.0, 0.0, wished) == seconds


@given(st.integers(1, 10**9), st.floats(0, YOUNG_SECONDS, exclude_max=True), st.floats(0, 1))
def test_a_young_letter_is_tried_once_a_minute(tries: int, age: float, chance: float) -> None:
    assert 0 < pause(tries, age, chance) <= 60.0 - HTTP_SECONDS
    assert SHORT_SECONDS + HTTP_SECONDS <= 60.0
