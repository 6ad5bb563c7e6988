"""What begins together is decided upon in one turn, and nobody waits for it who need not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from healthd.model import Status
from tests.unit.assembly import assembled
from tests.unit.test_looks import WEB, Probe, settle

if TYPE_CHECKING:
    from tests.unit.assembly import Assembly


def statuses(healthd: Assembly) -> tuple[Status, ...]:
    return tuple(healthd.pipeline.picture.components[name].status for name in ("web", "other"))


def test_what_begins_together_is_decided_upon_in_one_turn() -> None:
    async def scene() -> list[tuple[Status, ...]]:
        probes = [Probe("web"), Probe("other")]
        async with assembled(WEB, others=[each.bound for each in probes]) as healthd:
            await settle(healthd, "web", Status.HEALTHY)
            await settle(healthd, "other", Status.HEALTHY)
            for each in probes:
                each.well = False
                each.gate.clear()
            seen: list[tuple[Status, ...]] = []
            healthd.pipeline.watch(lambda _: seen.append(statuses(healthd)))
            healthd.pipeline.request(["web", "other"])
            await asyncio.sleep(0)
            probes[0].gate.set()
            await asyncio.sleep(0)
            probes[1].gate.set()
            await healthd.pipeline.turned()
            return seen

    assert asyncio.run(scene()) == [(Status.UNHEALTHY, Status.UNHEALTHY)]


def test_a_signal_does_not_wait_for_what_began_together_and_neither_does_what_is_through() -> None:
    async def scene() -> list[tuple[Status, ...]]:
        probes = [Probe("web"), Probe("other")]
        async with assembled(WEB, others=[each.bound for each in probes]) as healthd:
            await settle(healthd, "web", Status.HEALTHY)
            await settle(healthd, "other", Status.HEALTHY)
            probes[0].well = False
            probes[1].gate.clear()
            seen: list[tuple[Status, ...]] = []
            healthd.pipeline.watch(lambda _: seen.append(statuses(healthd)))
            healthd.pipeline.request(["web", "other"])
            await asyncio.sleep(0)
            healthd.units.wake("web.service")
            await healthd.pipeline.turned()
            probes[1].gate.set()
            return seen[:1]

    assert asyncio.run(scene()) == [(Status.UNHEALTHY, Status.HEALTHY)]


def test_one_that_hangs_keeps_the_others_back_for_a_moment_only() -> None:
    async def scene() -> tuple[Status, ...]:
        probes = [Probe("web"), Probe("other")]
        probes[1].gate.clear()
        async with assembled(WEB, others=[each.bound for each in probes]) as healthd:
            healthd.pipeline.request(["web", "other"])
            await settle(healthd, "web", Status.HEALTHY)
            return statuses(healthd)

    assert asyncio.run(scene()) == (Status.HEALTHY, Status.UNKNOWN)
