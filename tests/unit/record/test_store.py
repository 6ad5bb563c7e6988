"""What survives: entries come back after any death of the process, and no file, disk or lock takes healthd down."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

import pytest

from healthd.errors import StorageError
from healthd.record.database import MIGRATIONS, Database
from healthd.record.store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
    from pathlib import Path

TICKET = {"attempts": 3, "gave_up_at": 12.25, "text": "nicht möglich ✗", "attempt": None}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@asynccontextmanager
async def opened(file: Path) -> AsyncIterator[SqliteStore]:
    """A store that was loaded, and is closed at the end."""
    store = SqliteStore(file)
    try:
        await store.load()
        yield store
    finally:
        await store.close()


def saved(file: Path, entries: Mapping[str, Any], removed: Sequence[str] = ()) -> None:
    """What one life of healthd leaves behind."""

    async def life() -> None:
        async with opened(file) as store:
            await store.save(entries, removed)

    asyncio.run(life())


def found(file: Path) -> Mapping[str, Any] | None:
    """What the next life of healthd finds."""

    async def life() -> Mapping[str, Any] | None:
        store = SqliteStore(file)
        try:
            return await store.load()
        finally:
            await store.close()

    return asyncio.run(life())


def rows_of(file: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(query).fetchall()


def spoil(file: Path, *statements: str) -> None:
    """Do to the file what no healthd does."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


# Entries


def test_a_host_where_nothing_was_ever_saved_has_nothing(file: Path) -> None:
    assert found(file) is None


def test_what_was_saved_comes_back_as_it_was(file: Path) -> None:
    saved(file, {"ticket/web": TICKET, "clock": {"now": 0.1 + 0.2}})

    assert found(file) == {"ticket/web": TICKET, "clock": {"now": 0.1 + 0.2}}


def test_what_is_saved_again_is_replaced_and_what_is_removed_is_forgotten(file: Path) -> None:
    saved(file, {"a": 1, "b": 2, "c": 3})
    saved(file, {"a": 4}, ["b", "never-there"])

    assert found(file) == {"a": 4, "c": 3}


def test_a_transaction_that_fails_leaves_all_as_it_was(file: Path) -> None:
    saved(file, {"a": 1})
    spoil(file, "CREATE TRIGGER no BEFORE DELETE ON engine BEGIN SELECT RAISE(ABORT, 'no'); END")

    with pytest.raises(StorageError, match="no"):
        saved(file, {"a": 2, "b": 2}, ["a"])

    assert found(file) == {"a": 1}


# Deaths


LIFE = """
import asyncio, os, signal, sys
from pathlib import Path
from healthd.record.store import SqliteStore

async def live():
    store = SqliteStore(Path(sys.argv[1]))
    await store.load()
    for number in range(int(sys.argv[2])):
        await store.save({"number": number, f"ticket/{number}": "x" * 500}, [f"ticket/{number - 1}"])
        os.write(1, b"%d\\n" % number)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(live())
"""


def test_a_process_that_is_killed_right_after_a_save_loses_nothing(file: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", LIFE, file, "3"], capture_output=True, check=False)

    assert ended.returncode == -signal.SIGKILL
    assert found(file) == {"number": 2, "ticket/2": "x" * 500}


@pytest.mark.parametrize("saves", [1, 7, 40])
def test_a_process_that_is_killed_while_it_saves_loses_no_save_that_returned(file: Path, saves: int) -> None:
    with subprocess.Popen([sys.executable, "-c", LIFE, file, "1000000"], stdout=subprocess.PIPE) as life:
        assert life.stdout is not None
        for _ in range(saves):
            life.stdout.readline()
        life.kill()
        returned = [saves - 1, *(int(line) for line in life.stdout.read().splitlines())]

    entries = found(file)

    assert entries is not None
    assert entries["number"] in (returned[-1], returned[-1] + 1)
    assert entries.keys() == {"number", f"ticket/{entries['number']}"}


def test_what_was_saved_is_on_the_disk_itself_soon_after(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("healthd.record.store.SYNC_AFTER", 0.0)
    image = tmp_path / "after-a-power-cut.db"

    async def life() -> None:
        async with opened(file) as store:
            await store.save({"a": 1}, ())
            await store.save({"b": 2}, ())  # one sync serves both
            await turns(2)
            await store.load()  # done after the sync
            shutil.copy(file, image)  # without the log

    asyncio.run(life())

    assert found(image) == {"a": 1, "b": 2}


def test_a_sync_after_each_pause_is_another_one(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.record.store.SYNC_AFTER", 0.0)
    synced: list[None] = []
    monkeypatch.setattr(Database, "sync", lambda self: synced.append(None))

    async def life() -> None:
        async with opened(file) as store:
            for number in range(3):
                await store.save({"a": number}, ())
                await turns(2)

    asyncio.run(life())

    assert len(synced) == 3


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


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


# Disks that hang


class Hanging(Database):
    """Its disk answers no write and no first reading until `answers` is set."""

    answers = threading.Event()
    done = threading.Semaphore(0)

    def load(self) -> Mapping[str, Any] | None:
        self.answers.wait()
        return super().load()

    def save(self, rows: Sequence[tuple[str, str]], removed: Sequence[str], *, unread: bool) -> None:
        self.answers.wait()
        super().save(rows, removed, unread=unread)
        self.done.release()


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Set: it answers. No thread is left waiting at the end."""
    monkeypatch.setattr("healthd.record.store.Database", Hanging)
    monkeypatch.setattr("healthd.record.store.LOAD_DEADLINE", 0.01)
    Hanging.answers, Hanging.done = threading.Event(), threading.Semaphore(0)
    Hanging.answers.set()
    yield Hanging.answers
    Hanging.answers.set()


async def hung(file: Path, disk: threading.Event) -> SqliteStore:
    """A store whose disk hung in the middle of a save."""
    store = SqliteStore(file, deadline=60)
    await store.load()
    disk.clear()
    store._deadline = 0.01
    with pytest.raises(StorageError, match=r"history\.db: the disk did not answer within 0\.01 s"):
        await store.save({"a": 1}, ())
    return store


async def answered(store: SqliteStore) -> None:
    """Wait until the disk has done what it hung at."""
    assert store._stuck is not None
    await asyncio.wait([store._stuck], timeout=10)


def test_a_disk_that_hangs_is_an_error_within_the_deadline(file: Path, disk: threading.Event) -> None:
    async def life() -> None:
        await hung(file, disk)

    asyncio.run(life())


def test_nothing_queues_behind_a_disk_that_hangs(file: Path, disk: threading.Event) -> None:
    async def life() -> None:
        store = await hung(file, disk)
        for number in range(3):
            with pytest.raises(StorageError, match="has not answered for a while"):
                await store.save({"a": number + 2}, ())
        await asyncio.sleep(0.01)
        disk.set()
        Hanging.done.acquire(timeout=10)
        assert not Hanging.done.acquire(blocking=False)

    asyncio.run(life())

    assert found(file) == {"a": 1}


def test_no_sync_queues_behind_a_disk_that_hangs(
    file: Path, disk: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[None] = []
    monkeypatch.setattr(Database, "sync", lambda self: synced.append(None))

    async def life() -> None:
        store = await hung(file, disk)
        store._start_sync()
        disk.set()
        await answered(store)
        store._deadline = 60
        await store.save({"b": 2}, ())

    asyncio.run(life())

    assert synced == []


def test_a_disk_that_answers_again_is_written_to_again(file: Path, disk: threading.Event) -> None:
    async def life() -> None:
        store = await hung(file, disk)
        store._deadline = 60
        disk.set()
        await answered(store)
        await store.save({"b": 2}, ())
        await store.close()

    asyncio.run(life())

    assert found(file) == {"a": 1, "b": 2}


def test_closing_with_a_disk_that_hangs_is_an_error_and_does_not_wait(file: Path, disk: threading.Event) -> None:
    async def life() -> None:
        store = await hung(file, disk)
        with pytest.raises(StorageError, match="has not answered"):
            await store.close()

    asyncio.run(life())


def test_a_reading_that_comes_too_late_is_not_written_over(file: Path, disk: threading.Event) -> None:
    saved(file, {"gave-up": True})

    async def life() -> None:
        store = SqliteStore(file, deadline=0.01)
        disk.clear()
        with pytest.raises(StorageError, match="did not answer"):
            await store.load()
        with pytest.raises(StorageError, match="has not answered"):
            await store.set_aside()
        disk.set()
        await answered(store)
        store._deadline = 60
        with pytest.raises(StorageError, match="not written over"):
            await store.save({"gave-up": False}, ())
        await store.close()

    asyncio.run(life())

    assert found(file) == {"gave-up": True}


def test_whoever_stops_waiting_loses_nothing(file: Path, disk: threading.Event) -> None:
    async def life() -> None:
        async with opened(file) as store:
            disk.clear()
            saving = asyncio.create_task(store.save({"a": 1}, ()))
            await turns(2)
            saving.cancel()
            await asyncio.wait([saving])
            disk.set()

    asyncio.run(life())

    assert found(file) == {"a": 1}


# Full disks


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB of its own."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=4M,mode=0700", "healthd-test", str(tmp_path)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield tmp_path / "history.db"
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def fill(file: Path) -> Path:
    """Somebody takes all the room there is, to the last byte."""
    ballast = file.with_name("ballast")
    with ballast.open("ab", buffering=0) as stream:
        for size in (65536, 4096, 1):
            try:
                while stream.write(bytes(size)) == size:
                    pass
            except OSError:
                continue
    return ballast


def many(number: int) -> dict[str, Any]:
    return {f"ticket/{each}": {**TICKET, "number": number, "text": "x" * 400} for each in range(100)}


def test_on_a_full_disk_the_state_is_still_saved(small: Path) -> None:
    async def life() -> None:
        async with opened(small) as store:
            fill(small)
            for number in range(5):
                await store.save(many(number), ())

    asyncio.run(life())

    assert found(small) == many(4)


def test_a_start_on_a_full_disk_reads_and_saves(small: Path) -> None:
    saved(small, many(0))
    fill(small)

    saved(small, many(1))

    assert found(small) == many(1)


def test_a_burst_on_a_full_disk_that_is_longer_than_the_log_is_saved(small: Path) -> None:
    saved(small, many(0))
    fill(small)

    async def life() -> None:
        async with opened(small) as store:
            for number in range(40):
                await store.save(many(number), ())

    asyncio.run(life())

    assert found(small) == many(39)


def test_starting_again_and_again_on_a_full_disk_uses_up_nothing(small: Path) -> None:
    saved(small, many(0))
    for number in range(5):
        fill(small)
        ended = subprocess.run([sys.executable, "-c", LIFE, small, "5"], capture_output=True, check=False)
        assert ended.returncode == -signal.SIGKILL
        saved(small, many(number))

    assert found(small) == {**many(4), "number": 4}


def test_a_kill_on_a_full_disk_loses_nothing(small: Path) -> None:
    saved(small, {"number": -1})
    fill(small)

    ended = subprocess.run([sys.executable, "-c", LIFE, small, "20"], capture_output=True, check=False)

    assert ended.returncode == -signal.SIGKILL
    assert found(small) == {"number": 19, "ticket/19": "x" * 500}


def test_a_state_for_which_there_is_no_room_at_all_is_an_error_and_the_old_one_stays(small: Path) -> None:
    async def life() -> None:
        async with opened(small) as store:
            await store.save(many(0), ())
            ballast = fill(small)
            with pytest.raises(StorageError, match="full"):
                await store.save({"huge": "x" * 3_000_000}, ())
            assert await store.load() == many(0)
            ballast.unlink()
            await store.save({"huge": "x" * 1_000_000}, ())

    asyncio.run(life())

    assert found(small) == {**many(0), "huge": "x" * 1_000_000}


def test_a_first_start_on_a_full_disk_saves_as_soon_as_there_is_room(small: Path) -> None:
    ballast = fill(small)

    async def life() -> None:
        store = SqliteStore(small)
        with pytest.raises(StorageError):
            await store.load()
        with pytest.raises(StorageError, match="may be whole"):
            await store.set_aside()
        with pytest.raises(StorageError):
            await store.save({"a": 1}, ())
        ballast.unlink()
        await store.save({"a": 2}, ())
        await store.close()

    asyncio.run(life())

    assert found(small) == {"a": 2}
