"""The fleet of `bench/fleet`, small: no limit is exceeded, and whoever counts would say so."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from bench.fleet.__main__ import fleet, table
from bench.fleet.host import PretendHost
from bench.fleet.observer import Exceeded, Observer, Sums
from bench.fleet.scenes import END, SCENES, settings
from healthd.config import Settings

HOSTS = 5


@pytest.mark.parametrize("name", list(SCENES))
def test_no_limit_is_exceeded_and_there_is_something_to_do(name: str) -> None:
    sums = fleet(name, HOSTS)

    assert sums.actions.total() > 0
    assert sums.outcomes.total() <= sums.actions.total()
    assert sums.busiest <= settings().auto_healing.host_budget_actions


def strict(**limits: float) -> Settings:
    """Tighter than what the engine is told to keep to."""
    usual = settings()
    return replace(usual, auto_healing=replace(usual.auto_healing, **limits))  # type: ignore[arg-type]


def test_people_are_told_of_what_healthd_could_not_heal_and_not_of_more_ends_than_beginnings() -> None:
    sums = fleet("a bad release", HOSTS)

    assert sums.told["opened"] == sums.told["gave_up"] == HOSTS
    assert 0 < sums.told["resolved"] <= HOSTS
    assert sums.most_messages == 3


@pytest.mark.parametrize(
    ("scene", "limits", "said"),
    [
        ("a bad release", {"backoff_seconds": 20.0}, "after attempt 1"),
        ("a full disk everywhere", {"host_budget_actions": 3}, "4 actions on the host"),
        ("a bad release", {"retry_after_give_up_seconds": 4000.0}, "a slow retry"),
        ("a network split", {"host_budget_seconds": 5000.0}, "actions on"),
    ],
)
def test_whoever_counts_objects_to_what_is_too_much(scene: str, limits: dict[str, float], said: str) -> None:
    with pytest.raises(Exceeded, match=said):
        watched(scene, strict(**limits), 20)


def watched(scene: str, limits: Settings, hosts: int) -> None:
    """Some hosts, by somebody who holds them against other limits than their own."""
    for number in range(hosts):
        observer = Observer(limits, Sums())
        PretendHost(settings(), SCENES[scene](Random(number)), seed=number, seen=observer.seen).run(END)


def test_the_table_has_a_column_for_each_scene() -> None:
    head, _, *rows = table({"one": Sums(), "two": fleet("every day", 3)})

    assert [cell.strip() for cell in head.strip("|").split("|")] == ["", "one", "two"]
    assert len({row.count("|") for row in rows}) == 1
