"""When it is looked whether packages are being installed, and what follows when they are through."""

from __future__ import annotations

import asyncio

from healthd.events import Event
from healthd.model import HoldReason
from tests.fake_units import FakeHost, service
from tests.unit.assembly import assembled

WEB = service("web.service")
APT = "apt-get (process 58) holds dpkg's lock"


class CountingHost(FakeHost):
    """Counts the looks."""

    looks = 0

    def package_work(self) -> str:
        self.looks += 1
        return super().package_work()


def test_at_rest_nobody_looks() -> None:
    async def scene() -> int:
        host = CountingHost()
        async with assembled(WEB, host=host) as healthd:
            for _ in range(5):
                await healthd.turn()
        return host.looks

    assert asyncio.run(scene()) == 0


def test_a_failure_amidst_an_upgrade_is_held_and_all_is_looked_at_anew_when_that_is_over() -> None:
    async def scene() -> None:
        host = CountingHost()
        async with assembled(WEB, host=host) as healthd:
            host.package_work_now = APT
            healthd.units.kill("web.service")
            held = await healthd.logged(Event.HEALING_HELD)
            assert held.fields["reason"] is HoldReason.PACKAGE_UPGRADE
            assert APT in held.message
            looks = host.looks
            await healthd.turn()
            assert host.looks > looks
            assert healthd.units.calls == []
            host.package_work_now = ""
            healthd.clock.advance(3.1)
            await healthd.turn()
            healthd.clock.advance(5.1)
            await healthd.turn()
            await healthd.logged(Event.ISSUE_RESOLVED)
            assert healthd.units.calls == [("start", "web.service")]

    asyncio.run(scene())


def test_where_it_cannot_be_read_healing_goes_on() -> None:
    async def scene() -> None:
        host = CountingHost()
        host.package_work_now = None
        async with assembled(WEB, host=host) as healthd:
            healthd.units.kill("web.service")
            await healthd.logged(Event.ISSUE_RESOLVED)

    asyncio.run(scene())
