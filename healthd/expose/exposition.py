"""Families of metrics as text: Prometheus' format 0.0.4, or OpenMetrics 1.0.

What stands before a value does not change from scrape to scrape: it is made once and kept.
"""

from __future__ import annotations

from functools import lru_cache
from math import inf, isinf, isnan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthd.answers import Family

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def text(families: Iterable[Family], *, openmetrics: bool) -> bytes:
    """The whole page."""
    parts: list[str] = []
    for family in families:
        parts.append(_head(family.name, family.kind, family.about, openmetrics))
        name = family.name
        parts += [f"{_prefix(name + suffix, labels)}{_number(value)}\n" for labels, value, suffix in family.samples]
    if openmetrics:
        parts.append("# EOF\n")
    return "".join(parts).encode("utf-8", "backslashreplace")


@lru_cache(maxsize=256)
def _head(name: str, kind: str, about: str, openmetrics: bool) -> str:  # noqa: FBT001  keys of a cache are in order
    """OpenMetrics names a counter without its `_total`, and knows more kinds than the older format."""
    if openmetrics and kind == "counter":
        name = name.removesuffix("_total")
    if openmetrics and name.endswith("_info"):
        name, kind = name.removesuffix("_info"), "info"
    return f"# HELP {name} {about}\n# TYPE {name} {kind}\n"


@lru_cache(maxsize=8192)
def _prefix(name: str, labels: tuple[tuple[str, str], ...]) -> str:
    inner = ",".join(f'{label}="{value.translate(_ESCAPES)}"' for label, value in labels)
    return f"{name}{{{inner}}} " if inner else f"{name} "


def _number(value: float) -> str:
    if isnan(value):
        return "NaN"
    if isinf(value):
        return "+Inf" if value == inf else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
