"""Whether an attempt helped: what the check says afterwards, not what the job returned."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from healthd.config.chores import CHORES
from healthd.decide.case import is_judged, is_well
from healthd.decide.state import INTERRUPTED
from healthd.model import ActionKind, IssueType, OutcomeKind

if TYPE_CHECKING:
    from healthd.config import Settings
    from healthd.decide.case import Moment
    from healthd.decide.state import Attempt, Ticket
    from healthd.model import Item, UnitFacts

_BRINGS_UP: Final = frozenset({ActionKind.RESTART_UNIT, ActionKind.START_UNIT, ActionKind.RUN_UNIT})
_NEW_INVOCATION: Final = frozenset({ActionKind.RESTART_UNIT, ActionKind.START_UNIT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Not known yet. `until`: when to look again without news."""

    attempt: Attempt
    until: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The attempt is over. `telling`: how it ended says something of the action."""

    outcome: OutcomeKind
    text: str
    telling: bool = True


def verify(settings: Settings, ticket: Ticket, attempt: Attempt, moment: Moment) -> Wait | Finish:
    """Judge an attempt: success is recovery, seen by the check, with a new invocation that stays for `settle_seconds`.

    Recovery must begin within `verify_seconds` of the job's end, or of the end of the grace that the component gives a
    unit after its start; then it is known after `settle_seconds` more. Where the issue was closed meanwhile (the unit
    is not watched any more), systemd's word of the unit stands for the check's.
    """
    if attempt.ended_at is None:
        return Wait(attempt=attempt, until=None)
    at_once = _without_a_look(attempt)
    if at_once is not None:
        return at_once
    look = _Look(
        ticket=ticket,
        attempt=attempt,
        item=moment.items.get(ticket.key.name),
        unit=None if attempt.action in CHORES else moment.facts.get(attempt.unit),
        deadline=attempt.ended_at + _patience(settings, ticket, attempt),
        now=moment.now,
    )
    if not moment.current or (ticket.open and not is_judged(look.item)):
        return _pending(look)
    if look.unit is None and not ticket.open:
        return _unloaded(look)
    if not _works(attempt, look.unit):
        return _without_effect(look) or _pending(look)
    if ticket.open and not is_well(look.item, ticket.key.type):
        return _pending(look)
    return _settle(look, settings.auto_healing.settle_seconds)


def _patience(settings: Settings, ticket: Ticket, attempt: Attempt) -> float:
    """How long recovery may take to begin. A slow starter must not be restarted in the middle of its start."""
    component = settings.component.get(ticket.key.component)
    starts = attempt.action in _BRINGS_UP
    return settings.auto_healing.verify_seconds + (component.grace_seconds if component and starts else 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """An attempt whose job has ended, and what there is to be seen of it. `deadline`: when recovery must have begun.

    `unit` is None for a chore: its own unit has done its work and says nothing of the host.
    """

    ticket: Ticket
    attempt: Attempt
    item: Item | None
    unit: UnitFacts | None
    deadline: float
    now: float


def _without_a_look(attempt: Attempt) -> Finish | None:
    """What the result of the job alone decides."""
    if attempt.result == "refused":
        return Finish(outcome=OutcomeKind.FAILED, text=f"refused: {attempt.text}")
    if attempt.result == "not_supported":
        return Finish(outcome=OutcomeKind.NOT_SUPPORTED, text=attempt.text)
    if attempt.action not in _NEW_INVOCATION and attempt.result != "done":
        return Finish(outcome=OutcomeKind.FAILED, text=_end(attempt))
    return None


def _unloaded(look: _Look) -> Finish:
    """The unit is not there any more: a job that has done its work leaves, anything else is not healed by that."""
    if look.attempt.action in CHORES:
        return Finish(outcome=OutcomeKind.FAILED, text=_with_report(look.attempt, "what the issue was about is gone"))
    if look.ticket.key.type is IssueType.JOB_FAILED and look.attempt.result == "done":
        return Finish(outcome=OutcomeKind.SUCCESS, text="it ran to its end")
    return Finish(outcome=OutcomeKind.FAILED, text="systemd has the unit loaded no more")


def _without_effect(look: _Look) -> Finish | None:
    """An attempt that can be given up before its time is over, because what it led to is there to be seen."""
    item, unit = look.item, look.unit
    if (item is not None and item.stopped) or (unit is not None and unit.stopped_by_job):
        return Finish(outcome=OutcomeKind.FAILED, text="somebody stopped the unit meanwhile", telling=False)
    if item is not None and any(finding.type is look.ticket.key.type for finding in item.findings):
        return Finish(outcome=OutcomeKind.FAILED, text=_failed(look.attempt, item, unit))
    return None


def _works(attempt: Attempt, unit: UnitFacts | None) -> bool:
    """Whether the action has had its effect: for a start, a run that it (or somebody after it) began."""
    match attempt.action:
        case ActionKind.START_UNIT | ActionKind.RESTART_UNIT:
            return unit is not None and unit.invocation != attempt.before and (unit.running or _ran_once(unit))
        case ActionKind.RELOAD_UNIT:
            return unit is not None and unit.running
        case ActionKind.RESET_FAILED:
            return unit is not None and unit.active != "failed"
        case _:
            return True


def _ran_once(unit: UnitFacts) -> bool:
    once = unit.detail is not None and unit.detail.service_type == "oneshot"
    return once and unit.active == "inactive" and unit.result == "success"


def _settle(look: _Look, settle_seconds: float) -> Wait | Finish:
    attempt, invocation = look.attempt, look.unit.invocation if look.unit else ""
    since = attempt.up_since
    if since is None or invocation != attempt.invocation:
        if look.now > look.deadline:
            return _late(look)
        since = look.now
        attempt = replace(attempt, invocation=invocation, up_since=since)
    until = since + settle_seconds
    if look.now >= until:
        text = look.item.message if look.item else "it is up and stays up"
        return Finish(outcome=OutcomeKind.SUCCESS, text=_with_report(attempt, text))
    return Wait(attempt=attempt, until=until)


def _pending(look: _Look) -> Wait | Finish:
    if look.now >= look.deadline:
        return _late(look)
    return Wait(attempt=replace(look.attempt, up_since=None), until=look.deadline)


def _end(attempt: Attempt) -> str:
    if attempt.result == INTERRUPTED:
        return "healthd ended before the job did"
    return f"the job ended with '{attempt.result}' {attempt.text}".rstrip()


def _failed(attempt: Attempt, item: Item, unit: UnitFacts | None) -> str:
    if attempt.result != "done":
        return f"{_end(attempt)}: {item.message}"
    if unit is not None and unit.invocation == attempt.before:
        return f"systemd did not start it (is a Condition of the unit not met?): {item.message}"
    return f"it started, but did not stay up: {item.message}"


def _late(look: _Look) -> Finish:
    seen = f": {look.item.message}" if look.item else ""
    text = _with_report(look.attempt, f"recovery was not confirmed in time{seen}")
    return Finish(outcome=OutcomeKind.FAILED, text=text)


def _with_report(attempt: Attempt, text: str) -> str:
    """What was seen, after what the action itself had to tell."""
    return f"{attempt.text}; {text}" if attempt.result == "done" and attempt.text else text
