"""What the engine was given goes to JSON and comes back as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from healthd.decide.happenings import Order, Silencing, Unsilencing
from healthd.decide.silence import Kind, Scope, Silence, Window
from healthd.model import ActionKind, IssueType, UnitFacts
from healthd.record.deeds import Deed
from healthd.record.frames import (
    facts_of,
    facts_plain,
    item_of,
    item_plain,
    moment_plain,
    order_of,
    order_plain,
    signature,
    windows_of,
)
from tests.fake_units import service
from tests.unit.builders import UNIT, detail, finding, item, killed, moment


def wired(data: Any) -> Any:
    return json.loads(json.dumps(data))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, killed(detail=detail(requires=("a.service",), restart="always"), auto_restarts=(1.5, 2.25))),
        (killed(), service(UNIT, job=7, own_job=True, invocation="second")),
        (service(UNIT), service(UNIT, detail=None, stopped_by_job=True)),
    ],
)
def test_a_unit_comes_back_from_what_is_new_about_it(before: UnitFacts | None, after: UnitFacts) -> None:
    assert facts_of(before, UNIT, wired(facts_plain(before, after))) == after


def test_that_a_unit_was_heard_of_again_is_nothing_new() -> None:
    assert facts_plain(service(UNIT), service(UNIT, changed_at=5.0)) is None


def test_what_a_newer_healthd_knows_of_a_unit_is_left_out() -> None:
    assert facts_of(None, UNIT, {"active": "active", "mood": "good", "detail": {"colour": "red"}}).active == "active"


@pytest.mark.parametrize(
    "one", [item(), item(finding(critical=True)), item(settled=False), item(stopped=True, critical=True, unit=None)]
)
def test_an_item_comes_back(one: Any) -> None:
    assert item_of(one.name, wired(item_plain(one))) == one


def test_words_and_scores_are_no_part_of_what_is_decided_upon() -> None:
    one = item(finding())

    assert signature(one) == signature(replace(one, score=0.2, message="61 %", findings=(finding(message="61 %"),)))
    assert signature(one) != signature(replace(one, findings=(finding(IssueType.CRASH_LOOP),)))


def test_a_moment_keeps_its_windows() -> None:
    windows = {("daily", 60.0): Window(1.0, 61.0), ("2020-01-01", 60.0): None}

    assert windows_of(wired(moment_plain(moment(windows=windows)))["windows"]) == windows


@pytest.mark.parametrize(
    "order",
    [
        Order(component="services", item=UNIT, action=ActionKind.RESTART_UNIT, by="alice"),
        Order(component="services", item=UNIT, action=None, by="alice"),
        Unsilencing(ids=frozenset({"s1", "s2"}), by="bob"),
        Silencing(
            silence=Silence(
                id="", scope=Scope(Kind.UNITS, "web*"), by="bob", set_at=0.0, set_wall=0.0, seconds=60.0, reminded=0.0
            )
        ),
    ],
)
def test_an_order_comes_back(order: Any) -> None:
    assert order_of(wired(order_plain(order))) == order


def test_a_deed_is_kept_without_what_is_usual_and_comes_back() -> None:
    deed = Deed("resolved", "services", UNIT, "service_down", UNIT, outcome="well")

    assert Deed.from_plain(wired(deed.to_plain())) == deed
    assert Deed("opened", "memory", "", "high_memory").to_plain() == ["opened", "memory", "", "high_memory"]
    assert Deed.from_plain([*deed, "from a newer healthd"]) == deed
    assert Deed("opened", "storage", "/var", "disk_full").subject == "storage /var"
