"""What the check of type metrics makes of a program's own numbers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from healthd.assess.judge import Rules, judge
from healthd.checks.metrics import Options, Page, Reading, assess, keep, options, sample
from healthd.config import load_texts
from healthd.errors import NoAnswer, ReadError
from healthd.model import IssueType, Item, Status
from healthd.probes import Fetched
from tests.fake_net import FakeNet
from tests.fakes import FakeClock
from tests.unit.assembly import ports_of

if TYPE_CHECKING:
    from healthd.model import Assessment

PEERS = "web_peers"
ERRORS = "web_errors_total"


def configured(table: str = "", *, name: str = "web", thresholds: str = "") -> Options:
    """The options of a component that reads peers, and errors in an interval of 30 s."""
    text = f"""
[thresholds]
{thresholds}
[component.{name}]
type = "metrics"
url = "http://127.0.0.1:9100/metrics"
values = {{ peers = {{ metric = "{PEERS}" }}, errors = {{ metric = "{ERRORS}", per_interval = true }} }}
{table}
"""
    return options(load_texts({"healthd.toml": text}), name)


class Looks:
    """A component that is looked at again and again; the metrics are those of each page."""

    def __init__(self, chosen: Options) -> None:
        self._options = chosen
        self._before: Reading | None = None

    def see(self, at: float, **numbers: float) -> Assessment:
        return self._take(Reading(at=at, page=Page(at=at, numbers=numbers)))

    def fail(self, at: float) -> Assessment:
        return self._take(Reading(at=at, page=NoAnswer("refused", "connection refused")))

    def _take(self, reading: Reading) -> Assessment:
        assessment = assess(reading, self._before, self._options)
        self._before = keep(reading, self._before, self._options)
        return assessment


def item_of(assessment: Assessment) -> Item:
    """The item as it holds once its measures are judged."""
    _, judged = judge({}, assessment, Rules(), 0.0)
    (item,) = judged.items
    return item


def errors_of(assessment: Assessment) -> float:
    (item,) = assessment.items
    return next(each.value for each in item.measures if each.name == "errors")


def types(item: Item) -> list[IssueType]:
    return [finding.type for finding in item.findings]


# Counters


def test_a_counter_says_nothing_until_there_is_a_second_page() -> None:
    looks = Looks(configured())

    first = looks.see(100.0, web_peers=5, web_errors_total=1000)
    second = looks.see(101.0, web_peers=5, web_errors_total=1002)

    assert (first.usable, first.reason, first.again_at) == (False, "the first reading", 101.0)
    assert errors_of(second) == 2


def test_a_counter_counts_what_came_in_the_last_interval() -> None:
    looks = Looks(configured())
    seen = [looks.see(30.0 * at, web_errors_total=at * at) for at in range(5)]

    assert [errors_of(each) for each in seen[1:]] == [1, 3, 5, 7]


def test_looks_in_between_take_nothing_away_from_an_interval() -> None:
    looks = Looks(configured())
    for at in range(61):
        looks.see(float(at), web_errors_total=at)

    assert 22 <= errors_of(looks.see(61.0, web_errors_total=61)) <= 45


def test_a_counter_that_fell_began_anew() -> None:
    looks = Looks(configured())
    looks.see(0.0, web_errors_total=1000)

    assert errors_of(looks.see(30.0, web_errors_total=4)) == 4


def test_a_counter_that_appears_with_its_first_error_counts_it() -> None:
    looks = Looks(configured())
    looks.see(0.0, web_peers=5)

    assert errors_of(looks.see(30.0, web_peers=5, web_errors_total=2)) == 2


def test_what_a_counter_did_while_the_page_was_away_is_not_held_against_one_interval() -> None:
    looks = Looks(configured())
    looks.see(0.0, web_errors_total=0)
    for at in range(30, 600, 30):
        looks.fail(float(at))

    assert looks.see(600.0, web_errors_total=500).reason == "the first reading"
    assert errors_of(looks.see(601.0, web_errors_total=501)) == 1


def test_one_page_that_was_missed_is_bridged() -> None:
    looks = Looks(configured())
    looks.see(0.0, web_errors_total=0)
    looks.fail(30.0)

    assert errors_of(looks.see(60.0, web_errors_total=3)) == 3


def test_a_component_without_counters_is_judged_by_its_first_page() -> None:
    text = """
[component.web]
type = "metrics"
url = "http://127.0.0.1:9100/metrics"
values = { peers = { metric = "web_peers" } }
"""
    chosen = options(load_texts({"healthd.toml": text}), "web")

    (item,) = Looks(chosen).see(0.0, web_peers=12.5).items

    assert (item.score, item.message) == (1.0, "peers 12.5")


# Limits


@pytest.mark.parametrize(
    ("errors", "status", "issues"),
    [
        (3, Status.HEALTHY, []),
        (4, Status.DEGRADED, [IssueType.ERROR_RATE]),
        (11, Status.UNHEALTHY, [IssueType.ERROR_RATE]),
    ],
)
@pytest.mark.parametrize(
    ("name", "table", "thresholds"),
    [
        ("web", "warning = { errors = 3 }\ncritical = { errors = 10 }", ""),
        ("web", "", "web_error_warning = 3\nweb_error_critical = 10"),
        ("web", "warning = { errors = 3 }\ncritical = { errors = 10 }", "web_error_warning = 1"),
        ("consensus", "", ""),
    ],
)
def test_errors_are_held_against_the_components_own_limits_or_those_of_thresholds(  # noqa: PLR0917
    name: str, table: str, thresholds: str, errors: int, status: Status, issues: list[IssueType]
) -> None:
    looks = Looks(configured(table, name=name, thresholds=thresholds))
    looks.see(0.0, web_errors_total=0)

    item = item_of(looks.see(30.0, web_errors_total=errors))

    assert (item.status, types(item)) == (status, issues)


def test_what_is_beyond_a_limit_is_said_with_the_limit() -> None:
    looks = Looks(configured("warning = { errors = 3 }\ncritical = { errors = 10 }"))
    looks.see(0.0, web_peers=5, web_errors_total=0)

    assert item_of(looks.see(30.0, web_peers=5, web_errors_total=2)).message == "peers 5, errors 2 in 30 s"
    assert item_of(looks.see(60.0, web_peers=5, web_errors_total=7)).message == "errors 5 in 30 s (limit 3)"
    assert item_of(looks.see(90.0, web_peers=5, web_errors_total=27)).message == "errors 20 in 30 s (limit 10)"


# The table of scores

TABLE = """score = [
  { when = { peers = { max = 0 } }, score = 0.0 },
  { when = { peers = { min = 1, max = 2 }, errors = { min = 11 } }, score = 0.3 },
  { when = { errors = { min = 1 } }, score = 0.8 },
]"""


@pytest.mark.parametrize(
    ("peers", "errors", "score", "issues"),
    [
        (0, 0, 0.0, [IssueType.ERROR_RATE]),
        (1, 11, 0.3, [IssueType.ERROR_RATE]),
        (2, 11, 0.3, [IssueType.ERROR_RATE]),
        (2, 10, 0.8, []),
        (3, 1, 0.8, []),
        (3, 0, 1.0, []),
    ],
)
def test_the_first_row_that_matches_wins(peers: int, errors: int, score: float, issues: list[IssueType]) -> None:
    looks = Looks(configured(TABLE, thresholds="web_error_warning = 0"))
    looks.see(0.0, web_peers=peers, web_errors_total=0)

    item = item_of(looks.see(30.0, web_peers=peers, web_errors_total=errors))

    assert (item.score, types(item)) == (score, issues)
    assert item.message == f"peers {peers}, errors {errors} in 30 s"


def test_a_row_that_asks_for_what_is_missing_leaves_the_score_open() -> None:
    looks = Looks(configured(TABLE))
    looks.see(0.0, web_errors_total=0)

    assert looks.see(30.0, web_errors_total=0).reason == "not on the page: peers"
    assert looks.see(60.0, web_peers=0).items[0].score == 0.0


# What is missing


def test_a_value_that_is_missing_is_said_beside_those_that_are_there() -> None:
    looks = Looks(configured())
    looks.see(0.0, web_errors_total=0)

    (item,) = looks.see(30.0, web_errors_total=1).items

    assert item.message == "errors 1 in 30 s, peers not on the page"


def test_a_page_without_any_of_the_values_is_no_reading() -> None:
    looks = Looks(configured())
    looks.see(0.0)

    seen = looks.see(30.0)

    assert (seen.usable, seen.reason) == (False, "not on the page: peers, errors")


def test_a_page_that_cannot_be_had_is_a_failed_probe() -> None:
    (item,) = Looks(configured()).fail(0.0).items

    assert (item.status, item.score, item.message) == (Status.UNHEALTHY, 0.0, "connection refused")
    assert [(finding.type, finding.cause) for finding in item.findings] == [(IssueType.PROBE_FAILED, "refused")]


def test_a_value_is_shown_under_the_name_that_the_configuration_gives_it() -> None:
    looks = Looks(configured())
    looks.see(0.0, web_peers=5, web_errors_total=0)

    (item,) = looks.see(30.0, web_peers=5, web_errors_total=2).items

    assert [(each.name, each.value) for each in item.measures] == [("peers", 5), ("errors", 2)]


# Scraping


def scraped(answer: Fetched | NoAnswer) -> Reading:
    chosen = configured()
    net = FakeNet(answers={chosen.url: answer})
    return asyncio.run(sample(ports_of(net=net, clock=FakeClock(boot=7.0)), chosen, None))


def page_of(text: bytes, **more: Any) -> Fetched:
    return Fetched(url="", status=200, body=text, **more)


def test_only_what_is_asked_for_is_taken_off_the_page() -> None:
    reading = scraped(page_of(b"web_peers 5\nweb_other 1\nweb_errors_total 9\n"))

    assert reading == Reading(at=7.0, page=Page(at=7.0, numbers={"web_peers": 5, "web_errors_total": 9}))


def test_what_is_no_finite_number_is_not_there() -> None:
    reading = scraped(page_of(b"web_peers NaN\nweb_errors_total +Inf\n"))

    assert isinstance(reading.page, Page)
    assert reading.page.numbers == {}


@pytest.mark.parametrize(
    ("answer", "cause", "words"),
    [
        (NoAnswer("timeout", "no answer within 2 s"), "timeout", "no answer within 2 s"),
        (Fetched(url="", status=503), "status", "status 503 in place of a page"),
    ],
)
def test_a_page_that_is_not_served_is_no_page(answer: Fetched | NoAnswer, cause: str, words: str) -> None:
    page = scraped(answer).page

    assert isinstance(page, NoAnswer)
    assert (page.cause, str(page)) == (cause, words)


def test_a_page_that_is_too_large_is_not_judged_by_its_beginning() -> None:
    with pytest.raises(ReadError, match="larger than 4 MiB"):
        scraped(page_of(b"web_peers 5\n", cut=True))
