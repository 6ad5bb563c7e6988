"""A step in the making: what every part of it works on, and what becomes of a ticket in the end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from healthd.decide.alert import Alert
from healthd.decide.case import Case, acts_on
from healthd.decide.happenings import Ended, Resolved, Started
from healthd.decide.incident import Grouping
from healthd.decide.ledger import failure_of
from healthd.decide.limits import Usage, backoff, remembered
from healthd.decide.state import Attempt, Key, Mark
from healthd.model import OutcomeKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from healthd.config import Settings
    from healthd.decide.case import Moment, Verdict
    from healthd.decide.happenings import Happening
    from healthd.decide.state import EngineState, Ticket
    from healthd.model import ActionKind, Item, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a step gave: the new state, what happened, what of it must be written, and when to look again."""

    state: EngineState
    happenings: tuple[Happening, ...]
    changed: frozenset[Key]
    removed: frozenset[Key]
    wake_at: float | None


def severity_of(ticket: Ticket, *, critical: bool) -> Severity:
    """By type; a step up for what is critical, and for what healthd gave up."""
    return ticket.key.type.severity.raised(int(critical or ticket.gave_up))


class Turn:
    """The state of one step, and what came of it so far. `freed` are the units on which an attempt has ended.

    `anew`: every open issue is to be decided anew. `wakes` are instants at which there may be something to do.
    """

    def __init__(self, settings: Settings, state: EngineState, moment: Moment) -> None:
        self.settings, self.state, self.moment = settings, state, moment
        self.tickets = dict(state.tickets)
        self.stopped = set(state.stopped)
        self.upgrade = state.upgrade
        self.anew = False
        self.wakes: list[float] = []
        self.happened: list[Happening] = []
        self.freed: set[str] = set()
        self.downs = state.downs
        self._marks = state.marks
        self._incidents = state.incidents
        self._grouping: Grouping | None = None
        self._forget()
        self.usage = Usage(self.tickets.values(), self._marks, state.cascade)
        self._of_item: dict[tuple[str, str], list[Key]] = {}
        for key in self.tickets:
            self._of_item.setdefault(key.name, []).append(key)

    # Looking

    def keys_of(self, name: tuple[str, str]) -> Sequence[Key]:
        """The tickets of an item, open or not."""
        return self._of_item.get(name, ())

    def item_of(self, ticket: Ticket) -> Item | None:
        """The item that an issue is about, if its check has a usable reading."""
        return self.moment.items.get(ticket.key.name)

    def case(self, ticket: Ticket, *, by_hand: bool = False) -> Case:
        """What the policy is asked about an issue."""
        return Case(
            settings=self.settings,
            state=self.state,
            moment=self.moment,
            ticket=ticket,
            by_hand=by_hand,
            usage=self.usage,
        )

    def severity(self, ticket: Ticket, *, critical: bool) -> Severity:
        """A step up too if the settings mark its component or its unit as critical. `critical`: the check says so."""
        component = self.settings.component.get(ticket.key.component)
        marked = component is not None and component.critical
        unit = ticket.unit is not None and self.settings.unit(ticket.unit).critical
        return severity_of(ticket, critical=critical or marked or unit)

    # Changing

    def put(self, ticket: Ticket) -> Ticket:
        """Take over this version of a ticket."""
        if ticket.key not in self.tickets:
            self._of_item.setdefault(ticket.key.name, []).append(ticket.key)
        self.tickets[ticket.key] = ticket
        self.usage.saw(ticket)
        return ticket

    def grouped(self, ticket: Ticket) -> Ticket:
        """An issue that opens, in its incident: one that goes on, or a new one."""
        if self._grouping is None:
            self._grouping = Grouping(self.tickets.values(), self.moment.facts)
        incident = self._grouping.find(ticket.key, ticket.unit)
        if not incident:
            self._incidents += 1
        ticket = replace(ticket, incident=incident or self._incidents)
        self._grouping.add(ticket)
        return ticket

    def start(self, ticket: Ticket, verdict: Verdict, action: ActionKind, by: str) -> None:
        """Begin an attempt at what the verdict aims at: from here on it counts."""
        unit = verdict.unit
        now, facts = self.moment.now, self.moment.facts.get(unit)
        before = facts.invocation if facts else ""
        number = ticket.attempts + 1
        attempt = Attempt(
            number=number,
            action=action,
            unit=unit,
            started_at=now,
            before=before,
            by=by,
            runs=verdict.runs,
            failure=failure_of(ticket, self.moment.facts.get(ticket.unit or "")),
        )
        ticket = self.put(
            replace(
                ticket,
                attempt=attempt,
                attempts=number,
                hold=None,
                hold_text="",
                hold_until=None,
                suggested="",
                wake_at=None,
                well_since=None,
                unsupported_at=None,
            )
        )
        mark = Mark(now, unit)
        self._marks = (*self._marks, mark)
        self.usage.began(mark)
        self.happened.append(Started(ticket=ticket, attempt=attempt, unit=facts))

    def finish(self, ticket: Ticket, attempt: Attempt, outcome: OutcomeKind, text: str) -> Ticket:
        """End an attempt. The pause after it begins now: the backoff, or for a slow retry the long one.

        One that found nothing to do does not count towards giving up, which would be a louder alarm than the issue
        itself; a pause as long follows all the same.
        """
        now = self.moment.now
        if outcome is OutcomeKind.NOT_SUPPORTED:
            ticket = replace(ticket, attempts=max(0, ticket.attempts - 1), unsupported_at=now)
        gave_up_at = now if ticket.gave_up else None
        failed = ticket.failed or (ticket.open and outcome is not OutcomeKind.SUCCESS)
        ticket = replace(ticket, attempt=None, last_end=now, gave_up_at=gave_up_at, failed=failed, helped=None)
        said = text if outcome is OutcomeKind.NOT_SUPPORTED else ""  # by the event of this end: no need to repeat it
        ticket = replace(ticket, hold=None, hold_text=said, hold_until=None, suggested="", wake_at=None, last_text=text)
        self.put(ticket)
        took = now - attempt.started_at
        self.happened.append(Ended(ticket=ticket, attempt=attempt, outcome=outcome, text=text, took=took))
        self.freed |= {attempt.unit, acts_on(ticket)}
        self.usage.ended(attempt.unit)
        return ticket

    def resolve(self, ticket: Ticket, text: str, *, well: bool = True) -> None:
        """Close an issue. An attempt whose job has not ended stays with it, so that no second one gets in its way."""
        now = self.moment.now
        self.happened.append(Resolved(ticket=ticket, text=text, after=now - ticket.opened_at, well=well))
        ticket = replace(ticket, open=False, closed_at=now, well_since=None, existing="")
        self.put(replace(ticket, hold=None, hold_text="", hold_until=None, suggested="", wake_at=None))

    def new_alert(self, ticket: Ticket, severity: Severity, *, note: bool = False) -> Alert:
        """An alert or a note for an incident that this issue is of, due in `group_seconds`; it is about nothing yet."""
        number = self.state.alert_number + 1
        self.state = replace(self.state, alert_number=number)
        return Alert(
            id=number,
            incident=ticket.incident,
            keys=(),
            opened_wall=ticket.opened_wall,
            severity=severity,
            routed=severity,
            due=self.moment.now + self.settings.alerting.group_seconds,
            note=note,
        )

    # The end of the step

    def close(self, *, fresh: bool) -> Step:
        """What the step gave."""
        self._forget()
        old = self.state.tickets
        return Step(
            state=replace(
                self.state,
                tickets=self.tickets,
                marks=self._marks,
                stopped=frozenset(self.stopped) if self.stopped != self.state.stopped else self.state.stopped,
                fresh=fresh,
                incidents=self._incidents,
                upgrade=self.upgrade,
                downs=self.downs,
                cascade=self.usage.cascade,
            ),
            happenings=tuple(self.happened),
            changed=frozenset(key for key, ticket in self.tickets.items() if _differs(old.get(key), ticket)),
            removed=frozenset(old.keys() - self.tickets.keys()),
            wake_at=min(self._wakes(), default=None),
        )

    def _wakes(self) -> Iterator[float]:
        yield from self.wakes
        yield from (ticket.wake_at for ticket in self.tickets.values() if ticket.wake_at is not None)
        if self.usage.cascade is not None and self.downs:
            yield self.downs[-1].at + self.settings.auto_healing.cascade_seconds

    def _forget(self) -> None:
        """Closed tickets go when their backoff is over."""
        limits, now = self.settings.auto_healing, self.moment.now
        for ticket in list(self.tickets.values()):
            if ticket.closed_at is None or ticket.open or ticket.attempt is not None:
                continue
            # Without a bound on the pauses an episode lasts as long as its next pause would.
            quiet = limits.backoff_max_seconds or backoff(limits, ticket.attempts)
            tried = ticket.attempts or ticket.gave_up or ticket.unsupported_at is not None
            if not tried or ticket.closed_at + quiet <= now:
                del self.tickets[ticket.key]
        self._marks = remembered(self.settings, self._marks, now)


def _differs(old: Ticket | None, new: Ticket) -> bool:
    return old is not new and old != new
