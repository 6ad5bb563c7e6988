"""What is read of units, where systemd itself need not be there; the rest is in tests/integration."""

from __future__ import annotations

import asyncio
from typing import cast

from healthd.systemd.bus import Bus
from healthd.systemd.details import Details
from tests.unit.systemd.story import WEB, running


def test_a_unit_that_goes_just_before_it_is_asked_about_is_not_asked_about() -> None:
    class Nobody:
        """Is not to be asked."""

    async def scene() -> None:
        ledger = running()
        describing = asyncio.create_task(Details(ledger).describe(cast("Bus", Nobody()), [WEB]))
        await asyncio.sleep(0)
        ledger.removed(WEB)
        await asyncio.wait_for(describing, 5)

    asyncio.run(scene())
