"""Disks that hang, and disks that are full."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from healthd.errors import StorageError
from healthd.record.database import Database
from healthd.record.store import SqliteStore
from tests.unit.record.lives import LIFE, fill, found, many, opened, saved, turns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


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
    assert store._worker._late is not None
    await asyncio.wait([store._worker._late], timeout=10)


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
