"""Printing: plain tables for a person, JSON for a program."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.measured import Figure, Measured, Series


def show(measured: Measured) -> str:
    """The tables of one benchmark."""
    parts = [f"== {measured.name}", _table([_HEAD, *map(_series, measured.series)])]
    if measured.figures:
        parts.append(_table([("", "measured", "target", "verdict"), *map(_figure, measured.figures)]))
    return "\n".join([*parts, *measured.notes]) + "\n"


def as_json(results: Iterable[Measured]) -> str:
    """Everything, with each single value."""
    plain = [
        asdict(each) | {"figures": [asdict(figure) | {"met": figure.met} for figure in each.figures]}
        for each in results
    ]
    return json.dumps(plain, indent=1)


_HEAD = ("", "n", "min", "median", "p90", "p99", "max", "unit")


def _series(row: Series) -> tuple[str, ...]:
    low, high = min(row.values), max(row.values)
    numbers = (low, row.median, row.percentile(90), row.percentile(99), high)
    return (row.name, str(len(row.values)), *map(_number, numbers), row.unit)


def _figure(row: Figure) -> tuple[str, ...]:
    bound = ">=" if row.at_least else "<="
    return (
        row.name,
        f"{_number(row.value)} {row.unit}",
        f"{bound} {_number(row.limit)} {row.unit}",
        "ok" if row.met else f"missed by {abs(row.value / row.limit - 1):.0%}",
    )


def _number(value: float) -> str:
    """Three figures that mean something."""
    for below, digits in ((0.1, 4), (1, 3), (10, 2), (1000, 1)):
        if abs(value) < below:
            return f"{value:.{digits}f}"
    return f"{value:.0f}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(_cells(row, widths)).rstrip() for row in rows)


def _cells(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        cell.ljust(width) if at == 0 else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
