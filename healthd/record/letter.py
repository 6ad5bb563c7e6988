"""What is written to people of an alert: the cause, what healthd did, what had changed, and where to look. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from healthd.letters import Letter, Matter, Why
from healthd.mask import masked
from healthd.model import Severity
from healthd.record.dossier import headline
from healthd.record.story import seen
from healthd.record.words import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from healthd.decide.alert import Alert, Word
    from healthd.decide.state import EngineState, Key, Ticket
    from healthd.evidence import Incident

MOST_ISSUES: Final = 50
LINES: Final = 8
_TEXT_CHARS: Final = 500


def letter(alert: Alert, word: Word, state: EngineState, incident: Incident | None, *, host: str) -> Letter:
    """The letter of this message. `incident`: what is known of it by now, None: nothing."""
    issues = _issues(alert, state.tickets)
    main = issues[0] if issues else None
    return Letter(
        id=f"{state.seed:08x}-{alert.id}-{word.number}-{word.wall:.0f}",
        key=f"{state.seed:08x}-{alert.id}",
        number=word.number,
        why=word.why,
        host=host,
        at=word.wall,
        opened_at=alert.opened_wall,
        severity=alert.severity,
        routed=alert.routed,
        title=_cut(masked(_title(alert, word, issues, incident))),
        text=_cut(masked(_text(word, incident, main))),
        incident=alert.incident,
        gave_up=bool(alert.gave_up),
        flapping=alert.flapping,
        issues=tuple(issues[:MOST_ISSUES]),
        changed=headline(incident.changes, incident.opened_at) if incident is not None else "",
        evidence=_evidence(incident),
        hints=(*_suggested(alert, state.tickets), *_hints(alert, main)),
    )


def about(alert: Alert) -> str:
    """What an alert is about, in a few words that do not change with every reading."""
    key = alert.keys[0]
    more = len({each.subject for each in alert.keys}) - 1
    return f"{key.subject} {seen(key.type)}" + (f", and {more} more with it" if more else "")


def file_name(alert: Alert, word: Word) -> str:
    """The name of its file. Being said to be alive is worth one letter at a time."""
    return f"{alert.id}-alive.json" if word.why is Why.ALIVE else f"{alert.id}-{word.number}-{word.wall:.0f}.json"


def _issues(alert: Alert, tickets: Mapping[Key, Ticket]) -> list[Matter]:
    """Those that the alert is about, the first before all others; then what else is open in its incident."""
    own = [_matter(key, tickets.get(key), alert.severity, told=True) for key in alert.keys]
    numbers = {ticket.incident for key in alert.keys if (ticket := tickets.get(key)) is not None} | {alert.incident}
    beside = (
        ticket
        for ticket in tickets.values()
        if ticket.open and ticket.incident in numbers and ticket.key not in alert.keys
    )
    return [*own, *(_matter(ticket.key, ticket, ticket.severity, told=False) for ticket in beside)]


def _matter(key: Key, ticket: Ticket | None, severity: Severity, *, told: bool) -> Matter:
    """`ticket` None: it is closed and forgotten."""
    return Matter(
        id="/".join(part for part in (key.component, key.item, key.type) if part),
        component=key.component,
        item=key.item,
        type=key.type,
        severity=severity if ticket is None else ticket.severity,
        message="" if ticket is None else _cut(masked(ticket.message)),
        unit="" if ticket is None else ticket.unit or "",
        open=ticket is not None and ticket.open,
        told=told,
        attempts=0 if ticket is None else ticket.attempts,
        gave_up=ticket is not None and ticket.gave_up,
        text="" if ticket is None else _cut(masked(ticket.hold_text)),
    )


def _title(alert: Alert, word: Word, issues: Sequence[Matter], incident: Incident | None) -> str:
    """One line that says it all; of many it says how many."""
    told = [(key, issue) for key, issue in zip(alert.keys, issues, strict=False) if issue.told]
    key, main = told[0]
    what = about(alert)
    if word.why is Why.RESOLVED:
        return f"over: {what}"
    if word.why is Why.HEALED:
        by_healthd = incident is not None and incident.result.startswith("healed by")
        return f"{'healed' if by_healthd else 'over by itself'}: {what}"
    if word.why is Why.FLAPPING:
        return f"{key.subject} comes and goes: {main.message}"
    if alert.gave_up:
        return _lost(alert, dict(told))
    return f"{what}: {main.message}" if main.message else what


def _lost(alert: Alert, told: Mapping[Key, Matter]) -> str:
    """On what healthd gave up since the last message; where that is nothing, on what it did so at all."""
    new = alert.gave_up[-alert.gave_up_now :] if alert.gave_up_now else ()
    left = tuple(key for key in alert.gave_up if key in told and told[key].open)
    keys = new or left or alert.gave_up
    names = tuple(dict.fromkeys(key.subject for key in keys))
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    again = " as well" if new and len(new) < len(alert.gave_up) else ""
    message = told[keys[0]].message if keys[0] in told else ""
    return f"healthd gave up on {names[0]}{more}{again}: a person is needed" + (f" ({message})" if message else "")


def _text(word: Word, incident: Incident | None, main: Matter | None) -> str:
    if incident is not None:
        result = incident.result
        tried = (
            f" ({counted(incident.attempts, 'attempt')} so far)"
            if incident.attempts and word.why not in (Why.RESOLVED, Why.HEALED)
            else ""
        )
        return f"{result}{tried}"
    return main.text if main is not None else ""


def _evidence(incident: Incident | None) -> tuple[str, ...]:
    """The last lines of the unit that the incident began with: of its first run that left words of its own, if any."""
    if incident is None or not incident.runs:
        return ()
    first = incident.runs[0]
    told = next((run for run in incident.runs if run.unit == first.unit and run.spoke), first)
    return tuple(line.text for line in told.lines[-LINES:])


def _suggested(alert: Alert, tickets: Mapping[Key, Ticket]) -> tuple[str, ...]:
    """What to type to have it done, where healing is only suggested; of many, the first."""
    told = (ticket for key in alert.keys if (ticket := tickets.get(key)) is not None)
    return next(((ticket.key.command,) for ticket in told if ticket.open and ticket.suggested), ())


def _hints(alert: Alert, main: Matter | None) -> tuple[str, ...]:
    """What to type to know more, and to be left alone."""
    if main is None:
        return ()
    name = main.item if main.component == "services" and main.item else main.component
    return (f"healthctl incident {alert.incident}", f"healthctl explain {name}", f"healthctl silence {name} --for 1h")


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT_CHARS else text[: _TEXT_CHARS - 3] + "..."
