"""What the engine remembers: plain values that can be written to disk and read back.

Instants are **engine seconds**: a count of time that only ever grows, taken from CLOCK_BOOTTIME and carried over a
reboot from where it last was saved (`EngineClock`). The wall clock takes no part in any limit; `opened_wall` is for
people.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from healthd.model import ActionKind, HoldReason, IssueType, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from healthd.decide.alert import Alert, Opening
    from healthd.decide.ledger import Name, Page
    from healthd.decide.silence import Silence


INTERRUPTED: Final = "interrupted"
"""The result of an attempt that was in flight when healthd ended."""


def subject(component: str, item: str) -> str:
    """An item for people: the unit of `services`, else the component and the part of it."""
    if not item:
        return component
    return item if component == "services" else f"{component} {item}"


_HARMLESS: Final = str.maketrans("", "", "._-:@/+=")
"""What means nothing to a shell, beside letters and digits."""


class Key(NamedTuple):
    """Names an issue: one for each component, item and type."""

    component: str
    item: str
    type: IssueType

    @property
    def name(self) -> tuple[str, str]:
        """The item that the issue is about, by component and name."""
        return self.component, self.item

    @property
    def command(self) -> str:
        """What a person types to have just this healed."""
        name = self.item or self.component
        if self.item and self.component != "services" and not self.item.startswith("/"):
            name = f"{self.component}/{name}"
        plain = name.isascii() and name.translate(_HARMLESS).isalnum()
        return f"healthctl heal {name}" if plain else "healthctl heal '{}'".format(name.replace("'", "'\\''"))

    @property
    def subject(self) -> str:
        """What the issue is about, for people."""
        return subject(self.component, self.item)

    def __str__(self) -> str:
        return f"{self.component}/{self.item}/{self.type}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt in flight. It is written down before it is dispatched.

    `before` is the invocation of the unit that the attempt found, `failure` the class of its failure. `ended_at` is
    when the job's result came (`result` is systemd's word), `up_since` since when the check sees `invocation` up.
    `runs` is the unit that is started for it, where that is not `unit` but one of the operator's own.
    """

    number: int
    action: ActionKind
    unit: str
    started_at: float
    before: str
    by: str = ""
    ended_at: float | None = None
    result: str = ""
    text: str = ""
    invocation: str = ""
    up_since: float | None = None
    runs: str = ""
    failure: str = ""


class Helped(NamedTuple):
    """What last helped: against which class of failures, which action, and how often it had failed in a row before."""

    failure: str
    action: str
    in_a_row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """The record of one issue. It outlives the issue until its backoff has been forgotten.

    `attempts` counts those of the episode, the one in flight included. `closed_at` is when the issue was last resolved;
    a closed ticket may still have an attempt whose job has not ended. `existing` names the failure that was there
    before healthd first ran; while the unit still shows it, it is only reported. `well_since` is since when the check
    sees no failure any more. `last_text` is what the last attempt came to; `unsupported_at` is when it came to this,
    that there is nothing which the action could do. `hold` is the decision last announced, so that only a change is
    said; `suggested` is the action that it leaves to people. `wake_at` is when to decide again. `incident` is the
    number of the incident that the issue belongs to, `follows` that of the one that it belonged to when it was last
    open in this episode; 0: none. `helped` is what the last attempt did, if it helped; `failed` whether an attempt has
    ended without success since the issue opened.
    """

    key: Key
    open: bool
    severity: Severity
    message: str
    unit: str | None
    cause: str
    opened_at: float
    opened_wall: float
    closed_at: float | None = None
    attempts: int = 0
    last_end: float | None = None
    gave_up_at: float | None = None
    attempt: Attempt | None = None
    existing: str = ""
    well_since: float | None = None
    hold: HoldReason | None = None
    hold_text: str = ""
    hold_until: float | None = None
    wake_at: float | None = None
    incident: int = 0
    follows: int = 0
    last_text: str = ""
    unsupported_at: float | None = None
    suggested: str = ""
    failed: bool = False
    helped: Helped | None = None

    @property
    def gave_up(self) -> bool:
        """Whether the attempts of this episode have run out."""
        return self.gave_up_at is not None

    def to_plain(self) -> dict[str, Any]:
        """As JSON data."""
        plain = {name: getattr(self, name) for name in _TICKET_FIELDS}
        if self.attempt is not None:
            plain["attempt"] = {name: getattr(self.attempt, name) for name in _ATTEMPT_FIELDS}
        return plain

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Self:
        """Read back what `to_plain` wrote; raises ValueError, TypeError or KeyError on anything else."""
        component, item, type_ = data["key"]
        attempt, hold, helped = data["attempt"], data["hold"], data.get("helped")
        return cls(
            **{
                **data,
                "key": Key(component, item, IssueType(type_)),
                "severity": Severity(data["severity"]),
                "hold": HoldReason(hold) if hold else None,
                "helped": Helped(*helped) if helped else None,
                "attempt": Attempt(**{**attempt, "action": ActionKind(attempt["action"])}) if attempt else None,
            }
        )


_ATTEMPT_FIELDS: Final = tuple(field.name for field in fields(Attempt))
_TICKET_FIELDS: Final = tuple(field.name for field in fields(Ticket))


class Mark(NamedTuple):
    """That something befell a unit: an action, which the budgets count, or that it went down."""

    at: float
    unit: str


class Upgrade(NamedTuple):
    """That packages are being installed: since when, when that was last seen, who does it, how often it was said."""

    since: float
    seen: float
    work: str
    said: int = 0


class Cascade(NamedTuple):
    """That many units went down at once: since when, and which, in the order in which they did."""

    since: float
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineState:
    """All that the engine knows. `seed` makes the jitter of this host its own. `fresh`: healthd has never judged here.

    `stopped` holds the items that somebody stopped on purpose, so that leaving them alone is said once. `incidents` is
    the number that was last given to an incident, `silence_number` to a silence. `downs` are the units that went down
    lately, `cascade` what they are as long as they are too many at once. `alerts` is what people were told and will be,
    `alert_number` the number that was last given to one; `openings` are the issues that opened lately. `ledger`: how
    actions did, those last that were tried last.
    """

    seed: int
    fresh: bool = True
    tickets: Mapping[Key, Ticket]
    marks: tuple[Mark, ...] = ()
    stopped: frozenset[tuple[str, str]] = frozenset()
    incidents: int = 0
    upgrade: Upgrade | None = None
    downs: tuple[Mark, ...] = ()
    cascade: Cascade | None = None
    silences: tuple[Silence, ...] = ()
    silence_number: int = 0
    alerts: tuple[Alert, ...] = ()
    alert_number: int = 0
    openings: tuple[Opening, ...] = ()
    ledger: Mapping[Name, Page] = field(default_factory=lambda: MappingProxyType({}))

    def with_tickets(self, changed: Iterable[Ticket], removed: Iterable[Key] = ()) -> Self:
        """The same state with these tickets put in and those keys taken out."""
        tickets = dict(self.tickets)
        tickets.update((ticket.key, ticket) for ticket in changed)
        for key in removed:
            tickets.pop(key, None)
        return replace(self, tickets=tickets)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineClock:
    """Turns boot seconds into engine seconds.

    It goes on over a restart of healthd exactly, and over a reboot from the last instant that was saved, so that no
    restart, reboot or clock change can make a limit end early.
    """

    boot_id: str
    offset: float

    def now(self, boot: float) -> float:
        """Engine seconds at this instant of CLOCK_BOOTTIME."""
        return self.offset + boot

    def to_plain(self, boot: float) -> dict[str, Any]:
        """As JSON data, with the instant of saving."""
        return {"boot_id": self.boot_id, "boot": boot, "now": self.now(boot)}

    @classmethod
    def resume(cls, saved: Mapping[str, Any] | None, boot_id: str, boot: float) -> Self:
        """Go on from what `to_plain` saved; None starts at zero."""
        if saved is None:
            return cls(boot_id=boot_id, offset=-boot)
        if saved["boot_id"] == boot_id:
            return cls(
                boot_id=boot_id, offset=max(float(saved["now"]) - float(saved["boot"]), float(saved["now"]) - boot)
            )
        # Not every boot sets the clock to zero: that of a container goes on, by as much as its machine has been up.
        return cls(boot_id=boot_id, offset=float(saved["now"]) - boot)
