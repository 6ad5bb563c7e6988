"""What survives: entries come back after any death of the process."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from healthd.errors import StorageError
from healthd.record.database import Database
from tests.unit.record.lives import LIFE, TICKET, found, opened, saved, spoil, turns

if TYPE_CHECKING:
    from pathlib import Path


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


def test_a_name_that_is_no_utf8_is_saved_and_forgotten_like_any_other(file: Path) -> None:
    saved(file, {"ticket/storage//mnt/\udcff": {"item": "/mnt/\udcff"}})

    assert list((found(file) or {}).values()) == [{"item": "/mnt/\udcff"}]

    saved(file, {"a": 1}, ["ticket/storage//mnt/\udcff"])

    assert found(file) == {"a": 1}


def test_a_transaction_that_fails_leaves_all_as_it_was(file: Path) -> None:
    saved(file, {"a": 1})
    spoil(file, "CREATE TRIGGER no BEFORE DELETE ON engine BEGIN SELECT RAISE(ABORT, 'no'); END")

    with pytest.raises(StorageError, match="no"):
        saved(file, {"a": 2, "b": 2}, ["a"])

    assert found(file) == {"a": 1}


# Deaths


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
