"""What an action is carried out on: the unit of the issue, a unit of the operator's own, or a chore of healthd's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from healthd.config.chores import CHORES
from healthd.decide.remedy import rung_of
from healthd.model import ActionKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthd.decide.case import Case

_RUN: Final = f"{ActionKind.RUN_UNIT}:"


class Aim(NamedTuple):
    """The `unit` that an attempt is on, which limits count, and the one that it starts if that is another (`runs`)."""

    unit: str
    runs: str = ""


def aim(case: Case, action: ActionKind) -> Aim | str:
    """What this action would be carried out on for this issue, or why it does not fit."""
    if action in CHORES:
        if case.chore is None or case.chore.action is not action:
            return f"{action} is no remedy for an issue of this kind"
        return Aim(CHORES[action].unit)
    if case.ticket.unit is None:
        return f"{action} acts on a unit, and this issue is about none"
    if action is not ActionKind.RUN_UNIT:
        return Aim(case.ticket.unit)
    runs = repair_unit(case.table.actions, rung_of(case))
    return Aim(case.ticket.unit, runs) if runs else "the unit's `actions` name no run_unit:NAME.service"


def repair_unit(ladder: Sequence[str], rung: str) -> str:
    """The operator's own unit on the rung that comes next; else the first of the ladder, if any."""
    named = (step.removeprefix(_RUN) for step in (rung, *ladder) if step.startswith(_RUN))
    return next(named, "")
