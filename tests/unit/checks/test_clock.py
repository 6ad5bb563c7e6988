"""The component `clock`: what it makes of a clock that was set, and of time daemons that keep it or do not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from healthd.assess.judge import Rules, judge
from healthd.checks.clock import CHECK, TIMESYNCD, Options, Reading
from healthd.errors import ReadError
from healthd.model import IssueType, Item, Status
from healthd.soon import waited
from tests.fake_units import FakeHost, FakeUnits, service
from tests.fakes import FakeClock
from tests.unit.assembly import ports_of

WALL = 1_700_000_000.0  # 22:13:20 UTC
DAY = 86_400.0


def reading(at: float = 0.0, *, moved: float = 0.0, **changes: Any) -> Reading:
    """Both clocks at so many seconds, the one on the wall moved by some."""
    return Reading(at=at, wall=WALL + at + moved, **{"booted_for": DAY + at, **changes})


def after(*readings: Reading) -> tuple[Item, float | None]:
    """The item after these readings, and when the check wants to look again."""
    before: Any = None
    memory: Any = {}
    items: tuple[Item, ...] = ()
    again = None
    for one in readings:
        assessment = CHECK.assess(one, before, Options())
        before = CHECK.keep(one, before, Options())
        memory, judged = judge(memory, assessment, Rules(), one.at)
        items, again = judged.items, assessment.again_at
    (item,) = items
    return item, again


def look(*readings: Reading) -> Item:
    item, _ = after(*readings)
    assert [each.type for each in item.findings] == ([] if item.score == 1.0 else [IssueType.CLOCK_SKEW])
    return item


def asked(units: FakeUnits, host: FakeHost, clock: FakeClock | None = None) -> Reading:
    async def ask() -> Reading:
        ports = ports_of(units=units, host=host, clock=clock or FakeClock())
        seen: Reading = await waited(CHECK.sample(ports, Options(), None))
        return seen

    return asyncio.run(ask())


class Halting(FakeClock):
    """The machine stands still for so long right after each of these readings of the wall clock."""

    def __init__(self, *pauses: float) -> None:
        super().__init__()
        self._pauses = list(pauses)

    def wall(self) -> float:
        wall = super().wall()
        self.advance(self._pauses.pop(0))
        return wall


# Reading


def test_a_machine_that_stands_still_between_the_two_clocks_has_set_none_of_them() -> None:
    seen = asked(FakeUnits(), FakeHost(), Halting(2.0, 0.0))
    assert seen.offset == FakeClock().wall() - FakeClock().boot()
    assert seen.at == FakeClock().boot() + 2.0

    with pytest.raises(ReadError, match="at one moment"):
        asked(FakeUnits(), FakeHost(), Halting(2.0, 2.0, 2.0))


def test_timesyncd_is_asked_by_its_file_and_nobody_is_woken_for_it() -> None:
    host, units = FakeHost(), FakeUnits(service(TIMESYNCD, active_since=400.0))
    host.heard_now = WALL - 60

    seen = asked(units, host)

    assert (seen.daemon, seen.running_for, seen.heard_at) == (TIMESYNCD, 600.0, WALL - 60)
    assert seen.booted_for == host.uptime()
    assert units.calls == []


def test_of_another_daemon_s_work_the_kernel_tells() -> None:
    units = FakeUnits(service("chrony.service"), service(TIMESYNCD, active="inactive"))
    units.synchronised_now = False

    seen = asked(units, FakeHost())

    assert (seen.daemon, seen.heard_at, seen.synchronised) == ("chrony.service", None, False)


def test_without_a_daemon_nobody_is_asked() -> None:
    units = FakeUnits(service("web.service"))

    assert asked(units, FakeHost()).daemon == ""
    assert units.calls == []


# Jumps


@pytest.mark.parametrize(
    ("moved", "score", "words"),
    [
        (0.0, 1.0, "no time daemon runs here"),
        (1.0, 1.0, "no time daemon runs here"),
        (2.0, 0.6, "the clock was set forward by 2 s, to 22:13:52 UTC; no time daemon runs here"),
        (-50.0, 0.6, "the clock was set back by 50 s, to 22:13:00 UTC; no time daemon runs here"),
        (3600.0, 0.3, "the clock was set forward by 3600 s, to 23:13:50 UTC; no time daemon runs here"),
    ],
)
def test_a_clock_that_was_set_is_a_fault_by_how_far(moved: float, score: float, words: str) -> None:
    item = look(reading(0.0), reading(30.0, moved=moved))

    assert (item.score, item.message) == (score, words)


def test_a_jump_is_remembered_for_ten_minutes_and_then_looked_at_again() -> None:
    readings = [reading(0.0), *(reading(at, moved=90.0) for at in (30.0, 60.0, 629.0))]

    assert after(*readings)[0].status is Status.UNHEALTHY
    assert after(*readings)[1] == 630.0
    assert look(*readings, reading(630.0, moved=90.0)).status is Status.HEALTHY


def test_of_several_jumps_the_farthest_counts() -> None:
    item = look(reading(0.0), reading(30.0, moved=90.0), reading(60.0, moved=92.0))

    assert "forward by 90 s" in item.message


def test_right_after_boot_clocks_are_set_and_that_is_well() -> None:
    booting = [reading(0.0, booted_for=60.0), reading(30.0, moved=DAY, booted_for=90.0)]

    assert look(*booting).status is Status.HEALTHY
    assert look(*booting, reading(600.0, moved=DAY, booted_for=660.0)).status is Status.HEALTHY


# Time daemons


@pytest.mark.parametrize(
    ("heard", "running_for", "score", "words"),
    [
        (60.0, DAY, 1.0, f"synchronised by {TIMESYNCD}"),
        (6144.0, DAY, 1.0, f"synchronised by {TIMESYNCD}"),
        (7200.0, DAY, 0.6, f"{TIMESYNCD} has not heard from a time server for 2 h"),
        (-3600.0, DAY, 1.0, f"synchronised by {TIMESYNCD}"),
        (None, 599.0, 1.0, f"{TIMESYNCD} has just started"),
        (None, 600.0, 0.6, f"{TIMESYNCD} has not heard from a time server"),
    ],
)
def test_timesyncd_is_well_while_it_hears_from_a_server(
    heard: float | None, running_for: float, score: float, words: str
) -> None:
    heard_at = None if heard is None else WALL - heard
    item = look(reading(daemon=TIMESYNCD, running_for=running_for, heard_at=heard_at))

    assert (item.score, item.message) == (score, words)
    assert [each.value for each in item.measures] == ([] if heard is None else [max(0.0, heard)])


@pytest.mark.parametrize(
    ("synchronised", "running_for", "score", "words"),
    [
        (True, 0.0, 1.0, "synchronised by chrony.service"),
        (False, 599.0, 1.0, "chrony.service has just started"),
        (False, 600.0, 0.6, "chrony.service runs, and the clock is not synchronised"),
        (None, DAY, 1.0, "chrony.service runs"),
    ],
)
def test_another_daemon_is_well_while_the_kernel_says_so(
    synchronised: bool | None, running_for: float, score: float, words: str
) -> None:
    item = look(reading(daemon="chrony.service", running_for=running_for, synchronised=synchronised))

    assert (item.score, item.message) == (score, words)
