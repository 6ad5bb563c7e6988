"""The component `services`: every enabled service, and every failed unit of any type.

Failure is what systemd says it is. A unit that systemd keeps restarting is a `crash_loop`, though it reads active at
each look. What somebody stopped, and what ended as it should, is well.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from healthd.assess.score import counted, status_of
from healthd.config import CleanExit, UnitSettings, matches
from healthd.decide.failure import Cause, cause_of, in_words
from healthd.model import Assessment, Finding, IssueType, Item
from healthd.registry import CheckSpec, Ports

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthd.config import ServicesSettings, Settings
    from healthd.model import UnitFacts
    from healthd.soon import Soon

PATIENCE: Final = 2.0
"""Seconds for which facts that are not current are waited for."""

_LOOKS: Final = 20

SECOND_LOOK: Final = 0.1
"""Seconds for which systemd 252 may show `failed` although it is about to restart the unit by itself."""

LOOP_RESTARTS: Final = 3
LOOP_SECONDS: Final = 300.0
"""So many automatic restarts in so many seconds are a crash loop; so long without one is the end of it."""

UNREAD_SECONDS: Final = 1.0
"""After so long a unit is looked at again of which systemd did not say what only asking tells."""

_OWN: Final = ("healthd.", "healthd-")
"""How healthd's own units begin: systemd guards those, and a healer that heals itself would hide its own trouble."""

_SESSIONS: Final = ".scope"
"""Groups of processes that somebody made at run time, such as a login: they end for good, they are not down."""

_DEFAULTS: Final = UnitSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The units as systemd has them. `names`: those that were asked for, None: all. `at` in boot seconds."""

    at: float
    current: bool
    units: tuple[UnitFacts, ...]
    names: frozenset[str] | None


def options(settings: Settings, _name: str) -> ServicesSettings:
    """This check's part of the settings."""
    return settings.services


def sample(ports: Ports, options: ServicesSettings, names: frozenset[str] | None) -> Soon[Reading]:
    """Take the facts that systemd's signals brought, and ask for what they leave out of units that are not running."""
    if ports.units.connected and names is not None and not names:
        return Reading(at=ports.clock.boot(), current=True, units=(), names=names)
    return _look(ports, options, names)


async def _look(ports: Ports, options: ServicesSettings, names: frozenset[str] | None) -> Reading:
    if not await _current(ports):
        return Reading(at=ports.clock.boot(), current=False, units=(), names=names)
    facts = ports.units.facts()
    looked_at = [unit for unit in (facts.values() if names is None else map(facts.get, sorted(names))) if unit]
    # Why systemd stopped a unit is known only when it is known what it binds to; then it may be one to be watched.
    vague = [
        unit.name
        for unit in looked_at
        if unit.stopped_by_job or (unit.detail is None and not unit.running and _watched(unit, options))
    ]
    if vague:
        await ports.units.describe(vague)
    elif names is not None and any(_falls_alone(unit, facts) for unit in looked_at):
        # systemd may have told of this unit before it turned to what brought both down, or all of them.
        await ports.units.catch_up()
    looked_at = [facts[unit.name] for unit in looked_at if unit.name in facts]
    units = tuple(unit for unit in looked_at if _watched(unit, options))
    # Should a daemon-reload have begun meanwhile, these facts are those from before it; after it all is looked at.
    return Reading(at=ports.clock.boot(), current=True, units=units, names=names)


async def _current(ports: Ports) -> bool:
    """Whether facts are current. A daemon-reload or a restart of the bus takes a moment, no reason to know nothing."""
    for _ in range(_LOOKS):
        if ports.units.connected:
            return True
        await asyncio.sleep(PATIENCE / _LOOKS)
    return ports.units.connected


def _watched(unit: UnitFacts, options: ServicesSettings) -> bool:
    name = unit.name
    if name not in options.unit and name not in options.watch:
        # What an enabled unit needs is looked at from its first failure on, lest it vanish while it comes back.
        needed = unit.detail is not None and unit.detail.required_by_enabled
        wanted = needed or unit.active == "failed" or unit.stopped_for != ""
        if name.endswith(".service"):
            wanted = (wanted or unit.enabled) and matches(options.watch, name)
        if not wanted:  # as most units of a host
            return False
    return not (name.startswith(_OWN) or matches(options.ignore, name))


def _falls_alone(unit: UnitFacts, facts: Mapping[str, UnitFacts]) -> bool:
    """Whether the unit is down and a service that it requires runs, as far as that has been heard."""
    if unit.running or unit.detail is None:
        return False
    required = (facts.get(name) for name in unit.detail.requires if name.endswith(".service"))
    return any(other is not None and other.running for other in required)


def _table(unit: UnitFacts, options: ServicesSettings) -> UnitSettings:
    return options.unit.get(unit.name, _DEFAULTS)


def assess(reading: Reading, _before: Reading | None, options: ServicesSettings) -> Assessment:
    """An item for each unit; pure."""
    if not reading.current:
        return Assessment(usable=False, reason="systemd cannot be asked at the moment")
    items = tuple(_judge(unit, _table(unit, options), reading.at) for unit in reading.units)
    gone = (reading.names or frozenset()) - {unit.name for unit in reading.units}
    looks = [again for unit in reading.units if (again := _again(unit, _table(unit, options), reading.at))]
    return Assessment(items=items, gone=gone, partial=reading.names is not None, again_at=min(looks, default=None))


def _again(unit: UnitFacts, table: UnitSettings, at: float) -> float | None:
    """When the unit must be looked at again though nothing is heard of it."""
    looks = []
    if _may_restart(unit, at):
        looks.append(unit.changed_at + SECOND_LOOK)
    if not unit.running and unit.detail is None:
        looks.append(at + UNREAD_SECONDS)
    if not unit.running and _in_grace(unit, table, at):
        looks.append(unit.active_since + table.grace_seconds)
    if _in_loop(unit, at):
        looks.append(unit.auto_restarts[-1] + LOOP_SECONDS)
    return min(looks, default=None)


def _may_restart(unit: UnitFacts, at: float) -> bool:
    """Whether a unit that is down may be one that systemd restarts in the next instant.

    On its way it is `failed` for a moment before the pause of RestartSec=, and `inactive` for a moment after it.
    """
    if unit.active not in ("failed", "inactive") or at >= unit.changed_at + SECOND_LOOK:
        return False
    if unit.active == "inactive" and (unit.stopped_by_job or unit.stopped_for or not unit.code):
        return False
    return unit.detail is None or unit.detail.restart not in ("", "no")


def _in_grace(unit: UnitFacts, table: UnitSettings, at: float) -> bool:
    """Whether the unit's last start is too short ago to be judged by what became of it."""
    return at < unit.active_since + table.grace_seconds


def _in_loop(unit: UnitFacts, at: float) -> bool:
    """Whether systemd keeps restarting the unit: a loop that has begun lasts until nothing happened for long."""
    restarts, looping = unit.auto_restarts, False
    for number, instant in enumerate(restarts):
        quiet = number > 0 and instant - restarts[number - 1] >= LOOP_SECONDS
        burst = number >= LOOP_RESTARTS - 1 and instant - restarts[number - LOOP_RESTARTS + 1] < LOOP_SECONDS
        looping = burst or (looping and not quiet)
    return looping and restarts[-1] + LOOP_SECONDS > at


def _judge(unit: UnitFacts, table: UnitSettings, at: float) -> Item:
    match unit.active:
        case _ if unit.running:
            return _looping(unit, table, at) or _well(unit, table, _running_words(unit))
        case "activating" if unit.sub.startswith("auto-restart"):
            return _looping(unit, table, at) or _between(unit, table, "systemd is restarting it")
        case "activating":
            return _looping(unit, table, at) or _between(unit, table, "starting")
        case "deactivating":
            return _between(unit, table, "stopping")
        case "failed" | "inactive" if _may_restart(unit, at):
            return _between(unit, table, "went down this moment")
        case "failed":
            return _failed(unit, table, at)
        case "inactive" if unit.job:
            return _between(unit, table, "waiting for its job")
        case "inactive":
            return _inactive(unit, table, at)
        case _:
            return _between(unit, table, f"{unit.active} ({unit.sub})")


def _failed(unit: UnitFacts, table: UnitSettings, at: float) -> Item:
    """It failed: by itself, or in the hands of somebody who stopped or restarted it."""
    if unit.lowered:
        return _between(unit, table, "going down under a job")
    if unit.detail is None and unit.name.endswith(".service"):
        return _between(unit, table, "failed; systemd has not said what it is yet")
    if unit.stopped_by_job:
        return _item(unit, table, 1.0, f"stopped on purpose ({in_words(unit)})", stopped=True)
    return _down(unit, table, at)


def _inactive(unit: UnitFacts, table: UnitSettings, at: float) -> Item:
    """Not running and not failed: stopped on purpose, killed politely, ended, or never started."""
    if unit.stopped_by_job or unit.load == "masked":
        return _item(unit, table, 1.0, "stopped on purpose", stopped=True)
    if unit.detail is None:
        return _between(unit, table, "not running; systemd has not said why yet")
    if unit.code == 0 and not (unit.dependency_failed or unit.stopped_for or unit.detail.assert_failed):
        return _well(unit, table, "not running")
    if cause_of(unit) is not Cause.CLEAN_EXIT:
        return _down(unit, table, at)
    once = unit.detail.service_type == "oneshot" or unit.detail.remain_after_exit or unit.detail.triggered
    if once or table.clean_exit is CleanExit.OK:
        return _well(unit, table, "ended with success")
    return _down(unit, table, at, score=0.5)


def _down(unit: UnitFacts, table: UnitSettings, at: float, *, score: float = 0.0) -> Item:
    """It should run and does not. A crash loop that led there is not over with it."""
    if _in_grace(unit, table, at):
        return _between(unit, table, f"{in_words(unit)}, within its grace_seconds")
    # Without a command that it can use, systemd takes any service for a oneshot.
    once = unit.detail is not None and unit.detail.service_type == "oneshot" and unit.load == "loaded"
    type_ = IssueType.JOB_FAILED if once or unit.name.endswith(_SESSIONS) else IssueType.SERVICE_DOWN
    findings = [_finding(unit, table, type_, in_words(unit), cause_of(unit))]
    if _in_loop(unit, at):
        findings.append(_finding(unit, table, IssueType.CRASH_LOOP, _loop_words(unit), Cause.UNKNOWN))
    return _item(unit, table, score, in_words(unit), *findings)


def _looping(unit: UnitFacts, table: UnitSettings, at: float) -> Item | None:
    """A unit in a crash loop; None if it is in none. Once in it, it must be up for long to be out of it."""
    if not _in_loop(unit, at):
        return None
    words = _loop_words(unit)
    return _item(unit, table, 0.3, words, _finding(unit, table, IssueType.CRASH_LOOP, words, Cause.UNKNOWN))


def _loop_words(unit: UnitFacts) -> str:
    """Changes with each restart and not with each look, so that looking alone is no news."""
    recent = [instant for instant in unit.auto_restarts if instant + LOOP_SECONDS > unit.auto_restarts[-1]]
    return f"systemd restarted it {len(recent)} times in {max(1.0, recent[-1] - recent[0]):.0f} s"


def _running_words(unit: UnitFacts) -> str:
    return "running" if unit.sub == "running" else f"active ({unit.sub})"


def _well(unit: UnitFacts, table: UnitSettings, message: str) -> Item:
    return _item(unit, table, 1.0, message)


def _between(unit: UnitFacts, table: UnitSettings, message: str) -> Item:
    return _item(unit, table, 1.0, message, settled=False)


def _finding(unit: UnitFacts, table: UnitSettings, type_: IssueType, message: str, cause: Cause) -> Finding:
    return Finding(type=type_, message=message, unit=unit.name, cause=cause, critical=table.critical)


def _item(
    unit: UnitFacts,
    table: UnitSettings,
    score: float,
    message: str,
    *findings: Finding,
    settled: bool = True,
    stopped: bool = False,
) -> Item:
    return Item(
        name=unit.name,
        status=status_of(score),
        score=score,
        message=message,
        findings=findings,
        settled=settled,
        stopped=stopped,
        critical=table.critical,
        unit=unit.name,
    )


CHECK = CheckSpec(
    type="services", options=options, sample=sample, assess=assess, score=counted, noun="unit", immediate=True
)
