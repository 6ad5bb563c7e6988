"""What the database looks like, and how it came to (docs/adr/0023-history-format.md).

Rows of readings hold 32-bit floats, little-endian, in the order of their layout: one for each series and round, and
for a span of time all minima, then all means, then all maxima. NaN stands for nothing read.
"""

from __future__ import annotations

from typing import Final

MIGRATIONS: Final = (
    """
    CREATE TABLE engine (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE layout (id INTEGER PRIMARY KEY, used INTEGER NOT NULL, series TEXT NOT NULL) STRICT;
    CREATE TABLE round (at INTEGER PRIMARY KEY, layout INTEGER NOT NULL, data BLOB NOT NULL) STRICT;
    CREATE TABLE span5 (at INTEGER PRIMARY KEY, layout INTEGER NOT NULL, data BLOB NOT NULL) STRICT;
    CREATE TABLE hour (at INTEGER PRIMARY KEY, layout INTEGER NOT NULL, data BLOB NOT NULL) STRICT;
    CREATE TABLE due (step INTEGER, at INTEGER, PRIMARY KEY (step, at)) STRICT, WITHOUT ROWID;
    CREATE TABLE hourly_score (
        at INTEGER, component TEXT, min REAL, mean REAL, max REAL, PRIMARY KEY (at, component)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE event (
        id INTEGER PRIMARY KEY, at REAL NOT NULL, event TEXT NOT NULL, component TEXT, item TEXT, issue TEXT,
        severity TEXT, status TEXT, score REAL, action TEXT, unit TEXT, attempt INTEGER, outcome TEXT, reason TEXT,
        duration_ms INTEGER, message TEXT
    ) STRICT;
    CREATE INDEX event_at ON event (at);
    CREATE INDEX event_component ON event (component, at);
    CREATE VIEW events AS
        SELECT datetime(at, 'unixepoch', 'localtime') AS time, event, component, item, issue, status, action, outcome,
            reason, duration_ms, message FROM event ORDER BY at, id;
    CREATE VIEW score AS
        SELECT datetime(at, 'unixepoch', 'localtime') AS hour, iif(component = '', 'host', component) AS component,
            printf('%.2f', min) AS min, printf('%.2f', mean) AS mean, printf('%.2f', max) AS max
        FROM hourly_score ORDER BY at, component;
    """,
    """
    ALTER TABLE event ADD COLUMN incident INTEGER;
    CREATE INDEX event_incident ON event (incident) WHERE incident IS NOT NULL;
    CREATE TABLE incident (
        id INTEGER PRIMARY KEY, opened_at REAL NOT NULL, ended_at REAL, severity TEXT NOT NULL, title TEXT NOT NULL,
        result TEXT NOT NULL, changed TEXT NOT NULL, data TEXT NOT NULL
    ) STRICT;
    CREATE VIEW incidents AS
        SELECT id, datetime(opened_at, 'unixepoch', 'localtime') AS opened,
            datetime(ended_at, 'unixepoch', 'localtime') AS ended, severity, title, result, changed
        FROM incident ORDER BY id;
    """,
    """
    CREATE TABLE tape (id INTEGER PRIMARY KEY, at REAL NOT NULL, whole INTEGER NOT NULL, data BLOB NOT NULL) STRICT;
    CREATE INDEX tape_at ON tape (at);
    """,
)
"""Each brings the schema from its index to the next; `PRAGMA user_version` counts those that were done."""
