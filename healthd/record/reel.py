"""The tape in the database: packed, and read again from a whole frame on."""

from __future__ import annotations

import json
import sqlite3
import zlib
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from healthd.errors import StorageError
from healthd.utf8 import utf8

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_BUSY_SECONDS: Final = 1.0
_WORDS: Final = (
    b'{"items":[["services",".service",{"status":"unhealthy","score":0.0,"message":"killed by SIGKILL","findings":'
    b'[["service_down","killed by SIGKILL",".service","signal",false]],"unit":".service"}]],"units":{".service":'
    b'{"active":"failed","sub":"failed","result":"signal","code":2,"exit_status":9,"job":0,"invocation":"",'
    b'"own_job":true,"file_state":"enabled","active_since":1,"changed_at":1,"seen_up":true,"detail":{"service_type":'
    b'"simple","restart":"no"}}},"results":[["services/.service/service_down","done",""]],"now":1,"wall":17,"n":1,'
    b'"seen":[["services",".service"]],"done":[["started","services",".service","service_down",".service",'
    b'"start_unit","",1],["ended","held","opened","resolved","well","high"]]}\n'
)
"""What frames are full of. Packed tapes can only be read with these very bytes: they never change."""

Plain = dict[str, Any]


class Taped(NamedTuple):
    """A stretch of tape: its frames, oldest first, and until when (Unix seconds) healthd is known to have run.

    `since` is from when on there is a tape at all.
    """

    frames: list[Plain]
    until: float
    since: float


def packed(texts: Iterable[str]) -> bytes:
    """Frames that are written together."""
    packer = zlib.compressobj(zdict=_WORDS)
    data = utf8("\n".join(texts)).encode()
    return packer.compress(data) + packer.flush()


def unpacked(data: bytes) -> Iterator[Plain]:
    """The frames again; raises `zlib.error` and ValueError for anything else."""
    text = zlib.decompressobj(zdict=_WORDS).decompress(data).decode()
    return map(json.loads, text.split("\n"))


def read_tape(path: Path, since: float, until: float) -> Taped:
    """The frames until then, from the newest whole one before `since` on. Raises `StorageError` with the reason."""
    try:
        with closing(opened(path)) as connection:
            return _read(connection, path, since, until)
    except (sqlite3.Error, zlib.error, ValueError) as error:
        raise StorageError(f"{path}: {error}") from error


def opened(path: Path) -> sqlite3.Connection:
    """A connection that only reads; a copy on a medium that nobody can write is read as it lies there."""
    uri = path.absolute().as_uri()
    for how in ("mode=ro", "mode=ro&immutable=1"):
        connection = sqlite3.connect(f"{uri}?{how}", uri=True, timeout=_BUSY_SECONDS)
        try:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except sqlite3.OperationalError:
            connection.close()
            if "immutable" in how:
                raise
        else:
            return connection
    raise AssertionError("one of them was returned or raised")


def _read(connection: sqlite3.Connection, path: Path, since: float, until: float) -> Taped:
    if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'tape'").fetchone() is None:
        raise StorageError(f"{path}: a healthd from before `simulate` wrote it, and kept no decisions")
    first = connection.execute("SELECT at, id FROM tape WHERE whole ORDER BY id LIMIT 1").fetchone()
    if first is None:
        return Taped([], until, until)
    begin = connection.execute(
        "SELECT id FROM tape WHERE whole AND at <= ? ORDER BY id DESC LIMIT 1", (since,)
    ).fetchone()
    found = connection.execute(
        "SELECT data FROM tape WHERE id >= ? AND at < ? ORDER BY id", (begin[0] if begin else first[1], until)
    )
    frames = [frame for (data,) in found for frame in unpacked(data) if frame["wall"] < until]
    while frames and "state" not in frames[0]:  # of those that were written together with a whole one
        frames.pop(0)
    for before, frame in pairwise(frames):
        if frame.get("first"):
            before["alive"] = _alive(connection, before["wall"], frame["wall"])
    newest = frames[-1]["wall"] if frames else since
    return Taped(frames, max(newest, _alive(connection, newest, until)), first[0])


def _alive(connection: sqlite3.Connection, since: float, until: float) -> float:
    """The last that was heard of healthd in this time: a round of readings, or what is left of some."""
    newest = since
    for table, step in (("round", 0), ("span5", 300), ("hour", 3600)):
        query = f"SELECT max(at) FROM {table} WHERE at >= ? AND at < ?"  # noqa: S608  # our own names
        (at,) = connection.execute(query, (since - step, until)).fetchone()
        newest = max(newest, min(until, at + step) if at is not None else since)
        if at is not None and not step:
            break
    return newest
