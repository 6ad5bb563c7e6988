"""The tape: what the engine was given, step by step, so that `healthctl simulate` can give it the same again.

A step that was given nothing new and changed nothing leaves no trace, so that a host on which all is well costs next to
nothing. Now and then a frame is `whole`: it stands for itself, and all after it build on it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from healthd.answers import Frame
from healthd.decide.happenings import Spooled
from healthd.decide.state import EngineClock
from healthd.record.deeds import deeds
from healthd.record.frames import facts_plain, item_plain, moment_plain, order_plain, signature
from healthd.record.saved import entries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from healthd.config import Settings
    from healthd.decide.alert import Alert
    from healthd.decide.case import Moment
    from healthd.decide.engine import Step
    from healthd.decide.happenings import News
    from healthd.decide.state import EngineState, Key, Ticket
    from healthd.model import Item, UnitFacts

WHOLE_SECONDS: Final = 6 * 3600.0
"""A frame at least this often is whole, and it is where a replay can begin."""

BOOT: Final = "tape"
"""What the clock of a saved state is called here, where it is engine seconds all along."""

_SAVED: Final = ("downs", "cascade", "upgrade", "silences", "stopped", "fresh")

_T = TypeVar("_T")


class Looked(Mapping[str, "UnitFacts"]):
    """The facts of units, and the `names` of those that somebody looked at."""

    __slots__ = ("_facts", "names")

    def __init__(self, facts: Mapping[str, UnitFacts]) -> None:
        self._facts, self.names = facts, set[str]()

    def __getitem__(self, name: str) -> UnitFacts:
        self.names.add(name)
        return self._facts[name]

    def get(self, name: str, default: UnitFacts | _T | None = None) -> UnitFacts | _T | None:  # type: ignore[override]
        """The facts of a unit."""
        self.names.add(name)
        return self._facts.get(name, default)

    def __contains__(self, name: object) -> bool:
        self.names.add(str(name))
        return name in self._facts

    def __iter__(self) -> Iterator[str]:
        self.names.update(self._facts)
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)


class Tape:
    """Keeps the steps of one life of healthd. `keep` is where frames go."""

    def __init__(self, keep: Callable[[Frame], None], *, boot_id: str) -> None:
        self._keep, self._boot_id = keep, boot_id
        self._number = 0
        self._whole_at: float | None = None
        self._settings: Settings | None = None
        self._items: dict[tuple[str, str], Item] = {}
        self._facts: dict[str, UnitFacts] = {}
        self._rest: dict[str, Any] = {}
        self._reset: list[str] = []
        self._forgiven: list[str] = []
        self._looked = Looked({})

    def watched(self, moment: Moment) -> Moment:
        """The same moment, that notes which units the step looks at. `take` is told of that step before the next."""
        self._looked = Looked(moment.facts)
        return replace(moment, facts=self._looked)

    def reset(self, keys: Iterable[Key], subjects: Iterable[str] = ()) -> None:
        """Somebody had the attempts of these issues, and on these `subjects` of the ledger, forgotten."""
        self._reset += [str(key) for key in keys]
        self._forgiven += subjects

    def take(self, settings: Settings, before: EngineState, moment: Moment, news: News, step: Step) -> None:
        """Keep a step, if there is anything to keep. `moment` is one that was `watched`."""
        whole = self._whole_at is None or moment.now - self._whole_at >= WHOLE_SECONDS
        first = self._whole_at is None
        frame = self._given(moment, news)
        if settings is not self._settings or whole:
            self._settings, frame["settings"] = settings, _tables(settings)
        if self._reset:
            frame["reset"], self._reset = self._reset, []
        if self._forgiven:
            frame["forgiven"], self._forgiven = self._forgiven, []
        done = deeds(settings, before, step)
        if not (frame or whole or done or _changed(before, step)):
            return
        if whole:
            self._whole_at = moment.now
            frame |= self._everything(before, moment)
            frame |= {"boot": self._boot_id, "first": first}
        frame |= {"now": moment.now, "wall": round(moment.wall, 3), "n": self._number}
        frame |= _news(news, before, whole=whole)
        if done:
            frame["done"] = [each.to_plain() for each in done]
        self._number += 1
        text = json.dumps(frame, separators=(",", ":"), ensure_ascii=False)
        self._keep(Frame(moment.wall, whole, text))

    def _given(self, moment: Moment, news: News) -> dict[str, Any]:
        """What is new against the frame before: items, units, and the rest of the moment."""
        frame: dict[str, Any] = {}
        items = list(self._new_items(moment, news))
        if items:
            frame["items"] = items
        names = self._looked.names | {unit for name in news.items if (unit := self._unit_of(name))}
        units = {name: data for name in sorted(names) if (data := self._new_facts(name)) is not _SAME}
        if units:
            frame["units"] = units
        rest = moment_plain(moment)
        changed = {key: value for key, value in rest.items() if self._rest.get(key, _SAME) != value}
        if changed:
            self._rest = rest
            frame["moment"] = changed
        orders = [order_plain(order) for order in news.orders if not isinstance(order, Spooled)]
        if orders:  # how soon a message left the engine decides nothing
            frame["orders"] = orders
        if news.results:
            frame["results"] = [[key, result.result, result.text[:200]] for key, result in news.results]
        return frame

    def _new_items(self, moment: Moment, news: News) -> Iterator[list[Any]]:
        """Each with what it is now, None for gone, and with a fourth entry where nobody looked: it came with others."""
        unsaid = sorted(self._items.keys() ^ moment.items.keys())
        looked = {*news.items}
        for name in (*news.items, *news.gone, *unsaid):
            item, known = moment.items.get(name), self._items.get(name)
            if item is known:
                continue
            if item is None:
                del self._items[name]
                yield [*name, None]
            elif known is None or signature(item) != signature(known):
                self._items[name] = item
                yield [*name, item_plain(item), *([] if name in looked else [False])]

    def _unit_of(self, name: tuple[str, str]) -> str | None:
        item = self._items.get(name)
        return None if item is None else item.unit

    def _new_facts(self, name: str) -> Any:
        unit, known = self._looked.get(name), self._facts.get(name)
        if unit is known:
            return _SAME
        if unit is None:
            del self._facts[name]
            return None
        data = facts_plain(known, unit)
        if data is None:
            return _SAME
        self._facts[name] = unit
        return data

    def _everything(self, before: EngineState, moment: Moment) -> dict[str, Any]:
        clock = EngineClock(boot_id=BOOT, offset=0.0)
        saved, _ = entries(before, clock, moment.now, before.tickets, ())
        return {
            "state": saved,
            "items": [[*name, item_plain(item), False] for name, item in self._items.items()],
            "units": {name: facts_plain(None, unit) for name, unit in self._facts.items()},
            "moment": self._rest,
            "booted_for": moment.booted_for,
        }


_SAME: Final = object()


def _tables(settings: Settings) -> dict[str, Any]:
    from healthd.config.show import tables  # noqa: PLC0415  needed once in hours

    return tables(settings)


def _news(news: News, before: EngineState, *, whole: bool) -> dict[str, Any]:
    """What was looked at that has an issue, and what else makes the engine decide."""
    known = {key.name for key in before.tickets}
    seen = [list(name) for name in news.items if whole or name in known]
    frame: dict[str, Any] = {"seen": seen} if seen else {}
    gone = [list(name) for name in news.gone if name in known]
    if gone:
        frame["gone"] = gone
    if news.everything:
        frame["everything"] = True
    if not news.complete:
        frame["complete"] = False
    return frame


def _changed(before: EngineState, step: Step) -> bool:
    """Whether the step changed anything that a later one may rest on."""
    if step.happenings or step.removed:
        return True
    if any(_differs(before.tickets.get(key), step.state.tickets[key]) for key in step.changed):
        return True
    if before.alerts is not step.state.alerts and _pending(before) != _pending(step.state):
        return True
    return any(getattr(before, name) != getattr(step.state, name) for name in _SAVED)


def _pending(state: EngineState) -> list[Alert]:
    """The alerts, without what decides nothing: whether their messages have left, and reminders to programs."""
    return [replace(alert, unsent=(), numbers=0, alive_at=0.0) for alert in state.alerts if not alert.over]


def _differs(old: Ticket | None, new: Ticket) -> bool:
    """Whether more than the words of an issue changed: a percentage moves with every reading."""
    return old is None or replace(old, message=new.message) != new
