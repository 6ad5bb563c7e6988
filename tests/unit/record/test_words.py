"""Durations, times of day and counts, as people say them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from healthd.record.words import clock_time, counted, span

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = 1_700_049_600.0  # 2023-11-15 12:00:00 UTC


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A host nine hours east of Greenwich."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0.0 s"),
        (0.013, "0.0 s"),
        (1.234, "1.2 s"),
        (9.94, "9.9 s"),
        (10.0, "10 s"),
        (119.4, "119 s"),
        (120.0, "2 min"),
        (3600.0, "60 min"),
        (7199.0, "2 h"),
        (7800.0, "2 h 10 min"),
        (10_800.0, "3 h"),
        (47 * 3600 + 59 * 60, "47 h 59 min"),
        (48 * 3600, "2 d"),
        (76 * 3600 + 1800, "3 d 4 h"),
    ],
)
def test_a_duration_is_as_exact_as_people_need_it(seconds: float, words: str) -> None:
    assert span(seconds) == words


@pytest.mark.usefixtures("tokyo")
def test_a_time_of_day_is_that_of_the_hosts_own_clock() -> None:
    assert clock_time(NOON + 61, now=NOON) == "21:01:01"


@pytest.mark.usefixtures("tokyo")
@pytest.mark.parametrize(("after", "words"), [(86_399.0, "20:59:59"), (86_400.0, "2023-11-16 21:00:00")])
def test_a_time_that_is_a_day_away_has_its_date(after: float, words: str) -> None:
    assert clock_time(NOON + after, now=NOON) == words


@pytest.mark.parametrize(("number", "words"), [(0, "0 attempts"), (1, "1 attempt"), (2, "2 attempts")])
def test_one_is_not_said_in_the_plural(number: int, words: str) -> None:
    assert counted(number, "attempt") == words
