"""A unit against its limits, and where its memory is heading."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from healthd.assess.judge import Rules, judge
from healthd.checks.unit import Reading, assess, options, sample
from healthd.config import load_texts
from healthd.errors import ReadError
from healthd.figures import GroupUsage
from healthd.model import IssueType, Item, Status
from tests.fake_units import FakeHost, FakeUnits, service
from tests.unit.assembly import ports_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthd.assess.judge import Memory
    from healthd.checks.unit import Options
    from healthd.model import Assessment, Measure

MIB = 2**20
USAGE = GroupUsage(memory=300 * MIB, memory_max=400 * MIB, cpu_seconds=10.0, tasks=5, tasks_max=100)


def configured(limits: str = "", *, leak: bool = False) -> Options:
    text = f"""
[auto_healing]
restart_on_leak = {str(leak).lower()}
[component.web]
type = "unit"
unit = "web.service"
{limits}
"""
    return options(load_texts({"healthd.toml": text}), "web")


def reading(at: float = 100.0, *, restarts: int = 0, run: str = "first", **usage: Any) -> Reading:
    return Reading(at=at, invocation=run, usage=replace(USAGE, **usage), restarts=restarts)


def judged(assessment: Assessment) -> Item:
    (item,) = judge({}, assessment, Rules(), 0.0)[1].items
    return item


def measure(item: Item, name: str) -> Measure:
    return next(each for each in item.measures if each.name == name)


@pytest.mark.parametrize(
    ("limits", "usage", "status", "issue", "words"),
    [
        ("memory_warning_mb = 299", {}, "degraded", "high_memory", "uses 300.0 MiB of memory (limit 299.0 MiB)"),
        ("memory_critical_gb = 0.25", {}, "unhealthy", "high_memory", "uses 300.0 MiB of memory (limit 256.0 MiB)"),
        ("memory_warning_percent = 70", {}, "degraded", "high_memory", "uses 300.0 MiB of memory (limit 280.0 MiB)"),
        ("memory_warning_percent = 70\nmemory_warning_mb = 350", {}, "healthy", "", ""),
        ("memory_warning_mb = 500", {}, "healthy", "", ""),
        ("cpu_warning_percent = 50", {"cpu_seconds": 18.0}, "degraded", "high_cpu", "uses 80 % of a core (limit 50 %)"),
        ("cpu_critical_percent = 50", {"cpu_seconds": 14.0}, "healthy", "", ""),
        ("tasks_warning = 4", {}, "degraded", "pressure", "has 5 tasks (limit 4)"),
        ("tasks_critical_percent = 4", {}, "unhealthy", "pressure", "has 5 tasks (limit 4)"),
    ],
)
def test_each_figure_is_held_against_its_limit(
    limits: str, usage: dict[str, Any], status: str, issue: str, words: str
) -> None:
    now = reading(at=110.0, **usage)

    item = judged(assess(now, reading(), configured(limits)))

    assert (item.status, [finding.type for finding in item.findings]) == (status, [issue] if issue else [])
    assert not words or item.message == words


def test_restarts_by_systemd_are_counted_for_an_hour() -> None:
    web = service("web.service", auto_restarts=(100.0, 4000.0, 4500.0, 4900.0))
    host = FakeHost()
    host.groups["/system.slice/web.service"] = USAGE
    chosen = configured("restarts_warning = 2")

    seen = asyncio.run(sample(ports_of(FakeUnits(web), host), chosen, None))
    at_5000 = replace(seen, at=5000.0)

    assert (seen.usage, seen.invocation) == (USAGE, "first")
    assert seen.restarts == 4  # at 1000 s none is an hour old
    item = judged(assess(replace(at_5000, restarts=3), None, chosen))
    assert (item.status, item.message) == (Status.DEGRADED, "systemd restarted it 3 times in the last hour")
    assert [finding.type for finding in item.findings] == [IssueType.CRASH_LOOP]


def test_a_unit_within_its_limits_says_what_it_uses() -> None:
    item = judged(assess(reading(at=110.0, cpu_seconds=15.0), reading(), configured()))

    assert item.message == "300.0 MiB of memory, 50 % of a core, 5 tasks"
    assert [each.name for each in item.measures] == ["memory_bytes", "cpu_percent", "tasks", "restarts"]


def test_processor_time_takes_two_looks_at_the_same_run() -> None:
    first = assess(reading(), None, configured())
    after_restart = assess(reading(at=110.0, run="second", cpu_seconds=0.1), reading(), configured())

    for seen in (first, after_restart):
        assert "cpu_percent" not in [each.name for each in seen.items[0].measures]
    assert first.again_at == 101.0


def test_what_the_kernel_does_not_count_is_said_and_the_rest_is_judged() -> None:
    bare = reading(at=110.0, memory=None, memory_max=None, tasks=None, tasks_max=None, cpu_seconds=19.5)

    item = judged(assess(bare, reading(), configured("memory_warning_mb = 1\ncpu_warning_percent = 200")))

    assert item.message == "95 % of a core; memory not to be had on this host"


def test_a_unit_of_which_nothing_can_be_judged_is_no_reading() -> None:
    bare = reading(memory=None, memory_max=None, tasks=None, tasks_max=None)

    seen = assess(bare, None, configured("memory_warning_mb = 1"))

    assert (seen.usable, seen.reason) == (False, "not to be had on this host: memory")


def test_percent_of_a_maximum_that_is_not_set_is_said() -> None:
    chosen = configured("memory_warning_percent = 80\ntasks_warning = 100")

    item = judged(assess(reading(memory_max=None), None, chosen))

    assert item.message == "300.0 MiB of memory, 5 tasks; MemoryMax= not to be had on this host"


def test_limits_in_different_units_are_put_in_order() -> None:
    item = judged(assess(reading(), None, configured("memory_warning_gb = 1\nmemory_critical_mb = 200")))

    assert item.status is Status.UNHEALTHY


@pytest.mark.parametrize("units", [FakeUnits(), FakeUnits(service("web.service", active="inactive"))])
def test_a_unit_without_processes_is_no_reading(units: FakeUnits) -> None:
    with pytest.raises(ReadError):
        asyncio.run(sample(ports_of(units), configured(), None))


# Where memory is heading

LEAK = 0.1 * MIB  # a second: 400 MiB in a bit more than an hour


def foretold(memory_at: Callable[[float], float], seconds: float, chosen: Options) -> list[tuple[float, Item]]:
    """What is judged at each look, every 30 s."""
    known: Memory = {}
    before, seen = None, []
    at = 0.0
    while at <= seconds:
        now = reading(at=at, memory=int(memory_at(at)), cpu_seconds=at / 10)
        known, assessment = judge(known, assess(now, before, chosen), Rules(), at)
        seen.append((at, assessment.items[0]))
        before, at = now, at + 30.0
    return seen


def test_a_leak_is_foretold_at_least_ten_minutes_ahead() -> None:
    noise = random.Random(4)
    seen = foretold(lambda at: 20 * MIB + LEAK * at + noise.uniform(0, MIB), 3600, configured())
    full_at = 380 * MIB / LEAK

    first = next((at, item) for at, item in seen if measure(item, "memory_bytes").seconds_to_critical is not None)

    assert full_at - first[0] >= 600
    assert first[1].status is Status.DEGRADED
    assert first[1].findings == ()
    foretold_at = first[0] + (measure(first[1], "memory_bytes").seconds_to_critical or 0)
    assert foretold_at == pytest.approx(full_at, rel=0.2)


def test_a_leak_is_an_issue_of_its_own_only_where_it_is_to_be_healed() -> None:
    seen = foretold(lambda at: 20 * MIB + LEAK * at, 3000, configured(leak=True))

    assert [finding.type for finding in seen[-1][1].findings] == [IssueType.HIGH_MEMORY]


def test_memory_that_goes_up_and_down_foretells_nothing() -> None:
    seen = foretold(lambda at: 50 * MIB + (at % 600) / 600 * 200 * MIB, 7200, configured(leak=True))

    # Its first rise might be a leak; what has fallen once is none.
    later = [measure(item, "memory_bytes") for at, item in seen if at > 1200]
    assert [each.seconds_to_critical for each in later if each.seconds_to_critical is not None] == []
