"""Keeps the incidents that go on: what happened in each, what was found, and how it ended; the store has the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from healthd.decide.happenings import Ended, GaveUp, Held, Opened, Resolved, Started
from healthd.decide.incident import running, runs
from healthd.events import Event
from healthd.evidence import Incident
from healthd.mask import masked, masked_lines
from healthd.model import OutcomeKind, Severity
from healthd.record.dossier import headline
from healthd.record.story import seen, subject_of
from healthd.record.words import counted, span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from healthd.decide.happenings import Happening
    from healthd.decide.state import Attempt, Key, Ticket
    from healthd.evidence import Change, Run, Surroundings
    from healthd.ports import Clock, Log, Store

MOST_RUNS: Final = 5
MOST_CHANGES: Final = 40
LATER_LINES: Final = 15
"""Of all runs but the first so many lines are kept."""

_MOST_NAMED: Final = 50  # issues and units of one incident
_MOST_MISSED: Final = 20
_TEXT_CHARS: Final = 500
_OVER_KEPT: Final = 100  # incidents that are over, of which something may still be found


class Incidents:
    """Hears what happened, and is told what was found. `tickets` are those of the engine's state."""

    def __init__(self, *, store: Store, clock: Clock, log: Log, tickets: Callable[[], Mapping[Key, Ticket]]) -> None:
        self._store, self._clock, self._log, self._tickets = store, clock, log, tickets
        self._going: dict[int, Incident] = {}
        self._over: dict[int, Incident] = {}

    def recall(self, incidents: Iterable[Incident]) -> None:
        """Go on with those that were going on when healthd ended. What is heard next ends those that are over."""
        tickets = [ticket for ticket in self._tickets().values() if runs(ticket)]
        for incident in incidents:
            if incident.ended_at is not None:
                continue
            own = [ticket for ticket in tickets if ticket.incident == incident.id]
            known = incident if own else replace(incident, result="over when healthd looked again")
            for ticket in own:  # the newest of what happened may not have been written down, but the state was
                known = _as_severe(known, ticket)
                if ticket.gave_up and not known.gave_up:
                    known = _after(known, GaveUp(ticket=ticket, retry=None))
            self._going[incident.id] = known
            if known != incident:
                self._store.file(known)

    def unseen(self) -> tuple[Ticket, ...]:
        """The open issues of incidents at which nobody has looked: healthd ended before that was written down."""
        going = [ticket for ticket in self._tickets().values() if ticket.open and ticket.incident]
        known = [(ticket, self.known(ticket.incident)) for ticket in going]
        return tuple(ticket for ticket, incident in known if incident is None or not incident.looked)

    def hear(self, happenings: Iterable[Happening]) -> None:
        """Take in what happened in a turn."""
        changed = set()
        for happening in happenings:
            ticket = getattr(happening, "ticket", None)
            if ticket is None or not ticket.incident:
                continue
            incident = self._of(ticket)
            if incident is not None:
                self._going[incident.id] = _after(incident, happening)
                changed.add(incident.id)
        going = running(self._tickets().values()) if self._going else frozenset()
        for number in [number for number in self._going if number not in going]:
            self._end(self._going[number])
            changed.discard(number)
        for number in changed:
            self._store.file(self._going[number])

    def open(self, ticket: Ticket) -> None:
        """There is an open issue of an incident of which nothing was written down."""
        self.hear([Opened(ticket=ticket)])

    def found(
        self,
        number: int,
        *,
        surroundings: Surroundings | None = None,
        run: Run | None = None,
        changes: Sequence[Change] | None = None,
        missed: Sequence[str] = (),
    ) -> None:
        """Something was found that belongs to an incident."""
        incident = self.known(number)
        if incident is None:
            return
        before = incident
        if surroundings is not None and incident.surroundings is None:
            beside = tuple(masked(each)[:_TEXT_CHARS] for each in surroundings.beside)
            incident = replace(incident, surroundings=replace(surroundings, beside=beside))
        if run is not None:
            incident = replace(incident, runs=_with_run(incident.runs, run))
        if changes is not None:
            incident = replace(incident, looked=True, changes=_with_changes(incident.changes, changes))
        if missed:
            every = dict.fromkeys((*incident.missed, *(masked(each)[:_TEXT_CHARS] for each in missed)))
            incident = replace(incident, missed=tuple(every)[:_MOST_MISSED])
        (self._going if number in self._going else self._over)[number] = incident
        self._store.file(incident)
        telling = incident.severity is not Severity.LOW or any(change.own for change in incident.changes)
        if incident.changes and not before.changes and telling:
            self._tell(incident)

    def known(self, number: int) -> Incident | None:
        """What is known of an incident that goes on, or was over lately."""
        return self._going.get(number) or self._over.get(number)

    def _of(self, ticket: Ticket) -> Incident | None:
        """The incident of an issue, a new one if need be. None: it is over, and what comes is only an echo."""
        known = self._going.get(ticket.incident)
        if known is not None or ticket.incident in self._over:
            return known
        return Incident(
            id=ticket.incident,
            opened_at=ticket.opened_wall,
            ended_at=None,
            severity=ticket.severity,
            title=_cut(f"{ticket.key.subject} {seen(ticket.key.type)}: {ticket.message}"),
            result="it goes on",
            issues=(),
            units=(),
            follows=ticket.follows,
        )

    def _end(self, incident: Incident) -> None:
        del self._going[incident.id]
        now = self._clock.wall()
        took = span(max(0.0, now - incident.opened_at))
        part_of = self._part_of(incident)
        result = f"part of incident {part_of}" if part_of else f"{incident.result}, after {took}"
        self._over[incident.id] = over = replace(incident, ended_at=now, result=result, part_of=part_of)
        while len(self._over) > _OVER_KEPT:
            del self._over[min(self._over)]
        self._store.file(over)

    def _part_of(self, incident: Incident) -> int:
        """The incident that has its issues now, if there is one."""
        others = [
            ticket.incident
            for ticket in self._tickets().values()
            if ticket.open and ticket.incident != incident.id and _id(ticket.key) in incident.issues
        ]
        return min((number for number in others if number < incident.id), default=0)

    def _tell(self, incident: Incident) -> None:
        """Say in the journal what changed: that is where somebody looks who wonders at night.

        It is about the host and no step of what is done about a unit, so that it does not name one in a field.
        """
        what, changed = incident.title.partition(":")[0], headline(incident.changes, incident.opened_at)
        self._log.event(
            Event.CHANGES_FOUND,
            f"incident {incident.id} ({what}): {changed}. See: healthctl incident {incident.id}",
            incident=incident.id,
        )


def _after(incident: Incident, happening: Happening) -> Incident:
    """The incident after this happened in it."""
    match happening:
        case Opened(ticket=ticket):
            units = (*incident.units, *([ticket.unit] if ticket.unit else []))
            issues = tuple(dict.fromkeys((*incident.issues, _id(ticket.key))))[:_MOST_NAMED]
            incident = replace(incident, issues=issues, units=tuple(dict.fromkeys(units))[:_MOST_NAMED])
            return _as_severe(incident, ticket)
        case Started(ticket=ticket, attempt=attempt):
            text = f"healing {subject_of(ticket, attempt)}: {attempt.action}, attempt {attempt.number}"
            return replace(_as_severe(incident, ticket), result=text, attempts=incident.attempts + 1)
        case Held(ticket=ticket):
            return replace(
                incident, result=_cut(f"not acting on {ticket.unit or ticket.key.subject}: {happening.text}")
            )
        case Ended(ticket=ticket, attempt=attempt, outcome=OutcomeKind.SUCCESS, text=text):
            number = _number(incident, attempt)
            told = f" of {attempt.unit}{number}" if ticket.unit else f"{number}: {text}"
            return replace(incident, result=_cut(f"healed by {attempt.action}{told}"))
        case Ended(ticket=ticket, attempt=attempt, outcome=OutcomeKind.NOT_SUPPORTED, text=text):
            told = f"{attempt.action} of {subject_of(ticket, attempt)} is not supported: {text}"
            return replace(incident, result=_cut(told))
        case Ended(ticket=ticket, attempt=attempt, text=text):
            told = f"{attempt.action} did not help {subject_of(ticket, attempt)}: {text}"
            return replace(incident, result=_cut(told))
        case GaveUp(ticket=ticket):
            text = f"healthd gave up on {ticket.unit or ticket.key.subject}: a person is needed"
            return replace(_as_severe(incident, ticket), gave_up=True, result=text)
        case Resolved(ticket=ticket, text=text, well=well):
            if well and incident.result.startswith("healed by"):
                return incident
            # What is done to the host for one issue may have ended another of its kind as well.
            alone = " without healthd" if ticket.unit else ""
            over = f"is well again{alone}" if well else f"has no issue {ticket.key.type} any more"
            return replace(incident, result=_cut(f"{ticket.key.subject} {over}: {text}"))
        case _:
            return incident


def _number(incident: Incident, attempt: Attempt) -> str:
    """The how manieth attempt helped: of its issue or, where others were healed as well, of the incident."""
    if incident.attempts > attempt.number:
        return f", the last of {counted(incident.attempts, 'attempt')}"
    return f" ({counted(attempt.number, 'attempt')})" if attempt.number > 1 else ""


def _as_severe(incident: Incident, ticket: Ticket) -> Incident:
    order = tuple(Severity)
    return replace(incident, severity=max(incident.severity, ticket.severity, key=order.index))


def _with_run(runs: Sequence[Run], run: Run) -> tuple[Run, ...]:
    """With this run, in the place of what was known of it."""
    texts = masked_lines(line.text for line in run.lines)
    lines = tuple(replace(line, text=text) for line, text in zip(run.lines, texts, strict=True))
    core = None if run.core is None else replace(run.core, program=masked(run.core.program))
    run = replace(run, text=_cut(run.text), lines=lines, core=core)
    kept = {(each.unit, each.invocation): each for each in runs}
    kept[run.unit, run.invocation] = run
    first, *others = list(kept.values())[:MOST_RUNS]
    return (first, *(replace(each, lines=each.lines[-LATER_LINES:]) for each in others))


def _with_changes(known: Sequence[Change], found: Iterable[Change]) -> tuple[Change, ...]:
    """Both, each change once: what concerns a unit of the incident before all else, and the newest first."""
    every = {(each.kind, each.what, each.text): each for each in known}
    for each in found:
        key = (each.kind, each.what, each.text)
        if key not in every or each.own:
            every[key] = each
    ordered = sorted(every.values(), key=lambda change: (not change.own, -change.at))
    return tuple(ordered[:MOST_CHANGES])


def _id(key: Key) -> str:
    return "/".join(part for part in (key.component, key.item, key.type) if part)


def _cut(text: str) -> str:
    return masked(text)[:_TEXT_CHARS]
