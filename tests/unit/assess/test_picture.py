"""The picture of the host: what the last looks showed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from healthd.answers import Series
from healthd.assess.picture import Component, Picture, summary
from healthd.assess.score import counted, worst
from healthd.model import Assessment, Item, Measure, Status, Trend
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


def test_a_status_that_was_asked_for_holds_no_longer_than_to_the_next_look_or_reload() -> None:
    whole = picture(A)
    seen = [whole.status()]

    whole.take("services", Assessment(items=(BAD,)), 101.0)
    seen.append(whole.status())
    whole.replace_components([component("memory", combine=worst)])
    seen.append(whole.status())

    assert seen == [Status.HEALTHY, Status.UNHEALTHY, Status.UNKNOWN]
    assert whole.score() == 0.0


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


def test_what_this_host_lacks_counts_for_nothing_and_is_not_shown() -> None:
    whole = picture(A)
    whole.replace_components([component(), component("temperature", immediate=False)])
    whole.take("temperature", Assessment(usable=False, absent=True, reason="no sensors"), 101.0)

    assert set(whole.shown()) == {"services"}
    assert whole.left_out() == {"temperature": "no sensors"}
    assert whole.statuses() == {"services": Status.HEALTHY}
    assert (whole.status(), len(whole.parts())) == (Status.HEALTHY, 1)


def test_what_was_lacking_counts_again_when_it_is_there() -> None:
    whole = Picture([component()])
    whole.take("services", Assessment(usable=False, absent=True, reason="no systemd"), 100.0)
    whole.take("services", Assessment(items=(A,)), 101.0)

    assert set(whole.shown()) == {"services"}


def test_what_was_lacking_is_shown_when_it_is_there_before_it_is_judged() -> None:
    waiting = item(name="", status=Status.UNKNOWN, message="within its grace_seconds", settled=False)
    whole = Picture([component("web", combine=worst)])
    whole.take("web", Assessment(usable=False, absent=True, reason="not started"), 100.0)
    assert not whole.shown()
    whole.take("web", Assessment(items=(waiting,)), 101.0)

    assert set(whole.shown()) == {"web"}
    assert whole.left_out() == {}


def test_the_first_look_is_complete_without_what_is_looked_at_beside_the_turns() -> None:
    whole = Picture([component(), component("web", immediate=False)])
    whole.take("services", Assessment(items=(A,)), 100.0)

    assert whole.complete


def test_a_component_of_which_nothing_is_known_yet_is_unknown_for_the_reason_of_its_item() -> None:
    waiting = item(name="", status=Status.UNKNOWN, message="bad reading 1 of 3", settled=False)
    whole = Picture([component("web", combine=worst)])
    whole.take("web", Assessment(items=(waiting,)), 100.0)

    assert whole.components["web"].status is Status.UNKNOWN
    assert whole.components["web"].reason == "bad reading 1 of 3"
    assert not whole.components["web"].judged


def test_an_item_without_a_reading_counts_by_what_was_wrong_with_it() -> None:
    hung = item(finding(), name="/mnt", status=Status.UNKNOWN, score=0.3)
    fine = item(name="/srv", status=Status.UNKNOWN, score=0.0)
    whole = Picture([component("storage", combine=worst)])
    whole.take("storage", Assessment(items=(item(name="/"), hung, fine)), 100.0)

    assert whole.components["storage"].score == 0.3


def test_components_that_are_unhealthy_are_named() -> None:
    whole = Picture([component(), component("web", combine=worst)])
    whole.take("services", Assessment(items=(A,)), 100.0)
    whole.take("web", Assessment(items=(item(finding(), name=""),)), 100.0)

    assert whole.unhealthy == {"web"}


def test_a_component_heads_where_its_score_does() -> None:
    whole = Picture([component("web", combine=worst)])
    for minute, score in enumerate((1.0, 1.0, 0.9, 0.7, 0.6, 0.6)):
        whole.take("web", Assessment(items=(item(name="", score=score),)), 100.0 + 60 * minute)

    assert whole.components["web"].trend is Trend.WORSENING


def test_a_limit_that_is_foretold_is_for_the_worse() -> None:
    measure = Measure(name="used_percent", value=50.0, seconds_to_critical=900.0)
    whole = Picture([component("storage", combine=worst)])
    whole.take("storage", Assessment(items=(item(name="/", measures=(measure,)),)), 100.0)

    assert whole.components["storage"].trend is Trend.WORSENING
    assert picture(A).components["services"].trend is Trend.STABLE


def test_every_number_can_be_had_and_none_of_what_is_not_known() -> None:
    measured = item(name="/", score=0.9, measures=(Measure(name="used_percent", value=50.0),))
    whole = Picture([component(combine=worst), component("web", combine=worst), component("gone", immediate=False)])
    assert whole.values() == {}
    whole.take("services", Assessment(items=(measured,)), 100.0)
    whole.take("gone", Assessment(usable=False, absent=True), 100.0)

    assert whole.values() == {
        Series("", "", "score"): 0.9,
        Series("services", "", "score"): 0.9,
        Series("services", "/", "used_percent"): 50.0,
    }


HANGS = replace(B, status=Status.UNKNOWN, message="does not answer")


def test_an_item_that_was_known_and_is_not_any_more_is_lost_until_it_is_known_again_or_gone() -> None:
    whole = picture(A, B)
    assert summary(whole.components["services"]) == "2 items, all well"

    whole.take("services", Assessment(items=(A, HANGS)), 101.0)
    assert whole.components["services"].lost == {"b.service"}
    assert (whole.score(), whole.status()) == (1.0, Status.DEGRADED)
    assert summary(whole.components["services"]) == "1 of 2 items is unknown: b.service"

    whole.replace_components([component()])
    whole.take("services", Assessment(items=(HANGS,), partial=True), 102.0)
    assert whole.status() is Status.DEGRADED

    whole.take("services", Assessment(items=(B,), partial=True), 103.0)
    assert whole.status() is Status.HEALTHY

    whole.take("services", Assessment(items=(HANGS,), partial=True), 104.0)
    whole.take("services", Assessment(items=(A,)), 105.0)
    assert (whole.components["services"].lost, whole.status()) == (frozenset(), Status.HEALTHY)


def test_an_item_that_was_never_known_is_not_lost() -> None:
    whole = picture(A, HANGS)

    assert whole.status() is Status.HEALTHY
    assert summary(whole.components["services"]) == "1 of 2 items is unknown: b.service"


def test_what_is_bad_and_what_is_unknown_are_told_apart() -> None:
    whole = picture(A, HANGS, item(finding(), name="c.service"))

    assert summary(whole.components["services"]) == "1 of 3 items is not well: c.service; is unknown: b.service"


def test_a_clock_that_was_set_back_does_not_stop_the_trend() -> None:
    whole = Picture([component("web", combine=worst)])
    for number in range(40):
        whole.take("web", Assessment(items=(A,)), 10_000.0 + 30 * number)
    for number in range(40):
        bad = replace(A, score=1.0 - number * 0.02)
        whole.take("web", Assessment(items=(bad,)), 5_000.0 + 30 * number)

    assert whole.components["web"].trend is Trend.WORSENING
