"""What a person reads, line by line."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from healthd.answers import HealthStatus
from healthd.cli import doctor, explain, heal, issues, status, story
from healthd.cli.text import Style
from healthd.expose import render
from healthd.expose.sanitise import sanitised
from healthd.model import HoldReason, Item, Measure, OutcomeKind, State, Status
from tests.unit.expose.fake_control import (
    CONFIG,
    EXPLANATION,
    HEALED,
    MEMORY,
    NGINX_DOWN,
    NOW,
    SERVICES,
    STATUS,
    WELL,
)
from tests.unit.expose.outcomes import BUDGET, DIAGNOSES

PLAIN = Style(coloured=False)


def over_the_wire(value: object) -> Any:
    return json.loads(json.dumps(value))


def host(value: HealthStatus, settings: Any = CONFIG) -> str:
    return "\n".join(status.page(over_the_wire(render.status(value)), NOW, PLAIN, settings=settings))


def test_a_host_that_is_well_is_two_lines_and_a_gap() -> None:
    assert (
        host(WELL)
        == """\
✔ healthy · score 1.00 · up 3 d 4 h · healing is on

✔  memory  healthy  1.00  41 % used"""
    )


def test_only_what_is_not_well_is_told_at_length() -> None:
    assert (
        host(STATUS)
        == """\
! degraded · score 0.70 · up 3 d 4 h · healing is on

!  services  degraded  0.58  2 of 4 units are down
    ✘ nginx.service: killed by SIGKILL
      service is down, high, since 20:02:11 (3 min ago), attempt 2 of 3
      healthd: waits before the next attempt: 20 s after the last attempt, until 20:06:26 (in 1 min)
    ! backup.service: exit status 2
      job failed, medium, since 18:00:11 (2 h 5 min ago)
      healthd: leaves it to you: it is a job that runs once, and running it again might do harm
✔  memory    healthy   1.00  41 % used"""
    )


def test_the_worst_component_comes_first() -> None:
    checks = {
        "memory": MEMORY,
        "services": SERVICES,
        "cpu": replace(MEMORY, status=Status.UNKNOWN, message="no reading yet"),
    }

    lines = host(replace(STATUS, health_checks=checks)).splitlines()

    assert [line.split()[1] for line in lines[2:] if not line.startswith(" ")] == ["services", "cpu", "memory"]
    assert "?  cpu       unknown   -     no reading yet" in lines


def test_a_host_on_which_nothing_was_judged_says_so() -> None:
    nothing = replace(STATUS, status=Status.UNKNOWN, state=State.UNKNOWN, overall_score=0.0, health_checks={})

    assert host(nothing).splitlines()[-1] == "Nothing has been judged yet."


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"health": {"auto_healing_enabled": False}, "auto_healing": {"dry_run": False}}, "healing is switched off"),
        ({"health": {"auto_healing_enabled": True}, "auto_healing": {"dry_run": True}}, "dry run: healing only says"),
        (None, "up 3 d 4 h"),
    ],
)
def test_the_headline_says_when_nothing_would_be_healed(settings: Any, words: str) -> None:
    assert words in host(STATUS, settings).splitlines()[0]


def test_the_headline_says_when_something_is_being_healed() -> None:
    assert "healing now" in host(replace(STATUS, state=State.AUTO_HEALING)).splitlines()[0]


def test_a_hundred_dead_units_are_no_wall() -> None:
    items = tuple(Item(name=f"u{n}.service", status=Status.UNHEALTHY, score=0.0, message="down") for n in range(100))

    lines = host(replace(STATUS, health_checks={"services": replace(SERVICES, items=items, issues=())})).splitlines()

    assert len(lines) < 15
    assert lines[-1] == "    and 92 more: healthctl issues"


def test_an_issue_of_the_component_itself_is_told_too() -> None:
    own = replace(NGINX_DOWN, component="memory", item="", unit=None, hold=None, hold_text="no remedy", until=None)
    memory = replace(MEMORY, status=Status.UNHEALTHY, issues=(own,))

    assert "healthd: no remedy" in host(replace(STATUS, health_checks={"memory": memory}))


def test_the_outline_names_no_unit() -> None:
    assert host(sanitised(STATUS), None).splitlines()[2:] == [
        "!  services  degraded  0.60  OK",
        "✔  memory    healthy   1.00  OK",
    ]


def test_one_component_is_told_with_everything_that_is_not_well() -> None:
    value = over_the_wire(render.component(SERVICES))

    lines = status.detail("services", value, NOW, PLAIN)

    assert lines[1] == "  2 of 4 well, last looked at 20:05:08, worsening, weight 0.35"
    assert "    ✘ nginx.service: killed by SIGKILL" in lines


def test_one_component_is_told_with_everything_that_is_well_at_its_end() -> None:
    value = over_the_wire(render.component(SERVICES))

    assert status.detail("services", value, NOW, PLAIN)[-2:] == [
        "    ✔  cron.service  running",
        "    ✔  ssh.service   running",
    ]


def test_one_item_is_one_line_and_where_there_is_more_if_it_is_not_well() -> None:
    value = over_the_wire(render.item(SERVICES.items[2]))

    assert status.detail("nginx", value, NOW, PLAIN) == [
        "✘  nginx.service  unhealthy  0.00  killed by SIGKILL",
        "  what healthd does about it: healthctl explain nginx.service",
    ]
    assert len(status.detail("nginx", {**value, "status": "healthy"}, NOW, PLAIN)) == 1


def test_each_issue_says_what_healthd_does_and_what_the_operator_can_do() -> None:
    value = over_the_wire([render.issue(NGINX_DOWN)])

    assert issues.page(value, NOW, PLAIN) == [
        "● nginx.service (services): nginx.service: killed by SIGKILL",
        "  service is down, high, since 20:02:11 (3 min ago), attempt 2 of 3",
        "  healthd: waits before the next attempt: 20 s after the last attempt, until 20:06:26 (in 1 min)",
        "  you can: wait, or mend the cause and let healthd begin anew: healthctl reset nginx.service",
    ]


def test_no_issues_are_said_to_be_none() -> None:
    assert issues.page([], NOW, PLAIN) == ["No open issues."]


def test_issues_stand_apart() -> None:
    value = over_the_wire([render.issue(NGINX_DOWN), render.issue(replace(NGINX_DOWN, hold=None, healing=True))])

    lines = issues.page(value, NOW, PLAIN)

    assert lines[4] == ""
    assert lines[-1] == "  healthd: healing it now"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"healing": True}, "healing it now"),
        ({"hold": None, "until": None, "hold_text": ""}, "will decide in a moment"),
        ({"hold": None, "gave_up": True}, "has given up for now: 20 s after the last attempt; next try at 20:06:26"),
        ({"hold": HoldReason.GAVE_UP, "gave_up": True}, "has given up for now"),
        (
            {"hold": HoldReason.SHUTTING_DOWN, "gave_up": True, "hold_text": ""},
            "no healing now: the host is shutting down",
        ),
        ({"hold": None, "hold_text": "healthd knows no remedy for this"}, "healthd knows no remedy for this"),
    ],
)
def test_what_healthd_does_about_an_issue_is_always_said(changes: dict[str, Any], words: str) -> None:
    assert words in story.doing(over_the_wire(render.issue(replace(NGINX_DOWN, **changes))), NOW, PLAIN)


def test_attempts_without_a_limit_name_none() -> None:
    assert story.attempts(render.issue(replace(NGINX_DOWN, max_attempts=0))) == "attempt 2"


def test_an_explanation_names_reading_limit_decision_hold_and_end() -> None:
    value = over_the_wire(render.explanation(EXPLANATION))

    assert (
        "\n".join(explain.page(value, NOW, PLAIN))
        == """\
✘ nginx.service (services): unhealthy, score 0.00

  Reading       killed by SIGKILL
    state       failed (failed)
    result      signal
  Limit         active, since it is enabled
  Issue         service is down, high, since 20:02:11 (3 min ago), attempt 2 of 3
  Decision      hold: waits before the next attempt: 20 s after the last attempt, until 20:06:26 (in 1 min)
  Which means   each attempt waits longer than the one before, so that a failure is not hammered on
  You can       wait, or mend the cause and let healthd begin anew: healthctl reset nginx.service
  Would do      start the unit
  Restarts too  php-fpm.service
  Attempts      2 of 3
  Host budget   8 of 10 actions left in any 10 min"""
    )


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        ("act", "act: start the unit"),
        ("running", "healing it now: start the unit"),
        ("nothing", "nothing is to be done: 20 s after the last attempt; next try at 20:06:26 (in 1 min)"),
    ],
)
def test_every_decision_is_explained_in_words(decision: str, words: str) -> None:
    value = over_the_wire(render.explanation(replace(EXPLANATION, decision=decision)))

    assert any(line.endswith(words) for line in explain.page(value, NOW, PLAIN))


def test_an_explanation_of_a_component_says_whose_issue_it_shows() -> None:
    value = over_the_wire(render.explanation(replace(EXPLANATION, name="services")))

    assert any("Issue         nginx.service: service is down" in line for line in explain.page(value, NOW, PLAIN))


def test_a_spent_budget_says_when_it_lets_go() -> None:
    spent = replace(BUDGET, remaining=0, next_at=NOW + 120)
    value = over_the_wire(render.explanation(replace(EXPLANATION, budget=spent)))

    line = explain.page(value, NOW, PLAIN)[-1]

    assert line.endswith("0 of 10 actions left in any 10 min; none until 20:07:11 (in 2 min)")


def test_a_unit_that_nobody_watches_has_no_component_and_no_score() -> None:
    stranger = replace(
        EXPLANATION, name="x.service", component="", status=Status.UNKNOWN, issue=None, decision="nothing", hold=None
    )

    assert explain.page(over_the_wire(render.explanation(stranger)), NOW, PLAIN)[0] == "? x.service: unknown"


def test_no_budget_is_no_limit() -> None:
    free = replace(BUDGET, limit=0, remaining=None)
    value = over_the_wire(render.explanation(replace(EXPLANATION, budget=free, issue=None, decision="nothing")))

    assert explain.page(value, NOW, PLAIN)[-1].endswith("no limit")


@pytest.mark.parametrize(
    ("outcome", "line"),
    [
        (OutcomeKind.SUCCESS, "✔ nginx.service: healed (start the unit): up again since 3 s"),
        (OutcomeKind.FAILED, "✘ nginx.service: not healed (start the unit): up again since 3 s"),
        (
            OutcomeKind.NOT_SUPPORTED,
            "! nginx.service: there was nothing to be done: up again since 3 s",
        ),
    ],
)
def test_a_heal_says_how_it_ended(outcome: OutcomeKind, line: str) -> None:
    value = over_the_wire(render.finished(replace(HEALED, outcome=outcome)))

    assert heal.page("nginx.service", value, NOW, PLAIN, dry_run=False) == [line]


def test_a_dry_run_says_what_would_be_done() -> None:
    value = over_the_wire(render.finished(replace(HEALED, outcome=None, text="")))

    assert heal.page("nginx.service", value, NOW, PLAIN, dry_run=True) == ["nginx.service: would start the unit"]


def test_a_dry_run_says_where_nothing_would_be_done() -> None:
    value = over_the_wire(render.finished(replace(HEALED, outcome=OutcomeKind.NOT_SUPPORTED, text="no disk is full")))

    assert heal.page("storage", value, NOW, PLAIN, dry_run=True) == ["storage: would do nothing: no disk is full"]


def test_a_heal_that_is_held_says_why_until_when_and_what_can_be_done() -> None:
    held = replace(HEALED, decision="hold", hold=HoldReason.HOST_BUDGET, text="", outcome=None, until=NOW + 60)

    why, advice = heal.page("nginx.service", over_the_wire(render.finished(held)), NOW, PLAIN, dry_run=False)

    assert why.startswith(
        "! nginx.service: nothing was done: enough actions on this host for now: this host has had all"
    )
    assert why.endswith(", until 20:06:11 (in 1 min)")
    assert advice == "  you can: look for what fails together: healthctl issues"


def test_a_heal_with_nothing_to_heal_says_so() -> None:
    idle = replace(HEALED, decision="hold", action=None, hold=None, outcome=None, text="nothing is wrong with it")

    assert heal.page("web", over_the_wire(render.finished(idle)), NOW, PLAIN, dry_run=False) == [
        "! web: nothing was done: nothing is wrong with it"
    ]


def test_doctor_shows_what_is_broken_last_with_its_remedy() -> None:
    assert doctor.page([render.diagnosis(one) for one in DIAGNOSES], PLAIN) == [
        "✔ bus: systemd answers in 1 ms",
        "– journal: not used here",
        "✘ polkit: nginx.service may not be restarted",
        "    systemctl reload healthd",
        "",
        "1 fine, 1 not needed here, 1 broken",
    ]


def test_doctor_keeps_the_lines_of_a_long_finding() -> None:
    finding = {"name": "configuration", "ok": False, "text": "refused:\na.toml:1: x\na.toml:2: y", "remedy": "mend it"}

    assert doctor.page([finding], PLAIN)[:4] == [
        "✘ configuration: refused:",
        "    a.toml:1: x",
        "    a.toml:2: y",
        "    mend it",
    ]


def test_text_of_a_unit_cannot_steer_the_terminal() -> None:
    evil = replace(SERVICES, message="\x1b[2Jgone", issues=(), items=())

    assert "\x1b" not in host(replace(STATUS, health_checks={"services": evil}))


def test_one_component_is_shown_with_its_numbers_their_limits_and_what_is_foretold() -> None:
    measures = (
        Measure(name="used_percent", value=70.0, warning=85.0, critical=95.0, seconds_to_critical=1800.0),
        Measure(name="swap_bytes", value=0.0),
    )
    value = over_the_wire(render.component(replace(MEMORY, measures=measures)))

    lines = status.detail("memory", value, NOW, PLAIN)

    assert "  used_percent  70   warning 85, critical 95  critical in 30 min at this pace" in lines
    assert "  swap_bytes    0 B" in lines
