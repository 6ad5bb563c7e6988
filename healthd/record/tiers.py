"""How readings lie in the database: three tables, fine to coarse, of rows packed in the order of a layout."""

from __future__ import annotations

import json
import sys
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from healthd.answers import Series
from healthd.utf8 import utf8

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A table of readings. `step`: the seconds of a row, 0 for a round; `planes`: the numbers for each series."""

    table: str
    step: int
    planes: int


ROUND: Final = Tier(table="round", step=0, planes=1)
SPAN5: Final = Tier(table="span5", step=300, planes=3)
HOUR: Final = Tier(table="hour", step=3600, planes=3)
TIERS: Final = (ROUND, SPAN5, HOUR)


class Row(NamedTuple):
    """A row: its series, and the numbers of all of them, plane by plane. `layout` is its id, `step` its tier's."""

    at: int
    step: int
    layout: int
    series: Sequence[Series]
    numbers: array[float]


def pack(numbers: array[float]) -> bytes:
    """32-bit floats, little-endian."""
    if sys.byteorder == "big":
        numbers = array("f", numbers)
        numbers.byteswap()
    return numbers.tobytes()


def unpack(data: bytes) -> array[float]:
    """The numbers again; ValueError for a length that no numbers have."""
    numbers = array("f")
    numbers.frombytes(data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


class Layouts:
    """The layouts of the database, read as they are needed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[int, tuple[Series, ...]] = {}

    def __getitem__(self, layout: int) -> tuple[Series, ...]:
        """The series of this layout; none for one that is not there."""
        if layout not in self._known:
            found = self._connection.execute("SELECT series FROM layout WHERE id = ?", (layout,)).fetchone()
            self._known[layout] = tuple(Series(*map(str, each)) for each in json.loads(found[0])) if found else ()
        return self._known[layout]

    def find_or_make(self, series: Iterable[Series], now: int) -> int:
        """The id of the layout of exactly these series in this order."""
        text = utf8(json.dumps(list(series), ensure_ascii=False, separators=(",", ":")))
        found = self._connection.execute("SELECT id FROM layout WHERE series = ?", (text,)).fetchone()
        if found is None:
            values = (now, text)
            found = self._connection.execute("INSERT INTO layout (used, series) VALUES (?, ?) RETURNING id", values)
            return int(found.fetchone()[0])
        return int(found[0])


def rows(
    connection: sqlite3.Connection,
    layouts: Layouts,
    tier: Tier,
    since: int,
    until: int,
) -> Iterator[Row]:
    """The rows of a tier that begin in this time, oldest first. One that no layout explains is left out."""
    query = f"SELECT at, layout, data FROM {tier.table} WHERE at >= ? AND at < ? ORDER BY at"  # noqa: S608  # our own names
    found: Any
    for found in connection.execute(query, (since, until)):
        at, layout, data = found
        series = layouts[layout]
        if series and len(data) == 4 * len(series) * tier.planes:
            yield Row(at=at, step=tier.step, layout=layout, series=series, numbers=unpack(data))
