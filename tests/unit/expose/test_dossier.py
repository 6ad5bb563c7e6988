"""The routes of incidents: which ones a request means, and how a mistake in it is refused."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from healthd.expose import dossier
from healthd.expose.api import Api
from healthd.expose.message import EVERYTHING, OUTLINES, Answer, Client, Request
from tests.fakes import FakeLog
from tests.unit.expose.fake_control import INCIDENT, FakeControl

ROOT = Client(rights=EVERYTHING, uid=0)


def get(
    path: str, control: FakeControl | None = None, *, client: Client = ROOT, query: dict[str, str] | None = None
) -> tuple[int, Any]:
    request = Request(method="GET", path=path, headers={}, body=b"", client=client, query=query or {})
    answer = asyncio.run(Api(control or FakeControl(), FakeLog()).answer(request))
    assert isinstance(answer, Answer)
    return answer.status, json.loads(answer.body)


def test_incidents_come_in_short_and_one_comes_whole() -> None:
    assert get("/api/v1/incidents") == (200, json.loads(json.dumps([dossier.summary(INCIDENT)])))
    assert get("/api/v1/incidents/12") == (200, json.loads(json.dumps(dossier.whole(INCIDENT))))


@pytest.mark.parametrize(
    ("query", "told"), [({}, (0.0, 100)), ({"since": "1700000000.5", "most": "7"}, (1_700_000_000.5, 7))]
)
def test_since_when_and_how_many_is_handed_on(query: dict[str, str], told: tuple[float, int]) -> None:
    control = FakeControl()

    get("/api/v1/incidents", control, query=query)

    assert control.told == [("incidents", *told)]


@pytest.mark.parametrize("query", [{"sinc": "1"}, {"since": "x"}, {"most": "0"}, {"most": "1001"}, {"most": "many"}])
def test_a_query_that_cannot_be_meant_is_refused(query: dict[str, str]) -> None:
    status, value = get("/api/v1/incidents", query=query)

    assert status == 400
    assert value["hint"]


def test_the_last_one_has_a_name() -> None:
    control = FakeControl()

    assert get("/api/v1/incidents/last", control)[0] == 200
    assert control.told == [("incident", 0)]


@pytest.mark.parametrize("name", ["99", "0", "first", "-1", "1.5", "\N{SUPERSCRIPT TWO}", "9" * 40])
def test_there_is_nothing_under_any_other_name(name: str) -> None:
    status, value = get(f"/api/v1/incidents/{name}")

    assert status == 404
    assert value["hint"]


def test_incidents_are_not_for_everybody() -> None:
    assert get("/api/v1/incidents", client=Client(rights=OUTLINES, uid=1000))[0] == 403
