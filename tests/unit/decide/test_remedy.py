"""Which action an issue calls for."""

from __future__ import annotations

import pytest

from healthd.config import UnitSettings
from healthd.decide.case import Case
from healthd.decide.remedy import remedy, remedy_of
from healthd.decide.state import EngineState, Key
from healthd.model import ActionKind, IssueType
from tests.fake_units import service
from tests.unit.builders import UNIT, killed, moment, settings, ticket

RUNS, FAILED = service(UNIT), killed()


def test_what_is_down_is_started() -> None:
    assert remedy(ticket(), FAILED, "") is ActionKind.START_UNIT


@pytest.mark.parametrize("type_", [IssueType.SERVICE_HUNG, IssueType.PROBE_FAILED, IssueType.HEARTBEAT_MISSED])
def test_what_runs_and_does_not_do_its_work_is_restarted(type_: IssueType) -> None:
    assert remedy(ticket(Key("web", UNIT, type_)), RUNS, "") is ActionKind.RESTART_UNIT


@pytest.mark.parametrize("type_", [IssueType.CRASH_LOOP, IssueType.DISK_FULL, IssueType.CLOCK_SKEW])
def test_what_no_action_on_a_unit_mends_has_no_remedy(type_: IssueType) -> None:
    assert remedy(ticket(Key("web", UNIT, type_)), RUNS, "") is None


def test_without_a_unit_there_is_no_remedy() -> None:
    assert remedy(ticket(), None, "restart_unit") is None


@pytest.mark.parametrize("step", ["restart_unit", "reload_unit"])
def test_where_a_ladder_means_what_runs_what_is_down_is_started(step: str) -> None:
    assert remedy(ticket(), FAILED, step) is ActionKind.START_UNIT


def test_where_a_ladder_means_what_is_down_what_runs_is_restarted() -> None:
    assert remedy(ticket(Key("web", UNIT, IssueType.PROBE_FAILED)), RUNS, "start_unit") is ActionKind.RESTART_UNIT


@pytest.mark.parametrize(
    ("attempts", "action"),
    [(0, ActionKind.RELOAD_UNIT), (1, ActionKind.RESTART_UNIT), (2, ActionKind.RUN_UNIT), (9, ActionKind.RUN_UNIT)],
)
def test_a_ladder_has_an_attempt_each_and_the_last_step_repeats(attempts: int, action: ActionKind) -> None:
    ladder = ("reload_unit", "restart_unit", "run_unit:web-repair.service")

    case = Case(
        settings=settings(units={UNIT: UnitSettings(actions=ladder)}),
        state=EngineState(seed=1, tickets={}),
        moment=moment(units=[RUNS]),
        ticket=ticket(Key("web", UNIT, IssueType.PROBE_FAILED), attempts=attempts),
    )

    assert remedy_of(case) is action


def test_a_leaking_unit_is_restarted_only_where_that_is_wanted() -> None:
    leak = ticket(Key("web", "", IssueType.HIGH_MEMORY), unit=UNIT)

    assert remedy(leak, RUNS, "", leaks=True) is ActionKind.RESTART_UNIT
    assert remedy(leak, RUNS, "") is None
