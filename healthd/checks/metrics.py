"""Components of type `metrics`: any program's own numbers, scraped from its Prometheus or OpenMetrics page.

A value is a gauge as it stands, or by how much a counter grew in the last interval. Limits or a table of scores say
what the values mean.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, isfinite
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from healthd.assess.probe import failed
from healthd.assess.score import HEALTHY, status_of, worst
from healthd.config import ComponentSettings
from healthd.errors import NoAnswer, ReadError
from healthd.formats.exposition import Selector, plain, total
from healthd.model import Assessment, Finding, IssueType, Item, Measure
from healthd.registry import CheckSpec, Ports

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from healthd.config import Settings

PAGE_LIMIT: Final = 4 * 2**20
"""Bytes of a page; of a larger one nothing is judged."""

ERRORS: Final = "errors"
"""The value that NAME_error_warning and NAME_error_critical of [thresholds] serve."""

ACCEPT: Final = "text/plain;version=0.0.4, application/openmetrics-text;version=1.0.0;q=0.5, */*;q=0.1"

_WHOLE: Final = 0.75
"""Of an interval: growth over less than this is not held against a limit, if there is an older page to compare with."""

_STALE: Final = 2.5
"""Intervals: growth since a page that is older than this is more than that of one interval."""

_SECOND: Final = 1.0
"""Seconds until a second page shows by how much counters grow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A number on the page, by the name that the configuration gives it."""

    name: str
    metric: str
    selector: Selector
    per_interval: bool
    warning: float | None
    critical: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the table of scores: each value within its bounds, which are part of the range."""

    when: Mapping[str, tuple[float, float]]
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is scraped and what it means."""

    url: str
    values: tuple[Value, ...]
    rows: tuple[Row, ...]
    interval: float
    timeout: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The numbers of one page by what is asked for, as far as they stand there. `at` in boot seconds."""

    at: float
    numbers: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A page, or why there is none. `earlier`: the pages before it, newest first."""

    at: float
    page: Page | NoAnswer
    earlier: tuple[Page, ...] = ()


def options(settings: Settings, name: str) -> Options:
    """The component's own table, and what [thresholds] says of its errors."""
    component = settings.component.get(name, ComponentSettings(type=name))
    said = component.options
    rows = tuple(
        Row(when=MappingProxyType({value: _bounds(row) for value, row in one["when"].items()}), score=one["score"])
        for one in said.get("score", ())
    )
    warning, critical = _limits(settings, name, component, has_table=bool(rows))
    values = tuple(
        Value(
            name=value,
            metric=one["metric"],
            selector=Selector.of(one["metric"]),
            per_interval=one["per_interval"],
            warning=warning.get(value),
            critical=critical.get(value),
        )
        for value, one in said.get("values", {}).items()
    )
    return Options(
        url=said.get("url", ""),
        values=values,
        rows=rows,
        interval=component.interval_seconds,
        timeout=component.timeout_seconds,
    )


def _bounds(said: Mapping[str, Any]) -> tuple[float, float]:
    low, high = said["min"], said["max"]
    return -inf if low is None else low, inf if high is None else high


def _limits(
    settings: Settings, name: str, component: ComponentSettings, *, has_table: bool
) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Warning and critical limits by value: the component's own, else those that [thresholds] has for its errors."""
    warning, critical = component.options.get("warning", {}), component.options.get("critical", {})
    if has_table or ERRORS in warning or ERRORS in critical:
        return warning, critical
    at_least, at_most = (settings.thresholds.get(f"{name}_error_{level}") for level in ("warning", "critical"))
    return (
        {**warning, **({} if at_least is None else {ERRORS: at_least})},
        {**critical, **({} if at_most is None else {ERRORS: at_most})},
    )


async def sample(ports: Ports, options: Options, _names: frozenset[str] | None) -> Reading:
    """Scrape the page."""
    try:
        fetched = await ports.net.fetch(
            options.url, headers={"accept": ACCEPT}, deadline=options.timeout, limit=PAGE_LIMIT
        )
    except NoAnswer as error:
        return Reading(at=ports.clock.boot(), page=error)
    at = ports.clock.boot()
    if fetched.status != 200:
        return Reading(at=at, page=NoAnswer("status", f"status {fetched.status} in place of a page"))
    if fetched.cut:
        raise ReadError(f"the page is larger than {PAGE_LIMIT // 2**20} MiB")
    text = plain(fetched.body)
    found = {value.metric: total(text, value.selector) for value in options.values}
    numbers = {metric: number for metric, number in found.items() if number is not None and isfinite(number)}
    return Reading(at=at, page=Page(at=at, numbers=MappingProxyType(numbers)))


def keep(reading: Reading, before: Reading | None, options: Options) -> Reading:
    """The reading with those pages before it that a later one may be compared with."""
    pages = _earlier(before)
    if len(pages) > 1 and pages[0].at - pages[1].at < options.interval / 4:
        pages = pages[1:]  # of looks in a row the first is enough
    limit = reading.at - _STALE * options.interval
    return replace(reading, earlier=tuple(page for page in pages if page.at >= limit))


def assess(reading: Reading, before: Reading | None, options: Options) -> Assessment:
    """One item: what cannot be scraped is a failed probe, what can is judged by limits or by the table."""
    if isinstance(reading.page, NoAnswer):
        return failed(reading.page)
    base = _base(reading, before, options)
    if base is None and any(value.per_interval for value in options.values):
        return Assessment(usable=False, reason="the first reading", again_at=reading.at + _SECOND)
    numbers = _numbers(reading.page, base, options.values)
    missing = [value.name for value in options.values if value.name not in numbers]
    score = _score(options.rows, numbers)
    if not numbers or score is None:
        return Assessment(usable=False, reason=f"not on the page: {', '.join(missing)}")
    return Assessment(items=(_item(score, numbers, missing, options),))


def _earlier(before: Reading | None) -> tuple[Page, ...]:
    if before is None:
        return ()
    return before.earlier if isinstance(before.page, NoAnswer) else (before.page, *before.earlier)


def _base(reading: Reading, before: Reading | None, options: Options) -> Page | None:
    """The page with which counters are compared: the newest that is a whole interval old, else the oldest there is."""
    oldest = reading.at - _STALE * options.interval
    pages = [page for page in _earlier(before) if page.at >= oldest]
    whole = (page for page in pages if reading.at - page.at >= _WHOLE * options.interval)
    return next(whole, pages[-1] if pages else None)


def _numbers(page: Page, base: Page | None, values: Sequence[Value]) -> Mapping[str, float]:
    """The values by name. A counter that is smaller than before began anew, and so did one that was not there."""
    numbers = {}
    for value in values:
        number = page.numbers.get(value.metric)
        if number is None:
            continue
        if value.per_interval:
            old = base.numbers.get(value.metric, 0.0) if base is not None else 0.0
            number = number - old if number >= old else number
        numbers[value.name] = number
    return numbers


def _score(rows: Sequence[Row], numbers: Mapping[str, float]) -> float | None:
    """The score of the first row that matches, 1.0 if none does. None: that depends on a value that is missing."""
    for row in rows:
        held = [name in numbers and low <= numbers[name] <= high for name, (low, high) in row.when.items()]
        if all(held):
            return row.score
        if all(holds or name not in numbers for name, holds in zip(row.when, held, strict=True)):
            return None
    return 1.0


def _item(score: float, numbers: Mapping[str, float], missing: Sequence[str], options: Options) -> Item:
    values = [value for value in options.values if value.name in numbers]
    said = [_words(value, numbers[value.name], options) for value in values]
    message = ", ".join([*said, *(f"{name} not on the page" for name in missing)])
    bad = Finding(type=IssueType.ERROR_RATE, message=message, cause="score")
    return Item(
        name="",
        status=status_of(score),
        score=score,
        message=message,
        findings=(bad,) if score < HEALTHY else (),
        measures=tuple(_measure(value, numbers[value.name], options) for value in values),
    )


def _measure(value: Value, number: float, options: Options) -> Measure:
    beyond = value.critical is not None and number > value.critical
    limit = value.critical if beyond or value.warning is None else value.warning
    return Measure(
        name=value.name,
        value=number,
        warning=value.warning,
        critical=value.critical,
        issue=None if limit is None else IssueType.ERROR_RATE,
        text="" if limit is None else f"{_words(value, number, options)} (limit {_plain(limit)})",
    )


def _words(value: Value, number: float, options: Options) -> str:
    per = f" in {_plain(options.interval)} s" if value.per_interval else ""
    return f"{value.name} {_plain(number)}{per}"


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else f"{number:.4g}"


CHECK = CheckSpec(
    type="metrics",
    options=options,
    sample=sample,
    assess=assess,
    score=worst,
    keep=keep,
    noun="value",
    asks_unit=True,
    keeps_time=True,
)
