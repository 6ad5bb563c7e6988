"""Answers what was: reads the tier that fits the time asked for, and so many points of it as somebody can look at.

On a connection of its own, which writes nothing and is closed again: a long look holds up nobody.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import fields
from itertools import groupby
from math import ceil, fsum, inf
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from healthd.answers import History, Note, Point, SeriesHistory
from healthd.record.tiers import HOUR, ROUND, SPAN5, TIERS, Layouts, Row, rows

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
_EVENTS: Final = """
    SELECT at, event, component, item, issue, severity, status, score, action, unit, attempt, outcome, reason,
        duration_ms, message
    FROM event WHERE at >= ? AND at < ?
"""


def look_up(path: Path, query: HistoryQuery, fresh: Batch) -> History:
    """What the file at `path` has, and `fresh`, which is not written yet."""
    width = (query.until - query.since) / query.points
    tier = HOUR if width >= HOUR.step else SPAN5 if width >= SPAN5.step else ROUND
    with closing(_open(path)) as connection:
        found = _covering(connection, tier, ceil(query.since), ceil(query.until))
        found += _of(fresh, query.since, query.until)
        series = _gather(found, query.wants, query.since, width, query.points)
        events = _events(connection, query)
    events += [note for note in fresh.notes if query.since <= note.at < query.until and _concerns(query, note)]
    return History(
        since=query.since,
        until=query.until,
        step=max(width, tier.step),
        series=tuple(SeriesHistory(series=each, points=tuple(series[each])) for each in sorted(series)),
        events=tuple(events[-MOST_EVENTS:]),
    )


def look_back(path: Path, since: float, fresh: Batch) -> Mapping[Series, Sequence[tuple[float, float]]]:
    """All rounds since then, as `ports.Store.recent` has them."""
    with closing(_open(path)) as connection:
        found = list(rows(connection, Layouts(connection), ROUND, ceil(since), _NEVER))
    found += _of(fresh, since, inf)
    newest = max((row.at for row in found), default=0)
    width = (newest + 1 - since) / RECENT_POINTS
    series = _gather(found, lambda _: True, since, width, RECENT_POINTS)
    return {each: [(point.at, point.mean) for point in points] for each, points in series.items()}


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
    connection.execute("PRAGMA cache_size = -256")
    return connection


def _covering(connection: sqlite3.Connection, tier: Tier, since: int, until: int) -> list[Row]:
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
        Row(at=at, layout=0, series=fresh.layout, numbers=numbers)
        for at, numbers in fresh.rounds
        if since <= at < until
    ]


def _gather(
    found: Iterable[Row], wants: Callable[[Series], bool], since: float, width: float, most: int
) -> dict[Series, list[Point]]:
    """The points of the wanted series, each of the rows that fall into the same `width` seconds after `since`."""

    def bucket(row: Row) -> int:
        return min(most - 1, int((row.at - since) / width))

    points: dict[Series, list[Point]] = {}
    places: dict[int, list[tuple[Series, int]]] = {}
    for _, together in groupby(sorted(found, key=attrgetter("at")), key=bucket):
        taken: dict[Series, tuple[list[float], list[float], list[float]]] = {}
        at = None
        for row in together:
            at = row.at if at is None else at
            wanted = places.get(id(row.series))
            if wanted is None:
                wanted = [(each, place) for place, each in enumerate(row.series) if wants(each)]
                places[id(row.series)] = wanted
            _take(row, wanted, taken)
        for series, (low, mean, high) in taken.items():
            points.setdefault(series, []).append(_point(at or 0, low, mean, high))
    return points


def _take(
    row: Row, wanted: Iterable[tuple[Series, int]], taken: dict[Series, tuple[list[float], list[float], list[float]]]
) -> None:
    """Add a row's numbers of the wanted series to what was taken from others."""
    numbers, size = row.numbers, len(row.series)
    last = len(numbers) - size  # where the last plane begins: a round has one, a span three
    middle = last // 2
    for series, place in wanted:
        mean = numbers[middle + place]
        if mean == mean:  # noqa: PLR0124  # not NaN
            low, means, high = taken.setdefault(series, ([], [], []))
            low.append(numbers[place])
            means.append(mean)
            high.append(numbers[last + place])


def _point(at: int, low: Sequence[float], mean: Sequence[float], high: Sequence[float]) -> Point:
    least, most = _short(min(low)), _short(max(high))
    return Point(at, least, min(max(least, _short(fsum(mean) / len(mean))), most), most)


def _short(number: float) -> float:
    """As many digits as a 32-bit float has: 0.8, and not 0.800000011920929."""
    return float(f"{number:.7g}")


def _concerns(query: HistoryQuery, note: Note) -> bool:
    return query.component in (None, note.component) and query.item in (None, "", note.item)


def _events(connection: sqlite3.Connection, query: HistoryQuery) -> list[Note]:
    """The newest of that time, oldest first."""
    values: tuple[float | str, ...]
    sql, values = _EVENTS, (query.since, query.until)
    for name, value in (("component", query.component), ("item", query.item or None)):
        if value is not None:
            sql, values = f"{sql} AND {name} = ?", (*values, value)
    found = connection.execute(f"{sql} ORDER BY at DESC, id DESC LIMIT {MOST_EVENTS}", values).fetchall()
    return [Note(**dict(zip(_FIELDS, row, strict=True))) for row in reversed(found)]


_FIELDS: Final = tuple(field.name for field in fields(Note))
