"""Writes readings and notes, thins out what has aged, forgets what is old: inside of one transaction, a little a time.

A period is due for the next tier when a round of another period comes, whichever way the wall clock went; what is due
is written down with the rounds, so that no crash leaves a period out.
"""

from __future__ import annotations

from array import array
from itertools import groupby
from math import fsum, nan
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from healthd.record.reel import packed
from healthd.record.tiers import HOUR, ROUND, SPAN5, TIERS, Layouts, pack, rows
from healthd.utf8 import utf8

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from healthd.answers import Note, Series
    from healthd.record.readings import Batch
    from healthd.record.tiers import Row, Tier

    Extremes = dict[Series, tuple[float, float, float]]

ROUNDS_KEPT: Final = 48 * 3600
ROUND_BYTES_KEPT: Final = 8 * 1024 * 1024
"""What rounds may take where they come every second, or are of thousands of series."""

EVENTS_KEPT: Final = 50_000

INCIDENT_BYTES: Final = 100_000
"""What one takes at most; see record/incidents.py for the bounds that add up to this."""

INCIDENTS_KEPT: Final = 1000
INCIDENT_BYTES_KEPT: Final = 16 * 1024 * 1024
"""Of incidents those that go on and the newest, so many of them and so much of their evidence at most."""

TAPE_BYTES_KEPT: Final = 16 * 1024 * 1024
"""What the tape may take: at the defaults far more than a month of it; in a storm that does not end, some days."""

_PERIODS: Final = 4  # at a time; two come due in an hour's last commit
_AT_A_TIME: Final = 1000  # rows of a table to forget; in five minutes come 300 at most
_SETTLED: Final = 12  # a clock must have been right for that many spans before anything is too old by it
_DAY: Final = 86_400
_PAGES: Final = 16 * 4096  # of so many tables and indexes at least one page may be new
_ROW_BYTES: Final = 24  # of SQLite, beside the numbers

_FINER: Final = {SPAN5.step: (ROUND, SPAN5), HOUR.step: (SPAN5, HOUR)}

_NOTE: Final = """
    INSERT INTO event (at, event, component, item, issue, severity, status, score, action, unit, attempt, outcome,
        reason, duration_ms, message, incident)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


_TOO_MUCH_TAPE: Final = """
    DELETE FROM tape WHERE id IN (
        SELECT id FROM (SELECT id, sum(length(data)) OVER (ORDER BY id DESC) AS bytes FROM tape)
        WHERE bytes > ? ORDER BY id LIMIT ?
    )
"""

_TOO_MANY_INCIDENTS: Final = """
    DELETE FROM incident WHERE id IN (
        SELECT id FROM (
            SELECT id, row_number() OVER newest AS place, sum(length(data)) OVER newest AS bytes
            FROM incident WINDOW newest AS (ORDER BY ended_at IS NULL DESC, opened_at DESC, id DESC)
        ) WHERE place > ? OR bytes > ? ORDER BY place DESC LIMIT ?
    )
"""


def write(connection: sqlite3.Connection, batch: Batch, days: float) -> bool:
    """Write a batch. True where periods were over: they are thinned out, and what is older than `days` is forgotten."""
    connection.executemany(_NOTE, map(_fields, batch.notes))
    if batch.incidents:
        from healthd.record import filing  # noqa: PLC0415  many hosts have none for months

        filing.write(connection, batch.incidents)
    if batch.frames:
        whole = any(frame.whole for frame in batch.frames)
        row = (batch.frames[0].at, whole, packed(frame.text for frame in batch.frames))
        connection.execute("INSERT INTO tape (at, whole, data) VALUES (?, ?, ?)", row)
    if not batch.rounds:
        return False
    layouts = Layouts(connection)
    now = batch.rounds[-1][0]
    _write_rounds(connection, layouts, batch)
    due = connection.execute(
        "SELECT step, at FROM due WHERE at + step <= ? OR at > ? ORDER BY step, at LIMIT ?", (now, now, _PERIODS)
    ).fetchall()
    for step, at in due:
        _thin_out(connection, layouts, step, at)
    if due:
        _forget(connection, now, days, len(batch.layout))
    return bool(due)


def size(batch: Batch) -> int:
    """About how many bytes a batch takes in the file, with what is thinned out on its way. Rather more."""
    rounds = len(batch.rounds) * (4 * len(batch.layout) + _ROW_BYTES)
    spans = _PERIODS * 12 * len(batch.layout)
    layouts = 100 * len(batch.layout)
    told = 500 * len(batch.notes) + INCIDENT_BYTES * len(batch.incidents)
    frames = sum(len(frame.text) for frame in batch.frames)
    return 2 * (rounds + spans + layouts + told) + frames + _PAGES


def _fields(note: Note) -> tuple[float | str | None, ...]:
    values = (
        note.at,
        str(note.event),
        note.component,
        note.item,
        note.issue,
        note.severity,
        note.status,
        note.score,
        note.action,
        note.unit,
        note.attempt,
        note.outcome,
        note.reason,
        note.duration_ms,
        note.message,
        note.incident,
    )
    return tuple([utf8(value) if isinstance(value, str) else value for value in values])


def _write_rounds(connection: sqlite3.Connection, layouts: Layouts, batch: Batch) -> None:
    layout = layouts.find_or_make(batch.layout, batch.rounds[-1][0])
    for at, numbers in batch.rounds:
        row = (at, layout, pack(numbers))
        for older in rows(connection, layouts, ROUND, at, at + 1):  # the rest of a second that is written already
            both = dict(zip(older.series, older.numbers, strict=True))
            both |= {each: new for each, new in zip(batch.layout, numbers, strict=True) if new == new}  # noqa: PLR0124
            row = (at, layouts.find_or_make(both, at), pack(array("f", both.values())))
        connection.execute("INSERT OR REPLACE INTO round VALUES (?, ?, ?)", row)
    spans = {(SPAN5.step, at - at % SPAN5.step) for at, _ in batch.rounds}
    connection.executemany("INSERT OR IGNORE INTO due VALUES (?, ?)", spans)


def _thin_out(connection: sqlite3.Connection, layouts: Layouts, step: int, at: int) -> None:
    """Make one row of the coarser tier of all that the finer one has in a period."""
    connection.execute("DELETE FROM due WHERE step = ? AND at = ?", (step, at))
    finer, coarser = _FINER[step]
    found = list(rows(connection, layouts, finer, at, at + step))
    if not found:
        return
    extremes = _fold(found, finer)
    series = [each for each in found[-1].series if each in extremes]
    if len(series) > len(found[-1].series) / 2:
        series = list(found[-1].series)  # some empty places cost less than a layout of their own
    series += [each for each in extremes if each not in set(series)]
    layout = layouts.find_or_make(series, at)
    planes = zip(*(extremes.get(each, (nan, nan, nan)) for each in series), strict=True)
    numbers = array("f", [number for plane in planes for number in plane])
    connection.execute(f"INSERT OR REPLACE INTO {coarser.table} VALUES (?, ?, ?)", (at, layout, pack(numbers)))  # noqa: S608
    used = {layout, *(row.layout for row in found)}
    connection.executemany("UPDATE layout SET used = max(used, ?) WHERE id = ?", [(at, each) for each in used])
    if coarser is HOUR:
        _write_scores(connection, at, extremes)
    else:
        connection.execute("INSERT OR IGNORE INTO due VALUES (?, ?)", (HOUR.step, at - at % HOUR.step))


def _fold(found: Iterable[Row], tier: Tier) -> Extremes:
    """Minimum, mean and maximum of each series over these rows. A mean of means: every row is as long as another."""
    columns: dict[Series, tuple[list[float], list[float], list[float]]] = {}
    for _, group in groupby(found, key=attrgetter("layout")):
        alike = list(group)
        width = len(alike[0].series)
        numbers = list(zip(*(row.numbers for row in alike), strict=True))
        for place, series in enumerate(alike[0].series):
            own = columns.setdefault(series, ([], [], []))
            for plane, column in enumerate(own):
                read = numbers[place + min(plane, tier.planes - 1) * width]
                column += [number for number in read if number == number]  # noqa: PLR0124  # not NaN
    return {
        series: (min(low), fsum(mean) / len(mean), max(high)) for series, (low, mean, high) in columns.items() if mean
    }


def _write_scores(connection: sqlite3.Connection, at: int, extremes: Extremes) -> None:
    """Once more for people, who have no use for packed floats."""
    scores = [(at, each.component, *extremes[each]) for each in extremes if not each.item and each.name == "score"]
    connection.executemany("INSERT OR REPLACE INTO hourly_score VALUES (?, ?, ?, ?, ?)", scores)


def _forget(connection: sqlite3.Connection, now: int, days: float, width: int) -> None:
    """Forget what is old, oldest first. `width`: of a round."""
    most = ROUND_BYTES_KEPT // (4 * width + _ROW_BYTES)
    (number,) = connection.execute("SELECT count(*) FROM round").fetchone()
    _delete(connection, "round", "at", now, number - most)
    (newest,) = connection.execute("SELECT max(id) FROM event").fetchone()
    _delete(connection, "event", "id", (newest or 0) - EVENTS_KEPT + 1)
    connection.execute(_TOO_MANY_INCIDENTS, (INCIDENTS_KEPT, INCIDENT_BYTES_KEPT, _AT_A_TIME))
    connection.execute(_TOO_MUCH_TAPE, (TAPE_BYTES_KEPT, _AT_A_TIME))
    settled = connection.execute("SELECT at FROM span5 ORDER BY at DESC LIMIT 1 OFFSET ?", (_SETTLED,)).fetchone()
    if settled is None:
        return
    now = min(now, *settled)
    _delete(connection, "round", "at", now - ROUNDS_KEPT)
    if days:
        oldest = now - round(days * _DAY)
        for tier in TIERS:
            _delete(connection, tier.table, "at", oldest - tier.step)
        _delete(connection, "hourly_score", "at", oldest - HOUR.step)
        _delete(connection, "event", "at", oldest)
        _delete(connection, "incident", "opened_at", oldest)
        _delete(connection, "tape", "at", oldest)
        _delete(connection, "layout", "used", oldest - 2 * _DAY)


def _delete(connection: sqlite3.Connection, table: str, column: str, bound: float, most: int = _AT_A_TIME) -> None:
    """Delete rows whose number in this column is below the bound, the lowest first."""
    lowest = f"SELECT {column} FROM {table} WHERE {column} < ? ORDER BY {column} LIMIT ?"  # noqa: S608  # our own names
    limit = max(0, min(most, _AT_A_TIME))
    connection.execute(f"DELETE FROM {table} WHERE {column} IN ({lowest})", (bound, limit))  # noqa: S608
