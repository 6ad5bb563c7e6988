"""The outbox: a letter is there as a whole or not at all, and a disk that fails is said."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from healthd.errors import StorageError
from healthd.record.outbox import FileOutbox

if TYPE_CHECKING:
    from collections.abc import Mapping


def put(outbox: FileOutbox, *batches: Mapping[str, bytes]) -> None:
    async def life() -> None:
        for letters in batches:
            await outbox.put(letters)

    asyncio.run(life())


def test_letters_are_files_that_nobody_else_can_read_and_nothing_else_is_left(tmp_path: Path) -> None:
    put(FileOutbox(tmp_path), {"1.json": b"one", "2.json": b"two"}, {"1.json": b"anew"})
    found = {path.name: path.read_bytes() for path in (tmp_path / "outbox").iterdir()}

    assert found == {"1.json": b"anew", "2.json": b"two"}
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "outbox").iterdir()} == {0o600}
    assert (tmp_path / "outbox").stat().st_mode & 0o777 == 0o700
    assert [path.name for path in tmp_path.iterdir()] == ["outbox"]


def test_a_letter_that_cannot_be_written_is_an_error_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(StorageError, match="No space left on device"):
            put(FileOutbox(tmp_path), {"1.json": b"one"})

    assert list((tmp_path / "outbox").iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["outbox"]


def test_a_disk_that_hangs_is_an_error_and_nothing_is_queued_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go, sync = threading.Event(), os.fsync

    def hangs(descriptor: int) -> None:
        let_go.wait(20)
        sync(descriptor)

    async def life() -> None:
        outbox = FileOutbox(tmp_path, deadline=0.01)
        with pytest.raises(StorageError, match="did not answer within"):
            await outbox.put({"1.json": b"one"})
        with pytest.raises(StorageError, match="has not answered for a while"):
            await outbox.put({"2.json": b"two"})
        let_go.set()

    monkeypatch.setattr(os, "fsync", hangs)
    asyncio.run(life())


def test_notes_are_read_once_and_it_is_known_whether_letters_wait(tmp_path: Path) -> None:
    async def life() -> None:
        outbox = FileOutbox(tmp_path)
        assert await outbox.notes(()) == ({}, False)
        await outbox.put({"1.json": b"one"})
        (tmp_path / "delivered").mkdir()
        for name in ("1.slack", ".1.email"):
            (tmp_path / "delivered" / name).write_bytes(b"taken")
        assert await outbox.notes(()) == ({"1.slack": b"taken"}, True)
        assert await outbox.notes({"1.slack"}) == ({"1.slack": b""}, True)

    asyncio.run(life())
