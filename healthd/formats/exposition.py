"""Prometheus' text format and OpenMetrics: a few wanted series, found in a page of any size.

Only the lines of wanted metrics are looked at, so that a page of megabytes costs milliseconds and what is wrong
elsewhere in it does not matter. Timestamps and exemplars are passed over. Format: https://prometheus.io/docs/
instrumenting/exposition_formats and the OpenMetrics specification.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TEXT: Final = rb'"(?:[^"\\\n]++|\\[^\n])*+"'
_SERIES: Final = re.compile(rb"[ \t]*(?:\{((?:[^\"}\n]++|" + _TEXT + rb")*+)\})?[ \t]*([^\s{]+)")
"""What follows the name of the metric: labels in braces, and the value."""

_ASKED: Final = rb"'(?:[^'\\\n]++|\\[^\n])*+'"
"""Who asks for a label may quote it so as well, as in a query to Prometheus."""

_LABEL: Final = re.compile(rb"[\s,]*([A-Za-z_][A-Za-z0-9_]*|" + _TEXT + rb")\s*=\s*(" + _TEXT + rb"|" + _ASKED + rb")")
_ESCAPED: Final = re.compile(rb"\\([\\n\"'])")
_INDENTED: Final = re.compile(rb"^[ \t]+", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """The series of a metric that have these labels, whatever others they have. An empty label matches none at all."""

    metric: str
    labels: Mapping[str, str]

    @classmethod
    def of(cls, text: str) -> Selector:
        """`name` or `name{label="value"}`, in a form that the configuration has checked."""
        metric, _, labels = text.partition("{")
        return cls(metric=metric, labels=_labels(labels.encode()))

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether a series with these labels is meant."""
        return all(labels.get(name, "") == value for name, value in self.labels.items())


def plain(page: bytes) -> bytes:
    """The page with each line at its margin, where `total` looks for it."""
    return _INDENTED.sub(b"", page) if page[:1] in b" \t" or b"\n " in page or b"\n\t" in page else page


def total(page: bytes, wanted: Selector) -> float | None:
    """The sum over all series that are meant. None: there is none; NaN: one of them is no number."""
    found: float | None = None
    for labels, value in _series(page, wanted.metric.encode()):
        if not wanted.labels or wanted.matches(_labels(labels)):
            found = (found or 0.0) + _number(value)
    return found


def _series(page: bytes, metric: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Labels and value of each series of the metric, as they stand there."""
    for end in _places(page, metric):
        if page[end : end + 1] in (b" ", b"\t", b"{") and (match := _SERIES.match(page, end)):
            yield match[1] or b"", match[2]


def _places(page: bytes, metric: bytes) -> Iterator[int]:
    """Where a line that begins so goes on."""
    if page.startswith(metric):
        yield len(metric)
    line = b"\n" + metric
    at = page.find(line)
    while at >= 0:
        yield at + len(line)
        at = page.find(line, at + len(line))


def _labels(text: bytes) -> Mapping[str, str]:
    return {
        (_unquoted(name) if name.startswith(b'"') else name.decode("ascii")): _unquoted(value)
        for name, value in _LABEL.findall(text)
    }


def _unquoted(text: bytes) -> str:
    plain_text = _ESCAPED.sub(lambda match: b"\n" if match[1] == b"n" else match[1], text[1:-1])
    return plain_text.decode("utf-8", "replace")


def _number(text: bytes) -> float:
    """NaN for what is none; Python alone takes an underscore for a part of one."""
    try:
        return nan if b"_" in text else float(text)
    except ValueError:
        return nan
