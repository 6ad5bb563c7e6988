"""Have one happening told, and see what of it reaches the journal and the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.record.story import Story
from tests.fakes import FakeLog, Logged
from tests.unit.builders import UNIT

if TYPE_CHECKING:
    from healthd.answers import Note
    from healthd.decide.happenings import Happening

WALL = 1_700_000_000.0


def told(happening: Happening, *, wall: float = WALL, most: int = 3) -> Logged:
    """The one record of this; the history has the same."""
    log = FakeLog()
    noted: list[Note] = []
    Story(log, noted.append).tell([happening], wall=wall, max_attempts={UNIT: most})
    (record,) = log.records
    (note,) = noted
    assert (note.at, note.event, note.message) == (wall, record.event, record.message)
    assert (note.severity or None) == record.severity
    return record
