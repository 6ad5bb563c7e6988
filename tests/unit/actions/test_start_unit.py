from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from healthd.actions.start_unit import ACTION
from healthd.model import JobResult, UnitFacts
from tests.fake_units import SIMPLE, FakeUnits, service

DOWN = service("web.service", active="failed", sub="failed", result="signal", code=2, exit_status=9)
RESTARTING = replace(DOWN, detail=replace(SIMPLE, restart="always"))


class LimitedUnits(FakeUnits):
    """A systemd that starts the unit only after its counter was cleared, and keeps the result of its last run."""

    async def start(self, name: str, *, deadline: float) -> JobResult:
        if ("reset_failed", name) in self.calls:
            return await super().start(name, deadline=deadline)
        self.calls.append(("start", name))
        return JobResult(result="failed")


def run(units: FakeUnits) -> tuple[str, list[str]]:
    result = asyncio.run(ACTION.run(units, "web.service", 5.0))
    return result.result, [verb for verb, _ in units.calls]


def test_a_unit_that_is_down_is_just_started() -> None:
    assert run(FakeUnits(DOWN)) == ("done", ["start"])


@pytest.mark.parametrize("unit", [RESTARTING, replace(DOWN, result="start-limit-hit")])
def test_one_that_systemd_gave_up_on_has_its_start_counter_cleared_first(unit: UnitFacts) -> None:
    assert run(FakeUnits(unit)) == ("done", ["reset_failed", "start"])


def test_a_start_that_systemd_refused_is_asked_for_again_with_the_counter_cleared() -> None:
    assert run(LimitedUnits(DOWN)) == ("done", ["start", "reset_failed", "start"])


def test_a_start_that_ran_and_failed_is_not_asked_for_again() -> None:
    units = FakeUnits(DOWN)
    units.stays_down.add("web.service")

    assert run(units) == ("failed", ["start"])


def test_a_start_that_polkit_refused_is_not_asked_for_again() -> None:
    units = FakeUnits(DOWN)
    units.refuses.add("web.service")

    assert run(units) == ("refused", ["start"])


def test_a_unit_that_systemd_has_not_spoken_of_yet_is_started() -> None:
    assert run(FakeUnits()) == ("done", ["start"])


def test_starting_what_is_down_disturbs_nothing() -> None:
    assert not ACTION.disruptive
