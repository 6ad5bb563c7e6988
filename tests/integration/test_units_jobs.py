"""Jobs: asked for, awaited, refused, and what they teach about the unit."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from healthd.errors import BusTimeout
from healthd.model import JobResult
from healthd.systemd.jobs import AT_ONCE
from tests.integration.stage import on_stage, running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.stage import Stage

WEB = "web.service"
SYSTEMD = "org.freedesktop.systemd1"
DBUS = "org.freedesktop.DBus.Error"


@on_stage
async def test_a_job_that_ends_gives_systemds_word_for_it(stage: Stage) -> None:
    stage.systemd.add(WEB)
    async with running(stage):
        assert await stage.units.start(WEB, deadline=5) == JobResult(result="done")

        stage.systemd.how_jobs_end = "dependency"
        assert await stage.units.restart(WEB, deadline=5) == JobResult(result="dependency")


@on_stage
async def test_jobs_never_push_aside_what_an_operator_has_queued(stage: Stage) -> None:
    stage.systemd.add(WEB)
    async with running(stage):
        await stage.units.reload(WEB, deadline=5)

        assert stage.systemd.calls[-1] == ("ReloadUnit", (WEB, "fail"))


@on_stage
async def test_a_job_whose_end_comes_before_its_path_is_not_missed(stage: Stage) -> None:
    stage.systemd.add(WEB)
    stage.systemd.removed_first = True
    async with running(stage):
        assert (await stage.units.start(WEB, deadline=5)).done


@on_stage
async def test_a_job_that_ends_while_the_loop_is_busy_is_not_missed(stage: Stage) -> None:
    names = [f"d{number}.service" for number in range(100)]
    stage.systemd.add(*names)
    async with running(stage):
        results = await asyncio.gather(*(stage.units.start(name, deadline=10) for name in names))

        assert all(result.done for result in results)


@on_stage
async def test_four_hundred_jobs_at_once_are_all_done_within_the_limit_of_the_bus(stage: Stage) -> None:
    names = [f"d{number}.service" for number in range(400)]
    stage.systemd.add(*names)
    async with running(stage):
        stage.systemd.held = []
        restarts = [asyncio.create_task(stage.units.restart(name, deadline=15)) for name in names]
        await stage.systemd.until_asked("RestartUnit", 64)
        await stage.systemd.release()
        results = await asyncio.gather(*restarts)

        assert [result.result for result in results] == ["done"] * 400
        assert stage.systemd.most_in_flight == 64


@on_stage
async def test_a_job_that_has_no_time_left_when_there_is_room_for_it_is_not_begun(stage: Stage) -> None:
    """No answer within what is left would take the connection with it, and with that all other jobs."""
    names = [f"d{number}.service" for number in range(AT_ONCE)]
    stage.systemd.add(*names, "late.service")
    stage.systemd.how_jobs_end = None
    async with running(stage):
        starts = [asyncio.create_task(stage.units.start(name, deadline=15)) for name in names]
        await stage.systemd.until_asked("StartUnit", AT_ONCE)
        late = asyncio.create_task(stage.units.start("late.service", deadline=0.4))
        await asyncio.sleep(0.25)  # its time passes
        for name in names:
            await stage.systemd.end_job(stage.systemd.units[name].job, name, "done")
        await asyncio.gather(*starts)

        assert (await late).text == "not begun: other jobs took nearly all of 0.4 s"
        assert stage.systemd.asked("StartUnit") == AT_ONCE


@on_stage
async def test_a_thousand_jobs_are_begun_a_few_hundred_at_a_time(stage: Stage) -> None:
    """For each job systemd adds a match rule, and loses its connection when the bus refuses the 513th."""
    names = [f"d{number}.service" for number in range(1000)]
    stage.systemd.add(*names)
    stage.systemd.how_jobs_end = None
    async with running(stage):
        starts = [asyncio.create_task(stage.units.start(name, deadline=15)) for name in names]
        await stage.systemd.until_asked("StartUnit", AT_ONCE)
        await stage.settle()
        assert stage.systemd.asked("StartUnit") == AT_ONCE

        stage.systemd.how_jobs_end = "done"
        for name in names[:AT_ONCE]:
            await stage.systemd.end_job(stage.systemd.units[name].job, name, "done")
        assert all(result.done for result in await asyncio.gather(*starts))


@on_stage
async def test_a_job_that_finds_no_room_before_its_deadline_is_a_timeout(stage: Stage) -> None:
    names = [f"d{number}.service" for number in range(AT_ONCE)]
    stage.systemd.add(WEB, *names)
    stage.systemd.how_jobs_end = None
    async with running(stage):
        starts = [asyncio.create_task(stage.units.start(name, deadline=15)) for name in names]
        await stage.systemd.until_asked("StartUnit", AT_ONCE)

        assert (await stage.units.start(WEB, deadline=0.05)).text.startswith("not begun")
        assert stage.systemd.asked("StartUnit") == AT_ONCE
        for start in starts:
            start.cancel()
        await asyncio.wait(starts)


@on_stage
async def test_two_that_ask_for_the_same_job_both_hear_of_its_end(stage: Stage) -> None:
    stage.systemd.add(WEB)
    stage.systemd.how_jobs_end, stage.systemd.one_job = None, True
    async with running(stage):
        starts = [asyncio.create_task(stage.units.start(WEB, deadline=15)) for _ in range(2)]
        await stage.systemd.until_asked("StartUnit", 2)
        await stage.settle()
        await stage.systemd.end_job(stage.units.facts()[WEB].job, WEB, "done")

        assert [result.done for result in await asyncio.gather(*starts)] == [True, True]


@on_stage
async def test_a_job_that_outlasts_its_deadline_is_a_timeout_and_keeps_the_connection(stage: Stage) -> None:
    stage.systemd.add(WEB)
    stage.systemd.how_jobs_end = None
    async with running(stage):
        result = await stage.units.start(WEB, deadline=0.05)

        assert result == JobResult(result="timeout", text="it is not done yet")
        assert stage.units.connected


@on_stage
async def test_a_job_whose_end_was_never_told_is_a_timeout(stage: Stage) -> None:
    stage.systemd.add(WEB)
    stage.systemd.how_jobs_end = None
    async with running(stage):
        waiting = asyncio.create_task(stage.units.start(WEB, deadline=0.1))
        await stage.systemd.until_asked("StartUnit")
        stage.systemd.units[WEB].job = 0

        assert "did not say how it ended" in (await waiting).text


@on_stage
async def test_the_end_of_a_job_is_heard_though_we_stood_still_until_its_deadline(stage: Stage) -> None:
    stage.systemd.add(WEB)
    stage.systemd.how_jobs_end = None
    async with running(stage):
        waiting = asyncio.create_task(stage.units.start(WEB, deadline=0.1))
        await stage.wakes.until(lambda: stage.units.facts()[WEB].job != 0)
        await stage.settle()
        await stage.systemd.end_job(stage.units.facts()[WEB].job, WEB, "done")
        time.sleep(0.2)  # noqa: ASYNC251  as a SIGSTOP does

        assert (await waiting).done


@on_stage
async def test_a_job_that_runs_when_the_bus_is_lost_is_lost(stage: Stage) -> None:
    stage.systemd.add(WEB)
    stage.systemd.how_jobs_end = None
    async with running(stage):
        waiting = asyncio.create_task(stage.units.start(WEB, deadline=60))
        await stage.wakes.until(lambda: stage.units.facts()[WEB].job != 0)
        await stage.settle()
        stage.bus.stop()

        assert (await waiting).result == "lost"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (f"{DBUS}.AccessDenied", "Permission denied"),
        (f"{DBUS}.InteractiveAuthorizationRequired", "Interactive authentication required."),
        (f"{SYSTEMD}.UnitMasked", "Unit polkit.service is masked."),
        (f"{SYSTEMD}.NoSuchUnit", "Unit web.service not found."),
        (f"{SYSTEMD}.UnitMasked", "Unit web.service is masked."),
    ],
)
def test_a_refusal_is_a_result_with_systemds_words(name: str, text: str, tmp_path: Path) -> None:
    @on_stage
    async def scene(stage: Stage) -> None:
        stage.systemd.refuse["StartUnit"] = (name, text)
        async with running(stage):
            result = await stage.units.start(WEB, deadline=5)

            assert result.result == "refused"
            assert text in result.text

    scene(tmp_path)


@on_stage
async def test_a_job_that_another_one_forbids_is_a_conflict(stage: Stage) -> None:
    stage.systemd.refuse["StartUnit"] = (f"{SYSTEMD}.TransactionIsDestructive", "Transaction is destructive.")
    async with running(stage):
        assert (await stage.units.start(WEB, deadline=5)).result == "conflict"


@on_stage
async def test_a_job_of_our_own_is_known_as_such_while_it_lasts(stage: Stage) -> None:
    stage.systemd.add(WEB)
    stage.systemd.how_jobs_end = None
    async with running(stage):
        waiting = asyncio.create_task(stage.units.start(WEB, deadline=60))
        await stage.wakes.until(lambda: stage.units.facts()[WEB].job != 0)
        assert stage.units.facts()[WEB].own_job

        await stage.systemd.end_job(stage.units.facts()[WEB].job, WEB, "done")
        await waiting
        await stage.settle()
        await stage.systemd.tell(WEB, job=7)
        await stage.wakes.until(lambda: stage.units.facts()[WEB].job == 7)
        assert not stage.units.facts()[WEB].own_job


@on_stage
async def test_resetting_a_failure_is_done_when_systemd_answers(stage: Stage) -> None:
    async with running(stage):
        assert await stage.units.reset_failed(WEB, deadline=5) == JobResult(result="done")

        stage.systemd.refuse["ResetFailedUnit"] = (f"{SYSTEMD}.NoSuchUnit", "Unit web.service not loaded.")
        refused = JobResult(result="refused", text="Unit web.service not loaded.")
        assert await stage.units.reset_failed(WEB, deadline=5) == refused


@on_stage
async def test_a_reset_that_is_not_answered_raises(stage: Stage) -> None:
    stage.systemd.silent.add("ResetFailedUnit")
    async with running(stage):
        with pytest.raises(BusTimeout):
            await stage.units.reset_failed(WEB, deadline=0.05)
