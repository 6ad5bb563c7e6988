"""What is read of timers, and how seldom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from healthd.jobs import TimerFacts
from healthd.soon import waited
from healthd.systemd.names import UNKNOWN_NUMBER
from tests.integration.stage import on_stage, running

if TYPE_CHECKING:
    from tests.integration.stage import Stage

TIMER: Final = "backup.timer"


def add(stage: Stage, name: str = TIMER, **state: str) -> None:
    unit = stage.systemd.add(name, active=state.get("active", "active"), sub=state.get("sub", "waiting"))
    unit.more |= {
        "Unit": ("s", "backup.service"),
        "NextElapseUSecRealtime": ("t", 1_700_000_000_000_000),
        "NextElapseUSecMonotonic": ("t", UNKNOWN_NUMBER),
        "LastTriggerUSec": ("t", 0),
    }


@on_stage
async def test_a_running_timer_says_what_it_starts_and_when(stage: Stage) -> None:
    add(stage)
    add(stage, "off.timer", active="inactive", sub="dead")
    async with running(stage):
        assert await waited(stage.units.timers()) == (
            TimerFacts(name=TIMER, unit="backup.service", sub="waiting", next_wall=1_700_000_000.0),
        )


@on_stage
async def test_a_timer_is_asked_again_only_when_its_state_has_changed(stage: Stage) -> None:
    add(stage)
    async with running(stage):
        await waited(stage.units.timers())
        asked = stage.systemd.asked("GetAll")
        await waited(stage.units.timers())
        assert stage.systemd.asked("GetAll") == asked

        await stage.systemd.tell(TIMER, sub="running")
        await stage.wakes.until(lambda: stage.units.facts()[TIMER].sub == "running")
        (facts,) = await waited(stage.units.timers())

        assert facts.sub == "running"
        assert stage.systemd.asked("GetAll") > asked


@on_stage
async def test_a_timer_whose_time_has_passed_unheard_is_asked_again_for_the_clock_may_have_been_set(
    stage: Stage,
) -> None:
    add(stage)
    async with running(stage):
        await waited(stage.units.timers())
        stage.clock.set_wall(1_700_000_000.0 + 3 * 86_400)
        stage.systemd.units[TIMER].more["NextElapseUSecRealtime"] = ("t", 1_700_345_600_000_000)
        (facts,) = await waited(stage.units.timers())
        assert facts.next_wall == 1_700_345_600.0

        asked = stage.systemd.asked("GetAll")
        await waited(stage.units.timers())
        assert stage.systemd.asked("GetAll") == asked
