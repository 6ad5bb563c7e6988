"""The component `processes`: the kernel's tables of threads and open files, and processes that nobody buries.

A host whose tables are full cannot start a program, log anybody in or open a file, however well it looks. A zombie
takes a place in the first of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthd.assess.score import worst
from healthd.model import Assessment, IssueType, Item, Measure, Status
from healthd.registry import CheckSpec, Ports

if TYPE_CHECKING:
    from healthd.config import Settings
    from healthd.figures import Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Limits: percent of each table, and a number of zombies."""

    warning_percent: float = 80.0
    critical_percent: float = 95.0
    zombies_warning: int = 50


def options(_settings: Settings, _name: str) -> Options:
    """The limits are fixed."""
    return Options()


def sample(ports: Ports, _options: Options, _names: frozenset[str] | None) -> Tables:
    """Ask the kernel."""
    return ports.host.tables()


def assess(reading: Tables, _before: Tables | None, options: Options) -> Assessment:
    """One item; pure."""
    threads, files = 100 * reading.threads / reading.threads_max, 100 * reading.files / reading.files_max
    message = f"{reading.threads} of {reading.threads_max} threads ({threads:.0f} %), {reading.files} open files"
    measures = [
        _full("threads_percent", threads, f"{reading.threads} of {reading.threads_max} threads exist", options),
        _full("open_files_percent", files, f"{reading.files} of {reading.files_max} files are open", options),
        Measure(name="threads", value=reading.threads),
        Measure(name="open_files", value=reading.files),
    ]
    if reading.zombies is not None:
        message += f", {reading.zombies or 'no'} zombie{'' if reading.zombies == 1 else 's'}"
        measures.append(_zombies(reading.zombies, options))
    item = Item(name="", status=Status.HEALTHY, score=1.0, message=message, measures=tuple(measures))
    return Assessment(items=(item,))


def _full(name: str, value: float, what: str, options: Options) -> Measure:
    limit = options.critical_percent if value > options.critical_percent else options.warning_percent
    return Measure(
        name=name,
        value=round(value, 3),
        warning=options.warning_percent,
        critical=options.critical_percent,
        limit=100.0,
        issue=IssueType.PRESSURE,
        text=f"{what}, {value:.0f} % (limit {limit:g} %)",
        forecast=True,
    )


def _zombies(count: int, options: Options) -> Measure:
    return Measure(
        name="zombies",
        value=count,
        warning=options.zombies_warning,
        issue=IssueType.PRESSURE,
        text=f"{count} zombies: their parents do not ask how they ended (limit {options.zombies_warning})",
    )


CHECK = CheckSpec(type="processes", options=options, sample=sample, assess=assess, score=worst)
