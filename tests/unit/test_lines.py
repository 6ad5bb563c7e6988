"""Lines of metrics: what is kept from page to page changes nothing, and Prometheus' own parser reads what was meant."""

from __future__ import annotations

from math import inf, isnan, nan
from typing import Final

import pytest
from hypothesis import given
from hypothesis import settings as search
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families as parse

from healthd.lines import Lines, number, series

Page = dict[tuple[str, str], float]

NAMES: Final = st.text(st.sampled_from('ab%"\\\n{},= é\udcff'), max_size=4)
VALUES: Final = st.one_of(st.integers(0, 2**60), st.floats(), st.sampled_from([0.0, -0.0, 1.0, 1e15, 5e-324]))
PAGES: Final = st.lists(st.dictionaries(st.tuples(NAMES, NAMES), VALUES, max_size=4), min_size=1, max_size=4)


def lines() -> Lines:
    return Lines(lambda key: (series("taken", zip(("one", "other"), key, strict=True)),))


def told(text: str) -> str:
    """A text that is UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()


def plainly(page: Page) -> str:
    """The same by hand, each line for itself."""
    text = ""
    for (one, other), value in page.items():
        escaped = [told(x).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for x in (one, other)]
        if isnan(value) or value in (inf, -inf):
            written = "NaN" if isnan(value) else "+Inf" if value > 0 else "-Inf"
        else:
            written = str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
        text += f'taken{{one="{escaped[0]}",other="{escaped[1]}"}} {written.removesuffix(".0")}\n'
    return text


@search(deadline=None)
@given(PAGES)
def test_a_page_is_the_same_whatever_stood_on_the_pages_before(pages: list[Page]) -> None:
    kept = lines()
    for page in pages:
        assert kept.text(page, map(float, page.values())) == plainly(page)
        assert kept.text(page, page.values()) == lines().text(page, page.values())


@search(deadline=None)
@given(PAGES)
def test_prometheus_reads_the_very_values_and_names(pages: list[Page]) -> None:
    kept = lines()
    for page in pages:
        samples = [one for family in parse(kept.text(page, page.values())) for one in family.samples]
        assert [(one.labels["one"], one.labels["other"]) for one in samples] == [
            (told(one), told(other)) for one, other in page
        ]
        assert [one.value for one in samples] == [pytest.approx(float(v), rel=0, nan_ok=True) for v in page.values()]


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), (1.0, "1"), (True, "1"), (-0.0, "0"), (0.1, "0.1"), (nan, "NaN"), (inf, "+Inf"), (-inf, "-Inf")],
)
def test_a_number_is_written_as_short_as_can_be(value: float, text: str) -> None:
    assert number(value) == text


def test_a_family_without_series_has_no_lines() -> None:
    assert lines().text({}, ()) == ""
