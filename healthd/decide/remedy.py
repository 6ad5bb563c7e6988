"""Which action an issue calls for. Whether it may run is `policy`'s business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.decide.failure import CLASSES, OF_A_UNIT, Cause, Remedy, class_of
from healthd.model import ActionKind

if TYPE_CHECKING:
    from healthd.decide.state import Ticket
    from healthd.model import UnitFacts


def remedy(
    ticket: Ticket, unit: UnitFacts | None, ladder: tuple[str, ...], *, leaks: bool = False
) -> ActionKind | None:
    """The next action for this issue; None where healthd knows no remedy.

    `ladder` is the unit's own `actions`: an attempt each, the last one repeats. What is down is started, which disturbs
    nothing that came back meanwhile; only what runs is restarted or reloaded. `leaks`: a unit whose memory runs to its
    limit is restarted before it gets there.
    """
    kind = class_of(ticket.key.type, ticket.cause, unit)
    if unit is None or kind is None or CLASSES[kind].remedy is Remedy.SYSTEM or (kind is Cause.LEAK and not leaks):
        return None
    if not ladder:
        return ActionKind.RESTART_UNIT if unit.running else ActionKind.START_UNIT
    step = ActionKind(ladder[min(ticket.attempts, len(ladder) - 1)].partition(":")[0])
    match step:
        case ActionKind.RESTART_UNIT | ActionKind.RELOAD_UNIT if not unit.running:
            return ActionKind.START_UNIT
        case ActionKind.START_UNIT if unit.running:
            return ActionKind.RESTART_UNIT
        case _:
            return step


def why_none(ticket: Ticket) -> str:
    """Why there is no remedy, for an operator: what could have been done, or that nothing can."""
    if ticket.unit is None and ticket.key.type in OF_A_UNIT:
        return "only reported: its table names no unit to restart (unit = ...)"
    return "healthd knows no remedy for this"
