"""The ledger of outcomes: how often which action helped against which failure of what, and which is only suggested now.

An action that failed so many times in a row is distrusted: healthd carries it out no more unasked, until it helped when
somebody ordered it, until what it was meant for became well without it, until a long while has passed, or until
somebody had the attempts forgotten. After the middle two it has one try: if that fails as well, it is distrusted again.
What helped, and did not last until the pause after it was over, is written down as having failed after all. Pure; the
state is `EngineState.ledger`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from healthd.decide.failure import class_of
from healthd.decide.happenings import Distrusted, Trusted
from healthd.decide.limits import backoff
from healthd.decide.state import Helped
from healthd.model import OutcomeKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from healthd.config import Settings
    from healthd.decide.state import Attempt, EngineState, Ticket
    from healthd.decide.turn import Turn
    from healthd.model import UnitFacts

MOST_PAGES: Final = 200
"""So many are kept: those that were written last, and rather those of actions that are distrusted."""


class Name(NamedTuple):
    """What a page is about: an action against a class of failures of a unit, or of a part of a component."""

    subject: str
    failure: str
    action: str


class Page(NamedTuple):
    """How an action did: how often it helped and failed in all, and how often it failed since it last helped.

    `wall` (Unix seconds) is when it was last tried. `distrusted_at` (engine seconds) is when it failed once too often;
    None: it is trusted.
    """

    helped: int = 0
    failed: int = 0
    in_a_row: int = 0
    wall: float = 0.0
    distrusted_at: float | None = None


def failure_of(ticket: Ticket, unit: UnitFacts | None) -> str:
    """The class of a failure, as the ledger goes by it; where it has none, the type of the issue."""
    return class_of(ticket.key.type, ticket.cause, unit) or ticket.key.type


def subject_of(ticket: Ticket) -> str:
    """What an issue is about, as the ledger goes by it."""
    return ticket.unit or ticket.key.subject


def full_name(action: str, runs: str) -> str:
    """An action as the ledger goes by it and as a ladder names it: with the operator's own unit that it runs."""
    return f"{action}:{runs}" if runs else str(action)


def in_words(name: Name, page: Page) -> str:
    """How an action did: `start_unit helped 2 of 8 times, and did not the last 6 times`."""
    last = f", and did not the last {page.in_a_row} times" if page.in_a_row > 1 else ""
    return f"{name.action} helped {page.helped} of {page.helped + page.failed} times{last if page.helped else ''}"


def most_failures(settings: Settings, subject: str) -> int:
    """After how many failures in a row an action is distrusted; 0: never.

    One issue always has the attempts that it is granted, and where those have no limit, an action is never given up.
    """
    own = settings.unit(subject).max_attempts
    attempts = settings.health.max_healing_attempts if own is None else own
    failures = settings.auto_healing.suggest_after_failures
    return max(failures, attempts) if failures and attempts else 0


def enter(turn: Turn, ticket: Ticket, attempt: Attempt, outcome: OutcomeKind) -> Ticket:
    """Write down how an attempt ended. One that found nothing to do says nothing of the action."""
    if outcome is OutcomeKind.NOT_SUPPORTED:
        return ticket
    failure, action = attempt.failure or failure_of(ticket, None), full_name(attempt.action, attempt.runs)
    name = Name(subject_of(ticket), failure, action)
    before = turn.state.ledger.get(name, Page())
    _write(turn, ticket, name, _noted(before, helped=outcome is OutcomeKind.SUCCESS, wall=turn.moment.wall))
    if outcome is OutcomeKind.SUCCESS:
        return turn.put(replace(ticket, helped=Helped(failure, action, before.in_a_row)))
    return ticket


def relapsed(turn: Turn, ticket: Ticket, failure: str) -> str:
    """That what helped against a failure of this class, which is back, did not last; in words. "" if it did."""
    if ticket.helped is None or ticket.last_end is None or ticket.helped.failure != failure:
        return ""
    after = turn.moment.now - ticket.last_end
    if after >= backoff(turn.settings.auto_healing, ticket.attempts):
        return ""
    _, action, in_a_row = ticket.helped
    name = Name(subject_of(ticket), failure, action)
    page = turn.state.ledger.get(name)
    if page is not None and page.helped:
        page = page._replace(helped=page.helped - 1, in_a_row=in_a_row)
        _write(turn, ticket, name, _noted(page, helped=False, wall=turn.moment.wall))
    return f"{action} helped, and {after:.0f} s later it failed again"


def _write(turn: Turn, ticket: Ticket, name: Name, page: Page) -> None:
    before = turn.state.ledger.get(name, Page())
    if not page.in_a_row:
        page = page._replace(distrusted_at=None)
    elif 0 < most_failures(turn.settings, name.subject) <= page.in_a_row:
        page = page._replace(distrusted_at=turn.moment.now)
    turn.state = replace(turn.state, ledger=_with(turn.state.ledger, name, page))
    if before.distrusted_at is None and page.distrusted_at is not None:
        turn.happened.append(Distrusted(name=name, page=page, ticket=ticket))
    elif before.distrusted_at is not None and page.distrusted_at is None:
        turn.happened.append(Trusted(name=name, page=page, text="it helped", ticket=ticket))


def review(turn: Turn) -> None:
    """Trust again what was distrusted for long enough, or what the settings trust."""
    retry, now = turn.settings.auto_healing.retry_suggested_seconds, turn.moment.now
    for name, page in turn.state.ledger.items():
        if page.distrusted_at is None:
            continue
        over = page.distrusted_at + retry
        if not 0 < most_failures(turn.settings, name.subject) <= page.in_a_row:
            _trust(turn, name, page, "the settings allow it more failures")
        elif retry and over <= now:
            _trust(turn, name, page, "it may be tried once more after so long")
        elif retry:
            turn.wakes.append(over)


def recovered(turn: Turn, ticket: Ticket) -> None:
    """An issue went away without healthd: whatever was in the way of its remedies may be gone."""
    subject = subject_of(ticket)
    if ticket.unit and turn.usage.open_on(ticket.unit):
        return
    for name, page in turn.state.ledger.items():
        if name.subject == subject and page.distrusted_at is not None:
            _trust(turn, name, page, f"{subject} became well without it", ticket)


def forgiven(state: EngineState, subjects: Iterable[str]) -> EngineState:
    """The state with all actions on these trusted anew. How often they helped is still known."""
    names = frozenset(subjects)
    pages = {
        name: page._replace(in_a_row=0, distrusted_at=None) if name.subject in names else page
        for name, page in state.ledger.items()
    }
    return replace(state, ledger=pages)


def _trust(turn: Turn, name: Name, page: Page, text: str, ticket: Ticket | None = None) -> None:
    page = page._replace(distrusted_at=None)
    turn.state = replace(turn.state, ledger={**turn.state.ledger, name: page})
    turn.happened.append(Trusted(name=name, page=page, text=text, ticket=ticket))


def _noted(page: Page, *, helped: bool, wall: float) -> Page:
    if helped:
        return page._replace(helped=page.helped + 1, in_a_row=0, wall=wall)
    return page._replace(failed=page.failed + 1, in_a_row=page.in_a_row + 1, wall=wall)


def _with(ledger: Mapping[Name, Page], name: Name, page: Page) -> Mapping[Name, Page]:
    """The ledger with this page as the newest, and without the oldest where there would be too many."""
    pages = {other: kept for other, kept in ledger.items() if other != name}
    pages[name] = page
    if len(pages) > MOST_PAGES:
        trusted = (other for other, kept in pages.items() if kept.distrusted_at is None and other != name)
        del pages[next(trusted, next(iter(pages)))]
    return pages
