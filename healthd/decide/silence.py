"""Silences: what an operator wants left alone for a while, and which issues that is about. Values and pure questions.

Alerts ask the same question (`silence_of`) as healing does.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from healthd.config.patterns import matches
from healthd.decide.case import Verdict
from healthd.model import HoldReason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from healthd.decide.case import Case, Moment

MOST_SILENCES: Final = 100
"""No more than this many at a time: more than anybody keeps in mind."""

_RUNS: Final = frozenset({"activating", "active", "reloading", "refreshing", "deactivating"})


class Kind(StrEnum):
    """What a silence is about."""

    ALL = "all"
    COMPONENT = "component"
    ITEM = "item"
    UNITS = "units"


class Scope(NamedTuple):
    """Which issues are meant: all, those of a component, of one item of one, or of units that fit a pattern.

    `name` is the component, the item or the pattern; `component` is that of an item. `unit` is what healing of the
    component or item acts on: issues that others see with it are meant too.
    """

    kind: Kind
    name: str = ""
    component: str = ""
    unit: str = ""

    def covers(self, component: str, item: str, unit: str | None) -> bool:
        """Whether an issue of this item, which healing of this unit would mend, is meant."""
        if self.unit and unit == self.unit:
            return True
        match self.kind:
            case Kind.ALL:
                return True
            case Kind.COMPONENT:
                return component == self.name
            case Kind.ITEM:
                return (component, item) == (self.component, self.name)
            case _:
                return unit is not None and matches((self.name,), unit)

    def __str__(self) -> str:
        match self.kind:
            case Kind.ALL:
                return "everything"
            case Kind.COMPONENT:
                return f"component {self.name}"
            case Kind.ITEM:
                return f"{self.component} {self.name}"
            case _:
                return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """One silence: who, why, about what, and how long.

    It ends at `until` (engine seconds; None: not by time), and with `unit`, where that is given. With `calendar` it has
    windows: one begins whenever that expression says, and lasts `seconds`; it never ends by itself then, unless no
    window is to come. `in_force` is False between windows. `set_wall` is for people; `reminded` is when it was last
    brought to mind, in engine seconds.
    """

    id: str
    scope: Scope
    by: str
    reason: str = ""
    set_at: float
    set_wall: float
    seconds: float
    until: float | None = None
    unit: str = ""
    calendar: str = ""
    in_force: bool = True
    reminded: float

    def to_plain(self) -> dict[str, Any]:
        """As JSON data."""
        return asdict(self)

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Self:
        """Read back what `to_plain` wrote; raises ValueError, TypeError or KeyError on anything else."""
        kind, name, component, unit = data["scope"]
        return cls(**{**data, "scope": Scope(Kind(kind), name, component, unit)})


class Window(NamedTuple):
    """The window of a calendar silence that is open or comes next, in Unix seconds."""

    begins: float
    ends: float


def window_of(silence: Silence, moment: Moment) -> Window | None:
    """Its window as it is known at this moment."""
    return moment.windows.get((silence.calendar, silence.seconds))


def is_over(silence: Silence, moment: Moment) -> str:
    """Why the silence is at its end, in words; "" as long as it is not.

    What cannot be known at the moment ends nothing. A unit with a job on it is about to run again.
    """
    if silence.until is not None and moment.now >= silence.until:
        return "its time is over"
    if silence.unit and moment.current:
        unit = moment.facts.get(silence.unit)
        if unit is None or (unit.active not in _RUNS and not unit.job):
            return f"{silence.unit} is through"
    key = (silence.calendar, silence.seconds)
    if silence.calendar and key in moment.windows and moment.windows[key] is None:
        return "its calendar names no further time"
    return ""


def is_in_force(silence: Silence, moment: Moment) -> bool:
    """Whether it silences at this moment. A window that is not known stays as it was."""
    if is_over(silence, moment):
        return False
    if not silence.calendar:
        return True
    window = window_of(silence, moment)
    return silence.in_force if window is None else window.begins <= moment.wall < window.ends


def end_of(silence: Silence, moment: Moment) -> float | None:
    """When it stops to silence, in engine seconds; None: that is not known beforehand."""
    if silence.calendar:
        window = window_of(silence, moment)
        return None if window is None else moment.now + window.ends - moment.wall
    return silence.until


def silence_of(
    silences: Iterable[Silence], moment: Moment, *, component: str, item: str, unit: str | None
) -> Silence | None:
    """The silence in force that an issue falls under; of several the one that lasts longest."""
    found = [s for s in silences if s.scope.covers(component, item, unit) and is_in_force(s, moment)]
    return max(found, key=lambda s: _or_for_ever(end_of(s, moment)), default=None)


def _or_for_ever(instant: float | None) -> float:
    return float("inf") if instant is None else instant


def silenced(case: Case) -> Verdict | None:
    """Hold what an operator silenced. An order by hand is the operator's as well, and newer."""
    if case.by_hand or not case.state.silences:
        return None
    ticket = case.ticket
    silence = silence_of(
        case.state.silences, case.moment, component=ticket.key.component, item=ticket.key.item, unit=ticket.unit
    )
    if silence is None:
        return None
    text = f"{silence.by} silenced {silence.scope}{why(silence)} ({silence.id})"
    if silence.unit:
        text += f", while {silence.unit} runs"
    return Verdict(hold=HoldReason.SILENCED, text=text, until=end_of(silence, case.moment))


def why(silence: Silence) -> str:
    """The operator's reason, to be put behind something."""
    return f": {silence.reason}" if silence.reason else ""


def after_reboot(silences: Iterable[Silence], now: float, wall: float) -> tuple[Silence, ...]:
    """What is left of silences when the host comes up again: here the time for which it was off does count.

    Only the wall clock knows it. One that stands before the silence was set is wrong, and shortens nothing; nor does
    any make a silence longer.
    """
    kept = []
    for silence in silences:
        left = silence.set_wall + silence.seconds - wall
        if silence.until is not None and wall >= silence.set_wall and now + left < silence.until:
            kept.append(replace(silence, until=max(now, now + left)))
        else:
            kept.append(silence)
    return tuple(kept)
