"""The state directory's database, for the loop: what must survive a crash, a kill -9 and a reboot, and the history.

What `save` wrote is safe from any death of the process when it returns, and on the disk within a second, so that a
power cut loses no more than that. All of SQLite runs in one thread; a disk that hangs holds up that thread, never the
loop: what does not end in time is an error, and nothing is queued behind it.

Readings wait until a minute of them has come, and are written in the turn that brought the last, or with the sync after
a save: history wakes nobody up. It is read in a thread of its own.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from typing import TYPE_CHECKING, Any, Final, TypeVar

from healthd.errors import StorageError
from healthd.events import Event
from healthd.model import Severity
from healthd.record.database import Database, damaged
from healthd.record.lookup import look_back, look_up
from healthd.record.readings import Readings
from healthd.record.words import counted
from healthd.record.worker import Worker
from healthd.utf8 import utf8

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from healthd.answers import Frame, History, HistoryQuery, Note, Series
    from healthd.evidence import Incident
    from healthd.ports import Log

_T = TypeVar("_T")

DEADLINE: Final = 2.0
"""Seconds for a write: healing waits for it."""

LOAD_DEADLINE: Final = 30.0
"""Seconds for the first reading: a disk is slow while a host boots, and what is not read is forgotten."""

SYNC_AFTER: Final = 0.5

KEEP_EVERY: Final = 55.0
"""Seconds of readings that are written together, and are lost with a process that is killed."""

FILE_AFTER: Final = 1.0
"""Seconds until an incident is written: evidence may be lost with a process that is killed, but not much of it."""

LOOK_DEADLINE: Final = 10.0

_ERRORS: Final = (sqlite3.Error, OSError, ValueError, StorageError)


class SqliteStore:
    """`ports.Store` on a file. Every coroutine raises StorageError and nothing else. `deadline`: seconds for a write.

    What becomes of readings is told to `log`. History is kept for `days`, 0: for ever; that may be set at any time.
    """

    def __init__(self, path: Path, *, log: Log | None = None, days: float = 0.0, deadline: float = DEADLINE) -> None:
        self._path, self._log, self.days, self._deadline = path, log, days, deadline
        self._database = Database(path)
        self._worker = Worker("store", errors=_ERRORS)
        self._unread = True
        self._sync: asyncio.TimerHandle | None = None
        self._readings = Readings()
        self._kept_at: float | None = None
        self._keeping: asyncio.Future[None] | None = None
        self._cannot_keep = False
        self._soon: asyncio.TimerHandle | None = None
        self._filing: asyncio.TimerHandle | None = None
        self._reader = Worker("history", errors=_ERRORS)

    async def load(self) -> Mapping[str, Any] | None:
        """The saved entries; None on a host where nothing was ever saved. Opens, and migrates, the file."""
        entries = await self._run(self._database.load, max(self._deadline, LOAD_DEADLINE))
        self._unread = False
        return entries

    async def save(self, changed: Mapping[str, Any], removed: Sequence[str]) -> None:
        """Write and forget entries in one transaction. What could not be read before is not written over."""
        rows = [(utf8(key), json.dumps(value, separators=(",", ":"))) for key, value in changed.items()]
        gone, unread = [utf8(key) for key in removed], self._unread
        await self._run(lambda: self._database.save(rows, gone, unread=unread), self._deadline)
        self._unread = False
        self._tell_rescue()
        if self._sync is None:
            self._sync = asyncio.get_running_loop().call_later(SYNC_AFTER, self._start_sync)

    async def set_aside(self) -> Path:
        """Move a damaged file out of the way, and say where to; what is saved next begins a new one.

        What merely was out of reach (a full disk, a lock, a missing permission) may be whole, and stays: an error.
        """
        aside = await self._run(self._database.set_aside, self._deadline)
        self._unread = False
        return aside

    def remember(self, at: float, values: Mapping[Series, float]) -> None:
        """Keep what was read; see `ports.Store`."""
        self._readings.remember(at, values)
        if self._kept_at is None:
            self._kept_at = at
        elif abs(at - self._kept_at) >= KEEP_EVERY:  # either way: somebody may have set the clock
            self._kept_at = at
            self._keep()

    def note(self, happening: Note) -> None:
        """Keep what happened; see `ports.Store`."""
        self._readings.note(happening)
        if self._soon is None:  # where rounds are rare, an event must not wait for the next
            self._soon = asyncio.get_running_loop().call_later(KEEP_EVERY, self._keep)

    def tape(self, frame: Frame) -> None:
        """Keep a step of the engine; see `ports.Store`."""
        self._readings.tape(frame)
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(KEEP_EVERY, self._keep)

    def file(self, incident: Incident) -> None:
        """Keep what is known of an incident; see `ports.Store`."""
        self._readings.file(incident)
        if self._filing is None:
            self._filing = asyncio.get_running_loop().call_later(FILE_AFTER, self._write_down)

    async def flush(self) -> None:
        """Write what is remembered and noted."""
        await self._kept()
        if (keeping := self._keep()) is not None:
            await self._worker.waited(keeping, deadline=self._deadline, where=self._path)

    async def history(self, query: HistoryQuery) -> History:
        """What was, from the file and from what is not written yet."""
        await self._kept()
        fresh = self._readings.look()
        return await self._look(lambda: look_up(self._path, query, fresh))

    async def incidents(self, *, since: float, most: int) -> Sequence[Incident]:
        """The newest incidents; see `ports.Store`."""
        from healthd.record.filing import find_incidents  # noqa: PLC0415  a start need not wait for it

        await self._kept()
        fresh = self._readings.look()
        return await self._look(lambda: find_incidents(self._path, since, most, fresh))

    async def incident(self, number: int) -> Incident | None:
        """An incident with its events; see `ports.Store`."""
        from healthd.record.filing import find_incident  # noqa: PLC0415  likewise

        await self._kept()
        fresh = self._readings.look()
        return await self._look(lambda: find_incident(self._path, number, fresh))

    async def recent(self, since: float) -> Mapping[Series, Sequence[tuple[float, float]]]:
        """All rounds since then; see `ports.Store`."""
        await self._kept()
        fresh = self._readings.look()
        return await self._look(lambda: look_back(self._path, since, fresh))

    async def close(self) -> None:
        """Bring everything to the disk and close."""
        for timer in (self._sync, self._soon, self._filing):
            if timer is not None:
                timer.cancel()
        try:
            await self._kept()
            self._keep()
            await self._run(self._database.close, self._deadline)
        finally:
            self._worker.stop()
            self._reader.stop()

    def _write_down(self) -> None:
        self._filing = None
        self._keep()

    def _start_sync(self) -> None:
        self._sync = None
        self._keep()
        if not self._worker.stuck:
            self._worker.submit(self._database.sync)  # should it fail, the next `save` fails too, and says so

    # Readings

    def _keep(self) -> asyncio.Future[None] | None:
        """Have what is remembered written, unless that is under way, or nobody knows what the file holds already."""
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        if self._readings.empty or self._unread or self._keeping is not None or self._worker.stuck:
            return None
        batch, days = self._readings.take(), self.days
        self._keeping = self._worker.submit(lambda: self._database.keep(batch, days))
        self._keeping.add_done_callback(self._have_kept)
        return self._keeping

    def _have_kept(self, keeping: asyncio.Future[None]) -> None:
        self._keeping = None
        error = keeping.exception()
        if error is None:
            self._readings.written()
        else:
            self._readings.give_back()
        self._tell_rescue()
        if (error is None) is not self._cannot_keep:
            return
        self._cannot_keep = error is not None
        if error is not None:
            message = f"cannot write readings: {error}; the newest are kept in memory until they can be written"
            self._tell(message, severity=Severity.MEDIUM, reason="cannot_write")
        else:
            lost, self._readings.dropped = self._readings.dropped, 0
            self._tell(f"readings are written again; {counted(lost, 'round')} had to be dropped", reason="recovered")

    async def _kept(self) -> None:
        """Wait until what is being written is in the file."""
        if self._keeping is not None:
            await asyncio.wait({self._keeping}, timeout=self._deadline)

    async def _look(self, work: Callable[[], _T]) -> _T:
        try:
            return await self._reader.do(work, deadline=LOOK_DEADLINE, where=self._path)
        except StorageError as error:
            if isinstance(error.__cause__, sqlite3.DatabaseError) and damaged(error.__cause__):
                damage = error.__cause__  # it may be where nobody writes any more
                await self._run(lambda: self._database.rescue(damage), self._deadline)
                self._tell_rescue()
            raise

    def _tell_rescue(self) -> None:
        aside, self._database.rescued = self._database.rescued, None
        if aside is not None:
            message = (
                f"the database is damaged; it is kept as {aside}, and healthd begins a new history: its state is safe"
            )
            self._tell(message, severity=Severity.HIGH, reason="damaged")

    def _tell(self, message: str, *, severity: Severity | None = None, reason: str) -> None:
        if self._log is not None:
            self._log.event(Event.STORAGE_FAILED, message, severity=severity, reason=reason)

    async def _run(self, work: Callable[[], _T], deadline: float) -> _T:
        return await self._worker.do(work, deadline=deadline, where=self._path)
