"""Readings as they age: from rounds to spans to hours, and then forgotten. Whatever the clock does."""

from __future__ import annotations

import math
import sqlite3
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthd.answers import HistoryQuery, Note, Series
from healthd.record import keep
from tests.unit.record.lives import rows_of
from tests.unit.record.past import DEFAULTS, START, asked, batch, database, days_pass, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from healthd.answers import Point

HOST, WEB = Series("", "", "score"), Series("web", "front", "latency_ms")
DAY = 86_400


@pytest.fixture
def past(file: Path) -> Iterator[sqlite3.Connection]:
    connection = database(file)
    yield connection
    connection.close()


def points(file: Path, series: Series, since: float, until: float, count: int = 1000) -> tuple[Point, ...]:
    query = HistoryQuery(
        since=since, until=until, component=series.component, item=series.item, name=series.name, points=count
    )
    return next((each.points for each in asked(file, query).series if each.series == series), ())


def times(file: Path, table: str) -> list[int]:
    return [at for (at,) in rows_of(file, f"SELECT at FROM {table} ORDER BY at")]


def test_five_minutes_become_a_span_when_they_are_over(file: Path, past: sqlite3.Connection) -> None:
    write(past, batch({START + second: {HOST: second / 300, WEB: 5.0} for second in range(0, 300, 30)}))
    assert times(file, "span5") == []

    write(past, batch({START + 300: {HOST: 1.0}}))

    assert times(file, "span5") == [START]
    assert times(file, "hour") == []


def test_an_hour_becomes_one_and_its_scores_can_be_read_by_people(file: Path, past: sqlite3.Connection) -> None:
    for second in range(0, 3630, 30):
        write(past, batch({START + second: {HOST: 1.0 if second != 900 else 0.25, WEB: second / 10}}))

    assert times(file, "hour") == [START]
    assert rows_of(file, "SELECT at, component, min, max FROM hourly_score") == [(START, "", 0.25, 1.0)]
    assert rows_of(file, "SELECT component, min, max FROM score") == [("host", "0.25", "1.00")]


def test_a_dip_of_one_round_is_seen_after_a_month(file: Path, past: sqlite3.Connection) -> None:
    for second in range(0, 3630, 30):
        write(past, batch({START + second: {HOST: 1.0 if second != 900 else 0.25}}))

    (point,) = points(file, HOST, START, START + 30 * DAY, 300)

    assert (point.at, point.min, point.max) == (START, 0.25, 1.0)
    assert point.mean == pytest.approx((120 + 0.25) / 121, abs=1e-4)


def test_a_series_that_was_there_for_a_moment_is_kept_like_the_others(file: Path, past: sqlite3.Connection) -> None:
    write(past, batch({START + second: {HOST: 1.0} for second in range(0, 300, 30)}))
    write(past, batch({START + 31: {WEB: 7.5}}))
    write(past, batch({START + 3600: {HOST: 1.0}}))
    write(past, batch({START + 3700: {HOST: 1.0}}))

    assert [tuple(point) for point in points(file, WEB, START, START + 30 * DAY, 300)] == [(START, 7.5, 7.5, 7.5)]


def test_what_is_not_thinned_out_yet_is_seen_among_what_is(file: Path, past: sqlite3.Connection) -> None:
    days_pass(past, START, 2 * 3600 + 600)

    found = points(file, DEFAULTS[1], START, START + 30 * DAY, 300)

    assert found[0].at == START
    assert sum(1 for _ in times(file, "hour")) == 2
    assert times(file, "round")[-1] - found[-1].at < 30 * DAY / 300  # the last of them holds the newest round


def test_where_rounds_are_forgotten_the_spans_take_over(file: Path, past: sqlite3.Connection) -> None:
    days_pass(past, START, 3 * DAY, every=60, together=5)
    assert START + DAY - 5000 <= times(file, "round")[0] <= START + DAY

    found = points(file, DEFAULTS[1], START + DAY - 7200, START + DAY + 7200, 1000)

    pauses = [later.at - sooner.at for sooner, later in pairwise(found)]
    assert (found[0].at, pauses[0], pauses[-1]) == (START + DAY - 7200, 300, 60)


def test_after_its_days_history_is_forgotten_in_every_tier(file: Path, past: sqlite3.Connection) -> None:
    write(past, batch({}, [Note(at=START, event="old"), Note(at=START + 4 * DAY, event="young")]))
    days_pass(past, START, 5 * DAY, every=300, days=2.0)

    newest = START + 5 * DAY
    for table in ("round", "span5", "hour", "hourly_score"):
        assert newest - 2 * DAY - 7200 - 3900 <= times(file, table)[0] <= newest - 2 * DAY + 300, table
    assert [event for (event,) in rows_of(file, "SELECT event FROM event")] == ["young"]


def test_without_a_limit_spans_and_hours_stay_for_ever(file: Path, past: sqlite3.Connection) -> None:
    days_pass(past, START, 3 * DAY, every=300, days=0.0)

    assert (times(file, "span5")[0], times(file, "hour")[0]) == (START, START)
    assert times(file, "round")[0] > START


def test_rounds_of_a_short_interval_take_no_more_room_than_they_may(
    file: Path, past: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keep, "ROUND_BYTES_KEPT", 100 * (4 * len(DEFAULTS) + 24))
    days_pass(past, START, 3600, every=1, together=60)

    assert 100 <= len(times(file, "round")) <= 100 + 300
    assert len(times(file, "span5")) == 11


def test_events_take_no_more_room_than_they_may(
    file: Path, past: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keep, "EVENTS_KEPT", 10)
    write(past, batch({START: {HOST: 1.0}}, [Note(at=START, event=str(n)) for n in range(50)]))
    write(past, batch({START + 300: {HOST: 1.0}}))

    assert [event for (event,) in rows_of(file, "SELECT event FROM event")] == [str(n) for n in range(40, 50)]


def test_a_layout_that_nothing_uses_any_more_is_forgotten_and_one_in_use_is_not(
    file: Path, past: sqlite3.Connection
) -> None:
    write(past, batch({START: {WEB: 1.0}}))
    days_pass(past, START + 300, 4 * DAY, every=300, days=1.0)

    assert [series for (series,) in rows_of(file, "SELECT json_array_length(series) FROM layout")] == [len(DEFAULTS)]
    assert points(file, DEFAULTS[1], START + 3.5 * DAY, START + 4 * DAY)


# The clock


def test_a_clock_that_jumps_ahead_for_a_while_costs_no_history(file: Path, past: sqlite3.Connection) -> None:
    days_pass(past, START, DAY, every=60, together=5)
    before = {table: times(file, table) for table in ("round", "span5", "hour")}

    days_pass(past, START + 400 * DAY, 1800)
    days_pass(past, START + DAY, 600)

    for table, kept in before.items():
        assert set(kept) <= set(times(file, table)), table
    assert points(file, DEFAULTS[1], START + DAY, START + DAY + 600)


def test_a_clock_that_begins_at_nothing_costs_no_history(file: Path, past: sqlite3.Connection) -> None:
    days_pass(past, START, DAY, every=60, together=5)
    before = times(file, "hour")

    days_pass(past, 0, 600)
    days_pass(past, START + DAY, 4000)

    assert set(before) <= set(times(file, "hour"))


def test_readings_of_a_time_that_was_thinned_out_already_are_added_to_it(file: Path, past: sqlite3.Connection) -> None:
    write(past, batch({START + second: {HOST: 1.0} for second in range(0, 3600, 300)}))
    write(past, batch({START + 7200: {HOST: 1.0}}))
    write(past, batch({START + 15: {HOST: 0.125}}))  # the clock went back
    for _ in range(4):
        write(past, batch({START + 7500: {HOST: 1.0}}))

    assert points(file, HOST, START, START + 30 * DAY, 300)[0].min == 0.125


# Any readings

VALUES = st.floats(min_value=-1e30, max_value=1e30, allow_nan=False)
SERIES = (HOST, WEB, Series("web", "", "score"), Series("a", "b", "c"))
ROUNDS = st.dictionaries(
    st.integers(0, 4 * 3600), st.dictionaries(st.sampled_from(SERIES), VALUES, min_size=1), min_size=1, max_size=40
)


@settings(max_examples=60, deadline=None)
@given(rounds=ROUNDS, split=st.integers(1, 10))
def test_whatever_is_remembered_comes_back_in_its_tier(
    rounds: Mapping[int, Mapping[Series, float]], split: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("past") / "history.db"
    past = database(file)
    instants = sorted(rounds)
    for first in range(0, len(instants), split):
        write(past, batch({START + at: rounds[at] for at in instants[first : first + split]}))
    for later in range(20):  # so that everything is over
        write(past, batch({START + 6 * 3600 + 300 * later: {HOST: 0.0}}))
    past.close()

    for step, count in ((1, 4 * 3600 + 1), (300, 48), (3600, 4)):
        for series in SERIES:
            wanted: dict[int, list[float]] = {}
            for at in instants:
                if series in rounds[at] and at < 4 * 3600:
                    wanted.setdefault(at - at % step, []).append(rounds[at][series])
            until = START + 4 * 3600 + (1 if step == 1 else 0)
            found = {int(p.at) - START: p for p in points(file, series, START, until, count) if p.at < START + 4 * 3600}
            assert {at - at % step for at in found} >= set(wanted)
            for at, point in found.items():
                assert point.min <= point.mean <= point.max
                if at - at % step in wanted:
                    values = wanted[at - at % step]
                    assert math.isclose(point.min, min(values), rel_tol=1e-6, abs_tol=1e-37)
                    assert math.isclose(point.max, max(values), rel_tol=1e-6, abs_tol=1e-37)
