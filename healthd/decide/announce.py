"""What is told to people, and when. Pure; the state is `EngineState.alerts`, and `.openings` for what comes and goes.

An issue that nothing can be done about is told at once, and so is a critical one. One that is being healed is told
when its first attempt fails, or when it has been open for `verify_seconds`. All issues of an incident are one alert.
What was told is always told to be over, and what was not never is; that it was well again may be a note (`notes.py`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from healthd.decide.alert import Alert, Opening, Word
from healthd.decide.happenings import Opened, Spooled
from healthd.decide.interest import ORDER, is_of_interest
from healthd.decide.notes import noted
from healthd.letters import Why
from healthd.model import HoldReason, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from healthd.decide.happenings import AnyOrder
    from healthd.decide.state import Key, Ticket
    from healthd.decide.turn import Turn

FLAPS: Final = 3
FLAP_SECONDS: Final = 3600.0
"""An issue that opens so often within this long comes and goes, which is worth a message as each time is not."""

CALM_SECONDS: Final = 900.0
"""What came and went is over when it has not come for so long."""

UPDATE_SECONDS: Final = 60.0
"""What merely joins an alert that was told is told so long after the last message, all together."""

ALIVE_SECONDS: Final = 150.0
"""Half of what Alertmanager takes for the end of an alert that it does not hear of."""

MOST_OPENINGS: Final = 500

_MAY_PASS: Final = frozenset(
    {
        HoldReason.JOB_RUNNING,
        HoldReason.STARTING,
        HoldReason.COOLDOWN,
        HoldReason.CASCADE,
        HoldReason.PRESSURE,
        HoldReason.UNKNOWN_STATUS,
        HoldReason.PACKAGE_UPGRADE,
        HoldReason.SILENCED,
    }
)
"""Holds that end by themselves: healing may still be quicker than a message."""


def announce(turn: Turn, orders: Iterable[AnyOrder]) -> None:
    """Bring the alerts up to date with the issues as this step leaves them."""
    alerts = _without_spooled(turn.state.alerts, orders)
    if not turn.settings.alerting.receivers:
        # What was told is kept: whoever is put back in must hear of its end, and there is nobody who could be told now.
        kept = tuple(alert for alert in alerts if alert.told_at is not None and (alert.unsent or not alert.over))
        if kept != turn.state.alerts or turn.state.openings:
            turn.state = replace(turn.state, alerts=kept, openings=())
        return
    openings = _openings(turn)
    notes = tuple(alert for alert in alerts if alert.note)
    alerts = tuple(alert for alert in alerts if not alert.note) if notes else alerts
    if alerts or any(ticket.open for ticket in turn.tickets.values()):
        flapping = _flapping(openings)
        ready = _ready(turn, flapping)
        grouped = _grouped(turn, alerts, ready)
        alerts = tuple(_followed(turn, alert, ready, flapping) for alert in grouped)
    alerts = (*alerts, *noted(turn, notes, alerts))
    if alerts != turn.state.alerts or openings != turn.state.openings:
        turn.state = replace(turn.state, alerts=alerts, openings=openings)


def told_from(turn: Turn, ticket: Ticket, *, flapping: bool) -> float | None:
    """From which instant on (engine seconds) an open issue is worth a message as it stands; None: it is not."""
    if ticket.well_since is not None or not is_of_interest(turn, ticket):  # what seems well may be over in a moment
        return None
    if ticket.severity is Severity.CRITICAL or ticket.gave_up or flapping or ticket.failed:
        return ticket.opened_at
    waits = ticket.attempt is not None or ticket.hold in _MAY_PASS or (ticket.hold is None and not ticket.hold_text)
    return ticket.opened_at + (turn.settings.auto_healing.verify_seconds if waits else 0.0)


def _without_spooled(alerts: Sequence[Alert], orders: Iterable[AnyOrder]) -> tuple[Alert, ...]:
    """What has reached the outbox is not kept here any longer."""
    there = {each for order in orders if isinstance(order, Spooled) for each in order.words}
    if not there:
        return tuple(alerts)
    left = (
        replace(alert, unsent=tuple(word for word in alert.unsent if (alert.id, word.number) not in there))
        for alert in alerts
    )
    return tuple(alert for alert in left if alert.unsent or not alert.over)


def _openings(turn: Turn) -> tuple[Opening, ...]:
    now, known = turn.moment.now, turn.state.openings
    new = [Opening(each.ticket.key, now) for each in turn.happened if isinstance(each, Opened)]
    if not new and (not known or known[0].at + FLAP_SECONDS > now):
        return known
    return tuple(each for each in (*known, *new) if each.at + FLAP_SECONDS > now)[-MOST_OPENINGS:]


def _flapping(openings: Iterable[Opening]) -> frozenset[Key]:
    count: dict[Key, int] = {}
    for each in openings:
        count[each.key] = count.get(each.key, 0) + 1
    return frozenset(key for key, times in count.items() if times >= FLAPS)


def _ready(turn: Turn, flapping: frozenset[Key]) -> dict[Key, Ticket]:
    """The open issues that are worth a message now; when others may be is an instant to look again."""
    ready = {}
    for ticket in turn.tickets.values():
        at = told_from(turn, ticket, flapping=ticket.key in flapping) if ticket.open else None
        if at is None:
            continue
        if at <= turn.moment.now:
            ready[ticket.key] = ticket
        else:
            turn.wakes.append(at)
    return ready


def _grouped(turn: Turn, alerts: Iterable[Alert], ready: Mapping[Key, Ticket]) -> list[Alert]:
    """Each issue that is worth a message in its alert: the one that was told of it, that of its incident, or a new one.

    What is not told yet is grouped anew in each step, as incidents may turn out to be one; it waits no longer for that.
    """
    found = [alert for alert in alerts if alert.told_at is not None]
    waiting = {key: alert for alert in alerts if alert.told_at is None for key in alert.keys}
    longest: dict[int, Alert] = {}
    for key, alert in waiting.items():
        if key in ready:
            known = longest.get(ready[key].incident, alert)
            longest[ready[key].incident] = min(known, alert, key=lambda each: each.due or 0.0)
    of_incident: dict[int, int] = {}
    placed: set[Key] = set()
    for place, alert in enumerate(found):
        if not alert.over:
            placed.update(alert.keys)
            for ticket in _open_ones(turn, alert.keys):
                of_incident.setdefault(ticket.incident, place)
    for key, ticket in ready.items():
        if key in placed:
            continue
        at = of_incident.get(ticket.incident)
        if at is None:
            of_incident[ticket.incident] = len(found)
            alert = longest.get(ticket.incident) or turn.new_alert(ticket, ticket.severity)
            found.append(replace(alert, keys=(key,), incident=ticket.incident))
        else:
            found[at] = replace(found[at], keys=(*found[at].keys, key))
    return found


def _open_ones(turn: Turn, keys: Iterable[Key]) -> list[Ticket]:
    tickets = (turn.tickets.get(key) for key in keys)
    return [ticket for ticket in tickets if ticket is not None and ticket.open]


def _joining(turn: Turn, alert: Alert) -> float:
    """When it is told that something joined what was told already: some may come together."""
    if alert.due is not None:
        return alert.due
    return max(turn.moment.now + turn.settings.alerting.group_seconds, (alert.told_at or 0.0) + UPDATE_SECONDS)


def _followed(turn: Turn, alert: Alert, ready: Mapping[Key, Ticket], flapping: frozenset[Key]) -> Alert:
    """How the alert stands now, with what is to be said of it."""
    if alert.over:
        return alert
    worth = [ready[key] for key in alert.keys if key in ready]
    if alert.told_at is None:
        return _first(turn, alert, worth, flapping)
    new = any(key in ready for key in alert.keys[alert.told :])
    if not (new or _open_ones(turn, alert.keys[: alert.told])):
        return _over(turn, alert)
    alert = replace(alert, calm_since=None, due=_joining(turn, alert) if new else None)
    why, due = _news(turn, alert, worth, flapping)
    if why is None:
        return _kept_alive(turn, alert)
    if due <= turn.moment.now:
        return _said(turn, alert, why, worth, flapping)
    turn.wakes.append(due)
    return _kept_alive(turn, alert)


def _first(turn: Turn, alert: Alert, worth: Sequence[Ticket], flapping: frozenset[Key]) -> Alert:
    """An alert of which nothing was told yet; it is there only as long as something is worth it."""
    now = turn.moment.now
    lost = any(ticket.gave_up for ticket in worth)
    hurry = lost or any(ticket.severity is Severity.CRITICAL for ticket in worth)
    if alert.due is not None and alert.due > now and not hurry:
        turn.wakes.append(alert.due)
        return alert
    comes_and_goes = any(ticket.key in flapping for ticket in worth)
    why = Why.GAVE_UP if lost else Why.FLAPPING if comes_and_goes else Why.OPENED
    highest = max((ticket.severity for ticket in worth), key=ORDER.index)
    return _said(turn, replace(alert, routed=highest, severity=highest), why, worth, flapping)


def _news(turn: Turn, alert: Alert, worth: Sequence[Ticket], flapping: frozenset[Key]) -> tuple[Why | None, float]:
    """Of an alert that was told: the most urgent thing that was not, and from when on it is to be."""
    now, told_at = turn.moment.now, alert.told_at or 0.0
    lost = any(ticket.gave_up and ticket.key not in alert.gave_up for ticket in worth)
    if lost and not alert.gave_up:
        return Why.GAVE_UP, now
    if any(ORDER.index(ticket.severity) > ORDER.index(alert.severity) for ticket in worth):
        return Why.WORSE, now
    if not alert.flapping and any(ticket.key in flapping for ticket in worth):
        return Why.FLAPPING, now
    if lost:
        return Why.GAVE_UP, told_at + UPDATE_SECONDS
    if alert.due is not None:
        return Why.JOINED, alert.due
    repeat = turn.settings.alerting.repeat_seconds
    return (Why.REPEATED, told_at + repeat) if repeat and worth else (None, 0.0)


def _over(turn: Turn, alert: Alert) -> Alert:
    """All of it is closed: said at once, but of what comes and goes only when it has been calm for a while."""
    now = turn.moment.now
    since = now if alert.calm_since is None else alert.calm_since
    if alert.flapping and now < since + CALM_SECONDS:
        turn.wakes.append(since + CALM_SECONDS)
        return _kept_alive(turn, replace(alert, calm_since=since, due=None))
    return replace(_with_word(turn, alert, Why.RESOLVED), over=True, due=None)


def _said(turn: Turn, alert: Alert, why: Why, worth: Sequence[Ticket], flapping: frozenset[Key]) -> Alert:
    now = turn.moment.now
    lost = tuple(ticket.key for ticket in worth if ticket.gave_up and ticket.key not in alert.gave_up)
    alert = _with_word(turn, alert, why)
    alert = replace(
        alert,
        due=None,
        told=len(alert.keys),
        told_at=now,
        severity=max((alert.severity, *(ticket.severity for ticket in worth)), key=ORDER.index),
        gave_up=(*alert.gave_up, *lost),
        gave_up_now=len(lost),
        flapping=alert.flapping or any(ticket.key in flapping for ticket in worth),
        alive_at=now,
    )
    if turn.settings.alerting.repeat_seconds:
        turn.wakes.append(now + turn.settings.alerting.repeat_seconds)
    return _kept_alive(turn, alert)


def _kept_alive(turn: Turn, alert: Alert) -> Alert:
    """Where somebody forgets what is not said again, it is said again."""
    if not turn.settings.alerting.alertmanager_url:
        return alert
    at = alert.alive_at + ALIVE_SECONDS
    if turn.moment.now >= at:
        alert = replace(_with_word(turn, alert, Why.ALIVE), alive_at=turn.moment.now)
        at = turn.moment.now + ALIVE_SECONDS
    turn.wakes.append(at)
    return alert


def _with_word(turn: Turn, alert: Alert, why: Why) -> Alert:
    """With one message more. One that says again what waits to be sent anyway takes its place."""
    again = why in (Why.REPEATED, Why.ALIVE, Why.JOINED)
    waiting = tuple(word for word in alert.unsent if not (again and word.why is why))
    word = Word(alert.numbers + 1, why, turn.moment.wall)
    return replace(alert, numbers=word.number, unsent=(*waiting, word))
