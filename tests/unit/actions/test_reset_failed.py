from __future__ import annotations

import asyncio

from healthd.actions.reset_failed import ACTION
from tests.fake_units import FakeUnits, service


def test_only_the_failure_is_forgotten() -> None:
    units = FakeUnits(service("web.service", active="failed"))

    result = asyncio.run(ACTION.run(units, "web.service", 5.0))

    assert result.done
    assert units.calls == [("reset_failed", "web.service")]
    assert not ACTION.disruptive


def test_what_polkit_says_is_handed_on() -> None:
    units = FakeUnits(service("web.service", active="failed"))
    units.refuses.add("web.service")

    result = asyncio.run(ACTION.run(units, "web.service", 5.0))

    assert (result.result, result.text) == ("refused", "polkit said no")
