"""The API, without a socket: who may ask what, what is answered, what is recorded."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace
from typing import Any

import pytest

from healthd.errors import AccessDenied, BusTimeout, ConfigError, RequestError, StorageError
from healthd.events import Event
from healthd.expose.api import Api, asked_by
from healthd.expose.message import EVERYTHING, OUTLINES, Answer, Client, Request
from healthd.model import ActionKind, Problem
from tests.fakes import FakeLog
from tests.unit.expose.fake_control import CONFIG, NGINX_DOWN, STATUS, WELL, FakeControl, Fault
from tests.unit.expose.outcomes import DIAGNOSES

ROOT = Client(rights=EVERYTHING, uid=0)
ANYBODY = Client(rights=OUTLINES, uid=65534)


def ask(
    control: FakeControl,
    method: str,
    path: str,
    body: object = None,
    *,
    client: Client = ROOT,
    log: FakeLog | None = None,
    headers: dict[str, str] | None = None,
    answer_seconds: float = 300.0,
) -> Answer:
    data = b"" if body is None else json.dumps(body).encode()
    request = Request(method=method, path=path, headers=headers or {}, body=data, client=client)
    answer = asyncio.run(Api(control, log or FakeLog(), answer_seconds=answer_seconds).answer(request))
    assert isinstance(answer, Answer)
    return answer


def value(answer: Answer) -> Any:
    return json.loads(answer.body)


@pytest.mark.parametrize("client", [ROOT, ANYBODY])
def test_alive_is_said_without_asking_anything(client: Client) -> None:
    class Broken(FakeControl):
        def status(self) -> Any:
            raise AssertionError

    answer = ask(Broken(), "GET", "/health/live", client=client)

    assert answer.status == 200
    assert value(answer)["status"] == "alive"


@pytest.mark.parametrize("client", [ROOT, ANYBODY])
def test_readiness_is_the_status_code_and_the_health_status_comes_with_it(client: Client) -> None:
    unready = ask(FakeControl(), "GET", "/health/ready", client=client)
    ready = ask(FakeControl(host=WELL), "GET", "/health/ready", client=client)

    assert (unready.status, value(unready)["status"]) == (503, "degraded")
    assert (ready.status, value(ready)["status"]) == (200, "healthy")


@pytest.mark.parametrize("path", ["/health", "/api/v1/status"])
def test_the_health_status_is_whole_for_full_access(path: str) -> None:
    answer = ask(FakeControl(), "GET", path)

    assert answer.status == 200
    assert value(answer)["memory_mb"] == 3312


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/api/v1/status"])
def test_the_health_status_is_sanitised_for_everybody_else(path: str) -> None:
    status = value(ask(FakeControl(), "GET", path, client=ANYBODY))

    assert (status["version"], status["memory_mb"]) == ("1.x.x", 1000)


@pytest.mark.parametrize("path", ["/api/v1/components", "/api/v1/components/services"])
def test_components_are_sanitised_for_everybody_else(path: str) -> None:
    full = ask(FakeControl(), "GET", path)
    outline = ask(FakeControl(), "GET", path, client=ANYBODY)

    assert b"nginx.service" in full.body
    assert outline.status == 200
    assert b"nginx.service" not in outline.body


def test_an_unknown_component_is_not_found_and_the_known_ones_are_named() -> None:
    answer = ask(FakeControl(), "GET", "/api/v1/components/web")

    assert answer.status == 404
    assert value(answer)["hint"] == "known: services, memory"


def test_a_component_that_is_left_out_is_not_found_and_the_reason_is_only_for_those_who_may_know() -> None:
    control = FakeControl(host=replace(STATUS, left_out={"web": "systemd has no unit web.service loaded"}))
    full = ask(control, "GET", "/api/v1/components/web")
    outline = ask(control, "GET", "/api/v1/components/web", client=ANYBODY)

    assert value(full)["error"] == "web is left out: systemd has no unit web.service loaded"
    assert (full.status, outline.status) == (404, 404)
    assert b"web.service" not in outline.body


def test_issues_come_as_a_list() -> None:
    issues = value(ask(FakeControl(), "GET", "/api/v1/issues"))

    assert [issue["type"] for issue in issues] == ["service_down", "job_failed"]


def test_the_settings_are_handed_through() -> None:
    assert value(ask(FakeControl(), "GET", "/api/v1/config")) == CONFIG


def test_the_budget_says_what_is_left() -> None:
    assert value(ask(FakeControl(), "GET", "/api/v1/budget"))["remaining"] == 8


def test_doctor_lists_each_thing_that_was_tried() -> None:
    lines = value(ask(FakeControl(), "GET", "/api/v1/doctor"))

    assert [(line["name"], line["ok"]) for line in lines] == [(one.name, one.ok) for one in DIAGNOSES]


@pytest.mark.parametrize("path", ["/api/v1/explain/a/b c", "/api/v1/explain/a%2Fb%20c"])
def test_a_name_may_hold_slashes_and_spaces(path: str) -> None:
    control = FakeControl()

    ask(control, "GET", path)

    assert control.told == [("explain", "a/b c")]


def test_a_request_error_of_the_daemon_keeps_its_status_and_hint() -> None:
    answer = ask(FakeControl(), "GET", "/api/v1/explain/nobody")

    assert answer.status == 404
    assert value(answer) == {"error": "nothing here is called nobody", "hint": "healthctl status"}


def test_heal_passes_on_what_was_asked_and_by_whom() -> None:
    control = FakeControl()

    body = {"name": "nginx.service", "action": "start_unit", "dry_run": True}
    answer = ask(control, "POST", "/api/v1/heal", body, headers={"x-healthd-by": "alice"})

    assert control.told == [("heal", "nginx.service", ActionKind.START_UNIT, True, "alice (claimed, uid 0)")]
    assert value(answer)["outcome"] == "success"


def test_heal_leaves_the_action_to_healthd_where_none_is_named() -> None:
    control = FakeControl()

    ask(control, "POST", "/api/v1/heal", {"name": "nginx.service"})

    assert control.told == [("heal", "nginx.service", None, False, "uid 0")]


@pytest.mark.parametrize(("body", "name"), [(None, None), ({}, None), ({"name": "memory"}, "memory")])
def test_check_runs_one_or_all_and_answers_with_the_health_status(body: object, name: str | None) -> None:
    control = FakeControl()

    answer = ask(control, "POST", "/api/v1/check", body)

    assert control.told == [("check", name, "uid 0")]
    assert value(answer)["health_checks"]


def test_reset_answers_with_what_was_reset() -> None:
    answer = ask(FakeControl(), "POST", "/api/v1/reset", {"name": "nginx.service"})

    assert value(answer) == {"reset": [NGINX_DOWN.id]}


def test_reload_waits_for_the_daemon_and_says_so() -> None:
    control = FakeControl()

    assert value(ask(control, "POST", "/api/v1/reload", {})) == {"reloaded": True, "warnings": ["TLS is not in use"]}
    assert control.told == [("reload", "uid 0")]


@pytest.mark.parametrize("uid", [0, os.getuid()])
def test_root_and_the_daemons_own_user_may_apply_the_configuration(uid: int) -> None:
    control = FakeControl()

    answer = ask(control, "POST", "/api/v1/apply", client=Client(rights=EVERYTHING, uid=uid))

    assert answer.status == 200
    assert control.told == [("apply",)]


@pytest.mark.parametrize("uid", [None, 12345, 65534])
def test_nobody_else_may_apply_the_configuration(uid: int | None) -> None:
    control = FakeControl()

    answer = ask(control, "POST", "/api/v1/apply", client=Client(rights=EVERYTHING, uid=uid))

    assert answer.status == 403
    assert value(answer)["hint"] == "healthctl reload"
    assert control.told == []


def test_a_refused_configuration_is_answered_with_every_problem() -> None:
    problem = Problem(file="/etc/x.toml", line=3, key="health.retries", found="-1", allowed="0 to 5")

    answer = ask(FakeControl(fault=ConfigError([problem, problem])), "POST", "/api/v1/apply")

    assert answer.status == 422
    assert [one["line"] for one in value(answer)["problems"]] == [3, 3]


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (BusTimeout("no reply within 5 s"), 503),
        (AccessDenied("not authorized"), 503),
        (StorageError("disk full"), 503),
        (Fault("odd"), 500),
        (RequestError(409, "a reload is under way"), 409),
    ],
)
def test_every_error_of_ours_is_an_answer_in_json(fault: Exception, status: int) -> None:
    answer = ask(FakeControl(fault=fault), "POST", "/api/v1/reset", {"name": "x"})

    assert answer.status == status
    assert str(fault) in value(answer)["error"]


def test_an_order_that_takes_too_long_is_given_up() -> None:
    control = FakeControl(gate=asyncio.Event())

    answer = ask(control, "POST", "/api/v1/heal", {"name": "x"}, answer_seconds=0)

    assert answer.status == 504


def test_a_timeout_that_leaked_is_a_bug_and_stays_one() -> None:
    with pytest.raises(TimeoutError):
        ask(FakeControl(fault=TimeoutError()), "POST", "/api/v1/heal", {"name": "x"})


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/health", "GET, HEAD"),
        ("DELETE", "/api/v1/components/services", "GET, HEAD"),
        ("GET", "/api/v1/heal", "POST"),
        ("PUT", "/api/v1/reload", "POST"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(method: str, path: str, allowed: str) -> None:
    answer = ask(FakeControl(), method, path)

    assert answer.status == 405
    assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize("path", ["/api/v1/", "/api/v1/components/", "/api/v1/explain/", "/health/", "/api/v2/status"])
def test_there_is_nothing_at_other_paths(path: str) -> None:
    assert ask(FakeControl(), "GET", path).status == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/issues"),
        ("GET", "/api/v1/budget"),
        ("GET", "/api/v1/config"),
        ("GET", "/api/v1/doctor"),
        ("GET", "/api/v1/explain/nginx.service"),
        ("GET", "/api/v1/heal"),
        ("GET", "/nowhere"),
        ("POST", "/api/v1/heal"),
        ("POST", "/api/v1/check"),
        ("POST", "/api/v1/reset"),
        ("POST", "/api/v1/reload"),
        ("POST", "/api/v1/apply"),
        ("GET", "/metrics"),
    ],
)
def test_without_full_access_nothing_else_is_answered_and_nothing_done(method: str, path: str) -> None:
    control = FakeControl()

    answer = ask(control, method, path, {"name": "x"}, client=Client(rights=OUTLINES, uid=0))

    assert answer.status == 403
    assert "sudo" in value(answer)["hint"]
    assert control.told == []


def test_every_order_is_recorded_with_who_gave_it_and_how_it_ended() -> None:
    log = FakeLog()

    ask(FakeControl(), "POST", "/api/v1/heal", {"name": "x"}, log=log, headers={"x-healthd-by": "alice"})
    ask(FakeControl(), "POST", "/api/v1/heal", {}, log=log)

    first, second = log.of(Event.API_REQUEST)
    assert first.message == "POST /api/v1/heal by alice (claimed, uid 0): 200"
    assert first.fields == {
        "method": "POST",
        "path": "/api/v1/heal",
        "by": "alice (claimed, uid 0)",
        "http_status": 200,
    }
    assert second.fields["http_status"] == 400


def test_reading_is_not_recorded() -> None:
    log = FakeLog()

    ask(FakeControl(), "GET", "/api/v1/issues", log=log)

    assert log.records == []


@pytest.mark.parametrize(
    ("claim", "uid", "by"),
    [
        ("alice", 1000, "alice (claimed, uid 1000)"),
        ("", 0, "uid 0"),
        ("alice", 65534, "alice (claimed, uid hidden by the sandbox)"),
        ("alice", None, "alice (claimed, unknown)"),
        ("\x1b[31mred\x00", 0, "[31mred (claimed, uid 0)"),
        ("x" * 100, 0, "x" * 64 + " (claimed, uid 0)"),
    ],
)
def test_who_asks_is_a_claim_beside_what_the_kernel_knows(claim: str, uid: int | None, by: str) -> None:
    assert asked_by({"x-healthd-by": claim}, Client(rights=EVERYTHING, uid=uid)) == by


def test_text_that_is_not_unicode_can_be_answered() -> None:
    answer = ask(FakeControl(settings={"path": "/mnt/\udcff"}), "GET", "/api/v1/config")

    assert json.loads(answer.body.decode()) == {"path": "/mnt/\udcff"}
