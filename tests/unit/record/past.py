"""Days that never were, in a database of their own: written by the store's own hand, without its disk."""

from __future__ import annotations

import math
import sqlite3
from array import array
from typing import TYPE_CHECKING

from healthd.answers import Series
from healthd.record import keep
from healthd.record.lookup import look_up
from healthd.record.readings import Batch, Readings
from healthd.record.schema import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from healthd.answers import History, HistoryQuery, Note

START = 1_760_000_400  # an hour begins

COMPONENTS = (
    *("services", "network", "memory", "storage", "cpu", "pressure", "kernel", "processes"),
    *("clock", "temperature", "timers", "updates"),
)
DEFAULTS = (
    Series("", "", "score"),
    *(Series(component, "", "score") for component in COMPONENTS),
    *(Series(component, item, f"value_{n}") for component in COMPONENTS for item in ("", "a") for n in range(3)),
)
"""As many series as a host has whose configuration nobody touched: 85."""

NOTHING = Batch(layout=(), rounds=(), notes=())


def database(file: Path) -> sqlite3.Connection:
    """A new file of the newest schema, which waits for no disk."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")
    connection.executescript("".join(MIGRATIONS))
    return connection


def batch(rounds: Mapping[float, Mapping[Series, float]], notes: Iterable[Note] = ()) -> Batch:
    """What a store would write of these."""
    readings = Readings()
    for at, values in rounds.items():
        readings.remember(at, values)
    for note in notes:
        readings.note(note)
    return readings.take()


def write(connection: sqlite3.Connection, what: Batch, *, days: float = 30.0) -> bool:
    """One commit."""
    with connection:
        connection.execute("BEGIN")
        return keep.write(connection, what, days)


def days_pass(
    connection: sqlite3.Connection, start: int, seconds: int, *, every: int = 30, days: float = 30.0, together: int = 2
) -> None:
    """Rounds of the defaults, every so many seconds, written so many together."""
    instants = list(range(start, start + seconds, every))
    for first in range(0, len(instants), together):
        rounds = tuple((at, array("f", values(at))) for at in instants[first : first + together])
        write(connection, Batch(layout=DEFAULTS, rounds=rounds, notes=()), days=days)


def values(at: float) -> Iterator[float]:
    """Numbers that differ from round to round and from series to series."""
    return (round(0.5 + 0.5 * math.sin(at / 997 + place), 3) for place in range(len(DEFAULTS)))


def asked(file: Path, query: HistoryQuery) -> History:
    return look_up(file, query, NOTHING)
