"""The component `cpu`: what it makes of the counters of two readings."""

from __future__ import annotations

from typing import Any

import pytest

from healthd.assess.judge import Rules
from healthd.checks.cpu import CHECK, Options, options
from healthd.config import load_texts
from healthd.figures import Cpu
from healthd.model import IssueType, Item, Status
from tests.fake_units import FakeHost
from tests.unit.checks.built_in import judged, measures, sampled, values


def cpu(at: float, **changes: Any) -> Cpu:
    """Two processors that have done nothing, at so many seconds after their boot."""
    idle = {"all": 2 * at, "busy": 0.0, "waiting": 0.0, "stolen": 0.0}
    return Cpu(at=at, **{**idle, "load": 0.5, "cpus": 2, "booted_for": 5000.0, **changes})


def look(*, booted_for: float = 5000.0, load: float = 0.5, **seconds: float) -> Item:
    """After ten seconds, in which the two processors together spent so many like this."""
    first = cpu(100.0, busy=50.0, waiting=10.0, stolen=5.0)
    spent = {"busy": 50.0, "waiting": 10.0, "stolen": 5.0}
    grown = {name: before + seconds.get(name, 0.0) for name, before in spent.items()}
    second = cpu(110.0, load=load, booted_for=booted_for, **grown)
    (item,) = judged(CHECK, [(100.0, first), (110.0, second)], Options())
    return item


def test_it_reads_what_the_kernel_says_now() -> None:
    host = FakeHost()
    host.cpu_now = cpu(1.0)

    assert sampled(CHECK, host, options(load_texts(), "cpu")) is host.cpu_now


def test_one_reading_says_nothing_and_the_second_comes_soon() -> None:
    assessment = CHECK.assess(cpu(100.0), None, Options())

    assert not assessment.usable
    assert assessment.again_at == 101.0


def test_counters_that_did_not_move_say_nothing() -> None:
    assert not CHECK.assess(cpu(100.0), cpu(100.0), Options()).usable


def test_it_says_how_busy_the_processors_were_since_the_reading_before() -> None:
    item = look(busy=5.0, waiting=2.0)

    assert item.message == "25 % of 2 CPUs busy, load 0.25 a CPU"
    assert values(item) == {"busy_percent": 25, "steal_percent": 0, "iowait_percent": 10, "load_per_cpu": 0.25}
    assert item.status is Status.HEALTHY


def test_a_host_that_does_its_job_is_at_worst_degraded() -> None:
    item = look(busy=20.0)

    assert item.status is Status.DEGRADED
    assert item.score == 0.5
    assert [(each.type, each.message) for each in item.findings] == [
        (IssueType.HIGH_CPU, "the processors are 100 % busy (limit 95 %)")
    ]
    assert look(busy=19.0).status is Status.HEALTHY


@pytest.mark.parametrize(
    ("stolen", "status"), [(3.9, Status.HEALTHY), (4.1, Status.DEGRADED), (10.1, Status.UNHEALTHY)]
)
def test_time_that_the_machine_around_it_takes_is_bad(stolen: float, status: Status) -> None:
    item = look(stolen=stolen)

    assert item.status is status
    assert f"{stolen / 0.2:.0f} % stolen" in item.message or item.findings


@pytest.mark.parametrize(("load", "status"), [(8.0, Status.HEALTHY), (8.2, Status.DEGRADED), (32.2, Status.UNHEALTHY)])
def test_a_long_queue_is_bad_by_the_number_of_processors(load: float, status: Status) -> None:
    assert look(load=load).status is status


def test_right_after_boot_the_load_average_is_shown_and_not_judged() -> None:
    item = look(load=100.0, booted_for=299.0)

    assert item.status is Status.HEALTHY
    assert values(item)["load_per_cpu"] == 50


def test_waiting_for_disks_alone_is_shown_and_not_judged() -> None:
    item = look(waiting=19.0)

    assert item.status is Status.HEALTHY
    assert measures(item)["iowait_percent"].warning is None


def test_iowait_that_the_kernel_counts_backwards_is_none() -> None:
    assert values(look(waiting=-1.0))["iowait_percent"] == 0


def test_a_burst_is_no_issue_and_a_lasting_one_is() -> None:
    rules, working = (
        Rules(failures=3, successes=2),
        [(100.0 + 5 * n, cpu(100.0 + 5 * n, busy=10.0 * n)) for n in range(5)],
    )
    calm = [(90.0, cpu(90.0)), (95.0, cpu(95.0))]

    assert judged(CHECK, [*calm, *working[:3]], Options(), rules)[0].status is Status.HEALTHY
    assert judged(CHECK, [*calm, *working], Options(), rules)[0].status is Status.DEGRADED
