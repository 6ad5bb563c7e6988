"""The JSON of each noun is what the contract says, by name."""

from __future__ import annotations

import json
from dataclasses import replace

from healthd.expose import render
from healthd.expose.sanitise import sanitised
from healthd.model import Problem
from tests.unit.expose.fake_control import EXPLANATION, HEALED, NGINX_DOWN, NOW, STATUS
from tests.unit.expose.outcomes import BUDGET, DIAGNOSES


def test_the_health_status_has_the_names_of_the_contract() -> None:
    value = render.status(STATUS)

    assert list(value) == [
        "status",
        "state",
        "overall_score",
        "uptime_seconds",
        "memory_mb",
        "active_peers",
        "version",
        "timestamp",
        "health_checks",
        "silences",
    ]
    assert set(value["health_checks"]["services"]) >= {
        "status",
        "score",
        "weight",
        "message",
        "last_check",
        "trend",
        "issues",
        "items",
    }


def test_everything_that_is_rendered_is_plain_json() -> None:
    values = [
        render.status(STATUS),
        render.explanation(EXPLANATION),
        render.finished(HEALED),
        render.budget(BUDGET),
        [render.diagnosis(one) for one in DIAGNOSES],
    ]

    assert json.loads(json.dumps(values, allow_nan=False)) == values


def test_an_item_has_its_own_status_score_and_message() -> None:
    item = render.status(STATUS)["health_checks"]["services"]["items"][2]

    assert item == {
        "name": "nginx.service",
        "status": "unhealthy",
        "score": 0.0,
        "message": "killed by SIGKILL",
        "unit": "nginx.service",
        "critical": False,
        "stopped": False,
        "values": [],
    }


def test_an_issue_says_what_holds_it_and_until_when() -> None:
    issue = render.issue(NGINX_DOWN)

    assert issue["id"] == "services/nginx.service/service_down"
    assert (issue["hold"], issue["until"]) == ("cooldown", NOW + 75)
    assert (issue["attempts"], issue["max_attempts"]) == (2, 3)


def test_an_explanation_without_an_issue_says_null() -> None:
    assert render.explanation(replace(EXPLANATION, issue=None))["issue"] is None


def test_a_budget_lists_what_used_it() -> None:
    assert render.budget(BUDGET)["used"][0] == {"unit": "nginx.service", "at": NOW - 90}


def test_a_problem_is_there_in_parts_and_in_one_line() -> None:
    problem = Problem(file="/etc/x.toml", line=3, key="health.retries", found="-1", allowed="0 to 5")

    assert render.problem(problem) == {
        "file": "/etc/x.toml",
        "line": 3,
        "key": "health.retries",
        "found": "-1",
        "allowed": "0 to 5",
        "text": "/etc/x.toml:3: health.retries: -1; 0 to 5",
    }


def test_the_sanitised_form_caps_and_blurs_what_the_seed_says() -> None:
    value = render.status(sanitised(STATUS))

    assert (value["memory_mb"], value["active_peers"], value["version"]) == (1000, 100, "1.x.x")
    assert value["overall_score"] == 0.7
    assert {health["message"] for health in value["health_checks"].values()} == {"OK"}


def test_the_sanitised_form_keeps_the_status_of_each_component() -> None:
    checks = render.status(sanitised(STATUS))["health_checks"]

    assert {name: health["status"] for name, health in checks.items()} == {"services": "degraded", "memory": "healthy"}


def test_the_sanitised_form_names_no_unit() -> None:
    text = json.dumps(render.status(sanitised(STATUS)))

    assert ".service" not in text
    assert "SIGKILL" not in text


def test_small_numbers_pass_the_caps_as_they_are() -> None:
    small = sanitised(replace(STATUS, memory_mb=512, active_peers=3))

    assert (small.memory_mb, small.active_peers) == (512, 3)
