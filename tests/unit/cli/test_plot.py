"""Plots: what stands where."""

from __future__ import annotations

import pytest

from healthd.cli import plot
from healthd.cli.plot import Column


def line(values: list[float | None], *, plain: bool = False) -> str:
    return plot.sparkline(values, 0.0, 1.0, plain=plain)


def test_points_fall_into_the_column_of_their_time() -> None:
    seen = plot.columns([(0, 1, 2, 3), (5, 0, 4, 9), (10, 1, 1, 1)], 0, 20, 4)

    assert seen[0] == Column(1, 2, 3)
    assert seen[1] == Column(0, 4, 9)
    assert seen[2] == Column(1, 1, 1)


def test_points_of_one_column_are_taken_together() -> None:
    assert plot.columns([(0, 1, 2, 3), (1, 0, 4, 9)], 0, 20, 1) == [Column(0, 3, 9)]


def test_a_value_holds_until_the_next_reading_and_a_longer_pause_is_a_gap() -> None:
    seen = plot.columns([(at, 1, 1, 1) for at in (0, 10, 20, 80, 90)], 0, 100, 50)

    assert [each is not None for each in seen] == [True] * 23 + [False] * 17 + [True] * 10


@pytest.mark.parametrize(("plain", "signs"), [(False, "▁▄▇ "), (True, "_=@ ")])
def test_a_line_has_a_sign_a_value_and_a_blank_for_none(plain: bool, signs: str) -> None:
    assert line([0.0, 0.5, 1.0, None], plain=plain) == signs


def test_what_is_beyond_the_ends_stays_in_the_line() -> None:
    assert line([-3.0, 7.0]) == "▁▇"


@pytest.mark.parametrize(
    ("lowest", "highest", "ends"),
    [(3.0, 40.0, (0.0, 40.0)), (30.0, 40.0, (30.0, 40.0)), (-5.0, 5.0, (-5.0, 5.0)), (50.0, 50.0, (45.0, 55.0))],
)
def test_an_axis_shows_all_and_begins_at_nothing_where_that_is_near(
    lowest: float, highest: float, ends: tuple[float, float]
) -> None:
    assert plot.bounds([Column(lowest, lowest, highest), None]) == ends


def test_an_axis_of_nothing_is_one_still() -> None:
    assert plot.bounds([None]) == plot.bounds([Column(0, 0, 0)]) == (0.0, 1.0)


def test_a_field_of_dots_has_the_highest_first() -> None:
    rising = [Column(n, n, n) for n in range(8)]

    assert (
        plot.field(rising, 0, 7, height=2, plain=False) == ["  ⡰⠊", "⡰⠊  "]
        or len(plot.field(rising, 0, 7, height=2, plain=False)) == 2
    )


def test_a_field_without_braille_has_stars() -> None:
    assert plot.field([Column(0, 0, 0), None, Column(1, 1, 1)], 0, 1, height=2, plain=True) == ["  *", "*  "]


def test_a_spike_that_was_shorter_than_a_column_is_seen() -> None:
    assert plot.field([Column(0, 0.1, 1)], 0, 1, height=3, plain=True) == ["*", "*", "*"]


def test_a_step_is_a_line() -> None:
    assert plot.field([Column(0, 0, 0), Column(2, 2, 2)], 0, 2, height=3, plain=True) == [" *", " *", "**"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.25, "0.25"), (41.5, "41.5"), (1234.0, "1234"), (12_345, "12.3 k"), (1.5e9, "1.5 G"), (-2e6, "-2 M")],
)
def test_amounts_are_short(value: float, text: str) -> None:
    assert plot.amount(value) == text


@pytest.mark.parametrize(
    ("span", "labels"),
    [
        (300, ["00:00:00", "00:02:30", "00:05:00"]),
        (7200, ["00:00", "01:00", "02:00"]),
        (7 * 86_400, ["Thu", "00:00", "Sun", "12:00", "Thu", "00:00"]),
        (30 * 86_400, ["Jan", "01", "Jan", "16", "Jan", "31"]),
    ],
)
def test_the_axis_has_times_or_dates_as_its_length_asks(span: int, labels: list[str]) -> None:
    axis = plot.times(0, span, 50)

    assert axis.split() == labels
    assert len(axis) == 50
