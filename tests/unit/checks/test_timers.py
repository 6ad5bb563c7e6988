"""The component `timers`: what becomes of a job that failed, of a timer that is late, and of one that never fires."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from healthd.checks.timers import CHECK, Options, Reading, options
from healthd.config import load_texts
from healthd.errors import BusLost
from healthd.jobs import TimerFacts
from healthd.model import IssueType, Item, Status, UnitFacts
from healthd.soon import waited
from tests.fake_units import FakeUnits, service
from tests.fakes import FakeClock
from tests.unit.assembly import ports_of

if TYPE_CHECKING:
    from healthd.registry import Ports

WALL, MONOTONIC = 1_700_000_000.0, 5000.0
HOUR = 3600.0
TIMER = TimerFacts(name="backup.timer", unit="backup.service", sub="waiting", next_wall=WALL + HOUR)
WELL = service("backup.service", active="inactive", sub="dead")
FAILED = replace(WELL, active="failed", sub="failed", result="exit-code", code=1, exit_status=7)


async def sampled(ports: Ports) -> Any:
    return await waited(CHECK.sample(ports, Options(), None))


def looked(*timers: TimerFacts, job: UnitFacts | None = WELL, limits: Options | None = None) -> list[Item]:
    jobs = {} if job is None else {job.name: job}
    reading = Reading(wall=WALL, monotonic=MONOTONIC, timers=timers, jobs=jobs)
    return list(CHECK.assess(reading, None, limits or Options()).items)


def look(job: UnitFacts | None = WELL, limits: Options | None = None, **changes: Any) -> Item:
    (item,) = looked(replace(TIMER, **changes), job=job, limits=limits)
    return item


def test_it_reads_the_timers_and_what_they_start() -> None:
    units = FakeUnits(FAILED, service("web.service"))
    units.timers_now = (TIMER,)
    clock = FakeClock(wall=WALL)
    ports = ports_of(units=units, clock=clock)

    reading = asyncio.run(sampled(ports))

    assert reading.timers == (TIMER,)
    assert list(reading.jobs) == ["backup.service"]
    assert reading.wall == WALL


def test_a_bus_that_is_away_is_no_reading() -> None:
    units = FakeUnits()
    units.connected = False
    ports = ports_of(units=units, clock=FakeClock())

    with pytest.raises(BusLost):
        asyncio.run(sampled(ports))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "backup.service next at 2023-11-14 23:13 UTC"),
        ({"next_wall": None, "next_monotonic": MONOTONIC + 2 * HOUR}, "backup.service next at 2023-11-15 00:13 UTC"),
        ({"next_monotonic": MONOTONIC + 2 * HOUR}, "backup.service next at 2023-11-14 23:13 UTC"),
        ({"sub": "running", "next_wall": None}, "backup.service runs"),
        ({"sub": "elapsed", "next_wall": None, "last_wall": WALL - 1}, "has fired, and will not again"),
        ({"next_wall": WALL - HOUR}, "backup.service next at 2023-11-14 21:13 UTC"),
    ],
)
def test_a_timer_that_works_says_when_it_fires(changes: dict[str, Any], said: str) -> None:
    item = look(**changes)

    assert (item.status, item.message) == (Status.HEALTHY, said)


def test_a_failed_job_makes_its_timer_degraded_and_is_left_to_services_to_report() -> None:
    item = look(FAILED)

    assert (item.name, item.status, item.score, item.findings) == ("backup.timer", Status.DEGRADED, 0.6, ())
    assert item.message.startswith("backup.service: ")


def test_a_failed_job_that_services_does_not_watch_is_reported_here() -> None:
    item = look(FAILED, Options(watch=("nginx.service",)))

    assert [finding.type for finding in item.findings] == [IssueType.JOB_FAILED]
    assert look(FAILED, Options(watch=("nginx.service",), tables=frozenset({"backup.service"}))).findings == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"next_wall": WALL - HOUR - 1},
        {"next_wall": None, "next_monotonic": MONOTONIC - 5000.0},
        {"next_monotonic": MONOTONIC - HOUR - 1},
    ],
)
def test_a_timer_that_is_late_by_more_than_an_hour_is_an_issue(changes: dict[str, Any]) -> None:
    item = look(**changes)

    assert (item.status, [finding.type for finding in item.findings]) == (Status.DEGRADED, [IssueType.JOB_FAILED])
    assert item.message == "should have fired 1 h ago and did not"


def test_a_timer_that_has_no_time_and_never_fired_is_an_issue() -> None:
    item = look(sub="elapsed", next_wall=None)

    assert [finding.type for finding in item.findings] == [IssueType.JOB_FAILED]


@pytest.mark.parametrize("ignored", ["backup.timer", "backup.service"])
def test_what_the_operator_ignores_is_left_out(ignored: str) -> None:
    limits = options(load_texts({"50-test.toml": f"[services]\nignore = ['{ignored}']"}), "timers")

    assert looked(TIMER, job=FAILED, limits=limits) == []


def test_timers_of_healthd_itself_are_left_out() -> None:
    assert looked(replace(TIMER, name="healthd-x.timer")) == []
