"""From what a check says at one instant to what holds: limits with a margin, confirmation, flapping, forecast.

The same for all checks. Pure: `(memory, assessment, rules, now) → (memory, assessment)`; the memory is a value.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from healthd.assess.behind import UNIT_DOWN
from healthd.assess.score import status_of
from healthd.assess.threshold import BEST_DEGRADED, Level, falling, level_of, score_of
from healthd.assess.trend import Points, extended, seconds_to
from healthd.model import Finding, Item, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthd.model import Assessment, Measure

FLAPPING_READINGS: Final = 20
FLAPPING_CHANGES: Final = 10
"""So many changes between good and bad in so many readings are flapping ..."""

STEADY_CHANGES: Final = 5
"""... and so few are the end of it."""

FLAPPING_SCORE: Final = 0.6

FORECAST: Final = "forecast"
"""The cause of an issue that is not there yet."""

_RANK: Final = {Status.HEALTHY: 0, Status.DEGRADED: 1, Status.UNHEALTHY: 2}


class Rules(NamedTuple):
    """How many consecutive readings it takes until something is judged bad, and good again."""

    failures: int = 1
    successes: int = 1

    @property
    def at_once(self) -> bool:
        """Whether every reading counts as it is."""
        return self.failures == 1 and self.successes == 1


class Known(NamedTuple):
    """What is remembered of an item: the verdict that holds, and what speaks for another one.

    `streak` counts the consecutive readings that are worse (positive) or better (negative) than `held`. `readings` are
    the newest ones, True for a bad one; `last_bad` is what the newest of those found.
    """

    held: Item | None = None
    streak: int = 0
    last_bad: tuple[Finding, ...] = ()
    levels: Mapping[str, Level] = MappingProxyType({})
    pasts: Mapping[str, Points] = MappingProxyType({})
    readings: tuple[bool, ...] = ()
    flapping: bool = False


Memory = dict[str, Known]
"""What is remembered of a component, by item. A new one is made for each judgement; none is changed."""

NOTHING: Final = Known()


def judge(
    memory: Mapping[str, Known], assessment: Assessment, rules: Rules, now: float, *, out_of_turn: bool = False
) -> tuple[Memory, Assessment]:
    """Judge what a check says of its items. `now`: boot seconds of the reading.

    `out_of_turn`: a signal made the check look. A unit that starts sends several, and as many bad readings in the
    moment that it takes to start would confirm one another: of such readings only the first counts.
    """
    kept = dict(memory) if assessment.partial else {}
    for name in assessment.gone:
        kept.pop(name, None)
    items, as_it_was = [], True
    for item in assessment.items:
        if rules.at_once and not item.measures and item.name not in memory:
            items.append(item)
            continue
        kept[item.name], judged = _judge(memory.get(item.name, NOTHING), item, rules, now, out_of_turn)
        items.append(judged)
        as_it_was = as_it_was and judged is item
    return kept, assessment if as_it_was else replace(assessment, items=tuple(items))


def _judge(known: Known, item: Item, rules: Rules, now: float, out_of_turn: bool) -> tuple[Known, Item]:  # noqa: FBT001
    known, measured = _measured(known, item, now)
    if measured.status is Status.UNKNOWN:
        return known._replace(streak=0), _unknown(known.held, measured)
    if not measured.settled:
        return known._replace(streak=0), measured
    if measured.stopped:
        return known._replace(held=measured, streak=0, readings=(), flapping=False), measured
    if _is_another_run(known, measured):
        known = known._replace(streak=0)
    known = _counted(known, measured, rules)
    if known.flapping and not all(known.readings[-rules.failures :]):
        measured = _flapping(known, measured)
    return _confirmed(known, measured, rules, out_of_turn)


def _unknown(held: Item | None, item: Item) -> Item:
    """An item without a usable reading neither sets nor clears: what was wrong with it still counts."""
    return item if held is None else replace(item, score=held.score, findings=held.findings)


# Limits


def _measured(known: Known, item: Item, now: float) -> tuple[Known, Item]:
    """The item with what its measures add, and the memory with their newest values."""
    if not item.measures:
        return known, item
    levels: dict[str, Level] = {}
    pasts: dict[str, Points] = {}
    measures = []
    for each in item.measures:
        levels[each.name] = level_of(each, known.levels.get(each.name, Level.OK))
        foretold = each
        if each.forecast:
            past = pasts[each.name] = extended(known.pasts.get(each.name, ()), now, each.value)
            foretold = _foretold(each, past)
        measures.append(foretold)
    known = known._replace(levels=levels, pasts=pasts)
    bad = [each for each in measures if levels[each.name] or each.seconds_to_critical is not None]
    if not bad and item.status in (Status.UNKNOWN, status_of(item.score)):  # as nearly always: nothing to add
        return known, item
    scores = [score_of(each, levels[each.name]) for each in measures]
    if any(each.seconds_to_critical is not None for each in measures):
        scores.append(BEST_DEGRADED)
    score = min(item.score, *scores)
    whole = replace(
        item,
        score=score,
        status=item.status if item.status is Status.UNKNOWN else status_of(score),
        message=_message(item, bad, levels),
        findings=(*item.findings, *_findings(item, bad, levels)),
        measures=tuple(measures),
    )
    return known, whole


def _foretold(measure: Measure, past: Points) -> Measure:
    if measure.critical is None:
        return measure
    ahead = seconds_to(past, measure.critical, falling=falling(measure))
    return measure if ahead is None else replace(measure, seconds_to_critical=ahead)


def _message(item: Item, bad: list[Measure], levels: Mapping[str, Level]) -> str:
    said = [each.text for each in bad if levels[each.name] and each.text]
    if item.findings:
        said.insert(0, item.message)
    ahead = [
        _ahead(each) for each in bad if each.seconds_to_critical is not None and levels[each.name] < Level.CRITICAL
    ]
    return "; ".join(dict.fromkeys([*(said or [item.message]), *ahead]))


def _ahead(measure: Measure) -> str:
    minutes = max(1, round((measure.seconds_to_critical or 0.0) / 60))
    return f"at this pace {measure.name.replace('_', ' ')} is critical in {minutes} min"


def _findings(item: Item, bad: list[Measure], levels: Mapping[str, Level]) -> list[Finding]:
    """One for each type of issue: that of the worst of its measures."""
    found: dict[str, Finding] = {}
    for each in sorted(bad, key=lambda measure: -levels[measure.name]):
        if each.issue is None or not (levels[each.name] or each.act_on_forecast):
            continue
        cause = "limit" if levels[each.name] else FORECAST
        text = each.text if levels[each.name] else _ahead(each)
        found.setdefault(
            each.issue,
            Finding(type=each.issue, message=text, unit=item.unit, cause=cause, critical=item.critical),
        )
    return list(found.values())


# Confirmation


def _is_another_run(known: Known, item: Item) -> bool:
    """Whether a program that was down runs again: that it was down says nothing against what answers now."""
    return bool(item.findings) and _says_down(known.last_bad) and not _says_down(item.findings)


def _says_down(findings: tuple[Finding, ...]) -> bool:
    return any(finding.cause == UNIT_DOWN for finding in findings)


def _confirmed(known: Known, item: Item, rules: Rules, out_of_turn: bool) -> tuple[Known, Item]:  # noqa: FBT001
    """The item as it holds: a change for the worse after `failures` readings, one for the better after `successes`."""
    held = known.held
    change = _change(held, item)
    if change == 0:
        return known._replace(held=item, streak=0), item
    step = 0 if out_of_turn and change > 0 else change
    streak = change if known.streak * change <= 0 else known.streak + step
    needed = rules.failures if change > 0 else rules.successes
    if abs(streak) >= needed:
        return known._replace(held=item, streak=0), item
    said = f"{item.message} ({'bad' if change > 0 else 'good'} reading {abs(streak)} of {needed})"
    if held is None:
        return known._replace(streak=streak), replace(
            item, status=Status.UNKNOWN, message=said, findings=(), settled=False
        )
    kept = replace(item, status=held.status, score=held.score, findings=held.findings, message=said, settled=False)
    return known._replace(streak=streak), kept


def _change(held: Item | None, item: Item) -> int:
    """Whether a reading is worse (1) or better (-1) than the verdict that holds, or the same (0).

    What was never judged is taken for good: a first good reading counts at once, a bad one must be confirmed.
    """
    if held is None:
        return 1 if item.findings or _RANK[item.status] else 0
    if item.findings and _says_down(held.findings) and not _says_down(item.findings):
        return 1  # what runs again and does not answer yet may only need a moment: that must be confirmed as well
    worse, better = _RANK[item.status] > _RANK[held.status], _RANK[item.status] < _RANK[held.status]
    if item.findings or held.findings:
        was, found = {finding.type for finding in held.findings}, {finding.type for finding in item.findings}
        worse, better = worse or bool(found - was), better or bool(was - found)
    return 1 if worse else -1 if better else 0


# Flapping


def _counted(known: Known, item: Item, rules: Rules) -> Known:
    """The memory with one more reading, good or bad."""
    if rules.at_once:
        return known
    bad = bool(item.findings) or item.status in (Status.DEGRADED, Status.UNHEALTHY)
    readings = (*known.readings[-FLAPPING_READINGS + 1 :], bad)
    changes = sum(a is not b for a, b in pairwise(readings)) if len(set(readings)) > 1 else 0
    flapping = changes > STEADY_CHANGES if known.flapping else changes >= FLAPPING_CHANGES
    return known._replace(readings=readings, flapping=flapping, last_bad=item.findings or known.last_bad)


def _flapping(known: Known, item: Item) -> Item:
    """The item as bad as one is that is good every other time, for as long as it goes on; one that stays bad is bad."""
    bad = sum(known.readings)
    message = f"flapping: {bad} of the last {len(known.readings)} readings were bad; now: {item.message}"
    status = status_of(FLAPPING_SCORE)
    return replace(item, score=FLAPPING_SCORE, status=status, message=message, findings=known.last_bad)
