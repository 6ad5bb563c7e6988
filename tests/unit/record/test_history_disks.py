"""Readings never endanger the state: on disks that are full, that hang, and in files that are damaged."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from healthd.answers import HistoryQuery, Note, Series
from healthd.errors import StorageError
from healthd.events import Event
from healthd.model import Severity
from healthd.record.database import RESERVE
from healthd.record.schema import MIGRATIONS
from healthd.record.store import SqliteStore
from tests.fakes import FakeLog
from tests.unit.record.lives import fill, found, many, rows_of, spoil
from tests.unit.record.past import DEFAULTS, START, values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from healthd.answers import History

HOST = Series("", "", "score")
DAY = HistoryQuery(since=START, until=START + 86_400)


def round_(at: float) -> dict[Series, float]:
    return dict(zip(DEFAULTS, values(at), strict=True))


async def hours(store: SqliteStore, number: float, *, start: int = START) -> None:
    """So many hours of rounds, each of them on the disk."""
    for second in range(0, int(number * 3600), 30):
        store.remember(start + second, round_(start + second))
        await store._kept()


def told(log: FakeLog) -> list[tuple[Severity | None, str]]:
    return [(each.severity, each.message) for each in log.of(Event.STORAGE_FAILED)]


def owned(file: Path) -> int:
    """The free pages of the file in bytes."""
    return int(rows_of(file, "PRAGMA freelist_count")[0][0] * rows_of(file, "PRAGMA page_size")[0][0])


# Full disks


@pytest.fixture
def roomy(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB of its own."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=8M,mode=0700", "healthd-test", str(tmp_path)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield tmp_path / "history.db"
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def test_readings_leave_the_space_that_the_state_owns(file: Path) -> None:
    async def life() -> list[int]:
        store = SqliteStore(file)
        await store.load()
        free = []
        for hour in range(8):
            await hours(store, 1, start=START + hour * 3600)
            free.append(owned(file))
        assert file.with_name("history.db-wal").stat().st_size >= RESERVE
        await store.close()
        return free

    assert min(asyncio.run(life())) >= RESERVE


def test_on_a_full_disk_readings_wait_and_the_state_is_saved(roomy: Path) -> None:
    log = FakeLog()

    async def life() -> tuple[int, int]:
        store = SqliteStore(roomy, log=log)
        await store.load()
        await hours(store, 1)
        before = owned(roomy)
        ballast = fill(roomy)
        await hours(store, 2, start=START + 3600)
        with pytest.raises(StorageError, match="the disk is full"):
            await store.flush()
        assert owned(roomy) == before
        for number in range(40):
            await store.save(many(number), ())
        written = rows_of(roomy, "SELECT count(*) FROM round")[0][0]
        ballast.unlink()
        await store.flush()
        after = rows_of(roomy, "SELECT count(*) FROM round")[0][0]
        await store.close()
        return written, after

    written, after = asyncio.run(life())

    assert (written <= 120, after) == (True, 360)
    assert found(roomy) == many(39)
    assert [severity for severity, _ in told(log)] == [Severity.MEDIUM, None]
    assert "cannot write readings" in told(log)[0][1]
    assert told(log)[1][1] == "readings are written again; 0 rounds had to be dropped"


def test_what_waits_for_too_long_is_dropped_and_counted(roomy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.record.readings.MOST_ROUNDS", 50)
    log = FakeLog()

    async def life() -> None:
        store = SqliteStore(roomy, log=log)
        await store.load()
        ballast = fill(roomy)
        await hours(store, 1)
        ballast.unlink()
        await store.flush()
        await store.close()

    asyncio.run(life())

    assert told(log)[-1][1] == "readings are written again; 70 rounds had to be dropped"
    assert rows_of(roomy, "SELECT count(*), max(at) FROM round") == [(50, START + 3570)]


def test_a_state_that_was_saved_before_there_was_history_is_there_on_a_full_disk(roomy: Path) -> None:
    older(roomy, {"a": '"x"'})
    fill(roomy)

    assert found(roomy) == {"a": "x"}


# An older file


def older(file: Path, entries: dict[str, str]) -> None:
    """What a healthd that kept no history left behind."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(f"BEGIN; {MIGRATIONS[0]}; PRAGMA user_version = 1; COMMIT;")
        connection.executemany("INSERT INTO engine VALUES (?, ?)", entries.items())
        connection.executescript(f"CREATE TABLE r (x); INSERT INTO r VALUES (zeroblob({RESERVE})); DROP TABLE r;")
    file.with_name("history.db.reserve").write_bytes(bytes(RESERVE))


def test_a_file_without_history_gets_it_and_keeps_its_state(file: Path) -> None:
    older(file, {"ticket/web": '{"attempts":3}'})

    async def life() -> History:
        store = SqliteStore(file)
        assert await store.load() == {"ticket/web": {"attempts": 3}}
        await hours(store, 0.1)
        history = await store.history(DAY)
        await store.close()
        return history

    assert asyncio.run(life()).series


# Damage


def a_root_page_of_nothing(file: Path, table: str) -> None:
    pages = bytearray(file.read_bytes())
    (root,) = rows_of(file, f"SELECT rootpage FROM sqlite_schema WHERE name = '{table}'")[0]
    pages[(root - 1) * 4096 : root * 4096] = bytes(4096)
    file.write_bytes(pages)


async def spoilt(file: Path, log: FakeLog, spoiling: Callable[[], None]) -> SqliteStore:
    """A store whose file was damaged behind its back, after a day of history and a save."""
    store = SqliteStore(file, log=log)
    await store.load()
    await store.save({"gave-up": True}, ())
    await hours(store, 1.2)
    await store.close()
    spoiling()
    store = SqliteStore(file, log=log)
    assert await store.load() == {"gave-up": True}
    return store


@pytest.mark.parametrize("table", ["round", "event", "due", "layout"])
def test_damage_that_writing_readings_meets_costs_the_history_and_not_the_state(file: Path, table: str) -> None:
    log = FakeLog()

    async def life() -> History:
        store = await spoilt(file, log, lambda: a_root_page_of_nothing(file, table))
        store.note(Note(at=START + 7200, event="issue_opened"))
        await hours(store, 0.1, start=START + 7200)
        await store.save({"more": 1}, ())
        history = await store.history(DAY)
        await store.close()
        return history

    history = asyncio.run(life())

    assert [each.event for each in history.events] == ["issue_opened"]
    assert found(file) == {"gave-up": True, "more": 1}
    assert file.with_name("history.db.broken-1").exists()
    assert [severity for severity, _ in told(log)] == [Severity.HIGH]
    assert "history.db.broken-1" in told(log)[0][1]


def test_damage_that_only_a_question_meets_is_met_alike(file: Path) -> None:
    log = FakeLog()

    async def life() -> None:
        store = await spoilt(file, log, lambda: a_root_page_of_nothing(file, "span5"))
        with pytest.raises(StorageError, match="malformed"):
            await store.history(HistoryQuery(since=START - 5 * 86_400, until=START + 86_400))
        assert (await store.history(DAY)).series == ()
        await store.close()

    asyncio.run(life())

    assert found(file) == {"gave-up": True}
    assert len(told(log)) == 1


def test_a_free_list_that_is_damaged_does_not_keep_the_state_from_being_saved(file: Path) -> None:
    log = FakeLog()

    def no_free_list() -> None:
        pages = bytearray(file.read_bytes())
        trunk = int.from_bytes(pages[32:36], "big")
        pages[(trunk - 1) * 4096 : trunk * 4096] = b"\xff" * 4096
        file.write_bytes(pages)

    async def life() -> None:
        store = await spoilt(file, log, no_free_list)
        await store.save({"huge": "x" * 100_000}, ())
        await store.close()

    asyncio.run(life())

    entries = found(file)
    assert entries is not None
    assert entries.keys() == {"gave-up", "huge"}


def test_a_row_that_makes_no_sense_is_left_out(file: Path) -> None:
    async def life() -> History:
        store = await spoilt(file, FakeLog(), lambda: spoil(file, "UPDATE round SET data = x'00' WHERE at % 60 = 0"))
        history = await store.history(HistoryQuery(since=START, until=START + 3600, points=1000))
        await store.close()
        return history

    assert len(asyncio.run(life()).series[0].points) == 60
