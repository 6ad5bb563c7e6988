"""What is made of the readings of a built-in check, judged as the daemon does: in order, each after the one before."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from healthd.assess.judge import Rules, judge
from healthd.registry import Ports
from healthd.soon import waited
from tests.fake_units import FakeHost
from tests.unit.assembly import ports_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthd.assess.judge import Memory
    from healthd.model import Item, Measure
    from healthd.registry import CheckSpec

AT_ONCE: Final = Rules()
MINUTE: Final = 60.0


def judged(spec: CheckSpec, readings: Iterable[tuple[float, Any]], options: Any, rules: Rules = AT_ONCE) -> list[Item]:
    """The items after the last of these readings, each with its instant."""
    memory: Memory = {}
    before: Any = None
    items: tuple[Item, ...] = ()
    for at, reading in readings:
        assessment = spec.assess(reading, before, options)
        before = reading
        if assessment.usable:
            memory, assessment = judge(memory, assessment, rules, at)
            items = assessment.items
    return list(items)


def measures(item: Item) -> dict[str, Measure]:
    return {each.name: each for each in item.measures}


def values(item: Item) -> dict[str, float]:
    return {each.name: each.value for each in item.measures}


def ports(host: FakeHost) -> Ports:
    return ports_of(host=host)


def sampled(spec: CheckSpec, host: FakeHost, options: Any) -> Any:
    async def ask() -> Any:
        return await waited(spec.sample(ports(host), options, None))

    return asyncio.run(ask())
