"""Incidents in the database: what is filed comes back, whether it is in the file yet or not, and not for ever."""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from healthd.answers import Note, Series
from healthd.errors import StorageError
from healthd.evidence import Incident, Line
from healthd.record import keep
from healthd.record.dossier import headline, incident_of, row
from healthd.record.filing import find_incident, find_incidents
from healthd.record.incidents import LATER_LINES, MOST_CHANGES, MOST_RUNS
from healthd.record.lookup import MOST_EVENTS
from healthd.record.readings import MOST_INCIDENTS, Readings
from healthd.systemd.scene import LINE_CHARS, LINES
from tests.unit.expose.fake_control import INCIDENT
from tests.unit.record.lives import opened, rows_of
from tests.unit.record.past import NOTHING, START, batch, database, days_pass, write

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

    from healthd.record.readings import Batch

PLAIN = replace(INCIDENT, events=())


def incident(number: int, *, at: float = START, **changes: object) -> Incident:
    return replace(PLAIN, id=number, opened_at=at, **changes)  # type: ignore[arg-type]


def filed(*incidents: Incident) -> Batch:
    readings = Readings()
    for each in incidents:
        readings.file(each)
    return readings.take()


def note(at: float, number: int | None = 12) -> Note:
    return Note(at=at, event="issue_opened", message=f"at {at}", incident=number)


def test_all_of_an_incident_comes_back_from_its_row() -> None:
    assert incident_of(row(PLAIN)) == PLAIN
    bare = replace(PLAIN, surroundings=None, runs=(), changes=(), ended_at=None)
    assert incident_of(row(bare)) == bare


def test_an_incident_that_an_older_healthd_wrote_comes_back_too() -> None:
    *values, data = row(PLAIN)

    assert incident_of((*values, data.replace('"looked":true,', ""))) == replace(PLAIN, looked=False)


def test_characters_that_are_none_are_kept_as_well_as_can_be() -> None:
    assert incident_of(row(replace(PLAIN, title="a\udcff"))).title == "a\\udcff"


def test_the_largest_incident_takes_no_more_room_than_is_foreseen() -> None:
    lines = tuple(Line(at=1_763_928_311.123456, source="a" * 20, text="x" * LINE_CHARS) for _ in range(LINES))
    first = replace(PLAIN.runs[0], text="x" * 500, lines=lines)
    runs = (first, *[replace(first, lines=lines[:LATER_LINES])] * (MOST_RUNS - 1))
    changes = (replace(PLAIN.changes[0], what="x" * 200),) * MOST_CHANGES
    largest = replace(PLAIN, runs=runs, changes=changes, missed=("x" * 500,) * 20, units=("x" * 100,) * 50)

    assert sum(len(str(value)) for value in row(largest)) <= keep.INCIDENT_BYTES


def test_the_headline_is_what_changed_nearest() -> None:
    assert headline(PLAIN.changes, PLAIN.opened_at) == (
        "/etc/systemd/system/nginx.service.d/override.conf was edited 3 min before, and 2 more changes within the hour"
    )
    assert headline((), 0.0) == ""


def test_the_sqlite3_shell_shows_incidents_in_words(file: Path) -> None:
    with closing(database(file)) as connection:
        write(connection, filed(PLAIN))

    ((number, _, _, severity, title, result, changed),) = rows_of(file, "SELECT * FROM incidents")

    assert (number, severity, title, result) == (12, "high", PLAIN.title, PLAIN.result)
    assert changed.startswith("/etc/systemd/system/nginx.service.d/override.conf was edited")


def test_what_is_known_later_takes_the_place_of_what_was_known_before(file: Path) -> None:
    with closing(database(file)) as connection:
        write(connection, filed(replace(PLAIN, ended_at=None)))
        write(connection, filed(PLAIN))

    assert find_incidents(file, 0.0, 9, NOTHING) == [PLAIN]


def test_incidents_are_found_newest_first_and_those_that_go_on_however_old_they_are(file: Path) -> None:
    with closing(database(file)) as connection:
        write(
            connection, filed(*(incident(n, at=START + n) for n in range(1, 5)), incident(5, at=START, ended_at=None))
        )
    fresh = filed(incident(6, at=START + 9), incident(4, at=START + 4, title="newer"))

    def found(since: float, most: int = 9) -> list[int]:
        return [each.id for each in find_incidents(file, since, most, fresh)]

    assert found(0.0) == [6, 4, 3, 2, 1, 5]
    assert found(START + 3) == [6, 4, 3, 5]
    assert found(0.0, 3) == [6, 4, 5]
    assert find_incidents(file, 0.0, 3, fresh)[1].title == "newer"


def test_one_is_found_with_its_events_and_the_newest_by_zero(file: Path) -> None:
    with closing(database(file)) as connection:
        write(connection, batch({}, [note(START + 1), note(START, 11), note(START + 2, None)]))
        write(connection, filed(PLAIN, incident(11)))
    fresh = batch({}, [note(START + 3)])

    for number in (12, 0):
        found = find_incident(file, number, fresh)
        assert found is not None
        assert [event.at for event in found.events] == [START + 1, START + 3]
    assert find_incident(file, 99, fresh) is None
    assert find_incident(file, 0, filed(incident(13))) == incident(13)


def test_in_an_empty_database_there_is_none(file: Path) -> None:
    database(file).close()

    assert find_incident(file, 0, NOTHING) is None
    assert find_incidents(file, 0.0, 9, NOTHING) == []


def test_of_very_many_events_the_first_and_the_last_are_told(file: Path) -> None:
    with closing(database(file)) as connection:
        write(connection, batch({}, [note(START + n) for n in range(1000)]))
        write(connection, filed(PLAIN))

    found = find_incident(file, 12, NOTHING)

    assert found is not None
    assert len(found.events) == MOST_EVENTS
    assert (found.events[0].at, found.events[-1].at) == (START, START + 999)


def ids(connection: sqlite3.Connection) -> list[int]:
    return [number for (number,) in connection.execute("SELECT id FROM incident ORDER BY id")]


def pass_time(connection: sqlite3.Connection) -> None:
    days_pass(connection, START + 1000, 2 * 3600)


def test_old_incidents_are_forgotten(file: Path) -> None:
    with closing(database(file)) as connection:
        write(connection, filed(incident(1, at=START - 31 * 86_400), incident(2, at=START - 29 * 86_400)))
        pass_time(connection)

        assert ids(connection) == [2]


@pytest.mark.parametrize("bound", ["INCIDENTS_KEPT", "INCIDENT_BYTES_KEPT"])
def test_of_too_many_incidents_the_newest_are_kept(file: Path, monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    most = 3 if bound == "INCIDENTS_KEPT" else 3 * len(row(PLAIN)[-1]) + 100
    monkeypatch.setattr(keep, bound, most)
    with closing(database(file)) as connection:
        write(connection, filed(*(incident(n, at=START + n) for n in range(1, 9))))
        pass_time(connection)

        assert ids(connection) == [6, 7, 8]


def test_an_incident_that_goes_on_is_kept_however_many_are_newer(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep, "INCIDENTS_KEPT", 3)
    with closing(database(file)) as connection:
        write(
            connection,
            filed(*(incident(n, at=START + n, ended_at=START + n + 9 if n > 1 else None) for n in range(1, 9))),
        )
        pass_time(connection)

        assert ids(connection) == [1, 7, 8]


def test_what_no_disk_takes_is_kept_in_memory_the_newest_of_it() -> None:
    readings = Readings()
    readings.file(incident(1, title="old"))
    readings.take()
    readings.file(incident(2))
    readings.give_back()
    assert [each.id for each in readings.look().incidents] == [1, 2]

    for number in range(1, MOST_INCIDENTS + 10):
        readings.file(incident(number))
    assert len(readings.look().incidents) == MOST_INCIDENTS
    assert not readings.empty


# The store


def test_what_was_filed_is_there_at_once_and_after_a_restart(file: Path) -> None:
    async def first() -> Sequence[Incident]:
        async with opened(file) as store:
            store.file(PLAIN)
            return await store.incidents(since=0.0, most=9)

    async def second() -> Incident | None:
        async with opened(file) as store:
            return await store.incident(0)

    assert asyncio.run(first()) == [PLAIN]
    assert asyncio.run(second()) == PLAIN


def test_what_was_filed_is_written_soon_without_any_reading(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.record.store.FILE_AFTER", 0.0)

    async def life() -> list[tuple[int]]:
        async with opened(file) as store:
            store.file(PLAIN)
            async with asyncio.timeout(5):
                while not (found := rows_of(file, "SELECT id FROM incident")):  # noqa: ASYNC110  a thread writes it
                    await asyncio.sleep(0)
            return found

    assert asyncio.run(life()) == [(12,)]


def test_a_database_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    async def life() -> None:
        async with opened(tmp_path / "history.db") as store:
            store.remember(START, {Series("", "", "score"): 1.0})
            (tmp_path / "history.db").unlink()
            await store.incidents(since=0.0, most=9)

    with pytest.raises(StorageError):
        asyncio.run(life())
