"""What the component `services` makes of time: an instant of failure, grace, crash loops."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from healthd.config import UnitSettings
from healthd.model import IssueType, Status
from tests.fake_units import service
from tests.unit.builders import UNIT, detail, killed
from tests.unit.checks.looks import ENDED, NOW, judge, look, types

if TYPE_CHECKING:
    from healthd.model import UnitFacts


# Failed for an instant


RESTARTING = detail(restart="on-failure")


def test_a_unit_with_restart_that_failed_this_moment_is_looked_at_again() -> None:
    unit = killed(detail=RESTARTING, changed_at=NOW - 0.05)

    assert judge(unit).settled is False
    assert look(unit).again_at == pytest.approx(NOW + 0.05)


def test_one_that_is_still_failed_then_is_down() -> None:
    unit = killed(detail=RESTARTING, changed_at=NOW - 0.1)

    assert types(judge(unit)) == [IssueType.SERVICE_DOWN]
    assert look(unit).again_at is None


@pytest.mark.parametrize("restart", ["no", ""])
def test_one_without_restart_is_down_at_once(restart: str) -> None:
    assert types(judge(killed(detail=detail(restart=restart), changed_at=NOW))) == [IssueType.SERVICE_DOWN]


def test_one_of_which_restart_is_not_known_is_waited_for() -> None:
    assert judge(killed(detail=None, changed_at=NOW)).settled is False


def test_one_that_ended_this_moment_is_looked_at_again_as_well() -> None:
    unit = service(UNIT, **ENDED, detail=RESTARTING, changed_at=NOW - 0.05)

    assert judge(unit).message == "went down this moment"
    assert look(unit).again_at == pytest.approx(NOW + 0.05)


def test_what_somebody_stopped_this_moment_needs_no_second_look() -> None:
    unit = service(UNIT, **ENDED, detail=RESTARTING, stopped_by_job=True, changed_at=NOW)

    assert judge(unit).stopped
    assert look(unit).again_at is None


def test_what_never_ran_needs_no_second_look() -> None:
    assert judge(service(UNIT, active="inactive", detail=RESTARTING, changed_at=NOW)).message == "not running"


def test_what_was_not_started_for_its_dependency_is_down() -> None:
    assert types(judge(service(UNIT, active="inactive", dependency_failed=True))) == [IssueType.SERVICE_DOWN]


# Grace


@pytest.mark.parametrize(
    "down",
    [killed(active_since=NOW - 5.0), service(UNIT, **ENDED, active_since=NOW - 5.0)],
    ids=["failed", "ended"],
)
def test_within_its_grace_a_unit_is_not_judged_and_looked_at_when_it_is_over(down: UnitFacts) -> None:
    table = {UNIT: UnitSettings(grace_seconds=20.0)}

    assert judge(down, grace_seconds=20.0).settled is False
    assert look(down, unit=table).again_at == NOW + 15.0


def test_after_its_grace_it_is_judged() -> None:
    assert types(judge(killed(active_since=NOW - 20.0), grace_seconds=20.0)) == [IssueType.SERVICE_DOWN]


def test_what_was_never_up_has_no_grace() -> None:
    assert types(judge(killed(), grace_seconds=20.0)) == [IssueType.SERVICE_DOWN]


# Crash loops


def restarted(*ago: float, **changes: Any) -> UnitFacts:
    """A unit that systemd restarted by itself so many seconds ago."""
    return service(UNIT, auto_restarts=tuple(NOW - each for each in ago), detail=RESTARTING, **changes)


def test_three_automatic_restarts_within_five_minutes_are_a_crash_loop_though_the_unit_runs() -> None:
    item = judge(restarted(299.0, 100.0, 0.0))

    assert (types(item), item.status) == ([IssueType.CRASH_LOOP], Status.UNHEALTHY)
    assert item.message == "systemd restarted it 3 times in 299 s"


@pytest.mark.parametrize("ago", [(1.0, 0.0), (300.0, 100.0, 0.0), (900.0, 600.0, 300.0, 0.0)])
def test_fewer_or_rarer_restarts_are_none(ago: tuple[float, ...]) -> None:
    assert judge(restarted(*ago)).findings == ()


@pytest.mark.parametrize("sub", ["auto-restart", "start"])
def test_a_unit_in_a_loop_is_in_it_between_two_runs_too(sub: str) -> None:
    item = judge(restarted(2.0, 1.0, 0.0, active="activating", sub=sub))

    assert (types(item), item.settled) == ([IssueType.CRASH_LOOP], True)


def test_a_loop_is_over_when_nothing_happened_for_long_and_a_look_is_due_then() -> None:
    assert types(judge(restarted(301.0, 300.0, 299.0))) == [IssueType.CRASH_LOOP]
    assert look(restarted(301.0, 300.0, 299.0)).again_at == NOW + 1.0
    assert judge(restarted(302.0, 301.0, 300.0)).findings == ()


def test_a_loop_that_has_slowed_down_goes_on_and_does_not_flap() -> None:
    instants = (0.0, 1.0, 2.0, 200.0, 400.0, 600.0)
    unit = service(UNIT, auto_restarts=instants, detail=RESTARTING)

    assert [types(judge(unit, at=at)) for at in (600.0, 899.0)] == [[IssueType.CRASH_LOOP]] * 2
    assert judge(unit, at=900.0).findings == ()


def test_a_loop_that_ended_begins_anew_only_with_three_more_restarts() -> None:
    instants = (0.0, 1.0, 2.0, 400.0, 401.0)

    assert judge(service(UNIT, auto_restarts=instants), at=402.0).findings == ()
    assert types(judge(service(UNIT, auto_restarts=(*instants, 402.0)), at=403.0)) == [IssueType.CRASH_LOOP]


def test_a_loop_that_systemd_gave_up_on_is_down_and_still_a_loop() -> None:
    down = replace(killed(detail=RESTARTING), auto_restarts=(NOW - 3.0, NOW - 2.0, NOW - 1.0))

    assert types(judge(down)) == [IssueType.SERVICE_DOWN, IssueType.CRASH_LOOP]


def test_looking_alone_changes_nothing_that_is_said_of_a_loop() -> None:
    unit = restarted(3.0, 2.0, 1.0)

    assert judge(unit) == judge(unit, at=NOW + 100.0)


# The whole


def test_a_whole_look_is_not_partial_and_the_next_one_is_due_at_the_earliest_instant() -> None:
    first = killed("a.service", detail=RESTARTING, changed_at=NOW - 0.05)
    assessment = look(first, restarted(3.0, 2.0, 1.0), service("c.service"))

    assert (assessment.partial, assessment.gone, len(assessment.items)) == (False, frozenset(), 3)
    assert assessment.again_at == pytest.approx(NOW + 0.05)


def test_a_look_at_some_units_says_which_of_them_are_gone() -> None:
    assessment = look(service("a.service"), names=frozenset({"a.service", "b.service"}))

    assert assessment.partial
    assert assessment.gone == {"b.service"}
