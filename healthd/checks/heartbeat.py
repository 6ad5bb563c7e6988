"""Components of type `heartbeat`: a job reports in, and its absence is the issue.

A job that has never reported in is given its time from when it was first configured.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from healthd.assess.score import status_of, worst
from healthd.model import Assessment, Finding, IssueType, Item
from healthd.registry import CheckSpec, Ports

if TYPE_CHECKING:
    from healthd.config import Settings
    from healthd.jobs import Silence

TOLERANCE: Final = 0.1
TOLERANCE_SECONDS: Final = 60.0
"""A beat may be late by a tenth of `every_seconds`, and by a minute at most: no job starts and ends to the second."""

_UNITS: Final = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
_COARSE: Final = 2
"""So many of a unit of time are said in that unit: 90 s, and then 2 min."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Whose heartbeat it is, and how often it is due (seconds)."""

    name: str
    every: float

    @property
    def allowed(self) -> float:
        """Seconds without a heartbeat after which it is missed."""
        return self.every + min(TOLERANCE * self.every, TOLERANCE_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """For how long nothing was heard, at this instant (boot seconds)."""

    at: float
    silence: Silence


def options(settings: Settings, name: str) -> Options:
    """The component's name, which is that of the job, and its rhythm."""
    component = settings.component.get(name)
    return Options(name=name, every=component.options["every_seconds"] if component is not None else 0.0)


async def sample(ports: Ports, options: Options, _names: frozenset[str] | None) -> Reading:
    """Look up when the job was last heard of."""
    return Reading(at=ports.clock.boot(), silence=ports.beats.silence(options.name))


def assess(reading: Reading, _before: Reading | None, options: Options) -> Assessment:
    """One item; looked at again at the very moment at which the next beat is late."""
    expected, heard = reading.silence.expected, reading.silence.heard
    waited = expected if heard is None else min(expected, heard)
    left = options.allowed - waited
    if left < 0:
        return Assessment(items=(_missed(heard, expected, options),))
    again_at = reading.at + left + 0.001
    if heard is None:
        reason = f"no heartbeat yet; the first one is due in {span(max(0.0, options.every - waited))}"
        return Assessment(usable=False, reason=reason, again_at=again_at)
    message = f"heartbeat {span(heard)} ago (one is due every {span(options.every)})"
    return Assessment(items=(Item(name="", status=status_of(1.0), score=1.0, message=message),), again_at=again_at)


def _missed(heard: float | None, expected: float, options: Options) -> Item:
    since = f"none since it was configured {span(expected)} ago" if heard is None else f"the last was {span(heard)} ago"
    message = f"heartbeat missed: {since}, one is due every {span(options.every)}"
    finding = Finding(type=IssueType.HEARTBEAT_MISSED, message=message, cause="silent")
    return Item(name="", status=status_of(0.0), score=0.0, message=message, findings=(finding,))


def span(seconds: float) -> str:
    """`90 s`, `5 min`, `2 h 10 min`, `3 d 4 h`: coarse, so that the words for a long silence rarely change."""
    for (unit, size), (smaller, part) in pairwise(_UNITS):
        if seconds >= _COARSE * size or (size > 60 and seconds >= size and seconds % size == 0):
            whole, rest = int(seconds // size), int(seconds % size // part)
            return f"{whole} {unit} {rest} {smaller}" if rest and size > 60 else f"{whole} {unit}"
    return f"{seconds:.0f} s" if seconds >= 1 or seconds == 0 else f"{seconds:.1f} s"


CHECK = CheckSpec(type="heartbeat", options=options, sample=sample, assess=assess, score=worst, noun="job")
