"""The windows of calendar silences: worked out when they are needed, and kept as long as they hold."""

from __future__ import annotations

from typing import Any

import pytest

from healthd.decide.happenings import Silencing
from healthd.decide.silence import Kind, Scope, Silence, Window
from healthd.errors import ReadError
from healthd.windows import Windows, check_windows
from tests.fakes import FakeClock, FakeLog

MIDNIGHT = 1_699_920_000.0
DAY = 86_400.0


def silence(calendar: str = "daily", seconds: float = 3600.0) -> Silence:
    return Silence(
        id="s1",
        scope=Scope(Kind.ALL),
        by="bob",
        set_at=0.0,
        set_wall=0.0,
        seconds=seconds,
        calendar=calendar,
        reminded=0.0,
    )


class CountingClock(FakeClock):
    """Counts how often a zone is read, that is how often a window is worked out."""

    zones = 0

    def zone(self, name: str) -> Any:
        self.zones += 1
        return super().zone(name)


def test_it_is_the_window_that_is_open_or_else_the_next() -> None:
    clock = FakeClock(wall=MIDNIGHT + 60.0)
    windows = Windows(clock, FakeLog())
    windows.look([silence()], ())
    assert windows.of == {("daily", 3600.0): Window(MIDNIGHT, MIDNIGHT + 3600.0)}
    clock.advance(3540.0)
    windows.look([silence()], ())

    assert windows.of == {("daily", 3600.0): Window(MIDNIGHT + DAY, MIDNIGHT + DAY + 3600.0)}


def test_a_silence_that_is_about_to_be_set_has_its_window_too() -> None:
    windows = Windows(FakeClock(wall=MIDNIGHT), FakeLog())
    windows.look((), [Silencing(silence=silence()), Silencing(silence=silence(calendar=""))])

    assert list(windows.of) == [("daily", 3600.0)]


def test_a_window_is_worked_out_once_an_hour_or_when_the_clock_is_set() -> None:
    clock = CountingClock(wall=MIDNIGHT + 2 * 3600.0)
    windows = Windows(clock, FakeLog())
    for _ in range(5):
        windows.look([silence()], ())
        clock.advance(60.0)
    assert clock.zones == 1
    clock.advance(3600.0)
    windows.look([silence()], ())
    clock.set_wall(MIDNIGHT - DAY)
    windows.look([silence()], ())

    assert clock.zones == 3


def test_without_calendar_silences_there_is_nothing_to_do() -> None:
    windows = Windows(CountingClock(), FakeLog())
    windows.look([silence(calendar="")], ())
    assert not windows.of
    windows.look([silence()], ())
    windows.look((), ())

    assert not windows.of


def test_one_that_cannot_be_worked_out_any_more_is_left_out_and_that_is_said() -> None:
    log = FakeLog()
    windows = Windows(FakeClock(), log)
    windows.look([silence("daily Nowhere/Land")], ())

    assert not windows.of
    assert "Nowhere/Land" in str(log.records[0].fields)


def test_an_expression_that_is_over_has_no_window() -> None:
    windows = Windows(FakeClock(), FakeLog())
    windows.look([silence("2001-01-01")], ())

    assert windows.of == {("2001-01-01", 3600.0): None}


@pytest.mark.parametrize(
    ("text", "seconds", "said"),
    [
        ("hourly", 3601.0, "comes again after 3600 s"),
        ("2001-01-01", 60.0, "no time that is still to come"),
        ("whenever", 60.0, "no calendar expression"),
    ],
)
def test_what_makes_no_windows_is_told(text: str, seconds: float, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_windows(FakeClock(), text, seconds)


def test_windows_that_follow_each_other_are_right() -> None:
    check_windows(FakeClock(), "hourly", 3600.0)
    check_windows(FakeClock(), "2030-01-01", 3600.0)
    with pytest.raises(ReadError, match="no time zone"):
        check_windows(FakeClock(), "daily Nowhere/Land", 60.0)
