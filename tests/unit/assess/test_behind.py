"""What the state of the unit behind a component says, where nobody is there to be asked."""

from __future__ import annotations

from typing import Any

import pytest

from healthd.assess.behind import belonging, instead_of_asking
from healthd.model import Assessment, IssueType, Status
from tests.fake_units import service
from tests.unit.builders import UNIT, finding, item, killed


def said(**changes: Any) -> Assessment:
    assessment = instead_of_asking(service(UNIT, **changes), UNIT)
    assert assessment is not None
    return assessment


def test_one_that_runs_is_asked() -> None:
    assert instead_of_asking(service(UNIT), UNIT) is None


@pytest.mark.parametrize(
    "unit",
    [
        None,
        service(UNIT, load="not-found", active="inactive"),
        service(UNIT, active="inactive", file_state="disabled", invocation=""),
        service(UNIT, active="inactive", invocation=""),
    ],
    ids=["not loaded", "not there", "another version is in use", "a condition is not met"],
)
def test_what_is_not_here_or_not_in_use_is_left_out(unit: Any) -> None:
    assessment = instead_of_asking(unit, UNIT)

    assert assessment is not None
    assert assessment.absent


def test_one_that_ran_and_is_down_is_bad() -> None:
    for down in (killed(), service(UNIT, active="inactive", code=2, exit_status=15)):
        assessment = instead_of_asking(down, UNIT)

        assert assessment is not None
        (found,) = assessment.items[0].findings
        assert (assessment.items[0].status, found.type) == (Status.UNHEALTHY, IssueType.PROBE_FAILED)


def test_one_that_was_not_started_because_what_it_requires_failed_is_bad() -> None:
    assert said(active="inactive", dependency_failed=True).items[0].status is Status.UNHEALTHY


@pytest.mark.parametrize(
    "unit", [{"active": "inactive", "stopped_by_job": True}, {"active": "inactive", "load": "masked"}]
)
def test_what_somebody_stopped_is_no_fault(unit: dict[str, Any]) -> None:
    (stopped,) = said(**unit).items

    assert (stopped.status, stopped.stopped) == (Status.HEALTHY, True)


@pytest.mark.parametrize(
    "unit", [{"active": "activating", "sub": "start"}, {"active": "deactivating"}, {"active": "failed", "job": 7}]
)
def test_what_is_on_its_way_is_not_judged(unit: dict[str, Any]) -> None:
    assert not said(**unit).items[0].settled


@pytest.mark.parametrize(("at", "settled"), [(104.9, False), (105.0, True)])
def test_a_bad_reading_counts_only_after_the_grace(at: float, settled: bool) -> None:
    read = Assessment(items=(item(finding(IssueType.PROBE_FAILED), name=""),))

    (judged,) = belonging(read, service(UNIT, active_since=100.0), UNIT, grace=5.0, at=at).items

    assert judged.settled is settled
    assert judged.unit == UNIT


def test_a_good_reading_counts_at_once() -> None:
    (judged,) = belonging(
        Assessment(items=(item(),)), service(UNIT, active_since=100.0), UNIT, grace=5.0, at=100.1
    ).items

    assert judged.settled
