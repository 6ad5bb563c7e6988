"""The table of how often healthd was right, for a person and for the documentation."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Final

from bench.accuracy.judge import Found

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.accuracy.judge import Judgement
    from bench.accuracy.play import Played

DEMANDED: Final = 0.997
"""So many of all judgements must be right."""

_HEAD: Final = (
    "component",
    "check, ms",
    "scenes",
    "faults",
    "harmless",
    "right",
    "accuracy",
    "false positives",
    "missed",
    "wrong remedy",
    "seen after, s",
)


def rows(played: Sequence[Played]) -> list[tuple[str, ...]]:
    """The head, one row for each component, and the sum of them."""
    judgements = [judgement for each in played for judgement in each.judgements]
    components = sorted({judgement.scene.component for judgement in judgements})
    return [
        _HEAD,
        *(
            _row(name, [each for each in judgements if each.scene.component == name], _check_time(name, played))
            for name in components
        ),
        _row("all", judgements, ""),
    ]


def met(played: Sequence[Played]) -> bool:
    """Enough was right, and nothing at all was done about what is harmless."""
    judgements = [judgement for each in played for judgement in each.judgements]
    strange = sum(len(each.strays) for each in played)
    right = sum(each.found is Found.RIGHT for each in judgements)
    return right >= DEMANDED * (len(judgements) + strange) and not any(map(healed_in_vain, judgements))


def healed_in_vain(judgement: Judgement) -> bool:
    """Something was done about what is harmless."""
    return judgement.scene.harmless and judgement.healed


def plain(table: Iterable[Sequence[str]]) -> str:
    """For a terminal."""
    lines = list(table)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def markdown(table: Iterable[Sequence[str]]) -> str:
    """For a page."""
    head, *rest = ["| " + " | ".join(line) + " |" for line in table]
    return "\n".join([head, "|" + " --- |" * len(_HEAD), *rest])


def _row(name: str, judgements: Sequence[Judgement], check: str) -> tuple[str, ...]:
    counts = {found: sum(each.found is found for each in judgements) for found in Found}
    harmless = sum(each.scene.harmless for each in judgements)
    times = [each.seconds for each in judgements if each.seconds is not None]
    return (
        name,
        check,
        str(len(judgements)),
        str(len(judgements) - harmless),
        str(harmless),
        str(counts[Found.RIGHT]),
        f"{counts[Found.RIGHT] / len(judgements):.1%}",
        str(counts[Found.FALSE_POSITIVE]),
        str(counts[Found.MISSED]),
        str(counts[Found.WRONG_REMEDY]),
        f"{statistics.median(times):.2f}" if times else "",
    )


def _check_time(component: str, played: Sequence[Played]) -> str:
    """How long a look takes, in the mean over all hosts: of the component itself, or of those that are of this type."""
    seconds, count = 0.0, 0
    for each in played:
        names = {component} | {one.scene.name for one in each.judgements if one.scene.component == component}
        for name in names & each.durations.keys():
            seconds, count = seconds + each.durations[name][0], count + each.durations[name][1]
    return f"{1000 * seconds / count:.1f}" if count else ""
