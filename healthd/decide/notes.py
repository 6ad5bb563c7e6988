"""Notes: what was well again before anybody was told of it, for those who ask for that (`notify_healed`). Pure.

A note is an alert of a single message, which opens nothing and ends nothing. It is about an incident, waits for the end
of that and for `group_seconds`, and is not sent if people are told of the incident after all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healthd.decide.alert import Alert, Word
from healthd.decide.happenings import Resolved
from healthd.decide.incident import running
from healthd.decide.interest import is_of_interest
from healthd.letters import Why
from healthd.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from healthd.decide.state import Key, Ticket
    from healthd.decide.turn import Turn


def noted(turn: Turn, notes: Sequence[Alert], alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """The notes as this step leaves them. `alerts`: what people are told otherwise, as this step leaves it."""
    said = tuple(note for note in notes if note.over)
    if not turn.settings.alerting.notify_healed:
        return said
    well = [each.ticket for each in turn.happened if isinstance(each, Resolved) and each.well]
    waiting = [note for note in notes if not note.over]
    if not (waiting or well):
        return said
    others = _told(turn, alerts)
    told = frozenset(key for alert in others for key in alert.keys)
    for ticket in well:
        if ticket.key not in told and is_of_interest(turn, ticket):
            waiting = _with(turn, waiting, ticket)
    heard = {alert.incident for alert in others} | {turn.tickets[key].incident for key in told if key in turn.tickets}
    left = _without(told, [note for note in waiting if note.incident not in heard])
    going = running(turn.tickets.values())
    return (*said, *(_followed(turn, note, going) for note in left))


def _with(turn: Turn, waiting: Sequence[Alert], ticket: Ticket) -> list[Alert]:
    """With this issue in the note of its incident, and in no other one; it waits no longer for that."""
    others = [note for note in waiting if note.incident != ticket.incident]
    own = next((note for note in waiting if note.incident == ticket.incident), None)
    own = own or turn.new_alert(ticket, Severity.LOW, note=True)
    due = min(note.due or 0.0 for note in (own, *others) if note is own or ticket.key in note.keys)
    keys = dict.fromkeys((*own.keys, ticket.key))
    return [*_without({ticket.key}, others), replace(own, keys=tuple(keys), due=due)]


def _without(keys: AbstractSet[Key], waiting: Iterable[Alert]) -> list[Alert]:
    """The notes of what else there is."""
    left = (replace(note, keys=tuple(key for key in note.keys if key not in keys)) for note in waiting)
    return [note for note in left if note.keys]


def _told(turn: Turn, alerts: Iterable[Alert]) -> list[Alert]:
    """The alerts that go on, and those of which people are told the end just now."""
    before = {alert.id for alert in turn.state.alerts if alert.over}
    return [alert for alert in alerts if alert.told_at is not None and alert.id not in before]


def _followed(turn: Turn, note: Alert, going: frozenset[int]) -> Alert:
    """Said when its incident is over, and nothing of it is open again; that is news, for which nobody need wake."""
    now, due = turn.moment.now, note.due or 0.0
    if due > now:
        turn.wakes.append(due)
        return note
    if note.incident in going or any(key in turn.tickets and turn.tickets[key].open for key in note.keys):
        return note
    word = Word(1, Why.HEALED, turn.moment.wall)
    return replace(note, told=len(note.keys), told_at=now, numbers=1, unsent=(word,), due=None, over=True)
