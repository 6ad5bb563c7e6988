"""History as the store gives it back: what was remembered and noted, whether it is in the file yet or not."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from healthd.answers import HistoryQuery, Note, Series
from healthd.evidence import Incident
from healthd.model import Severity
from healthd.record.filing import find_incident
from healthd.record.lookup import look_up
from healthd.record.readings import Batch
from healthd.record.store import SqliteStore
from tests.unit.record.lives import opened, rows_of, saved
from tests.unit.record.past import START

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from healthd.answers import History

HOST, WEB, MEMORY = Series("", "", "score"), Series("web", "", "score"), Series("memory", "", "score")
USED, LATENCY = Series("memory", "", "used_percent"), Series("web", "front", "latency_ms")
HOUR = HistoryQuery(since=START, until=START + 3600)


def round_(score: float = 1.0) -> dict[Series, float]:
    return {HOST: score, WEB: score, MEMORY: 1.0, USED: 41.5, LATENCY: 0.125}


def numbers(history: History, series: Series) -> list[tuple[float, float]]:
    """Times and means of a series."""
    return [(p.at, p.mean) for each in history.series if each.series == series for p in each.points]


async def told(store: SqliteStore, query: HistoryQuery = HOUR) -> list[Series]:
    return [each.series for each in (await store.history(query)).series]


def test_a_host_without_a_past_has_no_series_and_no_events(file: Path) -> None:
    async def life() -> History:
        async with opened(file) as store:
            return await store.history(HOUR)

    history = asyncio.run(life())

    assert (history.series, history.events) == ((), ())
    assert (history.since, history.until) == (HOUR.since, HOUR.until)


def test_what_was_remembered_is_there_at_once_and_writes_nothing(file: Path) -> None:
    async def life() -> History:
        async with opened(file) as store:
            store.remember(START + 1.5, round_(0.8))
            assert rows_of(file, "SELECT count(*) FROM round") == [(0,)]
            return await store.history(HOUR)

    assert numbers(asyncio.run(life()), HOST) == [(START + 1, 0.8)]


def test_without_a_component_the_history_is_of_all_scores_the_hosts_first(file: Path) -> None:
    async def life() -> Sequence[Series]:
        async with opened(file) as store:
            store.remember(START, round_())
            return await told(store)

    assert asyncio.run(life()) == [HOST, MEMORY, WEB]


@pytest.mark.parametrize(
    ("query", "series"),
    [
        (HistoryQuery(since=START, until=START + 60, component="web"), [WEB, LATENCY]),
        (HistoryQuery(since=START, until=START + 60, component="web", item="front"), [LATENCY]),
        (HistoryQuery(since=START, until=START + 60, component="memory", name="used_percent"), [USED]),
        (HistoryQuery(since=START, until=START + 60, component="memory", item="", name="score"), [MEMORY]),
        (HistoryQuery(since=START, until=START + 60, component="nobody"), []),
    ],
)
def test_a_component_its_item_or_its_value_can_be_asked_for(
    file: Path, query: HistoryQuery, series: list[Series]
) -> None:
    async def life() -> Sequence[Series]:
        async with opened(file) as store:
            store.remember(START, round_())
            return await told(store, query)

    assert asyncio.run(life()) == series


def test_a_minute_of_rounds_is_written_in_one_commit(file: Path) -> None:
    async def life() -> list[int]:
        async with opened(file) as store:
            written = []
            for second in range(0, 150, 30):
                store.remember(START + second, round_())
                await store._kept()
                written.append(rows_of(file, "SELECT count(*) FROM round")[0][0])
            return written

    assert asyncio.run(life()) == [0, 0, 3, 3, 5]


def test_the_sync_after_a_save_takes_the_readings_along(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.record.store.SYNC_AFTER", 0.0)

    async def life() -> None:
        async with opened(file) as store:
            store.remember(START, round_())
            await store.save({"a": 1}, ())
            await asyncio.sleep(0.001)
            await store._kept()
            assert rows_of(file, "SELECT at FROM round") == [(START,)]

    asyncio.run(life())


def test_a_note_is_written_though_no_round_comes(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.record.store.KEEP_EVERY", 0.0)

    async def life() -> None:
        async with opened(file) as store:
            store.note(Note(at=START, event="issue_opened"))
            await asyncio.sleep(0.001)
            await store._kept()
            assert rows_of(file, "SELECT event FROM event") == [("issue_opened",)]

    asyncio.run(life())


def test_closing_writes_what_is_left(file: Path) -> None:
    async def life() -> None:
        async with opened(file) as store:
            store.remember(START, round_())
            store.note(Note(at=START, event="issue_opened", component="web"))

    asyncio.run(life())

    assert rows_of(file, "SELECT at FROM round") == [(START,)]
    assert rows_of(file, "SELECT event, component FROM event") == [("issue_opened", "web")]


def test_what_turns_of_one_second_saw_is_one_round_and_the_newer_reading_holds(file: Path) -> None:
    async def life() -> History:
        async with opened(file) as store:
            store.remember(START + 0.1, {HOST: 1.0, WEB: 1.0})
            store.remember(START + 0.2, {WEB: 0.5})
            await store.flush()
            store.remember(START + 0.9, {MEMORY: 0.25, HOST: 0.75})
            await store.flush()
            return await store.history(HOUR)

    history = asyncio.run(life())

    assert [numbers(history, each) for each in (HOST, WEB, MEMORY)] == [
        [(START, 0.75)],
        [(START, 0.5)],
        [(START, 0.25)],
    ]
    assert rows_of(file, "SELECT count(*) FROM round") == [(1,)]


def test_series_come_and_go(file: Path) -> None:
    async def life() -> History:
        async with opened(file) as store:
            store.remember(START, {HOST: 1.0})
            store.remember(START + 1, {HOST: 0.5, WEB: 0.5})
            await store.flush()
            store.remember(START + 2, {WEB: 0.25})
            return await store.history(replace(HOUR, points=3600))

    history = asyncio.run(life())

    assert numbers(history, HOST) == [(START, 1.0), (START + 1, 0.5)]
    assert numbers(history, WEB) == [(START + 1, 0.5), (START + 2, 0.25)]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e300])
def test_what_is_no_number_that_can_be_kept_is_left_out(file: Path, value: float) -> None:
    async def life() -> History:
        async with opened(file) as store:
            store.remember(START, {HOST: value, WEB: 1.0})
            return await store.history(HOUR)

    assert numbers(asyncio.run(life()), HOST) == []


def test_an_event_comes_back_with_all_that_applies(file: Path) -> None:
    note = Note(
        at=START + 0.5,
        event="healing_finished",
        component="services",
        item="nginx.service",
        issue="service_down",
        severity="high",
        action="start_unit",
        unit="nginx\udcff.service",
        attempt=2,
        outcome="success",
        duration_ms=17,
        message="healed nginx.service: nicht möglich \udcff",
    )

    async def life() -> tuple[Note, ...]:
        async with opened(file) as store:
            store.note(note)
            before = (await store.history(HOUR)).events
            await store.flush()
            after = (await store.history(HOUR)).events
            assert len(before) == len(after) == 1
            return after

    (found,) = asyncio.run(life())
    assert found.message == "healed nginx.service: nicht möglich \\udcff"
    assert found.unit == "nginx\\udcff.service"
    assert (found.at, found.attempt, found.duration_ms, found.score) == (START + 0.5, 2, 17, None)


def test_what_has_a_name_that_is_no_utf8_is_written_and_found_by_it(file: Path) -> None:
    mount = "/mnt/\udcff"
    series = Series("storage", mount, "score")

    async def life() -> History:
        async with opened(file) as store:
            store.note(
                Note(at=START + 0.5, event="issue_opened", component="storage", item=mount, message="it is full")
            )
            store.remember(START + 1, {series: 0.5})
            await store.flush()
            return await store.history(replace(HOUR, item=mount))

    history = asyncio.run(life())

    assert [event.message for event in history.events] == ["it is full"]
    assert [each.series for each in history.series] == [series]


def test_events_are_those_of_the_component_or_item_and_time_the_newest_last(file: Path) -> None:
    async def life() -> list[list[str]]:
        async with opened(file) as store:
            for second, component, item in ((9, "web", "b"), (5, "web", "a"), (7, "db", "a"), (4000, "web", "a")):
                store.note(Note(at=START + second, event="x", component=component, item=item, message=str(second)))
            await store.flush()
            asked = [
                HOUR,
                HistoryQuery(since=START, until=START + 3600, component="web"),
                HistoryQuery(since=START, until=START + 3600, component="web", item="a"),
                HistoryQuery(since=START + 6, until=START + 9),
            ]
            return [[each.message for each in (await store.history(query)).events] for query in asked]

    assert asyncio.run(life()) == [["5", "7", "9"], ["5", "9"], ["5"], ["7"]]


def test_what_is_written_while_it_is_asked_for_is_told_once(file: Path) -> None:
    first = Note(
        at=START + 1.25, event="issue_opened", component="services", item="web", message="caf\u00e9", incident=7
    )
    later = replace(first, event="issue_resolved")

    async def life() -> None:
        async with opened(file) as store:
            store.note(first)
            await store.flush()

    asyncio.run(life())
    open_ = Incident(
        id=7, opened_at=START, ended_at=None, severity=Severity.HIGH, title="", result="", issues=(), units=()
    )
    fresh = Batch(layout=(), rounds=(), notes=(first, later), incidents=(open_,))

    assert look_up(file, HOUR, fresh).events == (first, later)
    incident = find_incident(file, 7, fresh)
    assert incident is not None
    assert incident.events == (first, later)


def test_the_recent_rounds_are_there_for_the_next_life(file: Path) -> None:
    async def first() -> None:
        async with opened(file) as store:
            for second in range(-600, 600, 30):
                store.remember(START + second, {HOST: second / 1000, USED: 41.5})

    async def second() -> Mapping[Series, Sequence[tuple[float, float]]]:
        async with opened(file) as store:
            store.remember(START + 630, {WEB: 1.0})
            return await store.recent(START)

    asyncio.run(first())
    recent = asyncio.run(second())

    assert recent[HOST][0] == (START, 0.0)
    assert recent[HOST][-1] == (START + 570, 0.57)
    assert len(recent[HOST]) == len(recent[USED]) == 20
    assert recent[WEB] == [(START + 630, 1.0)]


def test_of_many_recent_rounds_some_are_taken_together(file: Path) -> None:
    async def life() -> Sequence[tuple[float, float]]:
        async with opened(file) as store:
            for second in range(3600):
                store.remember(START + second, {USED: second})
                await store._kept()
            return (await store.recent(START))[USED]

    values = asyncio.run(life())

    assert len(values) == 240
    assert [value for _, value in values] == sorted(value for _, value in values)


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from healthd.answers import Series
from healthd.record.store import SqliteStore

async def live():
    store = SqliteStore(Path(sys.argv[1]))
    await store.load()
    for number in range(4):
        store.remember(1000.0 + 60 * number, {Series("", "", "score"): number / 4})
        await store._kept()
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(live())
"""


def test_a_process_that_is_killed_loses_no_more_than_a_minute(file: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, file], capture_output=True, check=False)

    assert ended.returncode == -signal.SIGKILL
    assert rows_of(file, "SELECT at FROM round") == [(1000,), (1060,), (1120,), (1180,)]


def test_a_person_may_have_it_open_in_the_shell_meanwhile(file: Path) -> None:
    saved(file, {"a": 1})

    async def life() -> History:
        async with opened(file) as store:
            with closing(sqlite3.connect(file, isolation_level=None)) as shell:
                shell.execute("BEGIN")
                assert shell.execute("SELECT count(*) FROM round").fetchone() == (0,)
                for second in range(0, 3000, 20):
                    store.remember(START + second, round_())
                    await store._kept()
                await store.save({"a": 2}, ())
                assert shell.execute("SELECT count(*) FROM round").fetchone() == (0,)
                shell.execute("COMMIT")
            return await store.history(HOUR)

    history = asyncio.run(life())

    assert len(numbers(history, HOST)) == 150


def test_a_lock_of_somebody_else_delays_readings_and_loses_none(file: Path) -> None:
    async def life() -> None:
        async with opened(file) as store:
            store.remember(START, round_())
            with closing(sqlite3.connect(file, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                store.remember(START + 60, round_())
                await store._kept()
            assert rows_of(file, "SELECT count(*) FROM round") == [(0,)]
            store.remember(START + 120, round_())
            await store._kept()
            assert rows_of(file, "SELECT count(*) FROM round") == [(3,)]

    asyncio.run(life())


# The clock


def test_a_clock_that_goes_backwards_breaks_nothing(file: Path) -> None:
    async def life() -> History:
        async with opened(file) as store:
            for second in (*range(1800, 3600, 30), *range(0, 1800, 30), *range(1815, 3600, 30)):
                store.remember(START + second, round_(0.5))
            await store.flush()
            return await store.history(HOUR)

    history = asyncio.run(life())

    times = [at for at, _ in numbers(history, HOST)]
    assert times == sorted(times)
    assert (times[0], times[-1]) == (START, START + 3585)
