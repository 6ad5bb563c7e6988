"""What happened, told to the journal: each happening becomes one record that a person understands by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from healthd.answers import Note
from healthd.config import is_unit_name
from healthd.decide.happenings import (
    CascadeBegan,
    CascadeEnded,
    Distrusted,
    Ended,
    GaveUp,
    Happening,
    Held,
    LeftAlone,
    OfSilences,
    OfTheHost,
    OfTheLedger,
    Opened,
    Resolved,
    Silenced,
    SilenceEnded,
    SilenceLasts,
    Started,
    Trusted,
    Unsupported,
    UpgradeLasts,
    WindowOpened,
)
from healthd.events import Event
from healthd.model import HoldReason, IssueType, OutcomeKind, Severity, Status
from healthd.record.silences import silence_story
from healthd.record.trust import trust_story
from healthd.record.words import clock_time, counted, span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from healthd.assess.picture import Component
    from healthd.decide.state import Attempt, Key, Ticket
    from healthd.ports import Log

_SEEN_AS = {
    IssueType.SERVICE_DOWN: "is down",
    IssueType.SERVICE_HUNG: "hangs",
    IssueType.CRASH_LOOP: "is in a crash loop",
    IssueType.JOB_FAILED: "has failed",
    IssueType.HIGH_MEMORY: "uses much memory",
    IssueType.HIGH_CPU: "uses much CPU",
    IssueType.PRESSURE: "is short of resources",
    IssueType.DISK_FULL: "is filling up",
    IssueType.INODES_FULL: "runs out of inodes",
    IssueType.READ_ONLY: "became read-only",
    IssueType.NETWORK_ERROR: "has trouble",
    IssueType.PROBE_FAILED: "does not answer its probe",
    IssueType.CLOCK_SKEW: "is wrong",
    IssueType.KERNEL_FAULT: "reports a fault",
    IssueType.ERROR_RATE: "has too many errors",
    IssueType.CERTIFICATE: "runs out",
    IssueType.HEARTBEAT_MISSED: "missed its heartbeat",
}


def seen(type_: IssueType) -> str:
    """What one would say of whatever has such an issue: "is down"."""
    return _SEEN_AS.get(type_, f"has an issue ({type_})")


def subject_of(ticket: Ticket, attempt: Attempt) -> str:
    """What is healed, for people: the unit, or the part of the host."""
    return attempt.unit if ticket.unit else ticket.key.subject


class Story:
    """Tells happenings to the log, and has them kept for the history. `wall` (Unix seconds) is when it happened."""

    def __init__(self, log: Log, keep: Callable[[Note], None]) -> None:
        self._log, self._keep = log, keep
        self._wall = 0.0
        self._lost: dict[str, frozenset[str]] = {}

    def tell(self, happenings: Iterable[Happening], *, wall: float, max_attempts: dict[str, int]) -> None:
        """Record them in order. `max_attempts` by unit, for "attempt 1 of 3"."""
        self._wall = wall
        lost: set[Key] = set()
        for happening in happenings:
            if isinstance(happening, GaveUp):
                lost.add(happening.ticket.key)
            elif (
                isinstance(happening, Held) and happening.reason is HoldReason.GAVE_UP and happening.ticket.key in lost
            ):
                continue  # that healthd gave up has just been said, and what comes next
            self._one(happening, wall, max_attempts)

    def component_changed(
        self, name: str, old: Status, new: Status, score: float | None, message: str, *, wall: float
    ) -> None:
        """A component's status is another than before."""
        self._wall = wall
        self._say(
            Event.COMPONENT_CHANGED,
            f"{name} is {new} (was {old}){': ' + message if message else ''}",
            severity=_severity(new),
            component=name,
            status=new,
            score=score,
        )

    def lost(self, component: Component, *, wall: float) -> None:
        """Items of it were known before and are unknown now: each is told once."""
        told, self._lost[component.name] = self._lost.get(component.name, frozenset()), component.lost
        self._wall = wall
        for item in sorted(component.lost - told):
            reason = component.items[item].message
            self._say(
                Event.CHECK_FAILED,
                f"{component.name} {item} cannot be judged: {reason}",
                severity=Severity.MEDIUM,
                component=component.name,
                item=item,
                reason=reason,
            )

    def state_changed(self, old: str, new: str, status: Status, score: float, *, wall: float) -> None:
        """The host's state is another than before."""
        self._wall = wall
        self._say(
            Event.STATE_CHANGED,
            f"host is {new} (was {old}), score {score:.2f}",
            severity=_severity(status),
            status=new,
            score=score,
        )

    def _one(self, happening: Happening, wall: float, max_attempts: dict[str, int]) -> None:
        match happening:
            case Opened(ticket=ticket):
                again = f" (again; {counted(ticket.attempts, 'attempt')} so far)" if ticket.attempts else ""
                self._event(
                    Event.ISSUE_OPENED,
                    f"{ticket.key.subject} {seen(ticket.key.type)}: {ticket.message}{again}",
                    ticket,
                    ticket.severity,
                )
            case Resolved(ticket=ticket, text=text, after=after, well=well):
                over = "is well again" if well else f"has no issue {ticket.key.type} any more"
                message = f"{ticket.key.subject} {over}: {text} (the issue was open for {span(after)})"
                self._event(Event.ISSUE_RESOLVED, message, ticket, ticket.severity, duration_ms=round(after * 1000))
            case Started():
                self._started(happening, max_attempts)
            case Ended():
                self._ended(happening)
            case Held():
                self._held(happening, wall)
            case LeftAlone(component=component, item=item, unit=unit):
                self._say(
                    Event.HEALING_HELD,
                    f"{unit} was stopped on purpose; healthd leaves it alone",
                    component=component,
                    item=item,
                    unit=unit,
                    reason=HoldReason.OPERATOR_STOPPED,
                )
            case GaveUp():
                self._gave_up(happening)
            case Unsupported(ticket=ticket, text=text):
                self._event(
                    Event.HEALING_FINISHED,
                    f"{ticket.key.subject}: {text}",
                    ticket,
                    ticket.severity,
                    outcome=OutcomeKind.NOT_SUPPORTED,
                )
            case _:
                self._of_no_issue(happening)

    def _of_no_issue(self, happening: OfTheHost | OfSilences | OfTheLedger) -> None:
        match happening:
            case Distrusted() | Trusted():
                self._of_the_ledger(happening)
            case Silenced() | WindowOpened() | SilenceEnded() | SilenceLasts():
                self._of_a_silence(happening)
            case UpgradeLasts():
                self._upgrade_lasts(happening)
            case CascadeBegan():
                self._cascade_began(happening)
            case CascadeEnded():
                self._cascade_ended(happening)
            case _:
                assert_never(happening)

    def _of_a_silence(self, happening: OfSilences) -> None:
        event, message, severity = silence_story(happening, self._wall)
        silence = happening.silence
        self._log.event(event, message, severity=severity, silence=silence.id, by=silence.by)
        self._keep(Note(at=self._wall, event=event, message=message, severity=severity or ""))

    def _of_the_ledger(self, happening: OfTheLedger) -> None:
        event, message, severity = trust_story(happening)
        ticket, action = happening.ticket, happening.name.action
        if ticket is None:
            unit = happening.name.subject if is_unit_name(happening.name.subject) else None
            self._say(event, message, severity=severity, action=action, unit=unit)
        else:
            self._event(event, message, ticket, severity, action=action)

    def _upgrade_lasts(self, happening: UpgradeLasts) -> None:
        """A person may have to look: it may be stuck, or wait for an answer."""
        then = "healthd waits no longer and heals again" if happening.over else "healthd heals nothing until it ends"
        message = f"packages have been at work for {span(happening.lasted)} ({happening.text}); {then}"
        self._say(
            Event.HEALING_HELD,
            f"{message}. Does it wait for an answer?",
            severity=Severity.HIGH,
            component="updates",
            item="packages",
            reason=HoldReason.PACKAGE_UPGRADE,
        )

    def _cascade_began(self, happening: CascadeBegan) -> None:
        units = happening.units
        self._say(
            Event.CASCADE_BEGAN,
            f"{len(units)} units went down within {happening.seconds:g} s, which is one incident of the host: "
            f"healing roots first, one at a time ({', '.join(units)})",
            severity=Severity.CRITICAL,
            reason=HoldReason.CASCADE,
        )

    def _cascade_ended(self, happening: CascadeEnded) -> None:
        well = len(happening.units) - len(happening.still)
        rest = f"; not well: {', '.join(happening.still)}" if happening.still else ""
        self._say(
            Event.CASCADE_ENDED,
            f"the cascade is over after {span(happening.took)}: {well} of {len(happening.units)} units are well{rest}",
            severity=Severity.HIGH if happening.still else None,
            reason=HoldReason.CASCADE,
            duration_ms=round(happening.took * 1000),
        )

    def _gave_up(self, happening: GaveUp) -> None:
        ticket = happening.ticket
        subject, name = ticket.unit or ticket.key.subject, ticket.key.item or ticket.key.component
        then = f"the next try is in {span(happening.retry)}" if happening.retry else "there will be no further try"
        helped = "did not help" if ticket.failed else "did not help for long"
        message = (
            f"GAVE UP on {subject}: {counted(ticket.attempts, 'attempt')} {helped} ({ticket.message}). "
            f"A person is needed; {then}. See: healthctl explain {name}"
        )
        self._event(
            Event.HEALING_GAVE_UP,
            message,
            ticket,
            Severity.CRITICAL,
            attempt=ticket.attempts,
            reason=HoldReason.GAVE_UP,
        )

    def _started(self, happening: Started, max_attempts: dict[str, int]) -> None:
        ticket, attempt = happening.ticket, happening.attempt
        most = max_attempts.get(attempt.unit, 0)
        count = f"attempt {attempt.number} of {most}" if attempt.number <= most else f"attempt {attempt.number}"
        order = f", ordered by {attempt.by}" if attempt.by else ""
        what = f"{attempt.action}:{attempt.runs}" if attempt.runs else attempt.action
        along = f"; this restarts {', '.join(happening.along)} too" if happening.along else ""
        self._event(
            Event.HEALING_STARTED,
            f"healing {subject_of(ticket, attempt)}: {what}, {count}{order} ({ticket.message}){along}",
            ticket,
            ticket.severity,
            unit=attempt.unit,
            action=attempt.action,
            attempt=attempt.number,
        )

    def _ended(self, happening: Ended) -> None:
        ticket, attempt = happening.ticket, happening.attempt
        subject = subject_of(ticket, attempt)
        match happening.outcome:
            case OutcomeKind.SUCCESS:
                how = "it is up and stays up" if ticket.unit else happening.text
                message = f"healed {subject}: {attempt.action} helped, {how}"
            case OutcomeKind.FAILED:
                message = f"{attempt.action} did not help {subject}: {happening.text}"
            case OutcomeKind.NOT_SUPPORTED:
                message = f"{attempt.action} of {subject} is not supported: {happening.text}"
            case _:
                assert_never(happening.outcome)
        self._event(
            Event.HEALING_FINISHED,
            f"{message} ({span(happening.took)})",
            ticket,
            ticket.severity,
            unit=attempt.unit,
            action=attempt.action,
            attempt=attempt.number,
            outcome=happening.outcome,
            duration_ms=round(happening.took * 1000),
        )

    def _held(self, happening: Held, wall: float) -> None:
        ticket = happening.ticket
        until = f"; until {clock_time(wall + happening.wait, now=wall)}" if happening.wait is not None else ""
        self._event(
            Event.HEALING_HELD,
            f"not acting on {ticket.unit or ticket.key.subject}: {happening.text} ({happening.reason}{until})",
            ticket,
            ticket.severity,
            reason=happening.reason,
        )

    def _event(self, event: Event, message: str, ticket: Ticket, severity: Severity | None, **fields: Any) -> None:
        self._say(
            event,
            message,
            severity=severity,
            component=ticket.key.component,
            item=ticket.key.item or None,
            issue=ticket.key.type,
            **{"unit": ticket.unit, **fields},
            **({"incident": ticket.incident} if ticket.incident else {}),
        )

    def _say(self, event: Event, message: str, *, severity: Severity | None = None, **fields: Any) -> None:
        """One record, in the journal and in the history."""
        self._log.event(event, message, severity=severity, **fields)
        known = {name: value for name, value in fields.items() if value is not None}
        self._keep(Note(at=self._wall, event=event, message=message, severity=severity or "", **known))


def _severity(status: Status) -> Severity | None:
    return {Status.DEGRADED: Severity.MEDIUM, Status.UNHEALTHY: Severity.HIGH, Status.UNKNOWN: Severity.MEDIUM}.get(
        status
    )
