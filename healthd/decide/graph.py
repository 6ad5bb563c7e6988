"""Which unit stands in the way of which: roots are healed first, what requires them waits.

The relations are systemd's. `requires` is hard: started without it, a unit would pull it up past every limit, or fail
again. `after` (After=, PartOf=) only says who goes first when both are to be healed. Units that are missing or masked
and relations that go in a circle are survived.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.model import HoldReason, IssueType, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from healthd.decide.limits import Usage
    from healthd.decide.state import Key, Ticket
    from healthd.model import Item, UnitFacts

    Facts = Mapping[str, UnitFacts]

PASSING = frozenset(
    {
        HoldReason.CASCADE,
        HoldReason.PRESSURE,
        HoldReason.DEPENDENCY,
        HoldReason.COOLDOWN,
        HoldReason.STARTING,
        HoldReason.JOB_RUNNING,
        HoldReason.PACKAGE_UPGRADE,
    }
)
"""The holds that end by themselves, and soon: what they hold is about to be healed."""

_SEVERITIES = tuple(Severity)
_DOWN = frozenset({IssueType.SERVICE_DOWN, IssueType.JOB_FAILED})


def blocker(unit: UnitFacts, facts: Facts, used: Usage, items: Mapping[tuple[str, str], Item]) -> str:
    """Why this unit should not be healed before another one, in words; "" if nothing is in its way.

    `items` are all items as last judged, by component and name.
    """
    for other in _required(unit, facts):
        said = _trouble(other, used, items)
        if said and (other.name in used.acting or not _leads_to(other, unit.name, facts)):
            return f"it requires {other.name}, which {said}"
    for name in unit.detail.after if unit.detail else ():
        if name in used.acting:
            return f"it starts after {name}, which is being healed"
    return ""


def roots_first(tickets: Iterable[Ticket], facts: Facts) -> list[Ticket]:
    """The same tickets, those of a unit after those of what it requires or follows; else the worst and oldest first."""
    ordered = sorted(tickets, key=_urgency)
    of_unit: dict[str, list[Ticket]] = {}
    for ticket in ordered:
        of_unit.setdefault(ticket.unit or "", []).append(ticket)
    if len(of_unit) == 1:
        return ordered
    done: dict[Key, Ticket] = {}
    for name in of_unit:
        for below in _bottom_up(name, facts):
            done.update((ticket.key, ticket) for ticket in of_unit.get(below, ()))
    return list(done.values())


def is_pending(ticket: Ticket) -> bool:
    """Whether this issue is being healed, or is about to be."""
    return ticket.open and (ticket.attempt is not None or ticket.hold is None or ticket.hold in PASSING)


def _urgency(ticket: Ticket) -> tuple[bool, int, float, Key]:
    """A unit that is down cannot answer a probe, and is in a loop no more: so that it is down comes first."""
    later = ticket.key.component != "services" or ticket.key.type is IssueType.CRASH_LOOP
    return later, -_SEVERITIES.index(ticket.severity), ticket.opened_at, ticket.key


def _trouble(other: UnitFacts, used: Usage, items: Mapping[tuple[str, str], Item]) -> str:
    """What is wrong with a required unit, "" if nothing is."""
    if other.load == "masked":
        return "is masked"
    if other.load == "not-found":
        return "does not exist"
    if other.name in used.acting:
        return "is being healed"
    tickets = used.open_on(other.name)
    if other.running:
        if any(is_pending(ticket) and ticket.hold is not None for ticket in tickets):
            return "is not well"
        unsure = any(
            item.unit == other.name and not item.settled and name[0] != "services" for name, item in items.items()
        )
        return "may not be well; it is looked at again" if unsure else ""
    if other.stopped_by_job:
        return "somebody stopped"
    if other.active == "failed" or other.stopped_for or any(ticket.key.type in _DOWN for ticket in tickets):
        return "is down"
    return "" if other.active == "inactive" else f"is {other.active}"


def _required(unit: UnitFacts, facts: Facts) -> Iterator[UnitFacts]:
    """What it requires, and what that requires in turn: the deepest first."""
    return (facts[name] for name in _bottom_up(unit.name, facts, soft=False) if name != unit.name and name in facts)


def _leads_to(unit: UnitFacts, name: str, facts: Facts) -> bool:
    """Whether a unit requires, over whatever steps, the one of this name: then neither can wait for the other."""
    return any(other.name == name for other in _required(unit, facts))


def _bottom_up(name: str, facts: Facts, *, soft: bool = True) -> Sequence[str]:
    """A unit and all below it, each after what it stands on. Where they go in a circle, it is cut somewhere."""
    seen, order = {name}, []
    stack = [(name, iter(_below(name, facts, soft=soft)))]
    while stack:
        current, rest = stack[-1]
        lower = next((each for each in rest if each not in seen), None)
        if lower is None:
            order.append(current)
            stack.pop()
        else:
            seen.add(lower)
            stack.append((lower, iter(_below(lower, facts, soft=soft))))
    return order


def _below(name: str, facts: Facts, *, soft: bool) -> Sequence[str]:
    unit = facts.get(name)
    if unit is None or unit.detail is None:
        return ()
    return (*unit.detail.requires, *unit.detail.after) if soft else unit.detail.requires
