"""A file that is damaged, locked or not there: healthd says so, and writes over nothing that it could not read."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from healthd.errors import StorageError
from healthd.record.schema import MIGRATIONS
from healthd.record.store import SqliteStore
from tests.unit.record.lives import found, opened, rows_of, saved, spoil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


# Damage


def garbage(file: Path) -> None:
    file.write_bytes(bytes(range(256)) * 80)


def half(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: 2 * 4096])


def a_page_of_nothing(file: Path) -> None:
    pages = bytearray(file.read_bytes())
    (root,) = rows_of(file, "SELECT rootpage FROM sqlite_schema WHERE name = 'engine'")[0]
    pages[(root - 1) * 4096 : root * 4096] = bytes(4096)
    file.write_bytes(pages)


def no_table(file: Path) -> None:
    spoil(file, "DROP TABLE engine")


def broken_json(file: Path) -> None:
    spoil(file, "UPDATE engine SET value = '{'")


def broken_text(file: Path) -> None:
    spoil(file, "UPDATE engine SET value = CAST(x'22ff22' AS TEXT)")


def a_later_version(file: Path) -> None:
    spoil(file, f"PRAGMA user_version = {len(MIGRATIONS) + 1}")


DAMAGES = [garbage, half, a_page_of_nothing, no_table, broken_json, broken_text, a_later_version]


@pytest.mark.parametrize("damage", DAMAGES, ids=[damage.__name__ for damage in DAMAGES])
def test_a_damaged_file_is_an_error_and_is_set_aside_for_a_person_to_look_at(
    file: Path, damage: Callable[[Path], None]
) -> None:
    saved(file, {"a": 1, "b": "x" * 9000})
    damage(file)

    async def life() -> Path:
        store = SqliteStore(file)
        with pytest.raises(StorageError, match=r"history\.db: "):
            await store.load()
        aside = await store.set_aside()
        assert aside.exists()
        await store.save({"new": 1}, ())
        await store.close()
        return aside

    aside = asyncio.run(life())

    assert aside == file.with_name("history.db.broken-1")
    assert found(file) == {"new": 1}


def test_what_is_set_aside_is_kept_byte_by_byte(file: Path) -> None:
    garbage(file)
    before = file.read_bytes()

    async def life() -> Path:
        store = SqliteStore(file)
        with pytest.raises(StorageError):
            await store.load()
        aside = await store.set_aside()
        await store.close()
        return aside

    assert asyncio.run(life()).read_bytes() == before


def test_the_second_file_that_is_set_aside_does_not_replace_the_first(file: Path) -> None:
    async def life() -> Path:
        async with opened(file) as store:
            await store.save({"a": 1}, ())
            return await store.set_aside()  # it was readable, and made no sense to the engine

    assert [asyncio.run(life()).name for _ in range(3)] == [f"history.db.broken-{number}" for number in (1, 2, 3)]
    assert found(file) is None
    assert found(file.with_name("history.db.broken-2")) == {"a": 1}


def test_a_damaged_file_that_nobody_set_aside_is_not_written_over(file: Path) -> None:
    saved(file, {"a": 1})
    broken_json(file)

    async def life() -> None:
        store = SqliteStore(file)
        with pytest.raises(StorageError):
            await store.load()
        with pytest.raises(StorageError):
            await store.save({"a": 2}, ())
        await store.close()

    asyncio.run(life())

    assert rows_of(file, "SELECT key, value FROM engine") == [("a", "{")]


# Out of reach


@pytest.fixture
def locked(file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """A file with an entry that somebody else keeps to himself until he closes it."""
    monkeypatch.setattr("healthd.record.database._BUSY_SECONDS", 0.01)
    saved(file, {"gave-up": True})
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("INSERT INTO engine VALUES ('theirs', '1')")
        yield other


def test_a_file_that_is_locked_is_whole_and_is_not_set_aside(file: Path, locked: sqlite3.Connection) -> None:
    async def life() -> None:
        store = SqliteStore(file)
        with pytest.raises(StorageError, match="locked"):
            await store.load()
        with pytest.raises(StorageError, match="may be whole"):
            await store.set_aside()
        await store.close()

    asyncio.run(life())
    locked.close()

    assert found(file) == {"gave-up": True, "theirs": 1}


def test_what_could_not_be_read_is_not_written_over_when_it_is_in_reach_again(
    file: Path, locked: sqlite3.Connection
) -> None:
    async def life() -> None:
        store = SqliteStore(file)
        with pytest.raises(StorageError):
            await store.load()
        locked.close()
        with pytest.raises(StorageError, match="not written over; a restart of healthd reads it"):
            await store.save({"gave-up": False}, ())
        await store.close()

    asyncio.run(life())

    assert found(file) == {"gave-up": True, "theirs": 1}


def test_a_lock_while_it_runs_is_an_error_and_passes(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.record.database._BUSY_SECONDS", 0.01)

    async def life() -> None:
        async with opened(file) as store:
            with closing(sqlite3.connect(file, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                with pytest.raises(StorageError, match="locked"):
                    await store.save({"a": 1}, ())
            await store.save({"a": 2}, ())

    asyncio.run(life())

    assert found(file) == {"a": 2}


def test_a_file_to_which_somebody_else_writes_is_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.record.database._BUSY_SECONDS", 0.01)
    saved(file, {"a": 1})

    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert found(file) == {"a": 1}


def test_a_directory_that_comes_later_is_written_to_then(tmp_path: Path) -> None:
    file = tmp_path / "later" / "history.db"

    async def life() -> None:
        store = SqliteStore(file)
        with pytest.raises(StorageError, match="unable to open"):
            await store.load()
        with pytest.raises(StorageError, match="may be whole"):
            await store.set_aside()
        file.parent.mkdir()
        await store.save({"a": 1}, ())
        await store.close()

    asyncio.run(life())

    assert found(file) == {"a": 1}
