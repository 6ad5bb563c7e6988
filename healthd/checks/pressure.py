"""The component `pressure`: how much of the last minute tasks waited for processors, memory and I/O (PSI).

`some` is the time in which at least one task waited, `full` that in which nobody could work. Waiting for a processor or
for a disk is what a busy host does: it is at worst degraded for it. Waiting for memory is thrashing, and is bad.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from healthd.assess.score import worst
from healthd.model import Assessment, IssueType, Item, Measure, Status
from healthd.registry import CheckSpec, Ports

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthd.config import Settings
    from healthd.figures import Pressure, Stalls

_WORDS: Final = {"cpu": "a processor", "memory": "memory", "io": "I/O"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Limits in percent of the last 60 s."""

    cpu_some_warning: float = 80.0
    io_full_warning: float = 80.0
    memory_some_warning: float = 40.0
    memory_full_warning: float = 10.0
    memory_full_critical: float = 30.0


def options(_settings: Settings, _name: str) -> Options:
    """The limits are fixed."""
    return Options()


def sample(ports: Ports, _options: Options, _names: frozenset[str] | None) -> Pressure:
    """Ask the kernel."""
    return ports.host.pressure()


def assess(reading: Pressure, _before: Pressure | None, options: Options) -> Assessment:
    """An item for each resource; pure."""
    return Assessment(items=tuple(_item(name, stalls, options) for name, stalls in reading.stalls.items()))


def _item(name: str, stalls: Stalls, options: Options) -> Item:
    message = f"tasks waited for {_WORDS[name]} {stalls.some:.0f} % of the last minute"
    if name != "cpu":
        message += f", all of them {stalls.full:.0f} %"
    return Item(
        name=name, status=Status.HEALTHY, score=1.0, message=message, measures=tuple(_measures(name, stalls, options))
    )


def _measures(name: str, stalls: Stalls, options: Options) -> Iterable[Measure]:
    some, full = _limits(name, options)
    yield _measure("some_percent", stalls.some, f"tasks waited for {_WORDS[name]}", *some)
    yield Measure(name="some_10s_percent", value=stalls.some_10s)
    if name != "cpu":  # a host in which nobody can have a processor does not exist
        yield _measure("full_percent", stalls.full, f"all tasks waited for {_WORDS[name]}", *full)
        yield Measure(name="full_10s_percent", value=stalls.full_10s)


def _limits(name: str, options: Options) -> tuple[tuple[float | None, float | None], tuple[float | None, float | None]]:
    """Warning and critical of `some`, and of `full`."""
    match name:
        case "cpu":
            return (options.cpu_some_warning, None), (None, None)
        case "memory":
            return (options.memory_some_warning, None), (options.memory_full_warning, options.memory_full_critical)
        case _:
            return (None, None), (options.io_full_warning, None)


def _measure(name: str, value: float, what: str, warning: float | None, critical: float | None) -> Measure:
    if warning is None:
        return Measure(name=name, value=value)
    limit = critical if critical is not None and value > critical else warning
    return Measure(
        name=name,
        value=value,
        warning=warning,
        critical=critical,
        limit=100.0,
        issue=IssueType.PRESSURE,
        text=f"{what} {value:.0f} % of the last minute (limit {limit:g} %)",
    )


CHECK = CheckSpec(type="pressure", options=options, sample=sample, assess=assess, score=worst, noun="resource")
