"""What the engine says happened: the events that are recorded, and the attempts that are to be dispatched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthd.decide.ledger import Name, Page
    from healthd.decide.silence import Silence
    from healthd.decide.state import Attempt, Ticket
    from healthd.model import ActionKind, HoldReason, JobResult, OutcomeKind, UnitFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An issue was opened. `unit`: how the unit behind it was then."""

    ticket: Ticket
    unit: UnitFacts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """An issue was closed. `after` is how long it was open, in seconds.

    `well`: its check saw recovery. Else what it was about is gone, was stopped on purpose, or is wrong in another way.
    """

    ticket: Ticket
    text: str
    after: float
    well: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A decision not to act, said when it changes. `wait` is for how many seconds, None: not by time."""

    ticket: Ticket
    reason: HoldReason
    text: str
    wait: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftAlone:
    """A unit was stopped on purpose; there is no issue, and healthd does nothing."""

    component: str
    item: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """An attempt that must be dispatched as soon as the state has been written.

    `unit`: how it found the unit. `along`: the units that its restart takes along, as systemd said.
    """

    ticket: Ticket
    attempt: Attempt
    unit: UnitFacts | None = None
    along: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """An attempt's outcome. `took` is from dispatch to confirmation, in seconds."""

    ticket: Ticket
    attempt: Attempt
    outcome: OutcomeKind
    text: str
    took: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GaveUp:
    """The attempts ran out. `retry` is after how many seconds the next slow try comes, None: never."""

    ticket: Ticket
    retry: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsupported:
    """healthd knows no remedy for the issue."""

    ticket: Ticket
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeLasts:
    """Packages have been at work for `lasted` seconds while something waited for their end.

    `over`: nothing waits for it any more.
    """

    text: str
    lasted: float
    over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CascadeBegan:
    """These units went down within so many seconds: from now on healthd acts on one at a time."""

    units: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CascadeEnded:
    """Nothing of a cascade is left to be healed. `still`: those of its units that are not well all the same."""

    units: tuple[str, ...]
    still: tuple[str, ...]
    took: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Silenced:
    """Somebody silenced something."""

    silence: Silence


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowOpened:
    """A silence is in force by its calendar, until `ends` (Unix seconds)."""

    silence: Silence
    ends: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceEnded:
    """A silence is no more, for the reason in `text`; `lasted` is since when it was set, in seconds."""

    silence: Silence
    text: str
    lasted: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceLasts:
    """A silence has been in force for so long that somebody may have forgotten it."""

    silence: Silence
    lasted: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Distrusted:
    """An action failed so often in a row that from now on it is only suggested. `ticket`: where it last failed."""

    name: Name
    page: Page
    ticket: Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """An action that was only suggested is done unasked again, for the reason in `text`."""

    name: Name
    page: Page
    text: str
    ticket: Ticket | None


OfTheHost = UpgradeLasts | CascadeBegan | CascadeEnded
OfSilences = Silenced | WindowOpened | SilenceEnded | SilenceLasts
OfTheLedger = Distrusted | Trusted
"""What is about no single issue."""

OfAnIssue = Opened | Resolved | Held | LeftAlone | Started | Ended | GaveUp | Unsupported
Happening = OfAnIssue | OfTheHost | OfSilences | OfTheLedger


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An operator's wish to heal the open issues of an item now. `action` None: the remedy of the issue.

    Each open issue answers with one happening in the same step: Started, Held or Unsupported.
    """

    component: str
    item: str
    action: ActionKind | None
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Silencing:
    """An operator's wish that something be silenced. Identity and times of `silence` are the engine's to fill in.

    Its `until` is None for what does not end by time, else any number: the end is `seconds` from now. It is answered by
    `Silenced`, or by nothing where there are too many already.
    """

    silence: Silence


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsilencing:
    """An operator's wish that these silences end. Each of them that is there is answered by `SilenceEnded`."""

    ids: frozenset[str]
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spooled:
    """That these messages, by alert and number, are in the outbox: the engine need not keep them any longer."""

    words: frozenset[tuple[int, int]]


AnyOrder = Order | Silencing | Unsilencing | Spooled


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What is new at a moment.

    `items`: those that were judged again, by component and name; `gone`: those that exist no more. `results`: how the
    job of an attempt ended, by the key of its ticket as text. `orders`: by hand. `everything`: decide all open issues
    again (the settings or the host's state changed). `complete`: every component has been judged at least once.
    """

    items: tuple[tuple[str, str], ...] = ()
    gone: tuple[tuple[str, str], ...] = ()
    results: tuple[tuple[str, JobResult], ...] = ()
    orders: tuple[AnyOrder, ...] = ()
    everything: bool = False
    complete: bool = True
