"""Calendar expressions: what they mean, when they happen next, and what is said about those that are none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthd.formats.calendar import parse
from healthd.formats.occurrence import next_after

BERLIN: Final = ZoneInfo("Europe/Berlin")
BEGIN: Final = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)  # a Wednesday


def times(text: str, count: int = 3, *, begin: datetime = BEGIN, zone: tzinfo = UTC) -> list[str]:
    """The next times of an expression, in the words of the zone."""
    calendar, at, found = parse(text), begin.timestamp(), []
    for _ in range(count):
        following = next_after(calendar, at, zone)
        if following is None:
            break
        at = following
        found.append(datetime.fromtimestamp(at, zone).replace(tzinfo=None).isoformat(sep=" "))
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Sun 02:00", ["2026-11-29 02:00:00", "2026-12-06 02:00:00"]),
        ("Mon..Wed,Sat 12:00", ["2026-11-28 12:00:00", "2026-11-30 12:00:00"]),
        ("thursday-friday", ["2026-11-26 00:00:00", "2026-11-27 00:00:00"]),
        ("Mon..Sun 12:00", ["2026-11-26 12:00:00", "2026-11-27 12:00:00"]),
        ("Thu, *-*-* 1:2:3", ["2026-11-26 01:02:03", "2026-12-03 01:02:03"]),
        ("22:30", ["2026-11-25 22:30:00", "2026-11-26 22:30:00"]),
        ("*-*-1,15 06:00", ["2026-12-01 06:00:00", "2026-12-15 06:00:00"]),
        ("12-24", ["2026-12-24 00:00:00", "2027-12-24 00:00:00"]),
        ("27..28-02-29", ["2028-02-29 00:00:00"]),
        ("*-*~1 18:00", ["2026-11-30 18:00:00", "2026-12-31 18:00:00"]),
        ("*-02~1..3", ["2027-02-26 00:00:00", "2027-02-27 00:00:00"]),
        ("*-11~3/1", ["2026-11-28 00:00:00", "2026-11-29 00:00:00"]),
        ("12~* 00:00", ["2026-12-01 00:00:00", "2026-12-02 00:00:00"]),
        ("*:0/20", ["2026-11-25 12:20:00", "2026-11-25 12:40:00"]),
        ("8..18/4:15", ["2026-11-25 12:15:00", "2026-11-25 16:15:00"]),
        ("12:0:*", ["2026-11-25 12:00:01", "2026-11-25 12:00:02"]),
        ("12:0:0.5,10.25", ["2026-11-25 12:00:00.500000", "2026-11-25 12:00:10.250000"]),
        ("*:*:55..58.5", ["2026-11-25 12:00:55", "2026-11-25 12:00:56"]),
        ("hourly", ["2026-11-25 13:00:00", "2026-11-25 14:00:00"]),
        ("Weekly", ["2026-11-30 00:00:00", "2026-12-07 00:00:00"]),
        ("semi-annually", ["2027-01-01 00:00:00", "2027-07-01 00:00:00"]),
        ("daily Europe/Berlin", ["2026-11-26 00:00:00", "2026-11-27 00:00:00"]),
        ("70-01-01", []),
        ("@1800000000", ["2027-01-15 08:00:00"]),
        ("Sun @1800000000", []),
        ("*-02-30", []),
    ],
)
def test_an_expression_names_these_times(text: str, found: list[str]) -> None:
    assert times(text, 2) == found


def test_a_zone_is_kept_by_its_name_and_utc_by_its_own() -> None:
    assert parse("daily Europe/Berlin").zone == "Europe/Berlin"
    assert parse("Sun 02:00 utc").zone == "UTC"
    assert parse("Sun 02:00").zone == ""


def test_a_time_that_the_clocks_skip_does_not_happen_that_day() -> None:
    march = datetime(2027, 3, 27, 12, 0, tzinfo=UTC)

    assert times("02:30", 2, begin=march, zone=BERLIN) == ["2027-03-29 02:30:00", "2027-03-30 02:30:00"]


def test_a_time_that_the_clocks_show_twice_happens_once() -> None:
    october = datetime(2027, 10, 30, 12, 0, tzinfo=UTC)
    assert times("02:30", 2, begin=october, zone=BERLIN) == ["2027-10-31 02:30:00", "2027-11-01 02:30:00"]
    second_pass = datetime(2027, 10, 31, 1, 10, tzinfo=UTC)

    assert times("02:30", 1, begin=second_pass, zone=BERLIN) == ["2027-11-01 02:30:00"]


def test_after_the_last_year_that_is_known_nothing_happens() -> None:
    assert next_after(parse("daily"), datetime(2199, 12, 31, 12, 0, tzinfo=UTC).timestamp(), UTC) is None
    assert next_after(parse("daily"), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC).timestamp(), UTC) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("x" * 1001, "more than 1000 characters"),
        ("Mond 02:00", "'d 02:00' cannot stand there"),
        ("Fri..Mon", "Mon comes before"),
        ("Mon..Tue..Wed", "'..Wed' cannot stand there"),
        ("Mon.Tue", "'.Tue' cannot stand there"),
        ("Mon..", "its end is missing"),
        ("Mon,02:00", "'02:00' cannot stand there"),
        ("tomorrow", "'tomorrow' cannot stand there"),
        ("25:00", "no such hour"),
        ("*:60", "no such minute"),
        ("*:*:60", "no such second"),
        ("*-13-01", "no such month"),
        ("*-*-32", "no such day"),
        ("*-*~29", "no such day"),
        ("*-*~3/3", "no such day"),
        ("2300-01-01", "no such year"),
        ("*-*-20..10", "no such day"),
        ("*-*-1..40", "no such day"),
        ("20/5:00", "no such hour"),
        ("*:0/90", "no such minute"),
        ("*:0/0", "a repetition by 0"),
        ("99999999999:00", "99999999999 is too large"),
        ("1-2-3-4", "'-4' cannot stand there"),
        ("1~2~3", "'~3' cannot stand there"),
        ("2026x01", "'x01' cannot stand there"),
        ("2026/1/1", "'/1' cannot stand there"),
        ("*-*-* 5", "its end is missing"),
        ("*-*-* 1:2-3", "'-3' cannot stand there"),
        ("*-*-* 1:2:3:4", "':4' cannot stand there"),
        ("1:2 3", "' 3' cannot stand there"),
        ("*:2..x", "'x' cannot stand there"),
        ("@12x", "'x' cannot stand there"),
        (",".join(["1"] * 300) + ":00", "more than 240 values"),
        ("*1:00", "'1:00' cannot stand there"),
        ("*:*-*", "'-*' cannot stand there"),
    ],
)
def test_what_is_no_expression_is_told_in_one_line(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"\A[^\n]*\Z") as error:
        parse(text)

    assert said in str(error.value)


FIELDS: Final = st.sampled_from(("*", "0", "1,7", "0/2", "2..5", "3..9/3"))
expressions = st.builds(
    "{} *-*{}{} {}:{}:00".format,
    st.sampled_from(("Mon", "Sat,Sun", "Tue..Fri", "Mon..Sun")),
    st.sampled_from("-~"),
    st.sampled_from(("*", "1", "1,7", "7/3", "5..20/5")),
    FIELDS,
    FIELDS,
)


@given(text=expressions, at=st.integers(0, 2**31), zone=st.sampled_from((UTC, BERLIN, ZoneInfo("Asia/Kolkata"))))
def test_each_time_is_after_the_one_before_and_nothing_lies_between(text: str, at: int, zone: tzinfo) -> None:
    calendar = parse(text)
    following = next_after(calendar, at, zone)
    assert following is not None
    assert following > at
    assert next_after(calendar, (at + following) / 2, zone) == following
    later = next_after(calendar, following, zone)
    assert later is not None
    assert later - following >= timedelta(minutes=1).total_seconds()
