"""The history routes: which history a query means, and how a mistake in it is refused."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from healthd.answers import HistoryQuery
from healthd.errors import RequestError, StorageError
from healthd.expose.api import Api
from healthd.expose.message import EVERYTHING, OUTLINES, Answer, Client, Request
from healthd.expose.past import asked
from tests.fakes import FakeLog
from tests.unit.expose.fake_control import NOW, FakeControl

ROOT = Client(rights=EVERYTHING, uid=0)


def get(control: FakeControl, *, client: Client = ROOT, **query: str) -> Answer:
    request = Request(method="GET", path="/api/v1/history", headers={}, body=b"", client=client, query=query)
    answer = asyncio.run(Api(control, FakeLog()).answer(request))
    assert isinstance(answer, Answer)
    return answer


def value(answer: Answer) -> Any:
    return json.loads(answer.body)


def test_without_parameters_it_is_the_last_two_hours_of_all_scores() -> None:
    assert asked({}, NOW) == HistoryQuery(since=NOW - 7200, until=NOW, component=None, item=None, name=None, points=300)


def test_component_item_value_and_points_are_handed_on() -> None:
    query = {"component": "storage", "item": "/var", "name": "used_percent", "points": "50"}

    assert asked(query, NOW) == HistoryQuery(
        since=NOW - 7200, until=NOW, component="storage", item="/var", name="used_percent", points=50
    )


def test_an_empty_component_is_the_host_and_an_empty_item_the_component_itself() -> None:
    assert asked({"component": ""}, NOW).component == ""
    assert asked({"component": "web", "item": ""}, NOW).item == ""


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("60", NOW - 60),
        ("86400.5", NOW - 86400.5),
        ("6e1", NOW - 60),
        (str(NOW - 1), NOW - 1),
        ("2023-11-24T08:30:00Z", 1_700_814_600.0),
        ("2023-11-24T09:30:00+01:00", 1_700_814_600.0),
    ],
)
def test_a_time_is_seconds_ago_unix_time_or_iso_8601(text: str, since: float) -> None:
    assert asked({"since": text}, NOW).since == since


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"since": "yesterday"}, "since is no time; seconds before now"),
        ({"since": ""}, "since is no time"),
        ({"since": "-5"}, "since is no time"),
        ({"since": "nan"}, "since is no time"),
        ({"since": "1_0"}, "since is no time"),
        ({"since": "9e99"}, "since is no time that can be looked up"),
        ({"since": "2023-11-24T08:30:00"}, "since is no time"),
        ({"since": "0001-01-01T00:00:00Z"}, "since is no time that can be looked up"),
        ({"until": "later"}, "until is no time"),
        ({"since": "60", "until": "3600"}, "since is not before until"),
        ({"points": "0"}, "points is no such number; 1 to 1000"),
        ({"points": "1001"}, "points is no such number"),
        ({"points": "-1"}, "points is no such number"),
        ({"points": "²"}, "points is no such number"),
        ({"compnent": "web"}, "unknown parameter; did you mean component?"),
        ({"x": "web"}, "unknown parameter; known: component, item"),
    ],
)
def test_a_wrong_parameter_is_refused_with_what_may_come(query: dict[str, str], words: str) -> None:
    with pytest.raises(RequestError) as caught:
        asked(query, NOW)

    assert caught.value.status == 400
    assert words in f"{caught.value}; {caught.value.hint}"


def test_the_answer_has_points_as_rows_of_numbers_and_events_with_null_for_what_does_not_apply() -> None:
    answer = value(get(FakeControl()))

    assert [(each["component"], each["item"], each["name"]) for each in answer["series"]] == [
        ("", "", "score"),
        ("services", "", "score"),
    ]
    assert answer["series"][1]["points"][1] == [NOW - 300, 0.0, 0.5, 1.0]
    assert answer["events"][1]["outcome"] == "success"
    assert answer["events"][1]["status"] is None


def test_an_unknown_component_is_not_found() -> None:
    assert get(FakeControl(), component="nobody").status == 404


def test_a_disk_that_does_not_answer_is_said() -> None:
    answer = get(FakeControl(fault=StorageError("history.db: the disk did not answer")))

    assert answer.status == 503
    assert "the disk did not answer" in value(answer)["error"]


def test_those_who_may_see_an_outline_see_no_history() -> None:
    assert get(FakeControl(), client=Client(rights=OUTLINES, uid=65534)).status == 403
