"""Whether the clock is synchronised, as another service on the bus says, which may not be there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.soon import waited
from healthd.systemd import timedate
from tests.integration.stage import on_stage, running

if TYPE_CHECKING:
    import pytest

    from tests.integration.stage import Stage


@on_stage
async def test_the_clock_is_as_timedated_says_for_some_minutes(stage: Stage) -> None:
    await stage.systemd.keep_time()
    async with running(stage):
        assert await waited(stage.units.clock_synchronised()) is True
        stage.systemd.synchronised = False
        assert await waited(stage.units.clock_synchronised()) is True

        stage.clock.advance(timedate.FRESH_SECONDS)
        assert await waited(stage.units.clock_synchronised()) is False


@on_stage
async def test_without_timedated_nobody_can_tell_and_nothing_is_amiss(stage: Stage) -> None:
    async with running(stage):
        assert await waited(stage.units.clock_synchronised()) is None
        assert stage.units.connected


def test_a_timedated_that_is_silent_does_not_cost_the_connection(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setattr(timedate, "DEADLINE", 0.05)

    @on_stage
    async def scene(stage: Stage) -> None:
        await stage.systemd.keep_time()
        async with running(stage):
            stage.systemd.silent = {"Get"}
            assert await waited(stage.units.clock_synchronised()) is None
            stage.systemd.silent = set()
            assert stage.units.connected
            await stage.settle()

    scene(tmp_path)  # type: ignore[arg-type]
