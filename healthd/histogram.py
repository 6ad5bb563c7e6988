"""A histogram as Prometheus has it: how many observations were at most each bound, how many in all, and their sum."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING

from healthd.answers import Sample

if TYPE_CHECKING:
    from collections.abc import Sequence


class Histogram:
    """Counts observations by `bounds`, which ascend; the last, +Inf, is understood."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    @property
    def count(self) -> int:
        """All observations."""
        return sum(self._counts)

    def observe(self, value: float) -> None:
        """Count one."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def samples(self, **labels: str) -> list[Sample]:
        """The series of the histogram, with these labels."""
        own = tuple(labels.items())
        bounds = (*map(repr, self._bounds), "+Inf")
        found = [
            Sample((*own, ("le", bound)), count, "_bucket")
            for bound, count in zip(bounds, accumulate(self._counts), strict=True)
        ]
        return [*found, Sample(own, self._sum, "_sum"), Sample(own, self.count, "_count")]
