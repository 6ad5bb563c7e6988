"""Which incident an issue belongs to: everything from a first sign to the verified recovery of all of it is one.

An incident is a number, and it runs as long as one of its issues is open or an attempt at one is in flight. A number is
given once and never again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from healthd.decide.state import Key, Ticket
    from healthd.model import UnitFacts

_Name = TypeVar("_Name")

MOST_NEEDED: Final = 200
"""Units that are followed down from one; where there are more, the farther ones are not looked at."""


def runs(ticket: Ticket) -> bool:
    """Whether the incident of this issue goes on for its sake."""
    return ticket.incident > 0 and (ticket.open or ticket.attempt is not None)


def running(tickets: Iterable[Ticket]) -> frozenset[int]:
    """The incidents that go on."""
    return frozenset(ticket.incident for ticket in tickets if runs(ticket))


def merged(tickets: Iterable[Ticket]) -> tuple[Ticket, ...]:
    """These issues, and only they, as one incident: the oldest of theirs. Only those that change are returned."""
    going = [ticket for ticket in tickets if runs(ticket)]
    oldest = min((ticket.incident for ticket in going), default=0)
    return tuple(replace(ticket, incident=oldest) for ticket in going if ticket.incident != oldest)


class Grouping:
    """The incidents that go on, by what they are about. `facts`: what systemd says of the units."""

    def __init__(self, tickets: Iterable[Ticket], facts: Mapping[str, UnitFacts]) -> None:
        self._facts = facts
        self._of_item: dict[tuple[str, str], int] = {}
        self._of_unit: dict[str, int] = {}
        self._needed: dict[str, int] = {}
        for ticket in tickets:
            if runs(ticket):
                self.add(ticket)

    def add(self, ticket: Ticket) -> None:
        """An issue belongs to its incident now. Of two incidents that are about one thing, the older one has it."""
        _note(self._of_item, ticket.key.name, ticket.incident)
        if ticket.unit:
            _note(self._of_unit, ticket.unit, ticket.incident)
            for unit in needs(ticket.unit, self._facts):
                _note(self._needed, unit, ticket.incident)

    def find(self, key: Key, unit: str | None) -> int:
        """The oldest incident that an issue which opens belongs to; 0: it is one of its own.

        It is about the same item or unit, about one that this unit cannot run without, or about one that cannot run
        without it.
        """
        found = [self._of_item.get(key.name, 0)]
        if unit:
            found += [self._of_unit.get(unit, 0), self._needed.get(unit, 0)]
            found += [self._of_unit.get(needed, 0) for needed in needs(unit, self._facts)]
        return min(filter(None, found), default=0)


def needs(unit: str, facts: Mapping[str, UnitFacts]) -> frozenset[str]:
    """The units that this one cannot run without, as far as they are known, down to the last."""
    found: set[str] = set()
    level = {unit}
    while level and len(found) < MOST_NEEDED:
        level = {each for name in level for each in _required(facts.get(name))} - found - {unit}
        found |= level
    return frozenset(found)


def _required(unit: UnitFacts | None) -> Iterable[str]:
    return unit.detail.requires if unit is not None and unit.detail is not None else ()


def _note(index: dict[_Name, int], name: _Name, incident: int) -> None:
    index[name] = min(incident, index.get(name, incident))
