from __future__ import annotations

import asyncio

from healthd.actions.reload_unit import ACTION
from tests.fake_units import FakeUnits, service


def test_a_reload_is_systemds_and_nothing_else_is_touched() -> None:
    units = FakeUnits(service("web.service"))

    result = asyncio.run(ACTION.run(units, "web.service", 5.0))

    assert result.done
    assert units.calls == [("reload", "web.service")]
    assert not ACTION.disruptive
