"""The page of metrics, judged by Prometheus' own parsers: right from the start, and counting what happens."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from healthd.events import Event
from healthd.expose.exposition import text
from healthd.histogram import Histogram, written
from healthd.model import Measure, Status
from healthd.tally import Tally
from tests.fake_units import FakeHost, service
from tests.unit.assembly import assembled, settings
from tests.unit.test_looks import Probe, settle

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.unit.assembly import Assembly

Page = dict[tuple[str, tuple[tuple[str, str], ...]], float]

WEB: Final = service("web.service")

PROMISED: Final = (
    *("health_check_duration_seconds", "health_checks", "system_health_score", "auto_healing_attempts"),
    *("component_health_score", "healthd_build_info", "healthd_component_status", "healthd_value", "healthd_issues"),
    *("healthd_holds", "healthd_healing_duration_seconds", "healthd_alerts", "healthd_alert_latency_seconds"),
    *("healthd_http_requests", "healthd_host_budget_remaining", "process_cpu_seconds", "process_open_fds"),
    *("process_resident_memory_bytes", "process_virtual_memory_bytes", "process_start_time_seconds", "process_max_fds"),
)


async def nothing(_healthd: Assembly) -> None:
    return


def page(
    scene: Callable[[Assembly], Awaitable[None]] = nothing, *, openmetrics: bool = False, probe: Probe | None = None
) -> tuple[str, list[str], Page]:
    """What a scrape gets after this scene: the text, the names of families, and every series."""

    async def play() -> str:
        others = [] if probe is None else [probe.bound]
        async with assembled(WEB, others=others) as healthd:
            tally = Tally(healthd.pipeline, healthd.view, FakeHost())
            if probe is not None:
                await settle(healthd, probe.bound.name, Status.HEALTHY)
                await healthd.pipeline.look([probe.bound.name])
            await scene(healthd)
            return text(tally.families(), openmetrics=openmetrics).decode()

    body = asyncio.run(play())
    families = list((parse_openmetrics if openmetrics else parse_text)(body))
    series = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }
    return body, [family.name for family in families], series


def value(series: Page, family: str, /, **labels: str) -> float:
    return series[family, tuple(sorted(labels.items()))]


@pytest.mark.parametrize("openmetrics", [False, True], ids=["text", "openmetrics"])
def test_every_family_that_is_promised_is_there_from_the_start(openmetrics: bool) -> None:
    body, families, _ = page(openmetrics=openmetrics)

    assert sorted(set(PROMISED) - {name.removesuffix("_info") for name in families} - set(families)) in (
        [],
        ["healthd_build_info"],
    )
    assert len(families) == len(set(families))
    assert body.endswith("# EOF\n") is openmetrics


def test_series_are_there_at_zero_before_anything_happens() -> None:
    _, _, series = page()

    started = {"component": "services", "action": "start_unit", "outcome": "success"}
    assert value(series, "auto_healing_attempts_total", **started) == 0
    assert value(series, "healthd_holds_total", reason="host_budget") == 0
    assert value(series, "healthd_issues", component="services", type="service_down", severity="high") == 0
    assert value(series, "healthd_alerts_total", receiver="email", outcome="sent") == 0
    assert value(series, "healthd_healing_duration_seconds_count") == 0
    assert value(series, "healthd_http_requests_total", method="GET", code="200") == 0


def test_the_series_of_issues_before_there_is_one_has_the_usual_type_and_severity() -> None:
    _, _, series = page(probe=Probe("memory"))

    assert value(series, "healthd_issues", component="memory", type="high_memory", severity="medium") == 0


def test_what_is_healthy_is_told_in_numbers() -> None:
    _, _, series = page()

    assert value(series, "system_health_score") == 1.0
    assert value(series, "component_health_score", component="services") == 1.0
    assert value(series, "healthd_component_status", component="services", status="healthy") == 1
    assert value(series, "healthd_component_status", component="services", status="unhealthy") == 0
    assert value(series, "healthd_host_budget_remaining") == 10


def test_what_was_healed_is_counted_with_its_outcome_and_its_time() -> None:
    async def heal(healthd: Assembly) -> None:
        healthd.units.kill("web.service")
        await healthd.logged(Event.ISSUE_RESOLVED)

    _, _, series = page(heal)

    started = {"component": "services", "action": "start_unit", "outcome": "success"}
    assert value(series, "auto_healing_attempts_total", **started) == 1
    assert value(series, "healthd_healing_duration_seconds_count") == 1
    assert value(series, "healthd_host_budget_remaining") == 9


def test_a_decision_not_to_act_is_counted_by_its_reason_and_the_issue_is_open() -> None:
    async def hold(healthd: Assembly) -> None:
        healthd.units.stays_down.add("web.service")
        healthd.units.kill("web.service")
        await healthd.logged(Event.HEALING_HELD)

    _, _, series = page(hold)

    assert value(series, "healthd_holds_total", reason="cooldown") == 1
    assert value(series, "healthd_issues", component="services", type="service_down", severity="high") == 1
    assert value(series, "component_health_score", component="services") == 0.6


def test_every_number_that_a_check_read_is_a_series_and_names_may_be_any_text() -> None:
    probe = Probe('we"ird\\')
    probe.measures = (Measure(name="used_percent", value=12.5), Measure(name="size_bytes", value=2.0**40))

    _, _, series = page(probe=probe)

    labels = {"component": 'we"ird\\', "item": ""}
    assert value(series, "healthd_value", name="used_percent", **labels) == 12.5
    assert value(series, "healthd_value", name="size_bytes", **labels) == 2.0**40


def test_each_run_of_a_check_is_counted_and_timed() -> None:
    _, _, series = page(probe=Probe())

    assert value(series, "health_check_duration_seconds_count", component="web") >= 1
    assert value(series, "health_checks_total") >= 1


def test_a_budget_that_is_switched_off_never_runs_out() -> None:
    async def play() -> str:
        async with assembled(WEB, configuration=settings(host_budget_actions=0)) as healthd:
            tally = Tally(healthd.pipeline, healthd.view, FakeHost())
            return text(tally.families(), openmetrics=False).decode()

    assert "healthd_host_budget_remaining +Inf\n" in asyncio.run(play())


def test_a_histogram_counts_what_is_at_most_each_bound() -> None:
    histogram = Histogram((0.1, 1.0))
    for seconds in (0.05, 0.1, 0.5, 7.0):
        histogram.observe(seconds)

    *counts, total, count = histogram.values()
    assert counts == [2, 3, 4]
    assert total == pytest.approx(7.65)
    assert count == histogram.count == 4
    assert [*written("took", (0.1, 1.0), "component")(("a",))] == [
        'took_bucket{component="a",le="0.1"}',
        'took_bucket{component="a",le="1.0"}',
        'took_bucket{component="a",le="+Inf"}',
        'took_sum{component="a"}',
        'took_count{component="a"}',
    ]
