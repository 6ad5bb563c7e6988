"""One step of the engine: (settings, state, moment, news) → (state, happenings).

Deterministic and without effects: the same arguments give the same answer, whoever asks and whenever. The order inside
a step is fixed: what the checks see, what became of attempts in flight, what operators ask, then the decisions, and
what of all that people are told.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healthd.decide.announce import announce
from healthd.decide.cascade import end_cascade, follow_downs
from healthd.decide.case import acts_on, is_well
from healthd.decide.graph import roots_first
from healthd.decide.happenings import GaveUp, Held, Order, Unsupported
from healthd.decide.ledger import enter, forgiven, review, subject_of
from healthd.decide.observe import observe, recover
from healthd.decide.policy import rule
from healthd.decide.quiet import keep_quiet
from healthd.decide.state import INTERRUPTED, Mark
from healthd.decide.suggest import suggested
from healthd.decide.turn import Step, Turn
from healthd.decide.upgrade import follow
from healthd.decide.verify import Wait, verify
from healthd.model import HoldReason, OutcomeKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthd.config import Settings
    from healthd.decide.case import Moment, Verdict
    from healthd.decide.happenings import News
    from healthd.decide.state import EngineState, Key, Ticket
    from healthd.model import JobResult

_BEHIND_OTHERS = frozenset({HoldReason.DEPENDENCY, HoldReason.CASCADE, HoldReason.PRESSURE})
"""What waits for another unit is decided again in every step: whatever happened may have been to that one."""

__all__ = ["Step", "reset", "resume", "step"]


def step(settings: Settings, state: EngineState, moment: Moment, news: News) -> Step:
    """Take in the news and decide. `wake_at` (engine seconds) is when a step without news may decide otherwise."""
    turn = Turn(settings, state, moment)
    follow(turn)
    review(turn)
    keep_quiet(turn, news.orders)
    observe(turn, news.items)
    follow_downs(turn)
    _settle(turn, news.results)
    _obey(turn, (order for order in news.orders if isinstance(order, Order)))
    _decide(turn, news)
    end_cascade(turn)
    announce(turn, news.orders)
    return turn.close(fresh=state.fresh and not news.complete)


def resume(state: EngineState, now: float) -> EngineState:
    """The state as healthd finds it at its start: nobody awaits the jobs of attempts that were in flight any more.

    Nobody looked meanwhile either: what seemed well must settle anew.
    """
    changed = []
    for ticket in state.tickets.values():
        attempt = ticket.attempt
        if attempt is not None and attempt.ended_at is None:
            attempt = replace(attempt, ended_at=now, result=INTERRUPTED)
        changed.append(replace(ticket, attempt=attempt, well_since=None))
    return state.with_tickets(changed)


def reset(state: EngineState, keys: Iterable[Key], subjects: Iterable[str] = ()) -> EngineState:
    """Forget attempts, backoff and `gave_up` of these issues, and what their units used of their own budget.

    Actions on them, and on what the ledger calls by the names in `subjects`, are trusted again. The host's budget stays
    as it is: what was done to the host was done. An attempt in flight is the first of the new count.
    """
    tickets = [state.tickets[key] for key in keys if key in state.tickets]
    units = {acts_on(ticket) for ticket in tickets}
    state = forgiven(state, {*map(subject_of, tickets), *subjects})
    # The marks lose the unit's name, not their place in the host's budget.
    marks = tuple(Mark(mark.at, "") if mark.unit in units else mark for mark in state.marks)
    return replace(state.with_tickets(map(_forgotten, tickets)), marks=marks)


def _forgotten(ticket: Ticket) -> Ticket:
    attempts = 0 if ticket.attempt is None else 1
    ticket = replace(ticket, attempts=attempts, last_end=None, gave_up_at=None, existing="", unsupported_at=None)
    return replace(ticket, hold=None, hold_text="", hold_until=None, suggested="", failed=False)


def _settle(turn: Turn, results: Iterable[tuple[str, JobResult]]) -> None:
    """What became of attempts in flight."""
    ended = dict(results)
    for ticket, tried in [(each, each.attempt) for each in turn.tickets.values() if each.attempt is not None]:
        result = ended.get(str(ticket.key)) if ended and tried.ended_at is None else None
        if result is None and tried.ended_at is None and ticket.wake_at is None:
            continue  # its job runs: there is nothing to judge, and in a storm there are hundreds of these
        attempt = tried
        if result is not None:
            attempt = replace(tried, ended_at=turn.moment.now, result=result.result, text=result.text)
        judged = verify(turn.settings, ticket, attempt, turn.moment)
        if isinstance(judged, Wait):
            turn.put(replace(ticket, attempt=judged.attempt, wake_at=judged.until))
            continue
        finished = turn.finish(ticket, attempt, judged.outcome, judged.text)
        if judged.telling:
            finished = enter(turn, finished, attempt, judged.outcome)
        if judged.outcome is OutcomeKind.SUCCESS and ticket.open:
            turn.resolve(finished, judged.text)


def _obey(turn: Turn, orders: Iterable[Order]) -> None:
    """What operators ask. A hold answers the order and leaves alone what healthd itself waits for."""
    for order in orders:
        for key in turn.keys_of((order.component, order.item)):
            ticket = turn.tickets[key]
            if not ticket.open:
                continue
            verdict = rule(turn.case(ticket, by_hand=True), order.action)
            if verdict.hold is None and verdict.action is not None:
                turn.start(ticket, verdict, verdict.action, order.by)
            else:
                _announce(turn, ticket, verdict)


def _decide(turn: Turn, news: News) -> None:
    touched, now = {*news.items, *news.gone}, turn.moment.now
    due = [
        ticket
        for ticket in turn.tickets.values()
        if ticket.open
        and ticket.attempt is None
        and (
            news.everything
            or turn.anew
            or ticket.hold in _BEHIND_OTHERS
            or (ticket.wake_at is not None and ticket.wake_at <= now)
            or acts_on(ticket) in turn.freed
            or ticket.key.name in touched
        )
    ]
    for ticket in roots_first(due, turn.moment.facts) if len(due) > 1 else due:
        item = turn.item_of(ticket)
        sure = turn.moment.current or ticket.unit is None
        if item is not None and sure and is_well(item, ticket.key.type):
            recover(turn, ticket, item)
            continue
        counted = _count_attempts(turn, ticket)
        _carry_out(turn, counted, rule(turn.case(counted)))


def _count_attempts(turn: Turn, ticket: Ticket) -> Ticket:
    """Give up when the attempts have run out; take that back when the settings grant more."""
    most = turn.case(ticket).max_attempts
    out = 0 < most <= ticket.attempts
    if out is ticket.gave_up:
        return ticket
    item = turn.item_of(ticket)
    ticket = replace(ticket, gave_up_at=turn.moment.now if out else None, hold=None)
    critical = item is not None and item.critical
    ticket = turn.put(replace(ticket, severity=turn.severity(ticket, critical=critical)))
    if out:
        pause = turn.settings.auto_healing.retry_after_give_up_seconds
        if left := suggested(turn.case(ticket)):  # then the next try is not a slow retry
            pause = 0.0 if left.until is None else left.until - turn.moment.now
        turn.happened.append(GaveUp(ticket=ticket, retry=pause or None))
    return ticket


def _carry_out(turn: Turn, ticket: Ticket, verdict: Verdict) -> None:
    if verdict.hold is None and verdict.action is not None:
        turn.start(ticket, verdict, verdict.action, "")
        return
    if ticket.hold is not verdict.hold or (verdict.hold is None and ticket.hold_text != verdict.text):
        _announce(turn, ticket, verdict)
    turn.put(
        replace(
            ticket,
            hold=verdict.hold,
            hold_text=verdict.text,
            hold_until=verdict.until,
            suggested=verdict.action or "" if verdict.hold is HoldReason.SUGGEST else "",
            wake_at=verdict.until if verdict.again is None else verdict.again,
            well_since=None,
        )
    )


def _announce(turn: Turn, ticket: Ticket, verdict: Verdict) -> None:
    if verdict.hold is None:
        turn.happened.append(Unsupported(ticket=ticket, text=verdict.text))
        return
    wait = None if verdict.until is None else verdict.until - turn.moment.now
    turn.happened.append(Held(ticket=ticket, reason=verdict.hold, text=verdict.text, wait=wait))
