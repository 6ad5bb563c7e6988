"""The gate of TCP, without a socket: keys, scopes, limits, and what is recorded."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from healthd.config import HttpSettings
from healthd.config.keys import ApiKey, Keys, Scope
from healthd.events import Event
from healthd.expose.api import Api
from healthd.expose.audit import Audit
from healthd.expose.gate import Gate
from healthd.expose.message import Answer, Client, Part, Request
from tests.fakes import FakeLog
from tests.unit.expose.fake_control import WELL, FakeControl

if TYPE_CHECKING:
    from collections.abc import Callable

API = frozenset({Part.API})
METRICS = frozenset({Part.METRICS})
OPEN = HttpSettings(rate_limit_per_minute=0)
CLOSED = replace(OPEN, probes_require_key=True, metrics_require_key=True)


def entry(name: str, *scopes: Scope) -> ApiKey:
    return ApiKey(name=name, scopes=frozenset(scopes), digest=sha256(name.encode()).hexdigest())


KEYS = Keys(
    entries=(
        entry("reader", Scope.READ),
        entry("boss", Scope.CONTROL),
        entry("job", Scope.HEARTBEAT),
    )
)


class World:
    """A gate before an API; what is asked is asked from one address unless another one is said."""

    def __init__(self, http: HttpSettings = OPEN) -> None:
        self.now = 0.0
        self.control = FakeControl(host=WELL)
        self.log = FakeLog()
        self.audit = Audit(self.log, clients=3)
        self.gate = Gate(Api(self.control, self.log).answer, self.audit, lambda: self.now)
        self.gate.configure(http, KEYS)

    async def ask(
        self,
        path: str,
        key: str = "",
        *,
        method: str = "GET",
        body: object = None,
        address: str = "10.0.0.9",
        parts: frozenset[Part] = API,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        client = Client(rights=frozenset(), address=address, parts=parts)
        sent = {"authorization": f"Bearer {key}"} if key else {}
        data = b"" if body is None else json.dumps(body).encode()
        answer = await self.gate.answer(
            Request(method=method, path=path, headers=sent | (headers or {}), body=data, client=client)
        )
        assert isinstance(answer, Answer)
        return answer

    def said(self) -> list[str]:
        return [record.message for record in self.log.of(Event.API_REQUEST)]


def one(path: str, key: str = "", http: HttpSettings = OPEN, **more: Any) -> Answer:
    return asyncio.run(World(http).ask(path, key, **more))


def value(answer: Answer) -> Any:
    return json.loads(answer.body)


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/", "/api/v1/openapi.json"])
def test_without_a_key_probes_the_page_and_the_description_are_answered(path: str) -> None:
    assert one(path).status == 200


@pytest.mark.parametrize(
    "path",
    [
        *("/health", "/api/v1/status", "/api/v1/components", "/api/v1/components/memory", "/api/v1/issues"),
        *("/api/v1/config", "/api/v1/doctor", "/api/v1/nothing", "/api/v1/heal", "/api/v2"),
    ],
)
def test_without_a_key_nothing_else_is(path: str) -> None:
    answer = one(path)

    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "healthctl key add" in value(answer)["hint"]


def test_what_is_at_no_path_of_the_api_is_not_there_with_or_without_a_key() -> None:
    assert one("/wp-admin").status == one("/wp-admin", "reader").status == 404


def test_a_probe_without_a_key_tells_the_sanitised_form_and_one_with_a_key_everything() -> None:
    outline, full = one("/health/ready"), one("/health/ready", "reader")

    assert (value(outline)["version"], value(outline)["memory_mb"]) == ("1.x.x", 1000)
    assert (value(full)["version"], value(full)["memory_mb"]) == ("0.1.0", 3312)


def test_a_key_that_only_reports_in_sees_no_more_of_a_probe_than_anybody() -> None:
    assert value(one("/health/ready", "job"))["version"] == "1.x.x"
    assert one("/health/ready", "job", CLOSED).status == 403


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer", "Basic cmVhZGVyOg==", "reader", "", "Bearer re ader"])
@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/api/v1/status", "/"])
def test_a_wrong_key_is_refused_whatever_is_asked(header: str, path: str) -> None:
    answer = one(path, headers={"authorization": header})

    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER "])
def test_the_scheme_may_be_written_in_any_way(scheme: str) -> None:
    assert one("/api/v1/status", headers={"authorization": f"{scheme} reader"}).status == 200


def test_probes_and_metrics_may_be_closed_to_those_without_a_key() -> None:
    assert one("/health/live", http=CLOSED).status == 401
    assert one("/health/ready", http=CLOSED).status == 401
    assert one("/health/live", "reader", CLOSED).status == 200
    assert one("/metrics", http=CLOSED, parts=METRICS).status == 401
    assert one("/metrics", "reader", CLOSED, parts=METRICS).status == 200
    assert one("/metrics", parts=METRICS).status == 200


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/v1/status", "reader boss"),
        ("POST", "/api/v1/check", "boss"),
        ("POST", "/api/v1/reload", "boss"),
        ("POST", "/api/v1/heartbeat/backup", "boss job"),
        ("POST", "/api/v1/apply", ""),
    ],
)
def test_a_key_opens_what_its_scope_says(method: str, path: str, allowed: str) -> None:
    names = [key.name for key in KEYS.entries if one(path, key.name, method=method).status == 200]

    assert names == allowed.split()


def test_what_a_key_may_not_do_says_which_scope_is_missing() -> None:
    answer = one("/api/v1/check", "reader", method="POST")

    assert answer.status == 403
    assert value(answer)["error"] == "the key reader has not the scope control"


def test_who_orders_is_told_by_the_key() -> None:
    world = World()
    asyncio.run(world.ask("/api/v1/check", "boss", method="POST", headers={"x-healthd-by": "alice"}))

    assert world.control.told == [("check", None, "alice (claimed, key boss at 10.0.0.9)")]


def test_metrics_are_at_their_own_addresses_and_nothing_else_is() -> None:
    assert one("/metrics").status == 404
    assert "metrics_listen" in value(one("/metrics"))["hint"]
    assert one("/health/live", parts=METRICS).status == 404
    assert "only GET /metrics" in value(one("/nowhere", parts=METRICS))["hint"]
    assert one("/metrics", parts=API | METRICS).status == one("/health/live", parts=API | METRICS).status == 200


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("text/plain", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text;q=0.1, text/plain;q=0.9", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text;q=0", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text;q=many", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", "application/openmetrics-text; version=1.0.0"),
    ],
)
def test_metrics_come_in_the_format_that_is_asked_for(accept: str, content_type: str) -> None:
    answer = one("/metrics", parts=METRICS, headers={"accept": accept})

    assert answer.content_type.startswith(content_type)
    assert b"\nup 1\n" in answer.body
    assert answer.body.endswith(b"# EOF\n") is ("openmetrics" in content_type)


def test_who_asks_too_often_is_told_when_to_come_again_and_probed_all_the_same() -> None:
    async def scene() -> None:
        world = World(replace(OPEN, rate_limit_per_minute=6))
        assert [(await world.ask("/health/ready")).status for _ in range(7)] == [200] * 6 + [429]
        refused = await world.ask("/api/v1/status", "reader")
        assert (refused.status, refused.headers["Retry-After"]) == (429, "10")
        assert (await world.ask("/health/live")).status == 200
        assert (await world.ask("/health/ready", address="10.0.0.10")).status == 200
        world.now += 10
        assert (await world.ask("/health/ready")).status == 200

    asyncio.run(scene())


def test_wrong_keys_cost_double_even_where_a_probe_costs_nothing() -> None:
    async def scene() -> list[int]:
        world = World(replace(OPEN, rate_limit_per_minute=6))
        return [(await world.ask("/health/live", "wrong")).status for _ in range(4)]

    assert asyncio.run(scene()) == [401, 401, 401, 429]


def test_a_reload_brings_new_keys_and_another_limit() -> None:
    async def scene() -> list[int]:
        world = World()
        world.gate.configure(replace(OPEN, rate_limit_per_minute=2), Keys())
        return [(await world.ask("/api/v1/status", "reader")).status for _ in range(2)]

    assert asyncio.run(scene()) == [401, 429]


def test_every_request_is_recorded_with_the_name_of_the_key_and_never_with_the_key() -> None:
    world = World()
    asyncio.run(world.ask("/api/v1/status", "reader"))
    asyncio.run(world.ask("/health/live", "reader"))
    asyncio.run(world.ask("/api/v1/status", "s3cret"))
    first, second, third = world.log.of(Event.API_REQUEST)

    assert first.message == "GET /api/v1/status by 10.0.0.9 with the key reader: 200"
    assert first.fields == {
        "client": "10.0.0.9",
        "method": "GET",
        "path": "/api/v1/status",
        "key": "reader",
        "http_status": 200,
        "count": None,
    }
    assert second.fields["key"] == "reader"
    assert (third.fields["key"], third.fields["http_status"]) == (None, 401)
    assert "s3cret" not in repr(world.log.records)


def test_an_order_is_recorded_once() -> None:
    world = World()
    asyncio.run(world.ask("/api/v1/check", "boss", method="POST"))

    assert world.said() == ["POST /api/v1/check by 10.0.0.9 with the key boss: 200"]


def test_probes_without_a_key_are_counted_and_said_once_a_minute_for_each_client() -> None:
    async def scene() -> World:
        world = World()
        for _ in range(50):
            await world.ask("/health/ready")
            await world.ask("/health/live")
        await world.ask("/health/ready", address="10.0.0.10")
        world.audit.flush()
        world.audit.flush()
        await world.ask("/health/ready")
        world.audit.stop()
        return world

    assert asyncio.run(scene()).said() == [
        "GET /health/ready by 10.0.0.9 without a key: 200",
        "GET /health/live by 10.0.0.9 without a key: 200",
        "GET /health/ready by 10.0.0.10 without a key: 200",
        "GET /health/ready by 10.0.0.9 without a key: 49 more within 60 s, the last: 200",
        "GET /health/live by 10.0.0.9 without a key: 49 more within 60 s, the last: 200",
        "GET /health/ready by 10.0.0.9 without a key: 200",
    ]


def test_what_is_refused_as_too_many_is_counted_too_and_so_is_what_is_no_request() -> None:
    async def scene() -> World:
        world = World(replace(OPEN, rate_limit_per_minute=1))
        for number in range(5):
            await world.ask(f"/api/v1/issues/{number}", "reader")
        client = Client(rights=frozenset(), address="10.0.0.9")
        for _ in range(3):
            world.gate.refused(client, 400, "this is not a complete HTTP/1.1 request")
        world.audit.flush()
        world.audit.stop()
        return world

    assert [record.fields["count"] for record in asyncio.run(scene()).log.of(Event.API_REQUEST)] == [None, 1, 1, 3, 2]


def test_clients_without_number_are_one_record() -> None:
    async def scene() -> World:
        world = World()
        for number in range(100):
            await world.ask("/health/ready", address=f"10.0.1.{number}")
        world.audit.flush()
        world.audit.stop()
        return world

    world = asyncio.run(scene())
    assert [record.fields["client"] for record in world.log.of(Event.API_REQUEST)][-1] == "many others"
    assert world.log.of(Event.API_REQUEST)[-1].fields["count"] == 96


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/api/v1/" + "x" * 1000, "/api/v1/" + "x" * 248 + "..."),
        ("/api/v1/\x1b[31m\x85\u202e", "/api/v1/?[31m??"),
    ],
)
def test_a_path_is_shown_in_part_and_without_what_would_fool_a_terminal(path: str, shown: str) -> None:
    world = World()
    asyncio.run(world.ask(path))

    assert world.log.of(Event.API_REQUEST)[0].fields["path"] == shown


def test_a_request_that_strikes_a_bug_or_is_cut_off_is_recorded_too() -> None:
    world = World()
    world.control.fault = LookupError("a bug")
    with pytest.raises(LookupError):
        asyncio.run(world.ask("/api/v1/doctor", "reader"))

    assert world.said() == ["GET /api/v1/doctor by 10.0.0.9 with the key reader: no answer"]


def test_a_rendering_serves_everybody_until_something_changes() -> None:
    async def scene(change: Callable[[World], None]) -> int:
        world = World()
        for _ in range(50):
            await world.ask("/health/ready")
        change(world)
        await world.ask("/health/ready")
        return world.control.asked

    def turn(world: World) -> None:
        world.control.turns += 1

    few = asyncio.run(scene(lambda _: None))
    assert few <= 3  # a second may have passed
    assert asyncio.run(scene(turn)) > 1
