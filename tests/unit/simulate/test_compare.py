"""Actions of both worlds are put side by side."""

from __future__ import annotations

from healthd.record.deeds import Deed
from healthd.simulate.compare import Act, acts, pairs
from healthd.simulate.replay import Told


def started(now: float, unit: str = "web.service", action: str = "start_unit") -> Told:
    return Told(now, now, Deed("started", "services", unit, "service_down", unit, action, number=1))


def sides(was: list[Told], would: list[Told]) -> list[tuple[float | None, float | None]]:
    return [(when(pair.was), when(pair.would)) for pair in pairs(acts(was), acts(would))]


def when(act: Act | None) -> float | None:
    return None if act is None else act.now


def test_the_nearest_of_the_same_kind_belong_together() -> None:
    was = [started(0), started(20), started(40)]
    would = [started(21), started(0.5), started(39)]

    assert sides(was, would) == [(0, 0.5), (20, 21), (40, 39)]


def test_what_is_farther_off_is_the_same_later_and_after_an_hour_another() -> None:
    assert sides([started(0)], [started(600)]) == [(0, 600)]
    assert sides([started(0)], [started(4000)]) == [(0, None), (None, 4000)]


def test_another_unit_or_action_is_another_one() -> None:
    would = [started(0, "other.service"), started(0, action="restart_unit")]

    assert sides([started(0)], would) == [(0, None), (None, 0), (None, 0)]
