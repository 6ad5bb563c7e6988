from __future__ import annotations

import asyncio

from healthd.actions.memory_cleanup import ACTION
from healthd.config.chores import CHORES
from healthd.model import JobResult
from tests.fake_units import FakeUnits

UNIT = "healthd-memory-cleanup.service"


def test_it_is_done_by_a_unit_of_its_own_that_is_started() -> None:
    units = FakeUnits()

    result = asyncio.run(ACTION.run(units, CHORES[ACTION.kind].unit, 5.0))

    assert result.done
    assert units.calls == [("start", UNIT)]
    assert ACTION.disruptive is False


def test_what_the_unit_reports_is_the_text_of_the_result() -> None:
    assert ACTION.told is not None
    assert (
        ACTION.told(JobResult(result="done"), "run 1\nwon 2048 3 what it does").text
        == "2.0 KiB won (what it does 2.0 KiB)"
    )
