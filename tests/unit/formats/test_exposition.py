"""What is found on a page of metrics is what Prometheus' own client library finds there."""

from __future__ import annotations

from math import isnan, nan
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from healthd.formats.exposition import Selector, plain, total

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NAMES = st.sampled_from(["web_errors", "web_errors_seconds", "web", "web_peers"])
LABEL_NAMES = st.sampled_from(["code", "path", "le_", "_x"])
LABEL_VALUES = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ['"', "\\", "\n", "}", "{", ',code="1"', "# {}", "web 3", "\nweb 3"]
)
VALUES = st.floats(allow_nan=False, width=32) | st.integers(-(10**6), 10**6).map(float)


@st.composite
def registries(draw: st.DrawFn) -> CollectorRegistry:
    """A program's metrics as its client library would have them."""
    registry = CollectorRegistry()
    for name in sorted(draw(st.sets(NAMES, min_size=1))):
        labels = sorted(draw(st.sets(LABEL_NAMES, max_size=2)))
        kind = draw(st.sampled_from([Gauge, Counter, Histogram]))
        metric = kind(name, 'help with "quotes"\nand web_errors 7', labels, registry=registry)
        for _ in range(draw(st.integers(1, 3))):
            child = metric.labels(*(draw(LABEL_VALUES) for _ in labels)) if labels else metric
            if isinstance(child, Gauge):
                child.set(draw(VALUES))
            elif isinstance(child, Counter):
                child.inc(abs(draw(st.integers(0, 1000))))
            else:
                child.observe(draw(st.floats(0, 10)))
    return registry


def sums(families: Iterable[object], wanted: Selector) -> float | None:
    """What Prometheus' own parser makes of it."""
    found = [
        sample.value
        for family in families
        for sample in family.samples  # type: ignore[attr-defined]
        if sample.name == wanted.metric and wanted.matches(sample.labels)
    ]
    return sum(found) if found else None


def same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return one == other or (isnan(one) and isnan(other)) or one == pytest.approx(other)


def selector_of(metric: str, labels: dict[str, str]) -> Selector:
    return Selector(metric=metric, labels=labels)


@pytest.mark.parametrize(
    ("generate", "parse"),
    [(generate_latest, parse_text), (generate_openmetrics, parse_openmetrics)],
    ids=["text", "openmetrics"],
)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
@given(
    registry=registries(),
    metric=NAMES,
    suffix=st.sampled_from(["", "_total", "_sum", "_bucket"]),
    labels=st.dictionaries(LABEL_NAMES, LABEL_VALUES, max_size=1),
)
def test_each_sum_is_that_of_prometheus_own_parser(  # noqa: PLR0917
    generate: Callable[[CollectorRegistry], bytes],
    parse: Callable[[str], Iterable[object]],
    registry: CollectorRegistry,
    metric: str,
    suffix: str,
    labels: dict[str, str],
) -> None:
    page, wanted = generate(registry), selector_of(metric + suffix, labels)

    assert same(total(plain(page), wanted), sums(parse(page.decode()), wanted))


PAGE = b"""\
# HELP web_errors_total Errors.
# TYPE web_errors_total counter
web_errors_total{code="500",path="/a b"} 3 1700000000000
web_errors_total{path="/",code="500",} 4
web_errors_total{code="404"} 10 # {trace_id="x"} 1 1700000000.0
web_errors_totals 99
web_up 1
\tweb_down\t0
web_odd{quoted="a \\"b\\" \\\\ \\n }"} 2
web_not_a_number 1_000
web_endless +Inf
"""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("web_errors_total", 17.0),
        ('web_errors_total{code="500"}', 7.0),
        ('web_errors_total{code="500",path="/"}', 4.0),
        ('web_errors_total{ path="/a b" , code="500" }', 3.0),
        ("web_errors_total{code='500',path='/'}", 4.0),
        ('web_errors_total{path=""}', 10.0),
        ('web_errors_total{code="200"}', None),
        ("web_errors", None),
        ("errors_total", None),
        ("web_up", 1.0),
        ("web_down", 0.0),
        ('web_odd{quoted="a \\"b\\" \\\\ \\n }"}', 2.0),
        ("web_not_a_number", nan),
        ("web_endless", float("inf")),
    ],
)
def test_series_are_found_by_name_and_labels_and_summed(text: str, value: float | None) -> None:
    assert same(total(plain(PAGE), Selector.of(text)), value)


def test_a_page_may_end_its_lines_with_a_carriage_return() -> None:
    assert total(plain(b"up 1\r\ndown 2\r\n"), Selector.of("down")) == 2.0


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_page_is_so_broken_that_it_breaks_the_parser(noise: bytes) -> None:
    page = plain(b"web{" + noise + b"\nweb" + noise)

    total(page, Selector.of('web{a="b"}'))


def test_a_hostile_page_costs_no_more_than_its_size() -> None:
    page = b"web{" + b'"' * 200_001 + b"\n" + b"web{a=" * 50_000 + b"\nweb" + b"{" * 200_000

    assert total(plain(page), Selector.of('web{a="b"}')) is None  # were it more, the test would not end
