"""Readings that are not written yet, packed; for the loop, where a round hands them over.

A reading costs four bytes here as on the disk: a round is an array in the order of a layout, which grows when a series
appears, and is thinned out once a day of what has gone. What no disk takes is dropped, the oldest first, and counted.
"""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthd.answers import Frame, Note, Series
    from healthd.evidence import Incident

MOST_SERIES: Final = 5000
MOST_CELLS: Final = 200_000  # 800 kB: at the defaults, a day
MOST_ROUNDS: Final = 1000
MOST_NOTES: Final = 2000
MOST_INCIDENTS: Final = 100
MOST_FRAMES: Final = 2000

_THIN_OUT_EVERY: Final = 86_400.0
_GONE: Final = 0.25  # of the layout: below, a place that stays empty costs less than one more layout
_LARGEST: Final = 3.402823e38  # what a 32-bit float can hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is to be written together: rounds by second, an array in the order of `layout` each, and what happened."""

    layout: tuple[Series, ...]
    rounds: tuple[tuple[int, array[float]], ...]
    notes: tuple[Note, ...]
    incidents: tuple[Incident, ...] = ()
    frames: tuple[Frame, ...] = ()


class Readings:
    """A buffer of rounds and notes. `dropped` counts the rounds that had to make room since it was last reset."""

    def __init__(self) -> None:
        self._places: dict[Series, int] = {}
        self._rounds: dict[int, array[float]] = {}
        self._notes: deque[Note] = deque(maxlen=MOST_NOTES)
        self._incidents: dict[int, Incident] = {}
        self._frames: deque[Frame] = deque(maxlen=MOST_FRAMES)
        self._out: Batch | None = None
        self._seen: set[Series] = set()
        self._thinned_at: float | None = None
        self.dropped = 0

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self._rounds or self._notes or self._incidents or self._frames)

    def remember(self, at: float, values: Mapping[Series, float]) -> None:
        """Keep a round. Rounds of one second are one: what a turn saw of a few series joins the rest."""
        if not values:
            return
        self._thin_out(at)
        self._seen.update(values)
        row = self._rounds.get(int(at))
        if row is None:
            self._make_room()
            row = self._rounds[int(at)] = array("f")
        for series, value in values.items():
            place = self._places.setdefault(series, len(self._places))
            if place >= MOST_SERIES:
                del self._places[series]
                continue
            if place >= len(row):
                row.extend([nan] * (len(self._places) - len(row)))
            row[place] = value if -_LARGEST <= value <= _LARGEST else nan

    def note(self, happening: Note) -> None:
        """Keep what happened."""
        self._notes.append(happening)

    def tape(self, frame: Frame) -> None:
        """Keep a step of the engine; where no disk takes them, the newest."""
        self._frames.append(frame)

    def file(self, incident: Incident) -> None:
        """Keep what is known of an incident by now; where no disk takes them, the newest incidents."""
        self._incidents[incident.id] = incident
        while len(self._incidents) > MOST_INCIDENTS:
            del self._incidents[min(self._incidents)]

    def look(self) -> Batch:
        """What is here, which stays."""
        width = len(self._places)
        rounds = ((at, row + array("f", [nan] * (width - len(row)))) for at, row in self._rounds.items())
        return Batch(
            layout=tuple(self._places),
            rounds=tuple(sorted(rounds)),
            notes=tuple(self._notes),
            incidents=tuple(self._incidents.values()),
            frames=tuple(self._frames),
        )

    def take(self) -> Batch:
        """What is here, which goes; until `written` or `give_back` the layout only grows."""
        batch = self._out = self.look()
        self._rounds.clear()
        self._notes.clear()
        self._incidents.clear()
        self._frames.clear()
        return batch

    def written(self) -> None:
        """What was taken is on its way to the disk."""
        self._out = None

    def give_back(self) -> None:
        """What was taken could not be written: it is the oldest that is here."""
        batch, self._out = self._out, None
        if batch is None:
            return
        newer, self._rounds = self._rounds, dict(batch.rounds)
        for at, row in newer.items():
            self._rounds[at] = merged(self._rounds[at], row) if at in self._rounds else row
        self._make_room()
        newest, newest_frames = tuple(self._notes), tuple(self._frames)
        self._notes.clear()
        self._notes.extend((*batch.notes, *newest))
        self._frames.clear()
        self._frames.extend((*batch.frames, *newest_frames))
        newer_ones = tuple(self._incidents.values())
        self._incidents.clear()
        for incident in (*batch.incidents, *newer_ones):
            self.file(incident)

    def _make_room(self) -> None:
        most = min(MOST_ROUNDS, MOST_CELLS // max(1, len(self._places)))
        while len(self._rounds) >= max(1, most):
            del self._rounds[min(self._rounds)]
            self.dropped += 1

    def _thin_out(self, at: float) -> None:
        """Once a day, forget the places of series that have gone, if they are many."""
        if self._thinned_at is None or at < self._thinned_at:
            self._thinned_at = at
        if at - self._thinned_at < _THIN_OUT_EVERY or self._rounds or self._out is not None:
            return
        if len(self._seen) < len(self._places) * (1 - _GONE):
            staying = [series for series in self._places if series in self._seen]
            self._places = {series: place for place, series in enumerate(staying)}
        self._seen.clear()
        self._thinned_at = at


def merged(older: array[float], newer: array[float]) -> array[float]:
    """Both rounds of one second in one: where both read something, the newer."""
    width = max(len(older), len(newer))
    rows = (row + array("f", [nan] * (width - len(row))) for row in (older, newer))
    return array("f", [new if new == new else old for old, new in zip(*rows, strict=True)])  # noqa: PLR0124  # not NaN
