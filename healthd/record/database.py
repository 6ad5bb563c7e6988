"""The SQLite file, as it is used in the store's one thread: nothing here knows the loop.

WAL mode: a commit is in the kernel when `save` returns, so that no death of the process loses it. What a full disk
could hinder is owned beforehand: free pages in the file and room in its log, which nobody can take away, and a file of
nothing beside it that is given up when even opening the database finds no room.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from healthd.errors import StorageError
from healthd.record import keep
from healthd.record.schema import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from healthd.record.readings import Batch

_T = TypeVar("_T")

RESERVE: Final = 512 * 1024

_GROWTH: Final = 256 * 1024
"""What the file grows by when readings need room: some hours of them."""

_UNSYNCED: Final = 128 * 1024  # of the log's room, for readings

_AMPLE: Final = 4 * RESERVE  # room for the log, for the file, and for whoever else writes meanwhile
_TABLE_PAGES: Final = 2  # of a table that holds one long value, beside the value itself

_BUSY_SECONDS: Final = 1.0  # somebody's sqlite3 shell may hold the lock for a moment
_READINGS_BUSY_MS: Final = 100
_NO_ROOM: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})
_OUT_OF_REACH: Final = _NO_ROOM | {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
}
_DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY: Final = 0xFF  # SQLite keeps the kind of an error in the low byte of its extended code


class Database:
    """The saved entries. Raises sqlite3.Error, OSError, ValueError and StorageError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reserve = path.with_name(f"{path.name}.reserve")
        self._connection: sqlite3.Connection | None = None
        self._out_of_reach = False
        self._unsynced = 0
        self.rescued: Path | None = None

    def load(self) -> Mapping[str, Any] | None:
        """All entries; None where nothing was ever saved. Opens, and migrates, the file; finds damage in any of it."""
        self._out_of_reach = False
        try:
            entries = self._finding_room(self._read)
        except (sqlite3.Error, OSError) as error:
            self._out_of_reach = isinstance(error, OSError) or _kind(error) in _OUT_OF_REACH
            raise
        self._keep_reserve()
        return entries or None

    def save(self, rows: Sequence[tuple[str, str]], removed: Sequence[str], *, unread: bool) -> None:
        """Write and forget entries in one transaction. `unread`: nobody knows what the file holds already.

        Then it is written only if that is nothing: what could not be read is not written over.
        """
        if unread and self._finding_room(self._read):
            raise StorageError(
                f"{self._path}: what is saved there could not be read in time, and is not written over; "
                "a restart of healthd reads it"
            )
        self._rescuing(lambda: self._finding_room(lambda: self._write(rows, [(key,) for key in removed])))

    def keep(self, batch: Batch, days: float) -> None:
        """Write readings and notes, and forget those older than `days`. What the state owns is not touched for it.

        StorageError where the disk has too little room; nothing is made for readings.
        """
        connection = self._open()
        try:
            connection.execute(f"PRAGMA busy_timeout = {_READINGS_BUSY_MS}")  # the state may be waiting behind them
            self._rescuing(lambda: self._keep(batch, days))
        finally:
            if self._connection is not None:
                self._connection.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000:.0f}")

    def sync(self) -> None:
        """Bring what was saved to the disk."""
        connection = self._open()
        self._unsynced = 0
        _checkpoint(connection)
        _begin_log(connection)
        self._keep_reserve()

    def close(self) -> None:
        """Sync and close."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with closing(connection):
                _checkpoint(connection)
            self._keep_reserve()  # the log is gone, and with it the room that it owned

    def rescue(self, damage: sqlite3.DatabaseError) -> None:
        """Begin a new file with the state that the damaged one holds, and move that aside: `rescued` is where to.

        Raises `damage` where the state cannot be read from it any more; then everything stays as it is.
        """
        try:
            rows = [(key, json.dumps(value)) for key, value in self._read().items()]
        except (sqlite3.Error, ValueError, StorageError):
            raise damage from None
        path = self._path.with_name(f"{self._path.name}.new")
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        new = Database(path)
        new.save(rows, (), unread=False)
        new.close()
        new._reserve.unlink(missing_ok=True)  # this one's stays
        self.rescued = self.set_aside()
        path.rename(self._path)

    def set_aside(self) -> Path:
        """Move a damaged file out of the way, and say where to; what is saved next begins a new one.

        What merely was out of reach (a full disk, a lock, a missing permission) may be whole, and stays.
        """
        if self._out_of_reach:
            raise StorageError("it may be whole, and is left as it is")
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        number = 1
        while (aside := self._path.with_name(f"{self._path.name}.broken-{number}")).exists():
            number += 1
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                self._path.with_name(self._path.name + suffix).rename(aside.with_name(aside.name + suffix))
        return aside

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = sqlite3.connect(
                self._path, isolation_level=None, check_same_thread=False, timeout=_BUSY_SECONDS
            )
            try:
                self._prepare(connection)
            except (sqlite3.Error, StorageError):
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA cache_size = -256")  # a few small rows: what a daemon weighs is a feature
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > len(MIGRATIONS):
            raise StorageError(f"{self._path}: a newer healthd wrote it (version {version})")
        for number, script in enumerate(MIGRATIONS[version:], version + 1):
            connection.executescript(f"BEGIN; {script}; PRAGMA user_version = {number}; COMMIT;")
        try:
            disk = os.statvfs(self._path.parent)
            _own_space(connection, disk.f_bavail * disk.f_frsize, RESERVE)
            _begin_log(connection)
        except sqlite3.DatabaseError as error:
            if not isinstance(error, sqlite3.OperationalError) and not damaged(error):
                raise
            # A full disk, or damage: what is there is read, and written where it fits or can be rescued to.
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _read(self) -> Mapping[str, Any]:
        connection = self._open()
        # The state's table alone: looking through a month of readings would hold up the start. Damage elsewhere shows
        # when that is used, and the state is rescued from it then.
        (verdict,) = connection.execute("PRAGMA quick_check('engine')").fetchone()
        if verdict != "ok":
            raise StorageError(f"{self._path}: it is damaged: {verdict}")
        return {key: json.loads(value) for key, value in connection.execute("SELECT key, value FROM engine")}

    def _write(self, rows: Sequence[tuple[str, str]], removed: Sequence[tuple[str]]) -> None:
        with _transaction(self._open()) as connection:
            connection.executemany("INSERT OR REPLACE INTO engine VALUES (?, ?)", rows)
            connection.executemany("DELETE FROM engine WHERE key = ?", removed)

    def _keep(self, batch: Batch, days: float) -> None:
        connection = self._open()
        size = keep.size(batch)
        self._room_for(connection, size)
        with _transaction(connection):
            thinned = keep.write(connection, batch, days)
        self._unsynced += size
        if thinned or self._unsynced > _UNSYNCED:
            with suppress(sqlite3.OperationalError):  # they are written; the next sync brings them to their place
                self.sync()

    def _room_for(self, connection: sqlite3.Connection, size: int) -> None:
        """See to it that so many bytes leave the reserve as it is, both in the file and on the disk."""
        disk = os.statvfs(self._path.parent)
        room = disk.f_bavail * disk.f_frsize
        if room <= _AMPLE + size:
            raise StorageError(f"{self._path}: the disk is full")
        ((page,), (free,)) = (
            connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_size", "freelist_count")
        )
        if free * page < RESERVE + size:
            try:
                _own_space(connection, room, RESERVE + size + _GROWTH)
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            _begin_log(connection)

    def _rescuing(self, work: Callable[[], None]) -> None:
        """Do the work, and once more in a new file if this one turns out to be damaged."""
        try:
            work()
        except sqlite3.DatabaseError as error:
            if not damaged(error) or self._connection is None:
                raise
            self.rescue(error)
            work()

    def _finding_room(self, work: Callable[[], _T]) -> _T:
        """Do the work, and once more with all room made that can be made if there was none for it."""
        try:
            return work()
        except sqlite3.OperationalError as error:
            if _kind(error) not in _NO_ROOM:
                raise
            self._make_room()
            return work()

    def _make_room(self) -> None:
        """Give up the reserve, and bring what is in the log to its place, so that the log can begin anew."""
        with suppress(OSError):
            self._reserve.unlink()
        if self._connection is not None:
            with suppress(sqlite3.OperationalError):
                _checkpoint(self._connection)

    def _keep_reserve(self) -> None:
        with suppress(OSError):  # without room there is none to be kept back
            file = os.open(self._reserve, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.posix_fallocate(file, 0, RESERVE)
            except OSError:
                self._reserve.unlink()
            finally:
                os.close(file)


def damaged(error: sqlite3.DatabaseError) -> bool:
    """Whether this says that the file is damaged."""
    return _kind(error) in _DAMAGE


def _kind(error: sqlite3.Error) -> int:
    """The kind of an error. Python raises some of its own, which have none: text that is no UTF-8."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:  # what stays open would keep everybody from writing, for ever
        if connection.in_transaction:  # a full disk may have rolled it back already
            connection.execute("ROLLBACK")
        raise


def _own_space(connection: sqlite3.Connection, room: int, wanted: int) -> None:
    """Leave `wanted` bytes of free pages in the file and as much room in its log: SQLite keeps both for itself.

    Where the disk has no `room` (bytes) for both, the file must not grow: what is in the log and finds no place in the
    file would stay in the log, and every later commit would make that longer. A process that was killed in between has
    left the table behind.
    """
    connection.execute("DROP TABLE IF EXISTS reserve")
    ((page,), (free,)) = (connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_size", "freelist_count"))
    owned = max(0, free - _TABLE_PAGES) * page
    connection.execute("BEGIN")
    connection.execute("CREATE TABLE reserve (space BLOB)")
    space = wanted if room > _AMPLE else min(owned, wanted)
    connection.execute("INSERT INTO reserve VALUES (zeroblob(?))", (space,))
    connection.execute("COMMIT")
    _checkpoint(connection)  # so that there is room in the log for what gives the pages free
    connection.execute("DROP TABLE reserve")
    _checkpoint(connection)


def _checkpoint(connection: sqlite3.Connection) -> None:
    """Bring to the file, and to the disk, what is in the log."""
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def _begin_log(connection: sqlite3.Connection) -> None:
    """Begin the log anew now.

    Else the next commit would, and wait for the disk: SQLite syncs the header of a log that begins anew, even where
    commits need not be synced. That commit stands between a failure and its remedy.
    """
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")  # writes a page even where the value stays the same
