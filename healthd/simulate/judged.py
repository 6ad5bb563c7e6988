"""Recorded values against other limits of [thresholds]: what would have been found, by the judgement of `assess/`."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from healthd.assess.judge import Rules, judge
from healthd.model import Assessment, Finding, IssueType, Item, Measure, Status
from healthd.record.reread import read_again

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from healthd.answers import Series
    from healthd.assess.judge import Memory
    from healthd.config import Settings
    from healthd.record.reread import Read

    Name = tuple[str, str]

MOST_TIMES: Final = 10
"""The mean of some minutes stands for that many readings, as there are in five minutes at the defaults."""


class Limit(NamedTuple):
    """A value that [thresholds] has limits for: `keys` begins both of them."""

    component: str
    value: str
    issue: IssueType
    keys: tuple[str, str]
    end: float | None
    words: str


LIMITS: Final = (
    Limit(
        "memory",
        "used_percent",
        IssueType.HIGH_MEMORY,
        ("memory_warning_percent", "memory_critical_percent"),
        100.0,
        "used memory is {:.0f} %",
    ),
    Limit(
        "storage",
        "used_percent",
        IssueType.DISK_FULL,
        ("storage_warning_percent", "storage_critical_percent"),
        100.0,
        "{:.0f} % of its space is used",
    ),
    Limit(
        "storage",
        "used_inodes_percent",
        IssueType.INODES_FULL,
        ("storage_warning_percent", "storage_critical_percent"),
        100.0,
        "{:.0f} % of its inodes are used",
    ),
    Limit(
        "network",
        "errors_per_interval",
        IssueType.NETWORK_ERROR,
        ("network_error_warning", "network_error_critical"),
        None,
        "{:.0f} errors and drops in an interval",
    ),
)


class Found(NamedTuple):
    """From this time on (Unix seconds) these are the findings of an item, as far as they rest on such limits."""

    at: float
    name: Name
    findings: tuple[Finding, ...]


def differing(recorded: Mapping[str, Any], settings: Settings) -> tuple[Limit, ...]:
    """The limits that are others than on record. Those of memory in gigabytes beat these, and are not judged anew."""
    thresholds = settings.thresholds
    if any(table.get("memory_warning_gb") or table.get("memory_critical_gb") for table in (recorded, thresholds)):
        return tuple(limit for limit in _differing(recorded, thresholds) if limit.component != "memory")
    return tuple(_differing(recorded, thresholds))


def _differing(recorded: Mapping[str, Any], thresholds: Mapping[str, Any]) -> Iterator[Limit]:
    for limit in LIMITS:
        if all(key in recorded for key in limit.keys) and any(recorded[key] != thresholds[key] for key in limit.keys):
            yield limit


def judged_anew(
    history: Path, limits: Sequence[Limit], settings: Settings, since: float, until: float
) -> tuple[list[Found], bool]:
    """What would have been found under these limits, and whether some of it rests on means of minutes."""
    if not limits:
        return [], False
    by_series = {(limit.component, limit.value): limit for limit in limits}
    reads = read_again(history, lambda series: (series.component, series.name) in by_series, since, until)
    found: list[Found] = []
    memories: dict[str, Memory] = {}
    held: dict[Name, tuple[tuple[IssueType, str], ...]] = {}
    for read, later in pairwise([*reads, None]):
        if read is None:
            continue
        for name, measures in _measured(read, by_series, settings):
            for item in _judged(memories, name, measures, _rules(name[0], settings), _instants(read, later)):
                kinds = tuple((each.type, each.cause) for each in item.findings)
                if item.settled and kinds != held.get(name, ()):
                    held[name] = kinds
                    found.append(Found(read.at, name, item.findings))
    return found, any(read.step for read in reads)


def _measured(
    read: Read, limits: Mapping[tuple[str, str], Limit], settings: Settings
) -> Iterable[tuple[Name, tuple[Measure, ...]]]:
    items: dict[Name, list[Measure]] = {}
    for series, value in read.values.items():
        measure = _measure(series, value, limits[series.component, series.name], settings)
        items.setdefault((series.component, series.item), []).append(measure)
    return [(name, tuple(measures)) for name, measures in items.items()]


def _measure(series: Series, value: float, limit: Limit, settings: Settings) -> Measure:
    warning, critical = (float(settings.thresholds[key]) for key in limit.keys)
    passed = critical if value > critical else warning
    return Measure(
        name=series.name,
        value=value,
        warning=min(warning, critical),
        critical=critical,
        limit=limit.end,
        issue=limit.issue,
        text=f"{limit.words.format(value)} (limit {passed:g})",
    )


def _judged(
    memories: dict[str, Memory], name: Name, measures: tuple[Measure, ...], rules: Rules, instants: Iterable[float]
) -> Iterator[Item]:
    """The item after each of these readings."""
    item = Item(name=name[1], status=Status.HEALTHY, score=1.0, message="", measures=measures)
    for at in instants:
        memory, assessed = judge(memories.get(name[0], {}), Assessment(items=(item,), partial=True), rules, at)
        memories[name[0]] = memory
        yield assessed.items[0]


def _rules(name: str, settings: Settings) -> Rules:
    component = settings.component.get(name)
    return Rules(failures=component.failures, successes=component.successes) if component else Rules()


def _instants(read: Read, later: Read | None) -> list[float]:
    """A mean stands for some readings, if it is not the last before a pause."""
    if not read.step or (later is not None and later.at - read.at < read.step):
        return [read.at]
    return [read.at + read.step / MOST_TIMES * number for number in range(MOST_TIMES)]
