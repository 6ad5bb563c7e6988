"""The state directory's database, for the loop: what must survive a crash, a kill -9 and a reboot.

What `save` wrote is safe from any death of the process when it returns, and on the disk within a second, so that a
power cut loses no more than that. All of SQLite runs in one thread; a disk that hangs holds up that thread, never the
loop: what does not end in time is an error, and nothing is queued behind it.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from typing import TYPE_CHECKING, Any, Final, TypeVar

from healthd.errors import StorageError
from healthd.record.database import Database
from healthd.record.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_T = TypeVar("_T")

DEADLINE: Final = 2.0
"""Seconds for a write: healing waits for it."""

LOAD_DEADLINE: Final = 30.0
"""Seconds for the first reading: a disk is slow while a host boots, and what is not read is forgotten."""

SYNC_AFTER: Final = 0.5

_ERRORS: Final = (sqlite3.Error, OSError, ValueError, StorageError)


class SqliteStore:
    """`ports.Store` on a file. Every method raises StorageError and nothing else. `deadline`: seconds for a write."""

    def __init__(self, path: Path, *, deadline: float = DEADLINE) -> None:
        self._path, self._deadline = path, deadline
        self._database = Database(path)
        self._worker = Worker("store", errors=_ERRORS)
        self._unread = True
        self._stuck: asyncio.Future[Any] | None = None
        self._sync: asyncio.TimerHandle | None = None

    async def load(self) -> Mapping[str, Any] | None:
        """The saved entries; None on a host where nothing was ever saved. Opens, and migrates, the file."""
        entries = await self._run(self._database.load, max(self._deadline, LOAD_DEADLINE))
        self._unread = False
        return entries

    async def save(self, changed: Mapping[str, Any], removed: Sequence[str]) -> None:
        """Write and forget entries in one transaction. What could not be read before is not written over."""
        rows = [(key, json.dumps(value, separators=(",", ":"))) for key, value in changed.items()]
        unread = self._unread
        await self._run(lambda: self._database.save(rows, removed, unread=unread), self._deadline)
        self._unread = False
        if self._sync is None:
            self._sync = asyncio.get_running_loop().call_later(SYNC_AFTER, self._start_sync)

    async def set_aside(self) -> Path:
        """Move a damaged file out of the way, and say where to; what is saved next begins a new one.

        What merely was out of reach (a full disk, a lock, a missing permission) may be whole, and stays: an error.
        """
        aside = await self._run(self._database.set_aside, self._deadline)
        self._unread = False
        return aside

    async def close(self) -> None:
        """Bring everything to the disk and close."""
        if self._sync is not None:
            self._sync.cancel()
        try:
            await self._run(self._database.close, self._deadline)
        finally:
            self._worker.stop()

    def _start_sync(self) -> None:
        self._sync = None
        if not self._is_stuck():
            self._worker.submit(self._database.sync)  # should it fail, the next `save` fails too, and says so

    def _is_stuck(self) -> bool:
        return self._stuck is not None and not self._stuck.done()

    async def _run(self, work: Callable[[], _T], deadline: float) -> _T:
        if self._is_stuck():
            raise StorageError(f"{self._path}: the disk has not answered for a while")
        future = self._worker.submit(work)
        try:
            async with asyncio.timeout(deadline):
                return await asyncio.shield(future)
        except TimeoutError:
            self._stuck = future
            raise StorageError(f"{self._path}: the disk did not answer within {deadline:g} s") from None
        except (sqlite3.Error, OSError, ValueError) as error:
            raise StorageError(f"{self._path}: {error}") from error
