"""What the pipeline itself keeps is enough: a scene that it lived through is replayed, with the same story."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from healthd.decide import engine
from healthd.events import Event
from healthd.simulate.replay import Replay
from tests.fake_units import service
from tests.unit.assembly import Assembly, assembled
from tests.unit.builders import DOWN, UNIT
from tests.unit.simulate.taped import actions, holds, spoken

if TYPE_CHECKING:
    from healthd.simulate.replay import Replayed


def replayed(healthd: Assembly) -> Replayed:
    frames = [json.loads(frame.text) for frame in healthd.store.taped]
    return Replay(healthd.pipeline.settings, frames, frames[-1]["wall"]).run()


def test_what_the_pipeline_did_is_on_its_tape() -> None:
    async def scene() -> Assembly:
        async with assembled(service(UNIT), service("other.service")) as healthd:
            healthd.units.kill(UNIT)
            await healthd.logged(Event.ISSUE_RESOLVED)
            healthd.units.stays_down.add("other.service")
            healthd.units.kill("other.service")
            await healthd.logged(Event.HEALING_FINISHED, 2)
            healthd.pipeline.change_state(engine.reset(healthd.pipeline.state, [DOWN]), [DOWN])
            await healthd.turn()
            return healthd

    healthd = asyncio.run(scene())
    same = replayed(healthd)

    assert [frame.whole for frame in healthd.store.taped] == [True, *[False] * (len(healthd.store.taped) - 1)]
    assert actions(same.was)[:2] == [(UNIT, "start_unit"), ("other.service", "start_unit")]
    assert spoken(same.would) == spoken(same.was)


def test_a_host_on_which_nothing_happens_leaves_one_frame() -> None:
    async def scene() -> Assembly:
        async with assembled(service(UNIT)) as healthd:
            for _ in range(5):
                await healthd.turn()
            return healthd

    healthd = asyncio.run(scene())

    assert [frame.whole for frame in healthd.store.taped] == [True]
    assert holds(replayed(healthd).would) == []
