"""Healing that is only suggested: what healthd would do, why, and the command that has it done."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healthd.config import Heal
from healthd.decide.aim import aim
from healthd.decide.case import Verdict
from healthd.decide.failure import CLASSES, class_of
from healthd.decide.ledger import failure_of, full_name, subject_of
from healthd.decide.remedy import page_of, remedy_of
from healthd.model import HoldReason

if TYPE_CHECKING:
    from healthd.decide.case import Case


def suggested(case: Case) -> Verdict | None:
    """The hold on what may be done, and is left to people: by the unit's own table, or by what the ledger knows."""
    if case.by_hand or (case.table.heal is not Heal.SUGGEST and not case.state.ledger):
        return None
    action = remedy_of(case)
    aimed = "" if action is None else aim(case, action)
    if action is None or isinstance(aimed, str):
        return None  # there is nothing to suggest
    name = full_name(action, aimed.runs)
    verdict = Verdict(action=action, unit=aimed.unit, runs=aimed.runs, hold=HoldReason.SUGGEST)
    if case.table.heal is Heal.SUGGEST:
        return replace(verdict, text=_text(case, name, 'its table says heal = "suggest"'))
    page, retry = page_of(case, name), case.settings.auto_healing.retry_suggested_seconds
    if page.distrusted_at is None:
        return None
    since = f"it did not help the last {page.in_a_row} times for {failure_of(case.ticket, case.unit)}"
    text = _text(case, name, f"{since} of {subject_of(case.ticket)}")
    return replace(verdict, text=text, until=page.distrusted_at + retry if retry else None)


def _text(case: Case, name: str, since: str) -> str:
    kind = class_of(case.ticket.key.type, case.ticket.cause, case.unit)
    why = f" ({CLASSES[kind].why})" if kind else ""
    return f"{name} is called for{why}, but {since}; if it seems right to you: {case.ticket.key.command}"
