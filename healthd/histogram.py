"""A histogram as Prometheus has it: how many observations were at most each bound, how many in all, and their sum."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING

from healthd.lines import series

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from healthd.lines import Key


class Histogram:
    """Counts observations by `bounds`, which ascend; the last, +Inf, is understood. `count` is all of them."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0
        self.count = 0

    def observe(self, value: float) -> None:
        """Count one."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value
        self.count += 1

    def values(self) -> tuple[float, ...]:
        """The values of the series that `written` names."""
        return (*accumulate(self._counts), self._sum, self.count)


def written(name: str, bounds: Sequence[float], *labels: str) -> Callable[[Key], Iterator[str]]:
    """The series of a histogram in a family of this name, by the values of these labels."""

    def of(key: Key) -> Iterator[str]:
        own = tuple(zip(labels, key, strict=True))
        yield from (series(f"{name}_bucket", (*own, ("le", bound))) for bound in (*map(repr, bounds), "+Inf"))
        yield from (series(f"{name}_{part}", own) for part in ("sum", "count"))

    return of
