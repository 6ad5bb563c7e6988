"""What happened in a step, in so few words that it can be kept, and compared with what would have happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from healthd.decide.happenings import Ended, GaveUp, Held, Opened, Resolved, Started, Unsupported
from healthd.decide.silence import silence_of
from healthd.decide.state import Key
from healthd.model import IssueType

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from healthd.config import Settings
    from healthd.decide.case import Moment
    from healthd.decide.happenings import Happening
    from healthd.decide.state import EngineState, Ticket

OPENED: Final = "opened"
RESOLVED: Final = "resolved"
HELD: Final = "held"
STARTED: Final = "started"
ENDED: Final = "ended"
GAVE_UP: Final = "gave_up"
UNSUPPORTED: Final = "unsupported"

_TEXT: Final = 160


class Deed(NamedTuple):
    """One thing that happened about an issue. `unit` is what healing of the issue acts on, "" for nothing.

    `what` is the severity of what opened, the reason of a hold, the action of an attempt that started or ended.
    `outcome` is that of an attempt that ended, or "well" of an issue that its check saw recover. `by` is who ordered
    an attempt, "" for healthd itself. `quiet`: nobody is told of the issue, since it is silenced, or since a component
    that its own depends on is unhealthy.
    """

    kind: str
    component: str
    item: str
    type: str
    unit: str = ""
    what: str = ""
    text: str = ""
    number: int = 0
    outcome: str = ""
    by: str = ""
    quiet: bool = False

    @property
    def key(self) -> Key:
        """The issue."""
        return Key(self.component, self.item, IssueType(self.type))

    @property
    def subject(self) -> str:
        """What it is about, for people: the unit, or the part of the host."""
        return self.unit or self.key.subject

    def to_plain(self) -> list[Any]:
        """As JSON data, without the defaults at its end."""
        values = list(self)
        defaults = list(self._field_defaults.values())
        while len(values) > len(self) - len(defaults) and values[-1] == defaults[len(values) - len(self) - 1]:
            values.pop()
        return values

    @classmethod
    def from_plain(cls, data: Sequence[Any]) -> Self:
        """Read back what `to_plain` wrote; what a newer healthd may have added behind it is left out."""
        return cls(*data[: len(cls._fields)])


def deeds(happenings: Iterable[Happening], settings: Settings, state: EngineState, moment: Moment) -> list[Deed]:
    """What happened about issues, in order. `state`: as the step left it."""
    return [deed for each in happenings if (deed := _deed(each, settings, state, moment)) is not None]


def _deed(happening: Happening, settings: Settings, state: EngineState, moment: Moment) -> Deed | None:
    match happening:
        case Opened(ticket=ticket):
            opened = _of(OPENED, ticket, what=ticket.severity.value, text=ticket.message)
            return opened._replace(quiet=_is_quiet(ticket, settings, state, moment))
        case Resolved(ticket=ticket, text=text, well=well):
            return _of(RESOLVED, ticket, text=text, outcome="well" if well else "")
        case Held(ticket=ticket, reason=reason, text=text):
            return _of(HELD, ticket, what=reason.value, text=text)
        case Started(ticket=ticket, attempt=attempt):
            return _of(STARTED, ticket, what=attempt.action.value, number=attempt.number, by=attempt.by)
        case Ended(ticket=ticket, attempt=attempt, outcome=outcome, text=text):
            ended = _of(ENDED, ticket, what=attempt.action.value, text=text, number=attempt.number)
            return ended._replace(outcome=outcome.value, by=attempt.by)
        case GaveUp(ticket=ticket):
            gave_up = _of(GAVE_UP, ticket, what=ticket.severity.value, number=ticket.attempts)
            return gave_up._replace(quiet=_is_quiet(ticket, settings, state, moment))
        case Unsupported(ticket=ticket, text=text):
            return _of(UNSUPPORTED, ticket, text=text)
        case _:
            return None


def _of(kind: str, ticket: Ticket, *, text: str = "", **more: Any) -> Deed:
    component, item, type_ = ticket.key
    return Deed(kind, component, item, type_.value, ticket.unit or "", text=text[:_TEXT], **more)


def _is_quiet(ticket: Ticket, settings: Settings, state: EngineState, moment: Moment) -> bool:
    component, item, _ = ticket.key
    needed = settings.component[component].depends_on if component in settings.component else ()
    if moment.unhealthy.intersection(needed):
        return True
    return silence_of(state.silences, moment, component=component, item=item, unit=ticket.unit) is not None
