"""Scores and statuses, of a component and of the host."""

from __future__ import annotations

import pytest

from healthd.assess.score import Part, counted, host_status, overall_score, status_of, worst
from healthd.model import Status
from tests.unit.builders import finding, item


@pytest.mark.parametrize(
    ("score", "status"),
    [
        (1.0, Status.HEALTHY),
        (0.8, Status.HEALTHY),
        (0.79, Status.DEGRADED),
        (0.5, Status.DEGRADED),
        (0.49, Status.UNHEALTHY),
        (0.0, Status.UNHEALTHY),
        (None, Status.UNKNOWN),
    ],
)
def test_a_score_has_a_status_and_no_score_is_unknown_and_never_bad(score: float | None, status: Status) -> None:
    assert status_of(score) is status


def test_a_component_is_as_well_as_its_worst_item() -> None:
    assert worst([item(score=0.9), item(score=0.3)]) == 0.3


def test_a_component_without_items_has_nothing_wrong() -> None:
    assert (worst([]), counted([])) == (1.0, 1.0)


@pytest.mark.parametrize(("bad", "score"), [(0, 1.0), (1, 0.6), (2, 0.58), (3, 0.56), (6, 0.5), (400, 0.5)])
def test_services_count_what_is_not_well(bad: int, score: float) -> None:
    assert counted([item(), *[item(finding())] * bad]) == score


def test_a_critical_unit_that_is_down_makes_services_zero() -> None:
    assert counted([item(), item(finding(), critical=True)]) == 0.0


def test_a_critical_unit_that_is_well_weighs_no_more_than_another() -> None:
    assert counted([item(critical=True), item(finding())]) == 0.6


def part(score: float | None, weight: float = 1.0, *, critical: bool = False, judged: bool = True) -> Part:
    return Part(score=score, weight=weight, critical=critical, judged=judged)


def test_the_overall_score_is_the_weighted_mean_of_what_is_known() -> None:
    assert overall_score([part(1.0, 3.0), part(0.6, 1.0), part(None, 100.0)]) == 0.9


def test_components_without_weight_have_equal_voices() -> None:
    assert overall_score([part(1.0, 0.0), part(0.5, 0.0)]) == 0.75


def test_with_nothing_known_the_overall_score_is_zero() -> None:
    assert overall_score([part(None)]) == 0.0


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([], Status.UNKNOWN),
        ([part(None, judged=False)], Status.UNKNOWN),
        ([part(1.0)], Status.HEALTHY),
        ([part(0.9, weight) for weight in (0.35, 0.15, 0.15, 0.1)], Status.HEALTHY),
        ([part(0.89)], Status.DEGRADED),
        ([part(0.7), part(0.7)], Status.DEGRADED),
        ([part(0.69)], Status.UNHEALTHY),
        ([part(1.0, 100.0), part(0.4)], Status.DEGRADED),
        ([part(1.0, 100.0), part(0.4, critical=True)], Status.UNHEALTHY),
        ([part(1.0, 100.0), part(0.6, critical=True)], Status.HEALTHY),
        ([part(1.0), part(None)], Status.DEGRADED),
        ([part(1.0), part(None, judged=False)], Status.HEALTHY),
        ([part(1.0), Part(score=1.0, weight=1.0, lost=True)], Status.DEGRADED),
    ],
    ids=[
        "nothing at all",
        "nothing judged yet",
        "all well",
        "exactly at the limit",
        "below healthy",
        "at the limit of degraded",
        "below degraded",
        "an unhealthy part does not vanish in the mean",
        "a critical part decides",
        "a critical part that is degraded does not decide",
        "what was known and is not any more",
        "what was never known",
        "a part of which something was known and is not any more",
    ],
)
def test_the_host_has_a_status(parts: list[Part], status: Status) -> None:
    assert host_status(parts) is status
