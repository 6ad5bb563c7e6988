from __future__ import annotations

import pytest

from healthd.assess.score import Part, counted, host_status, overall_score, status_of, worst
from healthd.model import Finding, IssueType, Item, Status


def item(name: str, score: float = 1.0, *, bad: bool = False, critical: bool = False) -> Item:
    findings = (Finding(type=IssueType.SERVICE_DOWN, message="down", unit=name),) if bad else ()
    return Item(name=name, status=status_of(score), score=score, message="", findings=findings, critical=critical)


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
def test_a_component_is_healthy_from_0_8_and_degraded_from_0_5_and_a_reading_of_zero_is_not_unknown(
    score: float | None, status: Status
) -> None:
    assert status_of(score) is status


def test_a_component_with_items_is_as_good_as_its_worst_item() -> None:
    assert worst([item("a"), item("b", 0.3), item("c", 0.6)]) == 0.3
    assert worst([]) == 1.0


@pytest.mark.parametrize(("bad", "score"), [(0, 1.0), (1, 0.6), (2, 0.58), (5, 0.52), (6, 0.5), (100, 0.5)])
def test_services_count_their_bad_units(bad: int, score: float) -> None:
    items = [item(f"bad-{number}", 0.0, bad=True) for number in range(bad)]

    assert counted([*items, item("good")]) == score


def test_services_are_at_zero_while_a_critical_unit_is_not_well() -> None:
    assert counted([item("a", 0.0, bad=True, critical=True), item("b")]) == 0.0
    assert counted([item("a", critical=True), item("b", 0.0, bad=True)]) == 0.6


def test_the_overall_score_is_the_weighted_mean_of_what_is_known() -> None:
    parts = [Part(score=1.0, weight=0.3), Part(score=0.5, weight=0.1), Part(score=None, weight=0.6)]

    assert overall_score(parts) == pytest.approx((0.3 + 0.05) / 0.4)


def test_components_without_weight_have_equal_voices_and_no_components_score_zero() -> None:
    assert overall_score([Part(score=1.0, weight=0.0), Part(score=0.5, weight=0.0)]) == 0.75
    assert overall_score([]) == 0.0


def test_a_host_of_which_nothing_is_known_is_unknown() -> None:
    assert host_status([]) is Status.UNKNOWN
    assert host_status([Part(score=None, weight=1.0)]) is Status.UNKNOWN


@pytest.mark.parametrize(
    ("score", "status"),
    [(0.9, Status.HEALTHY), (0.89, Status.DEGRADED), (0.7, Status.DEGRADED), (0.69, Status.UNHEALTHY)],
)
def test_a_host_is_healthy_from_0_9_and_degraded_from_0_7(score: float, status: Status) -> None:
    assert host_status([Part(score=score, weight=1.0)]) is status


def test_an_unhealthy_component_keeps_the_host_at_best_degraded_however_little_it_weighs() -> None:
    assert host_status([Part(score=1.0, weight=0.99), Part(score=0.0, weight=0.01)]) is Status.DEGRADED


def test_a_critical_component_that_is_unhealthy_makes_the_host_unhealthy() -> None:
    parts = [Part(score=1.0, weight=0.99), Part(score=0.0, weight=0.01, critical=True)]

    assert host_status(parts) is Status.UNHEALTHY


def test_a_component_that_was_judged_before_and_is_unknown_now_keeps_the_host_at_best_degraded() -> None:
    well = Part(score=1.0, weight=1.0)

    assert host_status([well, Part(score=None, weight=0.1, judged=True)]) is Status.DEGRADED
    assert host_status([well, Part(score=None, weight=0.1, judged=False)]) is Status.HEALTHY
