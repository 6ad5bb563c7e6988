"""What the checks see: issues open, stay open, and close. Decides nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healthd.decide.case import is_judged
from healthd.decide.happenings import LeftAlone, Opened
from healthd.decide.ledger import failure_of, recovered, relapsed
from healthd.decide.state import Key, Ticket

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthd.decide.turn import Turn
    from healthd.model import Finding, Item


def observe(turn: Turn, names: Iterable[tuple[str, str]]) -> None:
    """Take in the items that were judged again, and see which are there no more."""
    for component, name in names:
        item = turn.moment.items.get((component, name))
        if item is not None:
            _observe_item(turn, component, item)
    _close_lost(turn)


def recover(turn: Turn, ticket: Ticket, item: Item) -> None:
    """The check sees no failure. The issue is resolved when that has held for `settle_seconds`.

    While an attempt runs, its verification tells. What somebody stopped is no issue at once.
    """
    if item.stopped:
        turn.resolve(ticket, "somebody stopped it", well=False)
        return
    now = turn.moment.now
    since = now if ticket.well_since is None else ticket.well_since
    until = since + turn.settings.auto_healing.settle_seconds
    if ticket.attempt is not None:
        turn.put(replace(ticket, well_since=since))
    elif now < until:
        turn.put(replace(ticket, well_since=since, wake_at=until))
    else:
        well = not item.findings
        turn.resolve(ticket, item.message, well=well)
        if well:
            recovered(turn, ticket)


def _observe_item(turn: Turn, component: str, item: Item) -> None:
    name = (component, item.name)
    keys = turn.keys_of(name)
    if not (keys or item.findings or item.stopped or name in turn.stopped):  # as nearly always
        return
    _note_stop(turn, name, item)
    if not is_judged(item):
        for key in keys:  # between two states nothing is recovered: what looked well must settle anew
            if turn.tickets[key].well_since is not None:
                turn.put(replace(turn.tickets[key], well_since=None))
        return
    found = {finding.type for finding in item.findings}
    for key in tuple(keys):
        if turn.tickets[key].open and key.type not in found:
            recover(turn, turn.tickets[key], item)
    for finding in item.findings:
        _open_or_update(turn, component, item, finding)


def _note_stop(turn: Turn, name: tuple[str, str], item: Item) -> None:
    """Leaving alone what somebody stopped is said once, but for what was so before healthd first ran."""
    if item.stopped and name not in turn.stopped:
        turn.stopped.add(name)
        if item.unit and not turn.state.fresh:
            turn.happened.append(LeftAlone(component=name[0], item=name[1], unit=item.unit))
    elif not item.stopped and is_judged(item):
        turn.stopped.discard(name)


def _open_or_update(turn: Turn, component: str, item: Item, finding: Finding) -> None:
    key = Key(component, item.name, finding.type)
    known = turn.tickets.get(key)
    ticket = _update(turn, known, finding) if known is not None and known.open else _open(turn, key, known, finding)
    ticket = replace(ticket, severity=turn.severity(ticket, critical=item.critical or finding.critical))
    turn.put(ticket)
    if known is None or not known.open:
        turn.happened.append(Opened(ticket=ticket, unit=turn.moment.facts.get(ticket.unit or "")))


def _update(turn: Turn, known: Ticket, finding: Finding) -> Ticket:
    existing = known.existing if known.existing == _failure(turn, finding) else ""
    seen = replace(known, message=finding.message, cause=finding.cause, unit=finding.unit)
    return replace(seen, existing=existing, well_since=None)


def _open(turn: Turn, key: Key, known: Ticket | None, finding: Finding) -> Ticket:
    ticket = Ticket(
        key=key,
        open=True,
        severity=key.type.severity,
        message=finding.message,
        unit=finding.unit,
        cause=finding.cause,
        opened_at=turn.moment.now,
        opened_wall=turn.moment.wall,
        existing=_failure(turn, finding) if turn.state.fresh else "",
    )
    ticket = turn.grouped(ticket)
    if known is None:
        return ticket
    # It is back before its backoff was forgotten: the same episode goes on, and so does an attempt that has not ended.
    ticket = replace(ticket, attempts=known.attempts, last_end=known.last_end, gave_up_at=known.gave_up_at)
    follows = 0 if known.incident == ticket.incident else known.incident
    failure = failure_of(ticket, turn.moment.facts.get(ticket.unit or ""))
    last_text = relapsed(turn, known, failure) or known.last_text
    ticket = replace(ticket, last_text=last_text, unsupported_at=known.unsupported_at)
    return replace(ticket, attempt=known.attempt, follows=follows)


def _failure(turn: Turn, finding: Finding) -> str:
    """Names this very failure of the unit: another run, or another end of it, is another one; a reset is not."""
    unit = turn.moment.facts.get(finding.unit or "")
    return f"{unit.invocation}/{unit.code}/{unit.exit_status}/{unit.load}" if unit else finding.message


def _close_lost(turn: Turn) -> None:
    """What a check that has a reading does not speak of any more is no issue any more, nor what nobody checks."""
    items = turn.moment.items
    lost = [ticket for ticket in turn.tickets.values() if ticket.open and ticket.key.name not in items]
    lost_stops = [name for name in turn.stopped if name not in items]
    if not lost and not lost_stops:
        return
    usable, configured = turn.moment.usable, turn.moment.configured
    for ticket in lost:
        if configured is not None and ticket.key.component not in configured:
            turn.resolve(ticket, "it is not in the configuration any more", well=False)
        elif ticket.key.component in turn.moment.left_out:
            turn.resolve(ticket, f"it is left out: {turn.moment.left_out[ticket.key.component]}", well=False)
        elif ticket.key.component in usable:
            there = ticket.unit is not None and ticket.unit in turn.moment.facts
            gone = "systemd has it loaded no more" if ticket.unit else "it exists no more"
            text = "it need not be watched any more" if there else gone
            turn.resolve(ticket, text, well=False)
    turn.stopped.difference_update(name for name in lost_stops if name[0] in usable or name[0] in turn.moment.left_out)
