from __future__ import annotations

import asyncio

from healthd.actions.restart_unit import ACTION
from tests.fake_units import FakeUnits, service


def test_the_start_counter_is_cleared_before_a_restart_that_systemd_might_refuse_halfway() -> None:
    units = FakeUnits(service("web.service"))

    result = asyncio.run(ACTION.run(units, "web.service", 5.0))

    assert result.done
    assert units.calls == [("reset_failed", "web.service"), ("restart", "web.service")]


def test_a_restart_disturbs_what_runs() -> None:
    assert ACTION.disruptive
