"""Families of metrics as a page: Prometheus' text format 0.0.4, or OpenMetrics 1.0."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthd.answers import Family


def text(families: Iterable[Family], *, openmetrics: bool) -> bytes:
    """The whole page."""
    parts: list[str] = []
    for family in families:
        parts += (_head(family.name, family.kind, family.about, openmetrics), family.lines)
    if openmetrics:
        parts.append("# EOF\n")
    return "".join(parts).encode()


@lru_cache(maxsize=256)
def _head(name: str, kind: str, about: str, openmetrics: bool) -> str:  # noqa: FBT001  keys of a cache are in order
    """OpenMetrics names a counter without its `_total`, and knows more kinds than the older format."""
    if openmetrics and kind == "counter":
        name = name.removesuffix("_total")
    if openmetrics and name.endswith("_info"):
        name, kind = name.removesuffix("_info"), "info"
    return f"# HELP {name} {about}\n# TYPE {name} {kind}\n"
