"""Whether healthd may act on an issue now: the holds, in the order in which they are asked.

What does not pass by itself stands before what does, so that the reason that is shown is the one an operator can do
something about. An operator's order (`by_hand`) overrules the holds that protect from healthd's own zeal, never those
that protect the host, and no budget.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from healthd.config import CleanExit, Heal, permitted
from healthd.decide.aim import aim
from healthd.decide.cascade import in_front, pressed_until
from healthd.decide.case import Case, Moment, Verdict, is_well
from healthd.decide.failure import CLASSES, Cause, Remedy, class_of
from healthd.decide.graph import blocker
from healthd.decide.limits import backoff, free_at, jitter
from healthd.decide.remedy import remedy_of, why_none
from healthd.decide.silence import silenced
from healthd.decide.suggest import suggested
from healthd.decide.upgrade import upgrading
from healthd.model import ActionKind, HoldReason, IssueType, Status, SystemState

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BOOT_SECONDS", "HOLDS", "Case", "Moment", "Verdict", "rule"]

BOOT_SECONDS: Final = 120.0
"""How long a boot that does not finish may hold healing back."""

_DOWN: Final = frozenset({IssueType.SERVICE_DOWN, IssueType.JOB_FAILED})


def _hold(reason: HoldReason, text: str, until: float | None = None) -> Verdict:
    return Verdict(hold=reason, text=text, until=until)


def _unknown(case: Case) -> Verdict | None:
    if case.acts_on and not case.moment.current:
        return _hold(HoldReason.UNKNOWN_STATUS, "systemd cannot be asked at the moment")
    if case.ticket.unit and case.unit is None:
        return _hold(HoldReason.UNKNOWN_STATUS, "systemd has not said how the unit is")
    if case.item is None or case.item.status is Status.UNKNOWN:
        return _hold(HoldReason.UNKNOWN_STATUS, "its check has no usable reading")
    return None


def _acting(case: Case) -> Verdict | None:
    """What a unit shows in the middle of an attempt, such as a reset before a start, is no ground for another hold."""
    if case.acts_on in case.used.acting:
        what = "unit" if case.ticket.unit else "host, for another issue of this kind"
        return _hold(HoldReason.JOB_RUNNING, f"healthd is already acting on the {what}")
    return None


def _shutting_down(case: Case) -> Verdict | None:
    if case.moment.system is SystemState.STOPPING:
        return _hold(HoldReason.SHUTTING_DOWN, "the host is shutting down")
    return None


def _switched_off(case: Case) -> Verdict | None:
    if case.by_hand:
        return None
    if not case.settings.health.auto_healing_enabled:
        return _hold(HoldReason.DISABLED, "health.auto_healing_enabled is false")
    if case.chore is not None:
        if getattr(case.settings.auto_healing, case.chore.switch):
            return None
        return _hold(HoldReason.DISABLED, f"auto_healing.{case.chore.switch} is false")
    if not case.settings.auto_healing.service_restart_enabled:
        return _hold(HoldReason.DISABLED, "auto_healing.service_restart_enabled is false")
    if case.table.heal is Heal.OFF:
        return _hold(HoldReason.DISABLED, f'services."{case.ticket.unit}".heal is false')
    return None


def _permission(case: Case) -> Verdict | None:
    if case.ticket.unit is None:
        return None
    match permitted(case.settings, case.ticket.unit):
        case HoldReason.PROTECTED:
            return _hold(HoldReason.PROTECTED, "the unit is protected: acting on it could harm the host")
        case HoldReason.NOT_ALLOWED:
            return _hold(HoldReason.NOT_ALLOWED, "auto_healing.allow does not name the unit")
        case _:
            return None


def _operator(case: Case) -> Verdict | None:
    if case.by_hand or case.unit is None:
        return None
    if case.unit.load == "masked":
        return _hold(HoldReason.OPERATOR_STOPPED, "somebody masked the unit")
    if case.unit.stopped_by_job:
        return _hold(HoldReason.OPERATOR_STOPPED, "somebody stopped the unit")
    return None


def _already_failed(case: Case) -> Verdict | None:
    if case.ticket.existing and not case.by_hand:
        return _hold(
            HoldReason.ALREADY_FAILED, "it had failed before healthd first ran here; healthd waits until it changes"
        )
    return None


def _not_meant_to_run(case: Case) -> Verdict | None:
    """Only what the host is meant to run is healed unasked: enabled units, and what those require."""
    unit = case.unit
    if case.by_hand or unit is None or case.table.heal in (Heal.ON, Heal.SUGGEST) or unit.enabled:
        return None
    if unit.file_state != "transient" and (unit.stopped_for or (unit.detail and unit.detail.required_by_enabled)):
        return None  # it is needed, or it ran, and nobody but systemd stopped it
    words = {"transient": "transient", "disabled": "disabled"}.get(unit.file_state, "not enabled")
    return _hold(HoldReason.NOT_ALLOWED, f"the unit is {words}, and no enabled unit requires it")


def _oneshot(case: Case) -> Verdict | None:
    if (
        case.ticket.key.type is IssueType.JOB_FAILED
        and case.table.heal not in (Heal.ON, Heal.SUGGEST)
        and not case.by_hand
    ):
        return _hold(
            HoldReason.ONESHOT, "a job that runs once is not run again unasked (heal = true in its table allows it)"
        )
    return None


def _only_reported(case: Case) -> Verdict | None:
    """What the table of failures says is for a person."""
    kind = class_of(case.ticket.key.type, case.ticket.cause, case.unit)
    if kind is None or case.by_hand or CLASSES[kind].remedy is not Remedy.REPORT:
        return None
    if kind is not Cause.CLEAN_EXIT:
        return _hold(HoldReason.CONFIG_ERROR, CLASSES[kind].why)
    if case.table.clean_exit is CleanExit.HEAL:
        return None
    return _hold(HoldReason.CLEAN_EXIT, f"it ended by itself with success; {CLASSES[kind].why}")


def _dependency(case: Case) -> Verdict | None:
    """What cannot be well as long as something else is not, is not healed for it."""
    if case.by_hand:
        return None
    bad, unsure = case.moment.lacks(case.settings, case.ticket.key.component)
    if bad:
        return _hold(HoldReason.DEPENDENCY, f"it depends on {', '.join(bad)}, which is unhealthy")
    if unsure:
        return _hold(HoldReason.DEPENDENCY, f"it depends on {', '.join(unsure)}, which is looked at again first")
    unit = case.unit
    if unit is None:
        return None
    probed = case.ticket.key.component != "services"
    if probed and not unit.running and any(other.key.type in _DOWN for other in case.used.open_on(unit.name)):
        return _hold(HoldReason.DEPENDENCY, f"{unit.name} is down, which is an issue of its own")
    if unit.detail is None:  # unit files are being read anew
        if case.ticket.hold is HoldReason.DEPENDENCY:
            return _hold(HoldReason.DEPENDENCY, case.ticket.hold_text)
        return _hold(HoldReason.UNKNOWN_STATUS, "systemd has not said yet what the unit requires")
    said = blocker(unit, case.moment.facts, case.used, case.moment.items if probed else {})
    return _hold(HoldReason.DEPENDENCY, said) if said else None


def _unsupported(case: Case) -> Verdict | None:
    """An action that found nothing to do is not repeated until much later: what it looks for must come up first."""
    if case.ticket.unsupported_at is None or case.by_hand:
        return None
    pause = case.settings.auto_healing.retry_after_give_up_seconds
    if pause <= 0:
        return Verdict(text=case.ticket.last_text)
    until = case.ticket.unsupported_at + pause
    return Verdict(text=case.ticket.last_text, until=until) if case.moment.now < until else None


def _booting(case: Case) -> Verdict | None:
    moment = case.moment
    booting = moment.system in (SystemState.INITIALIZING, SystemState.STARTING) and moment.booted_for < BOOT_SECONDS
    if not booting or case.by_hand:
        return None
    return _hold(HoldReason.STARTING, "the host is still booting", moment.now + BOOT_SECONDS - moment.booted_for)


def _starting(case: Case) -> Verdict | None:
    unit = case.unit
    if unit is not None and unit.sub.startswith("auto-restart"):
        return _hold(HoldReason.STARTING, "systemd restarts it by itself (Restart=)")
    if unit is not None and unit.active == "activating":
        return _hold(HoldReason.STARTING, "the unit is starting")
    if case.ticket.key.type in _DOWN and unit is not None and unit.running:
        return _hold(HoldReason.STARTING, "it runs again; its check has not looked since")
    if case.ticket.key.type is IssueType.CRASH_LOOP and unit is not None and unit.active in ("failed", "inactive"):
        return _hold(
            HoldReason.STARTING, "systemd does not restart it any more; that it is down is an issue of its own"
        )
    if case.ticket.key.type is IssueType.CRASH_LOOP:
        return _hold(HoldReason.STARTING, CLASSES[Cause.CRASH_LOOP].why)
    return None


def _unsettled(case: Case) -> Verdict | None:
    """What is between two states may come out of it by itself, as systemd 252 shows `failed` before it restarts."""
    if case.item is not None and not case.item.settled and not case.by_hand:
        return _hold(HoldReason.STARTING, f"its check waits for it to settle: {case.item.message}")
    return None


def _job_running(case: Case) -> Verdict | None:
    unit = case.unit
    if unit is not None and unit.job and not unit.own_job:
        return _hold(HoldReason.JOB_RUNNING, "somebody else's job is queued for the unit")
    if unit is not None and unit.job:
        return _hold(HoldReason.JOB_RUNNING, "a job on the unit has not ended yet")
    if unit is not None and unit.active == "deactivating":
        return _hold(HoldReason.JOB_RUNNING, "the unit is still stopping")
    return None


def _gave_up(case: Case) -> Verdict | None:
    if case.ticket.gave_up_at is None or case.by_hand:
        return None
    tried = "the attempt" if case.ticket.attempts == 1 else f"{case.ticket.attempts} attempts"
    text = f"{tried} did not help{'' if case.ticket.failed else ' for long'}; a person is needed"
    pause = case.settings.auto_healing.retry_after_give_up_seconds
    if pause <= 0:
        return _hold(HoldReason.GAVE_UP, text)
    until = case.ticket.gave_up_at + pause
    return _hold(HoldReason.GAVE_UP, text, until) if case.moment.now < until else None


def _cooldown(case: Case) -> Verdict | None:
    ticket, most = case.ticket, case.max_attempts
    if ticket.last_end is None or case.by_hand:
        return None
    # A slow retry has a pause of its own; it must only not be shorter than the last regular one.
    attempts = min(ticket.attempts, most) if ticket.gave_up and most else ticket.attempts
    pause = backoff(case.settings.auto_healing, attempts) * jitter(case.state.seed, ticket.key, attempts)
    until = ticket.last_end + pause
    if case.moment.now >= until:
        return None
    return _hold(HoldReason.COOLDOWN, f"{pause:.0f} s pause after attempt {ticket.attempts}", until)


def _cascade(case: Case) -> Verdict | None:
    front, cascade = in_front(case), case.used.cascade
    if case.by_hand or cascade is None or not front:
        return None
    number = len(cascade.units)
    return _hold(HoldReason.CASCADE, f"{number} units went down at once; one at a time, and first {front}")


def _pressure(case: Case) -> Verdict | None:
    until = pressed_until(case)
    if case.by_hand or until is None:
        return None
    return _hold(HoldReason.PRESSURE, "many units went down at once, and the host is short of resources", until)


def _unit_budget(case: Case) -> Verdict | None:
    window = case.settings.auto_healing.host_budget_seconds
    until = free_at(case.used.of_unit(case.acts_on), case.max_attempts, window)
    if until is None or until <= case.moment.now:
        return None
    text = f"{case.acts_on} had its {case.max_attempts} actions within {window:.0f} s"
    return _hold(HoldReason.UNIT_BUDGET, text, until)


def _host_budget(case: Case) -> Verdict | None:
    limits = case.settings.auto_healing
    most, window = limits.host_budget_actions, limits.host_budget_seconds
    until = free_at(case.used.host, most, window)
    if until is None or until <= case.moment.now:
        return None
    return _hold(HoldReason.HOST_BUDGET, f"the host had its {most} actions within {window:.0f} s", until)


HOLDS: Final[tuple[Callable[[Case], Verdict | None], ...]] = (
    _acting,
    _shutting_down,
    _switched_off,
    _permission,
    _operator,
    _already_failed,
    _oneshot,
    _not_meant_to_run,
    _only_reported,
    _dependency,
    _unsupported,
    silenced,
    _booting,
    upgrading,
    _starting,
    _unsettled,
    _job_running,
    suggested,
    _gave_up,
    _cooldown,
    _unit_budget,
    _host_budget,
    _cascade,
    _pressure,
)

_ONLY_ACTIONS: Final = frozenset(
    {_acting, upgrading, _unsettled, _job_running, _cooldown, _unit_budget, _host_budget, _cascade, _pressure}
)
"""The holds that say when, and not whether: nobody waits to do nothing."""


def rule(case: Case, action: ActionKind | None = None) -> Verdict:
    """Act or hold, and why. `action` is what an operator asked for; else the remedy of the issue is taken."""
    unknown = _unknown(case)
    if unknown is not None:
        return unknown
    if is_well(case.item, case.ticket.key.type):
        return Verdict(text="its check sees no failure any more")
    chosen = action or remedy_of(case)
    for hold in HOLDS:
        verdict = hold(case)
        if verdict is not None and (chosen is not None or hold not in _ONLY_ACTIONS):
            return verdict
    if chosen is None:
        return Verdict(text=why_none(case.ticket))
    aimed = aim(case, chosen)
    if isinstance(aimed, str):
        return Verdict(text=aimed)
    if case.settings.auto_healing.dry_run:
        text = f"auto_healing.dry_run is true: {chosen} would be done now, and nothing is touched"
        return Verdict(action=chosen, unit=aimed.unit, runs=aimed.runs, hold=HoldReason.DRY_RUN, text=text)
    return Verdict(action=chosen, unit=aimed.unit, runs=aimed.runs)
