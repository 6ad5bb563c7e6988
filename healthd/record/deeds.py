"""What happened in a step, in so few words that it can be kept, and compared with what would have happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from healthd.decide.happenings import Ended, GaveUp, Held, Opened, Resolved, Started, Unsupported
from healthd.decide.state import Key
from healthd.letters import Why
from healthd.model import IssueType
from healthd.record.letter import about

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from healthd.config import Settings
    from healthd.decide.alert import Alert
    from healthd.decide.engine import Step
    from healthd.decide.happenings import Happening
    from healthd.decide.state import EngineState, Ticket

OPENED: Final = "opened"
RESOLVED: Final = "resolved"
HELD: Final = "held"
STARTED: Final = "started"
ENDED: Final = "ended"
GAVE_UP: Final = "gave_up"
UNSUPPORTED: Final = "unsupported"
TOLD: Final = "told"

KNOWS_NO_NOTES: Final = "alertmanager"
"""The receiver that gets no note of what was healed before anybody was told."""

_TEXT: Final = 160


class Deed(NamedTuple):
    """One thing that happened about an issue. `unit` is what healing of the issue acts on, "" for nothing.

    `what` is the severity of what opened, the reason of a hold, the action of an attempt that started or ended, why
    people were told. `outcome` is that of an attempt that ended, or "well" of an issue that its check saw recover. `by`
    is who ordered an attempt, "" for healthd itself. `severity` is that of a message to people, `to` who got it (names
    of receivers with commas between them), `number` its alert, `text` what it was about.
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
    severity: str = ""
    to: str = ""

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


def deeds(settings: Settings, before: EngineState, step: Step) -> list[Deed]:
    """What happened about issues in a step, in order, and then what people are told. `before`: the state it found."""
    happened = [deed for each in step.happenings if (deed := _deed(each)) is not None]
    if step.state.alerts is not before.alerts:
        happened += _told(settings, before.alerts, step.state.alerts)
    return happened


def _deed(happening: Happening) -> Deed | None:
    match happening:
        case Opened(ticket=ticket):
            return _of(OPENED, ticket, what=ticket.severity.value, text=ticket.message)
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
            return _of(GAVE_UP, ticket, what=ticket.severity.value, number=ticket.attempts)
        case Unsupported(ticket=ticket, text=text):
            return _of(UNSUPPORTED, ticket, text=text)
        case _:
            return None


def _told(settings: Settings, before: Iterable[Alert], after: Iterable[Alert]) -> Iterator[Deed]:
    """The messages that this step decided. What only reminds a program is none to people."""
    receivers = settings.alerting.receivers
    numbers = {alert.id: alert.numbers for alert in before}
    for alert in after:
        to = [name for name in receivers if not (alert.note and name == KNOWS_NO_NOTES)]
        for word in alert.unsent:
            if to and word.number > numbers.get(alert.id, 0) and word.why is not Why.ALIVE:
                component, item, type_ = alert.keys[0]
                told = Deed(TOLD, component, item, type_.value, what=word.why.value, text=about(alert)[:_TEXT])
                yield told._replace(number=alert.id, severity=alert.severity.value, to=",".join(to))


def _of(kind: str, ticket: Ticket, *, text: str = "", **more: Any) -> Deed:
    component, item, type_ = ticket.key
    return Deed(kind, component, item, type_.value, ticket.unit or "", text=text[:_TEXT], **more)
