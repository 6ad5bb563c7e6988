"""The component `timers`: whether what timers start fails, and whether timers fire at all.

A failed job is an issue of `services`, which has every failed unit and heals it if it is told to: here it makes the
timer degraded and is not reported once more. Only where `[services] watch` leaves the job out it is an issue of this
component.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from healthd.assess.score import status_of, worst
from healthd.config import matches
from healthd.decide.failure import in_words
from healthd.model import Assessment, Finding, IssueType, Item
from healthd.registry import CheckSpec, Ports
from healthd.soon import waited

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthd.config import Settings
    from healthd.jobs import TimerFacts
    from healthd.model import UnitFacts
    from healthd.soon import Soon

BAD_SCORE: Final = 0.6

LATE_SECONDS: Final = 3600.0
"""A timer that should have fired so long ago, and did not, does not work."""

_OWN: Final = "healthd-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Of `[services]`: what is watched and what is ignored; and the units that it has tables for."""

    watch: tuple[str, ...] = ("*.service",)
    ignore: tuple[str, ...] = ()
    tables: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The running timers with what they start, at `wall` (Unix seconds) and `monotonic` (CLOCK_MONOTONIC)."""

    wall: float
    monotonic: float
    timers: tuple[TimerFacts, ...]
    jobs: Mapping[str, UnitFacts]


def options(settings: Settings, _name: str) -> Options:
    """What the operator leaves out of `services` is left out here."""
    services = settings.services
    return Options(watch=tuple(services.watch), ignore=tuple(services.ignore), tables=frozenset(services.unit))


def sample(ports: Ports, _options: Options, _names: frozenset[str] | None) -> Soon[Reading]:
    """Ask systemd for the times of its timers; what became of their jobs its signals told."""
    timers = ports.units.timers()
    if isinstance(timers, tuple) and not _failed(timers, ports.units.facts()):
        return _reading(ports, timers)
    return _asked(ports, timers)


async def _asked(ports: Ports, found: Soon[tuple[TimerFacts, ...]]) -> Reading:
    timers = await waited(found)
    await ports.units.describe(_failed(timers, ports.units.facts()))
    return _reading(ports, timers)


def _failed(timers: tuple[TimerFacts, ...], facts: Mapping[str, UnitFacts]) -> list[str]:
    """The units that have failed of those that the timers start."""
    return [timer.unit for timer in timers if timer.unit in facts and facts[timer.unit].active == "failed"]


def _reading(ports: Ports, timers: tuple[TimerFacts, ...]) -> Reading:
    facts = ports.units.facts()
    jobs = {timer.unit: facts[timer.unit] for timer in timers if timer.unit in facts}
    return Reading(wall=ports.clock.wall(), monotonic=ports.clock.monotonic(), timers=timers, jobs=jobs)


def assess(reading: Reading, _before: Reading | None, options: Options) -> Assessment:
    """An item for each running timer; pure."""
    items = [
        _item(timer, reading, options)
        for timer in reading.timers
        if not timer.name.startswith(_OWN)
        and not matches(options.ignore, timer.name)
        and not matches(options.ignore, timer.unit)
    ]
    return Assessment(items=tuple(items))


def _item(timer: TimerFacts, reading: Reading, options: Options) -> Item:
    job = reading.jobs.get(timer.unit)
    trouble = _trouble(timer, reading)
    if job is not None and job.active == "failed":
        words = f"{timer.unit}: {in_words(job)}"
        watched = timer.unit in options.tables or matches(options.watch, timer.unit)
        findings = () if watched else (_finding(words),)
        return _bad(timer, words, findings)
    if trouble:
        return _bad(timer, trouble, (_finding(trouble),))
    message = f"{timer.unit} runs" if timer.sub == "running" else _when(timer, reading)
    return Item(name=timer.name, status=status_of(1.0), score=1.0, message=message)


def _trouble(timer: TimerFacts, reading: Reading) -> str:
    """What is wrong with the timer itself; "" if nothing is."""
    if timer.sub == "elapsed" and timer.last_wall is None:
        return "has no time at which it fires, and never fired"
    if timer.sub != "waiting":
        return ""
    ahead = _ahead(timer, reading)
    if ahead is None or ahead >= -LATE_SECONDS:
        return ""
    return f"should have fired {-ahead / 3600:.0f} h ago and did not"


def _ahead(timer: TimerFacts, reading: Reading) -> float | None:
    """Seconds until the timer fires: the first of its two times counts."""
    by_wall = [timer.next_wall - reading.wall] if timer.next_wall is not None else []
    by_monotonic = [timer.next_monotonic - reading.monotonic] if timer.next_monotonic is not None else []
    return min([*by_wall, *by_monotonic], default=None)


def _when(timer: TimerFacts, reading: Reading) -> str:
    ahead = _ahead(timer, reading)
    if ahead is None:
        return "has fired, and will not again"
    return f"{timer.unit} next at {_in_words(int((reading.wall + ahead) // 60))}"


@lru_cache(maxsize=64)
def _in_words(minute: int) -> str:
    """The minute of a time, which is the same at one look after the other."""
    return f"{datetime.fromtimestamp(minute * 60, UTC):%Y-%m-%d %H:%M} UTC"


def _finding(message: str) -> Finding:
    return Finding(type=IssueType.JOB_FAILED, message=message, cause="timer")


def _bad(timer: TimerFacts, message: str, findings: tuple[Finding, ...]) -> Item:
    return Item(name=timer.name, status=status_of(BAD_SCORE), score=BAD_SCORE, message=message, findings=findings)


CHECK = CheckSpec(type="timers", options=options, sample=sample, assess=assess, score=worst, noun="timer")
