"""Scores and statuses of components and of the host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from healthd.model import Status

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from healthd.model import Item

HEALTHY: Final = 0.8
DEGRADED: Final = 0.5
HOST_HEALTHY: Final = 0.9
HOST_DEGRADED: Final = 0.7


def status_of(score: float | None) -> Status:
    """The status of a component or item with this score; None: there is no usable reading."""
    if score is None:
        return Status.UNKNOWN
    if score >= HEALTHY:
        return Status.HEALTHY
    return Status.DEGRADED if score >= DEGRADED else Status.UNHEALTHY


def worst(items: Iterable[Item]) -> float:
    """The score of a component with items: that of its worst one; without any, nothing is wrong."""
    return min((item.score for item in items), default=1.0)


def counted(items: Iterable[Item]) -> float:
    """The score of `services`, which counts: 1.0 with every unit well, 0.6 with one that is not.

    0.02 less for each further one, but not below 0.5; 0.0 while a critical unit is not well.
    """
    bad = [item for item in items if item.findings]
    if any(item.critical for item in bad):
        return 0.0
    if not bad:
        return 1.0
    return max(0.5, round(0.6 - 0.02 * (len(bad) - 1), 2))


class Part(NamedTuple):
    """What a component gives to the host's health.

    `score` None: unknown; `judged`: it had a known score before. `lost`: something in it was known before, and is not.
    """

    score: float | None
    weight: float
    critical: bool = False
    judged: bool = True
    lost: bool = False


def overall_score(parts: Collection[Part]) -> float:
    """The weighted mean over the components with a known status; 0.0 while there is none."""
    known = [(part.score, part.weight) for part in parts if part.score is not None]
    if not known:
        return 0.0
    total = sum(weight for _, weight in known)
    if total <= 0:  # components without any weight still say something; with equal voices then
        known, total = [(score, 1.0) for score, _ in known], float(len(known))
    # Rounded, lest a mean of 0.9 counts as below 0.9 because of its last binary digit.
    return round(sum(score * weight for score, weight in known) / total, 9)


def host_status(parts: Collection[Part]) -> Status:
    """The status of the host, capped by what must not vanish in a mean.

    A critical component that is unhealthy makes the host unhealthy; any other unhealthy one, or one that was judged
    before and is unknown now, as a whole or in part, keeps it at best degraded.
    """
    if not any(part.score is not None for part in parts):
        return Status.UNKNOWN
    bad = [part for part in parts if status_of(part.score) is Status.UNHEALTHY]
    score = overall_score(parts)
    if score < HOST_DEGRADED or any(part.critical for part in bad):
        return Status.UNHEALTHY
    lost = any(part.lost or (part.score is None and part.judged) for part in parts)
    return Status.DEGRADED if score < HOST_HEALTHY or bad or lost else Status.HEALTHY
