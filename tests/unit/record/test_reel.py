"""The tape in the database: written with everything else, read from a whole frame on, bounded, and old files open."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from healthd.answers import Frame, Series
from healthd.errors import StorageError
from healthd.record import keep
from healthd.record.reel import packed, read_tape, unpacked
from healthd.record.schema import MIGRATIONS
from tests.unit.record.past import START, batch, database, write

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from healthd.record.readings import Batch


def frame(at: float, number: int, *, whole: bool = False, first: bool = False) -> Frame:
    more = ',"state":{}' if whole else ""
    more += ',"first":true' if first else ""
    return Frame(START + at, whole, f'{{"wall":{START + at},"n":{number}{more}}}')


def taped(frames: Iterable[Frame], at: float = 0.0) -> Batch:
    found = batch({START + at: {Series("", "", "score"): 1.0}})
    return type(found)(layout=found.layout, rounds=found.rounds, notes=(), frames=tuple(frames))


def numbers(file: Path, since: float, until: float) -> list[int]:
    return [each["n"] for each in read_tape(file, START + since, START + until).frames]


def test_frames_are_packed_small_and_come_back() -> None:
    texts = [f'{{"items":[["services","web{n}.service",{{"status":"unhealthy"}}]],"now":{n}}}' for n in range(50)]

    assert [each["now"] for each in unpacked(packed(texts))] == list(range(50))
    assert len(packed(texts)) < sum(map(len, texts)) / 5


def test_the_words_of_the_packer_never_change() -> None:
    """A tape that was packed by an earlier healthd must be read by every later one."""
    assert packed(["{}"])[:6].hex() == "78bb40c0e957"  # zlib's own checksum of them


def test_a_replay_begins_at_the_whole_frame_before_the_time_that_is_asked_for(file: Path) -> None:
    connection = database(file)
    write(connection, taped([frame(0, 0, whole=True, first=True), frame(10, 1)], 10))
    write(connection, taped([frame(20, 2), frame(30, 3, whole=True), frame(40, 4)], 40))
    write(connection, taped([frame(50, 5)], 60))
    connection.close()

    assert numbers(file, 0, 100) == [0, 1, 2, 3, 4, 5]
    assert numbers(file, 45, 100) == [3, 4, 5]
    assert numbers(file, 0, 35) == [0, 1, 2, 3]
    assert read_tape(file, START, START + 100).until == START + 60
    assert read_tape(file, START + 50, START + 100).since == START


def test_until_when_healthd_ran_before_it_was_started_anew_is_known(file: Path) -> None:
    connection = database(file)
    write(connection, taped([frame(0, 0, whole=True, first=True)]))
    write(connection, batch({START + 90.0: {Series("", "", "score"): 1.0}}))
    write(connection, taped([frame(500, 0, whole=True, first=True)], 500))
    connection.close()

    assert [each.get("alive") for each in read_tape(file, START, START + 600).frames] == [START + 90, None]


def test_a_file_without_a_tape_says_so(file: Path) -> None:
    database(file).close()

    assert read_tape(file, START, START + 100).frames == []


def test_a_file_of_an_earlier_healthd_says_so_and_gets_a_tape_from_a_later_one(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.executescript(f"{''.join(MIGRATIONS[:3])}; PRAGMA user_version = 3")
    connection.close()

    with pytest.raises(StorageError, match="kept no decisions"):
        read_tape(file, START, START + 100)


def test_what_is_no_database_is_told_in_one_line(file: Path) -> None:
    file.write_text("no database, but long enough to look like one might " * 30)

    with pytest.raises(StorageError, match="not a database"):
        read_tape(file, START, START + 100)


def test_a_damaged_tape_is_told_in_one_line(file: Path) -> None:
    connection = database(file)
    write(connection, taped([frame(0, 0, whole=True)]))
    with connection:
        connection.execute("UPDATE tape SET data = x'00112233'")
    connection.close()

    with pytest.raises(StorageError, match=r"history\.db"):
        read_tape(file, START, START + 100)


def test_what_is_older_than_history_is_kept_is_forgotten(file: Path) -> None:
    connection = database(file)
    for hour in range(60):
        write(connection, taped([frame(hour * 3600, hour, whole=True)], hour * 3600), days=1.0)

    (oldest,) = connection.execute("SELECT min(at) FROM tape").fetchone()

    assert START + 10 * 3600 < oldest < START + 40 * 3600


def test_a_tape_that_grows_too_large_loses_its_beginning(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep, "TAPE_BYTES_KEPT", 500)
    connection = database(file)
    for step in range(60):
        write(connection, taped([frame(step * 600, step, whole=True)], step * 600))

    (kept, size, newest) = connection.execute("SELECT count(*), sum(length(data)), max(at) FROM tape").fetchone()

    assert 0 < kept < 40
    assert size < 600
    assert newest == START + 59 * 600
