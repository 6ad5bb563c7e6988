"""Whether an attempt helped, case by case. `test_healing.py` tells the same as a story."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from healthd.config import ComponentSettings
from healthd.decide.state import Key
from healthd.decide.verify import Finish, Wait, verify
from healthd.model import ActionKind, IssueType, OutcomeKind, Status
from tests.fake_units import service
from tests.unit.builders import UNIT, attempt, detail, finding, item, killed, moment, settings, ticket

LIMITS = settings(settle_seconds=1.0, verify_seconds=30.0)
NEW = service(UNIT, invocation="second")
PROBE = Key("web", UNIT, IssueType.PROBE_FAILED)


def judge(now: float, unit: Any = NEW, seen: Any = None, of: Any = None, **tried: Any) -> Wait | Finish:
    """Judge an attempt whose job was done at second 10."""
    whole = attempt(**{"ended_at": 10.0, "result": "done", **tried})
    instant = moment(now, units=[unit] if unit else [], items=[item() if seen is None else seen])
    return verify(LIMITS, of or ticket(), whole, instant)


def test_before_its_job_has_ended_nothing_is_known() -> None:
    assert judge(50.0, ended_at=None) == Wait(attempt=attempt(result="done"), until=None)


def test_up_in_a_new_run_must_settle() -> None:
    waiting = judge(12.0)

    assert isinstance(waiting, Wait)
    assert (waiting.until, waiting.attempt.up_since, waiting.attempt.invocation) == (13.0, 12.0, "second")


def test_settled_is_success_in_the_words_of_the_check() -> None:
    assert judge(13.0, up_since=12.0, invocation="second") == Finish(outcome=OutcomeKind.SUCCESS, text="running")


def test_recovery_may_begin_until_the_last_instant_and_settle_after_it() -> None:
    assert judge(40.0).until == 41.0  # type: ignore[union-attr]


def test_recovery_that_begins_later_is_none() -> None:
    assert isinstance(judge(40.1), Finish)


@pytest.mark.parametrize(
    ("action", "until"),
    [(ActionKind.RESTART_UNIT, 160.0), (ActionKind.START_UNIT, 160.0), (ActionKind.RELOAD_UNIT, 40.0)],
)
def test_what_the_component_gives_a_unit_after_a_start_is_added(action: ActionKind, until: float) -> None:
    slow = replace(LIMITS, component={"web": ComponentSettings(type="tcp", grace_seconds=120.0)})
    tried = attempt(action=action, ended_at=10.0, result="done")
    instant = replace(
        moment(12.0, units=[NEW]), items={("web", UNIT): item(finding(IssueType.PROBE_FAILED), settled=False)}
    )

    waiting = verify(slow, ticket(PROBE), tried, instant)

    assert isinstance(waiting, Wait)
    assert waiting.until == until


def test_the_old_run_is_no_recovery() -> None:
    waiting = judge(12.0, unit=service(UNIT, invocation="first"))

    assert isinstance(waiting, Wait)
    assert waiting.until == 40.0


@pytest.mark.parametrize("doubtful", [item(settled=False), item(status=Status.UNKNOWN)])
def test_what_the_check_does_not_know_is_waited_for(doubtful: Any) -> None:
    waiting = judge(12.0, seen=doubtful, up_since=11.5, invocation="second")

    assert isinstance(waiting, Wait)
    assert waiting.attempt.up_since is None


def test_a_check_that_looked_before_the_run_is_waited_for() -> None:
    assert isinstance(judge(12.0, seen=item(finding())), Wait)


def test_a_probe_that_still_fails_is_waited_for_until_the_end() -> None:
    bad = item(finding(IssueType.PROBE_FAILED))
    instant = moment(12.0, units=[NEW])
    tried = attempt(action=ActionKind.RESTART_UNIT, ended_at=10.0, result="done")

    for now, kind in ((12.0, Wait), (40.0, Finish)):
        seen = moment(now, units=[NEW])
        seen = type(instant)(**{**_fields(seen), "items": {("web", UNIT): bad}})
        assert isinstance(verify(LIMITS, ticket(PROBE), tried, seen), kind)


def test_another_issue_of_the_item_does_not_hide_that_this_one_is_over() -> None:
    assert isinstance(judge(13.0, seen=item(finding(IssueType.CRASH_LOOP)), up_since=12.0, invocation="second"), Finish)


def test_a_job_that_runs_once_is_up_when_it_has_run() -> None:
    ran = service(UNIT, active="inactive", sub="dead", invocation="second", detail=detail(service_type="oneshot"))

    assert isinstance(judge(13.0, unit=ran, up_since=12.0, invocation="second"), Finish)


def test_another_service_that_has_ended_is_not_up() -> None:
    assert judge(13.0, unit=service(UNIT, active="inactive", invocation="second")).until == 40.0  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("action", "unit", "works"),
    [
        (ActionKind.RELOAD_UNIT, service(UNIT, invocation="first"), True),
        (ActionKind.RELOAD_UNIT, killed(), False),
        (ActionKind.RESET_FAILED, service(UNIT, active="inactive"), True),
        (ActionKind.RESET_FAILED, killed(), False),
        (ActionKind.MEMORY_CLEANUP, None, True),
    ],
)
def test_an_action_without_a_new_run_has_its_effect_otherwise(action: ActionKind, unit: Any, works: bool) -> None:
    waiting = judge(12.0, unit=unit, action=action)

    assert isinstance(waiting, Wait)
    assert (waiting.attempt.up_since is not None) is works


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}
