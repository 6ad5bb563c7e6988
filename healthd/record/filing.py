"""Incidents in the database: written as they are known by now, and found again. Only imported once there is one."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from healthd.record.dossier import COLUMNS, incident_of, row
from healthd.record.lookup import EVENTS, MOST_EVENTS, joined, notes, opened

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from pathlib import Path

    from healthd.evidence import Incident
    from healthd.record.readings import Batch

_WRITE: Final = f"INSERT OR REPLACE INTO incident ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  # our names
_OF_INCIDENT: Final = EVENTS.replace("at >= ? AND at < ?", "incident = ?")
_INCIDENTS: Final = f"""
    SELECT {COLUMNS} FROM incident WHERE opened_at >= ? OR ended_at IS NULL
    ORDER BY ended_at IS NULL DESC, opened_at DESC, id DESC LIMIT ?
"""  # noqa: S608  # our own names


def write(connection: sqlite3.Connection, incidents: Iterable[Incident]) -> None:
    """Write them in place of what was known of them before."""
    connection.executemany(_WRITE, map(row, incidents))


def find_incidents(path: Path, since: float, most: int, fresh: Batch) -> list[Incident]:
    """The newest incidents that began since then, and before all others those that go on: `ports.Store.incidents`."""
    with closing(opened(path)) as connection:
        found = connection.execute(_INCIDENTS, (since, most)).fetchall()
    known = {incident.id: incident for incident in map(incident_of, found)}
    known |= {each.id: each for each in fresh.incidents if each.opened_at >= since or each.ended_at is None}
    found_first = sorted(
        known.values(), key=lambda each: (each.ended_at is None, each.opened_at, each.id), reverse=True
    )
    return sorted(found_first[:most], key=lambda each: (each.opened_at, each.id), reverse=True)


def find_incident(path: Path, number: int, fresh: Batch) -> Incident | None:
    """The incident of this number (0: the newest) with its events, the first and the last of very many."""
    with closing(opened(path)) as connection:
        number = number or max(
            connection.execute("SELECT ifnull(max(id), 0) FROM incident").fetchone()[0],
            *(each.id for each in fresh.incidents),
            0,
        )
        row = connection.execute(f"SELECT {COLUMNS} FROM incident WHERE id = ?", (number,)).fetchone()  # noqa: S608
        rows = connection.execute(f"{_OF_INCIDENT} ORDER BY at, id", (number,)).fetchall()
    incident = next((each for each in fresh.incidents if each.id == number), None)
    if incident is None and row is not None:
        incident = incident_of(row)
    if incident is None:
        return None
    events = joined(notes(rows), (note for note in fresh.notes if note.incident == number))
    if len(events) > MOST_EVENTS:
        events = [*events[: MOST_EVENTS // 5], *events[-(MOST_EVENTS - MOST_EVENTS // 5) :]]
    return replace(incident, events=tuple(events))
