"""The picture of the host: what the last looks showed."""

from __future__ import annotations

from typing import Any

from healthd.assess.picture import Component, Picture
from healthd.assess.score import counted
from healthd.model import Assessment, Item, Status
from tests.unit.builders import finding, item

A, B = item(name="a.service"), item(name="b.service")
BAD = item(finding(), name="b.service")


def component(name: str = "services", **changes: Any) -> Component:
    return Component(**{"name": name, "weight": 0.35, "critical": False, "combine": counted, **changes})


def picture(*items: Item) -> Picture:
    """A picture in which these items were judged."""
    whole = Picture([component()])
    whole.take("services", Assessment(items=items), 100.0)
    return whole


def test_at_first_nothing_is_known() -> None:
    whole = Picture([component()])

    assert (whole.status(), whole.score(), whole.complete) == (Status.UNKNOWN, 0.0, False)
    assert whole.statuses() == {"services": Status.UNKNOWN}


def test_a_look_gives_a_score_and_says_what_was_judged() -> None:
    whole = Picture([component()])

    judged, gone = whole.take("services", Assessment(items=(A, BAD)), 100.0)

    assert (judged, gone) == ([("services", "a.service"), ("services", "b.service")], [])
    assert (whole.score(), whole.status(), whole.complete) == (0.6, Status.UNHEALTHY, True)
    assert whole.components["services"].checked_at == 100.0


def test_a_whole_look_takes_out_what_it_does_not_show() -> None:
    whole = picture(A, B)

    judged, gone = whole.take("services", Assessment(items=(A,)), 101.0)

    assert (judged, gone) == ([("services", "a.service")], [("services", "b.service")])
    assert list(whole.items) == [("services", "a.service")]


def test_a_partial_look_leaves_the_others_as_they_were() -> None:
    whole = picture(A, B)

    judged, gone = whole.take("services", Assessment(items=(BAD,), partial=True), 101.0)

    assert (judged, gone) == ([("services", "b.service")], [])
    assert set(whole.items) == {("services", "a.service"), ("services", "b.service")}
    assert whole.score() == 0.6


def test_a_partial_look_takes_out_what_it_says_is_gone_in_name_order() -> None:
    whole = picture(A, B)

    _, gone = whole.take("services", Assessment(gone=frozenset({"b.service", "a.service", "x"}), partial=True), 101.0)

    assert gone == [("services", "a.service"), ("services", "b.service")]
    assert whole.score() == 1.0


def test_a_look_without_news_changes_nothing() -> None:
    whole = picture(A, BAD)

    assert whole.take("services", Assessment(partial=True), 101.0) == ([], [])
    assert whole.score() == 0.6


def test_what_cannot_be_read_is_unknown_with_its_reason_and_shows_the_engine_no_item() -> None:
    whole = picture(A, BAD)

    whole.take("services", Assessment(usable=False, reason="the bus is away"), 101.0)

    services = whole.components["services"]
    assert (services.status, services.reason, services.judged) == (Status.UNKNOWN, "the bus is away", True)
    assert whole.items == {}


def test_when_it_can_be_read_again_every_item_is_back() -> None:
    whole = picture(A, B)
    whole.take("services", Assessment(usable=False, reason="the bus is away"), 101.0)

    whole.take("services", Assessment(items=(BAD,), partial=True), 102.0)

    assert set(whole.items) == {("services", "a.service"), ("services", "b.service")}
    assert whole.components["services"].reason == ""


def test_an_item_between_two_states_keeps_the_score_and_the_findings_that_it_had() -> None:
    whole = picture(BAD)

    whole.take("services", Assessment(items=(item(name="b.service", settled=False, message="starting"),)), 101.0)

    seen = whole.items["services", "b.service"]
    assert (seen.findings, seen.score, seen.message, seen.settled) == (BAD.findings, 0.0, "starting", False)


def test_an_item_that_is_new_and_between_two_states_is_taken_as_it_is() -> None:
    starting = item(name="a.service", settled=False)

    assert picture(starting).items["services", "a.service"] == starting


def test_a_critical_item_that_is_not_well_makes_its_component_critical() -> None:
    whole = picture(item(finding(), name="b.service", critical=True))

    assert whole.parts()[0].critical
    assert whole.status() is Status.UNHEALTHY


def test_a_reload_keeps_what_was_judged_and_takes_over_the_new_weights() -> None:
    whole = picture(A)

    whole.replace_components([component(weight=0.5, critical=True), component("web")])

    services = whole.components["services"]
    assert (services.weight, services.critical, services.score, services.checked_at) == (0.5, True, 1.0, 100.0)
    assert set(whole.items) == {("services", "a.service")}
    assert not whole.complete


def test_a_reload_forgets_components_that_are_no_more() -> None:
    whole = picture(A)

    whole.replace_components([component("web")])

    assert (list(whole.components), whole.items) == (["web"], {})
