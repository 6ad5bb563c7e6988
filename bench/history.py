"""A month of history at the defaults: its size, its commits, and questions over all of it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from bench.measured import Figure, Measured, series

if TYPE_CHECKING:
    from bench.stage import Stage

DAYS: Final = 30
_FILE: Final = "/var/tmp/month.db"  # noqa: S108  # of a host of our own
_MB: Final = 1e6


def measure(stage: Stage) -> Measured:
    """Written by the store's own hand, faster than the days pass."""
    found = stage.inside("month", _FILE, str(DAYS))
    sizes = [size / _MB for size in found["sizes"]]
    grown = [later - sooner for sooner, later in pairwise(sizes)]
    asked = [series(f"asked over {DAYS} days: {name}", "ms", took) for name, took in found["questions"].items()]
    figures = [
        Figure(name="largest growth in a day", value=max(grown), unit="MB", limit=2),
        *(Figure(name=f"p99, {row.name}", value=row.percentile(99), unit="ms", limit=200) for row in asked),
    ]
    return Measured(
        name="history: 85 series every 30 s for a month",
        series=(series("a day", "MB", grown), series("a commit of two rounds", "ms", found["commits"]), *asked),
        figures=tuple(figures),
        notes=(f"after {DAYS} days the file has {sizes[-1]:.1f} MB",),
    )
