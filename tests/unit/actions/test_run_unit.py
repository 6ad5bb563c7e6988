from __future__ import annotations

import asyncio

from healthd.actions.run_unit import ACTION
from tests.fake_units import FakeUnits, service


def test_the_operators_own_unit_is_started_and_nothing_else_is_touched() -> None:
    units = FakeUnits(service("web.service"), service("web-repair.service", active="inactive"))

    result = asyncio.run(ACTION.run(units, "web-repair.service", 5.0))

    assert result.done
    assert units.calls == [("start", "web-repair.service")]


def test_what_an_operators_unit_interrupts_nobody_knows_so_it_counts_as_disruptive() -> None:
    assert ACTION.disruptive
