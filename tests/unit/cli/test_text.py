"""How durations, moments, scores and columns look."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthd.cli import text

NOON = 1_763_985_600.0  # 2025-11-24 12:00:00 UTC


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (86400, "1 d"),
        (273_600, "3 d 4 h"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds: float, words: str) -> None:
    assert text.duration(seconds) == words


def test_a_moment_of_today_is_a_time_of_day_and_any_other_has_its_date() -> None:
    assert text.moment(NOON - 60, NOON) == "11:59:00"
    assert text.moment(NOON - 86400, NOON) == "2025-11-23 12:00"


def test_what_lies_ahead_and_what_lies_behind_is_said_both_ways() -> None:
    assert text.until(NOON + 240, NOON) == "until 12:04:00 (in 4 min)"
    assert text.until(NOON - 1, NOON) == "until 11:59:59 (now)"
    assert text.since(NOON - 180, NOON) == "since 11:57:00 (3 min ago)"


@pytest.mark.parametrize(
    ("value", "shown"), [(0.899, "0.89"), (0.9, "0.90"), (1.0, "1.00"), (0.29, "0.29"), (0, "0.00")]
)
def test_a_score_is_never_rounded_up_to_a_better_status(value: float, shown: str) -> None:
    assert text.score(value) == shown


@given(st.text())
def test_text_from_elsewhere_cannot_steer_the_terminal(wild: str) -> None:
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in text.plain(wild))


def test_columns_are_as_wide_as_their_widest_text_whatever_its_colour() -> None:
    rows = [[("a", "\x1b[31ma\x1b[0m"), ("one", "one")], [("bbb", "bbb"), ("two", "two")]]

    assert text.columns(rows) == ["\x1b[31ma\x1b[0m    one", "bbb  two"]


def test_no_rows_are_no_lines() -> None:
    assert text.columns([]) == []


def test_colours_are_left_out_where_none_are_wanted() -> None:
    assert text.Style(coloured=False).status("healthy") == "healthy"
    assert text.Style(coloured=True).status("healthy") == "\x1b[32mhealthy\x1b[0m"


def test_a_status_that_a_newer_daemon_invents_looks_unknown() -> None:
    assert text.Style(coloured=False).sign("splendid") == "?"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("available_bytes", 70_516_121_600, "65.7 GiB"),
        ("used_bytes", 1023, "1023 B"),
        ("swap_bytes", 1024, "1.0 KiB"),
        ("used_bytes", 0, "0 B"),
        ("used_percent", 35.27, "35.27"),
        ("rows", 70_516_121_600, "70516121600"),
    ],
)
def test_an_amount_of_memory_has_a_unit_that_fits_and_other_numbers_stay_as_they_are(
    name: str, value: float, shown: str
) -> None:
    assert text.figure(name, value) == shown


@pytest.mark.parametrize(
    ("tty", "no_color", "terminal", "coloured"),
    [
        (True, "", "xterm", True),
        (True, "1", "xterm", False),
        (True, "", "dumb", False),
        (False, "", "xterm", False),
    ],
)
def test_colours_are_for_terminals_and_for_people_who_want_them(
    monkeypatch: pytest.MonkeyPatch, tty: bool, no_color: str, terminal: str, coloured: bool
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: tty, raising=False)
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", terminal)

    assert ("\x1b" in text.terminal_style().sign("healthy")) is coloured
