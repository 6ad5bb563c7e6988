"""The readings of a time again, one after the other, as fine as they are kept by now."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from healthd.errors import StorageError
from healthd.record.lookup import covering
from healthd.record.reel import opened
from healthd.record.tiers import ROUND

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from healthd.answers import Series


class Read(NamedTuple):
    """What was read at an instant (Unix seconds), or in the mean of the `step` seconds after it."""

    at: float
    step: int
    values: Mapping[Series, float]


def read_again(path: Path, wants: Callable[[Series], bool], since: float, until: float) -> list[Read]:
    """All readings of the wanted series in this time, oldest first. Raises `StorageError`."""
    try:
        with closing(opened(path)) as connection:
            found = covering(connection, ROUND, int(since), int(until))
    except (sqlite3.Error, ValueError) as error:
        raise StorageError(f"{path}: {error}") from error
    reads = []
    for row in sorted(found, key=lambda each: each.at):
        first = len(row.series) if row.step else 0  # means stand behind minima
        places = [(place, series) for place, series in enumerate(row.series) if wants(series)]
        values = {series: row.numbers[first + place] for place, series in places}
        known = {series: value for series, value in values.items() if value == value}  # noqa: PLR0124  # not NaN
        if known:
            reads.append(Read(row.at, row.step, known))
    return reads
