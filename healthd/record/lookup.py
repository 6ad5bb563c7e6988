"""Answers what was: reads the tier that fits the time asked for, and so many points of it as somebody can look at.

On a connection of its own, which writes nothing and is closed again: a long look holds up nobody.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from contextlib import closing
from dataclasses import fields
from functools import lru_cache
from itertools import groupby
from math import ceil, fsum, inf, isnan
from operator import attrgetter, mul
from typing import TYPE_CHECKING, Final

from healthd.answers import History, Note, Point, SeriesHistory
from healthd.record.tiers import HOUR, ROUND, SPAN5, TIERS, Layouts, Row, rows
from healthd.utf8 import utf8

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from healthd.answers import HistoryQuery, Series
    from healthd.record.readings import Batch
    from healthd.record.tiers import Tier

MOST_EVENTS: Final = 500
RECENT_POINTS: Final = 240

_BUSY_SECONDS: Final = 1.0
_NEVER: Final = 2**62
_LAST: Final = 30  # seconds that the newest round stands for, as far as anybody knows
EVENTS: Final = """
    SELECT at, event, component, item, issue, severity, status, score, action, unit, attempt, outcome, reason,
        duration_ms, message, incident
    FROM event WHERE at >= ? AND at < ?
"""


def look_up(path: Path, query: HistoryQuery, fresh: Batch) -> History:
    """What the file at `path` has, and `fresh`, which is not written yet."""
    width = (query.until - query.since) / query.points
    # A coarser tier that has half as many rows as there may be points is still a good picture, and much less to read.
    tier = next((each for each in (HOUR, SPAN5) if width >= each.step / 2), ROUND)
    with closing(opened(path)) as connection:
        found = covering(connection, tier, ceil(query.since), ceil(query.until))
        found += _of(fresh, query.since, query.until)
        series = _gather(found, query.wants, query.since, width, query.points)
        events = _events(connection, query)
    noted = [note for note in fresh.notes if query.since <= note.at < query.until and _concerns(query, note)]
    events = joined(events, noted)
    return History(
        since=query.since,
        until=query.until,
        step=max(width, tier.step),
        series=tuple(SeriesHistory(series=each, points=tuple(series[each])) for each in sorted(series)),
        events=tuple(events[-MOST_EVENTS:]),
    )


def look_back(path: Path, since: float, fresh: Batch) -> Mapping[Series, Sequence[tuple[float, float]]]:
    """All rounds since then, as `ports.Store.recent` has them."""
    with closing(opened(path)) as connection:
        found = list(rows(connection, Layouts(connection), ROUND, ceil(since), _NEVER))
    found += _of(fresh, since, inf)
    newest = max((row.at for row in found), default=0)
    width = (newest + 1 - since) / RECENT_POINTS
    series = _gather(found, lambda _: True, since, width, RECENT_POINTS)
    return {each: [(point.at, point.mean) for point in points] for each, points in series.items()}


def opened(path: Path) -> sqlite3.Connection:
    """A connection that only reads."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
    connection.execute("PRAGMA cache_size = -256")
    return connection


def covering(connection: sqlite3.Connection, tier: Tier, since: int, until: int) -> list[Row]:
    """The rows of a tier; where it does not reach yet, of finer ones, and where it reaches no more, of coarser ones."""
    layouts = Layouts(connection)
    place = TIERS.index(tier)
    found: list[Row] = []
    begin, end = until, since
    for finer in reversed(TIERS[: place + 1]):
        newer = list(rows(connection, layouts, finer, end, until))
        if newer:
            begin, end = min(begin, newer[0].at), newer[-1].at + max(1, finer.step)
            found += newer
    for coarser in TIERS[place + 1 :]:
        older = list(rows(connection, layouts, coarser, since, begin - coarser.step + 1))
        if older:
            begin = older[0].at
            found = older + found
    return found


def _of(fresh: Batch, since: float, until: float) -> list[Row]:
    return [
        Row(at=at, step=0, layout=0, series=fresh.layout, numbers=numbers)
        for at, numbers in fresh.rounds
        if since <= at < until
    ]


class _Column:
    """All that the rows say about one series: lists that belong together, an entry a row that has a number of it.

    `rows` are the places of the rows, `weights` the seconds that they stand for.
    """

    __slots__ = ("high", "low", "mean", "rows", "weights")

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.low: list[float] = []
        self.mean: list[float] = []
        self.high: list[float] = []
        self.weights: list[float] = []

    def point(self, at: float, first: int, last: int) -> Point:
        """The entries from the first to before the last in one."""
        if last == first + 1:
            low, mean, high = self.low[first], self.mean[first], self.high[first]
        else:
            weights = self.weights[first:last]
            low, high = min(self.low[first:last]), max(self.high[first:last])
            mean = fsum(map(mul, self.mean[first:last], weights)) / fsum(weights)
        if low == high:
            return Point(at, least := _short(low), least, least)
        least, most = _short(low), _short(high)
        return Point(at, least, min(max(least, _short(mean)), most), most)


def _gather(
    found: Iterable[Row], wants: Callable[[Series], bool], since: float, width: float, most: int
) -> dict[Series, list[Point]]:
    """The points of the wanted series, each of the rows that fall into the same `width` seconds after `since`."""
    ordered = sorted(found, key=attrgetter("at"))
    buckets: list[tuple[int, int]] = []  # the time of the first row of each, and the place after its last
    for _, group in groupby(enumerate(ordered), key=lambda each: min(most - 1, int((each[1].at - since) / width))):
        together = list(group)
        buckets.append((together[0][1].at, together[-1][0] + 1))
    points: dict[Series, list[Point]] = {}
    for series, column in _columns(ordered, wants).items():
        points[series] = own = []
        first = 0
        for at, end in buckets:
            last = bisect_left(column.rows, end, first)
            if last > first:
                own.append(column.point(at, first, last))
            first = last
    return points


def _columns(ordered: Sequence[Row], wants: Callable[[Series], bool]) -> dict[Series, _Column]:
    """The wanted series that have numbers, read from rows of one layout and tier together."""
    columns: dict[Series, _Column] = {}
    place = 0
    for _, group in groupby(ordered, key=lambda row: (id(row.series), row.step)):
        alike = list(group)
        weights = [_weight(ordered, each) for each in range(place, place + len(alike))]
        numbers = [row.numbers for row in alike]
        high = len(numbers[0]) - len(alike[0].series)  # where the last plane begins: a round has one, a span three
        for number, series in enumerate(alike[0].series):
            if not wants(series):
                continue
            means = [each[high // 2 + number] for each in numbers]
            read = range(len(alike)) if not isnan(fsum(means)) else [n for n, v in enumerate(means) if not isnan(v)]
            if read:
                column = columns.setdefault(series, _Column())
                column.rows += [place + each for each in read]
                column.mean += [means[each] for each in read]
                column.low += [numbers[each][number] for each in read]
                column.high += [numbers[each][high + number] for each in read]
                column.weights += [weights[each] for each in read]
        place += len(alike)
    return columns


def _weight(ordered: Sequence[Row], place: int) -> float:
    """The seconds that a row stands for: a round, until the next one came."""
    row = ordered[place]
    pause = ordered[place + 1].at - row.at if place + 1 < len(ordered) else _LAST
    return float(row.step or min(max(1, pause), SPAN5.step))


@lru_cache(maxsize=1024)
def _short(number: float) -> float:
    """As many digits as a 32-bit float has: 0.8, and not 0.800000011920929."""
    return float(f"{number:.7g}")


def _concerns(query: HistoryQuery, note: Note) -> bool:
    return query.component in (None, note.component) and query.item in (None, "", note.item)


def _events(connection: sqlite3.Connection, query: HistoryQuery) -> list[Note]:
    """The newest of that time, oldest first."""
    values: tuple[float | str, ...]
    sql, values = EVENTS, (query.since, query.until)
    for name, value in (("component", query.component), ("item", query.item or None)):
        if value is not None:
            sql, values = f"{sql} AND {name} = ?", (*values, utf8(value))
    found = connection.execute(f"{sql} ORDER BY at DESC, id DESC LIMIT {MOST_EVENTS}", values).fetchall()
    return notes(reversed(found))


def joined(written: list[Note], fresh: Iterable[Note]) -> list[Note]:
    """What is written, and after it what was not yet when that was asked: it may have been written since."""
    known = set(written)
    return [*written, *(note for note in fresh if note not in known)]


def notes(rows_of_events: Iterable[tuple[object, ...]]) -> list[Note]:
    """What `EVENTS` selects, as events."""
    return [Note(**dict(zip(_FIELDS, row, strict=True))) for row in rows_of_events]  # type: ignore[arg-type]


_FIELDS: Final = tuple(field.name for field in fields(Note))
