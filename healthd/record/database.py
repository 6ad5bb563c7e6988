"""The SQLite file, as it is used in the store's one thread: nothing here knows the loop.

WAL mode: a commit is in the kernel when `save` returns, so that no death of the process loses it. What a full disk
could hinder is owned beforehand: free pages in the file and room in its log, which nobody can take away, and a file of
nothing beside it that is given up when even opening the database finds no room.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from healthd.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_T = TypeVar("_T")

RESERVE: Final = 512 * 1024

_BUSY_SECONDS: Final = 1.0  # somebody's sqlite3 shell may hold the lock for a moment
_NO_ROOM: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})
_PRIMARY: Final = 0xFF  # SQLite keeps the kind of an error in the low byte of its extended code

MIGRATIONS: Final = (
    """
    CREATE TABLE engine (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    """,
)
"""Each brings the schema from its index to the next; `PRAGMA user_version` counts those that were done."""


class Database:
    """The saved entries. Raises sqlite3.Error, OSError, ValueError and StorageError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reserve = path.with_name(f"{path.name}.reserve")
        self._connection: sqlite3.Connection | None = None
        self._known = False

    def load(self) -> Mapping[str, Any] | None:
        """All entries; None where nothing was ever saved. Opens, and migrates, the file."""
        rows = self._finding_room(lambda: self._open().execute("SELECT key, value FROM engine").fetchall())
        entries = {key: json.loads(value) for key, value in rows}
        self._known = True
        self._keep_reserve()
        return entries or None

    def save(self, rows: Sequence[tuple[str, str]], removed: Sequence[str]) -> None:
        """Write and forget entries in one transaction. What could not be read is not written over."""
        if not self._known:
            raise StorageError(f"{self._path}: what is saved there could not be read, and is not written over")
        self._finding_room(lambda: self._write(rows, [(key,) for key in removed]))

    def sync(self) -> None:
        """Bring what was saved to the disk."""
        connection = self._open()
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        _begin_log(connection)
        self._keep_reserve()

    def close(self) -> None:
        """Sync and close."""
        if self._connection is not None:
            with closing(self._connection):
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            self._connection = None

    def set_aside(self) -> Path:
        """Move a file that cannot be used out of the way, and say where to; the next `load` begins anew."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        number = 1
        while (aside := self._path.with_name(f"{self._path.name}.broken-{number}")).exists():
            number += 1
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                self._path.with_name(self._path.name + suffix).rename(aside.with_name(aside.name + suffix))
        self._known = True
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
            _own_space(connection)
            _begin_log(connection)
        except sqlite3.OperationalError:  # a full disk: what is there is read, and written where it fits
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _write(self, rows: Sequence[tuple[str, str]], removed: Sequence[tuple[str]]) -> None:
        connection = self._open()
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany("INSERT OR REPLACE INTO engine VALUES (?, ?)", rows)
            connection.executemany("DELETE FROM engine WHERE key = ?", removed)
            connection.execute("COMMIT")
        except sqlite3.Error:
            if connection.in_transaction:  # a full disk may have rolled it back already
                connection.execute("ROLLBACK")
            raise

    def _finding_room(self, work: Callable[[], _T]) -> _T:
        """Do the work, and once more with the reserve given up if there was no room for it."""
        try:
            return work()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & _PRIMARY not in _NO_ROOM or not self._reserve.exists():
                raise
            self._reserve.unlink()
            return work()

    def _keep_reserve(self) -> None:
        if self._reserve.exists():
            return
        with suppress(OSError):  # without room there is none to be kept back
            file = os.open(self._reserve, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                os.posix_fallocate(file, 0, RESERVE)
            except OSError:
                self._reserve.unlink()
            finally:
                os.close(file)


def _own_space(connection: sqlite3.Connection) -> None:
    """Leave free pages in the file and as much room in its log: SQLite keeps both for itself."""
    connection.executescript(
        f"BEGIN; CREATE TABLE reserve (space BLOB); INSERT INTO reserve VALUES (zeroblob({RESERVE})); COMMIT;"  # noqa: S608
        "DROP TABLE reserve; PRAGMA wal_checkpoint(PASSIVE);"
    )


def _begin_log(connection: sqlite3.Connection) -> None:
    """Begin the log anew now.

    Else the next commit would, and wait for the disk: SQLite syncs the header of a log that begins anew, even where
    commits need not be synced. That commit stands between a failure and its remedy.
    """
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")  # writes a page even where the value stays the same
