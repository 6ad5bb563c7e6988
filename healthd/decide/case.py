"""What the policy is asked: an issue, and all that may be known about it at one instant."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from healthd.config.chores import chore_for
from healthd.decide.limits import Usage
from healthd.model import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthd.config import Settings, UnitSettings
    from healthd.config.chores import Chore
    from healthd.decide.silence import Window
    from healthd.decide.state import EngineState, Ticket
    from healthd.model import ActionKind, HoldReason, IssueType, Item, SystemState, UnitFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The facts of one instant. `now` is in engine seconds; `wall` in Unix seconds, only to show and store.

    `current`: unit facts are as systemd has them. `items` are all items by component and name, as last judged; of a
    component without a usable reading there are none. `usable`: the components that have one, with items or without;
    `unhealthy`: those that are so bad that what depends on them cannot be well; `configured`: all that there are (None:
    that was not said); `left_out`: those that this host has nothing of, each with the reason. `package_work`: who is
    installing packages, in words.
    `windows`: of calendar expressions and lengths, the window that is open or comes next; None: none ever does.
    """

    now: float
    wall: float
    system: SystemState
    booted_for: float
    current: bool
    facts: Mapping[str, UnitFacts]
    items: Mapping[tuple[str, str], Item]
    usable: frozenset[str]
    unhealthy: frozenset[str] = frozenset()
    configured: frozenset[str] | None = None
    left_out: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    package_work: str = ""
    windows: Mapping[tuple[str, float], Window | None] = field(default_factory=dict)

    def lacks(self, settings: Settings, name: str) -> tuple[list[str], list[str]]:
        """What this component depends on that is unhealthy, and what of it may be and is looked at again first."""
        component = settings.component.get(name)
        if component is None or not component.depends_on:
            return [], []
        bad = [needed for needed in component.depends_on if needed in self.unhealthy]
        doubtful = {key[0] for key, item in self.items.items() if not item.settled}
        return bad, [needed for needed in component.depends_on if needed in doubtful]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What to do about an issue: an action, or a hold with its reason, or neither with the `text` why.

    `unit` is what the action is carried out on, `runs` the unit that is started for it if that is another one. `until`
    (engine seconds): when it ends by itself, and so when to ask again; `again`: when to ask, though it may well go on.
    A dry run has both: the hold, and the action that it holds.
    """

    action: ActionKind | None = None
    unit: str = ""
    runs: str = ""
    hold: HoldReason | None = None
    text: str = ""
    until: float | None = None
    again: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that a hold may look at. `usage` indexes the tickets and marks; None: made of the state when it is needed."""

    settings: Settings
    state: EngineState
    moment: Moment
    ticket: Ticket
    by_hand: bool = False
    usage: Usage | None = None

    @property
    def unit(self) -> UnitFacts | None:
        """What systemd says of the unit that healing would act on."""
        return self.moment.facts.get(self.ticket.unit) if self.ticket.unit else None

    @property
    def chore(self) -> Chore | None:
        """The chore that the issue calls for, where it is about the host and not about a unit."""
        return chore_for(self.ticket.key.type, self.ticket.unit)

    @property
    def acts_on(self) -> str:
        """The unit that an attempt would be on, and that limits count: that of the issue, or that of its chore."""
        return acts_on(self.ticket)

    @property
    def item(self) -> Item | None:
        """What the check says of the item that the issue is about."""
        return self.moment.items.get(self.ticket.key.name)

    @property
    def used(self) -> Usage:
        """What is in flight, and what was done lately."""
        return self.usage or Usage(self.state.tickets.values(), self.state.marks, self.state.cascade)

    @property
    def table(self) -> UnitSettings:
        """The unit's own settings."""
        return self.settings.unit(self.ticket.unit or "")

    @property
    def max_attempts(self) -> int:
        """Attempts for this issue before giving up; 0: no limit."""
        own = self.table.max_attempts
        return self.settings.health.max_healing_attempts if own is None else own


def acts_on(ticket: Ticket) -> str:
    """The unit that an attempt for this issue is on; "" if it is about none, and no chore helps."""
    chore = chore_for(ticket.key.type, ticket.unit)
    return ticket.unit or ("" if chore is None else chore.unit)


def is_judged(item: Item | None) -> bool:
    """Whether the check has an opinion of the item: it could be read, and is not between two states."""
    return item is not None and item.settled and item.status is not Status.UNKNOWN


def is_well(item: Item | None, issue: IssueType) -> bool:
    """Whether the check, having looked, sees no failure of this type any more."""
    return item is not None and is_judged(item) and all(finding.type is not issue for finding in item.findings)
