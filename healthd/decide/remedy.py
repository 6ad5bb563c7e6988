"""Which action an issue calls for. Whether it may run is `policy`'s business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.decide.failure import CLASSES, OF_A_UNIT, Cause, Remedy, class_of
from healthd.decide.ledger import Name, Page, failure_of, subject_of
from healthd.model import ActionKind

if TYPE_CHECKING:
    from healthd.decide.case import Case
    from healthd.decide.state import Ticket
    from healthd.model import UnitFacts


def remedy_of(case: Case) -> ActionKind | None:
    """The next action for an issue; None where healthd knows no remedy."""
    if case.chore is not None:
        return case.chore.action
    return remedy(case.ticket, case.unit, rung_of(case), leaks=case.settings.auto_healing.restart_on_leak)


def rung_of(case: Case) -> str:
    """The rung of the unit's own `actions` that comes next, "" if it has none: an attempt each, the last one repeats.

    A rung that is not trusted is passed over, if there is a later one that is.
    """
    ladder, unit = case.table.actions, case.unit
    if not ladder:
        return ""
    rest = ladder[min(case.ticket.attempts, len(ladder) - 1) :]
    if unit is None or not case.state.ledger:
        return rest[0]
    return next((rung for rung in rest if trusts(case, _meaning(rung, unit))), rest[0])


def page_of(case: Case, action: str) -> Page:
    """What the ledger says of an action, by its full name, against this failure."""
    return case.state.ledger.get(Name(subject_of(case.ticket), failure_of(case.ticket, case.unit), action), Page())


def trusts(case: Case, action: str) -> bool:
    """Whether an action is carried out unasked against this failure, as far as the ledger knows."""
    return page_of(case, action).distrusted_at is None


def remedy(ticket: Ticket, unit: UnitFacts | None, rung: str, *, leaks: bool = False) -> ActionKind | None:
    """The action for this issue; None where healthd knows no remedy.

    `rung` is that of the unit's own ladder, or "". What is down is started, which disturbs nothing that came back
    meanwhile; only what runs is restarted or reloaded. `leaks`: a unit whose memory runs to its limit is restarted
    before it gets there.
    """
    kind = class_of(ticket.key.type, ticket.cause, unit)
    if unit is None or kind is None or CLASSES[kind].remedy is Remedy.SYSTEM or (kind is Cause.LEAK and not leaks):
        return None
    if not rung:
        return ActionKind.RESTART_UNIT if unit.running else ActionKind.START_UNIT
    return ActionKind(_meaning(rung, unit).partition(":")[0])


def _meaning(rung: str, unit: UnitFacts) -> str:
    """What a rung stands for where the unit is down, or where it runs."""
    match rung:
        case ActionKind.RESTART_UNIT | ActionKind.RELOAD_UNIT if not unit.running:
            return ActionKind.START_UNIT
        case ActionKind.START_UNIT if unit.running:
            return ActionKind.RESTART_UNIT
        case _:
            return rung


def why_none(ticket: Ticket) -> str:
    """Why there is no remedy, for an operator: what could have been done, or that nothing can."""
    if ticket.unit is None and ticket.key.type in OF_A_UNIT:
        return "only reported: its table names no unit to restart (unit = ...)"
    return "healthd knows no remedy for this"
