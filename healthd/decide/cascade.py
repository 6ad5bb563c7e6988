"""The brake on cascades: many units down within a short time are one incident of the host.

In a cascade healthd acts on one unit at a time, roots first, and on the next only when it knows what became of the
last. Pure; the state is `EngineState.downs` and `.cascade`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from healthd.decide.graph import is_pending
from healthd.decide.happenings import CascadeBegan, CascadeEnded, Opened
from healthd.decide.incident import merged
from healthd.decide.state import Cascade, Mark
from healthd.model import HoldReason, IssueType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from healthd.config import AutoHealingSettings
    from healthd.decide.case import Case
    from healthd.decide.turn import Turn
    from healthd.model import Item

PRESSURE_SECONDS: Final = 60.0
"""So long after the last action in a cascade high pressure may delay the next."""


def follow_downs(turn: Turn) -> None:
    """Take in which units went down in this step: a cascade begins, takes in more units, or is over."""
    limits, now = turn.settings.auto_healing, turn.moment.now
    fell = [Mark(now, unit) for unit in _fell(turn)]
    downs = tuple(mark for mark in (*turn.downs, *fell) if mark.at + limits.cascade_seconds > now)
    turn.downs, cascade = downs, turn.usage.cascade
    if cascade is None:
        if is_cascade(limits, downs):
            turn.usage.cascade = cascade = Cascade(since=now, units=_names(downs))
            turn.happened.append(CascadeBegan(units=cascade.units, seconds=limits.cascade_seconds))
            _make_one(turn, cascade)
        return
    turn.usage.cascade = cascade = cascade._replace(units=_names(downs, cascade.units))
    if fell:
        _make_one(turn, cascade)
    end_cascade(turn)


def end_cascade(turn: Turn) -> None:
    """It is over when the last units went down a while ago and nothing is to be done about any: said in that step.

    None may come for long after it, and what fails then is no part of it.
    """
    limits, now, cascade = turn.settings.auto_healing, turn.moment.now, turn.usage.cascade
    if cascade is None or is_cascade(limits, turn.downs) or any(_is_part(turn, unit) for unit in cascade.units):
        return
    still = tuple(unit for unit in cascade.units if turn.usage.open_on(unit))
    turn.happened.append(CascadeEnded(units=cascade.units, still=still, took=now - cascade.since))
    turn.usage.cascade = None


def is_cascade(limits: AutoHealingSettings, downs: Iterable[Mark]) -> bool:
    """Whether these are enough units for one."""
    return 0 < limits.cascade_units <= len({mark.unit for mark in downs})


def in_front(case: Case) -> str:
    """The unit on which healthd acts at present, so that all others of a cascade wait; "" outside of one."""
    used = case.used
    return min(used.acting - {case.acts_on}, default="") if used.cascade is not None else ""


def pressed_until(case: Case) -> float | None:
    """Until when (engine seconds) the pressure on the host delays the next action of a cascade; None: it does not."""
    used = case.used
    if used.cascade is None or not under_pressure(case.moment.items):
        return None
    until = max([used.cascade.since, *used.host[-1:]]) + PRESSURE_SECONDS
    return until if case.moment.now < until else None


def under_pressure(items: Mapping[tuple[str, str], Item]) -> bool:
    """Whether the component `pressure` has an issue."""
    found = (finding for name, item in items.items() if name[0] == "pressure" for finding in item.findings)
    return any(finding.type is IssueType.PRESSURE for finding in found)


def _make_one(turn: Turn, cascade: Cascade) -> None:
    """All issues of these units belong to one incident."""
    issues = (ticket for unit in cascade.units for ticket in turn.usage.open_on(unit))
    changed = {ticket.key: turn.put(ticket) for ticket in merged(issues)}
    for place, each in enumerate(turn.happened):
        if isinstance(each, Opened):
            turn.happened[place] = replace(each, ticket=changed.get(each.ticket.key, each.ticket))


def _fell(turn: Turn) -> Iterable[str]:
    for happening in turn.happened:
        if isinstance(happening, Opened):
            ticket = happening.ticket
            if ticket.key.type is IssueType.SERVICE_DOWN and ticket.unit and not ticket.existing:
                yield ticket.unit


def _names(downs: Iterable[Mark], known: tuple[str, ...] = ()) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, *(mark.unit for mark in downs))))


def _is_part(turn: Turn, unit: str) -> bool:
    """Whether the unit is still to be healed. When the host's budget is free again, no more than one may go at once."""
    tickets = turn.usage.open_on(unit)
    waits = any(is_pending(ticket) or (ticket.open and ticket.hold is HoldReason.HOST_BUDGET) for ticket in tickets)
    return waits or unit in turn.usage.acting
