from __future__ import annotations

from healthd.assess.picture import Component, Picture
from healthd.assess.score import counted, status_of
from healthd.model import Assessment, Finding, IssueType, Item, Status


def component(name: str = "services", **changes: object) -> Component:
    values = {"name": name, "weight": 0.35, "critical": False, "combine": counted, **changes}
    return Component(**values)  # type: ignore[arg-type]


def item(name: str, *, bad: bool = False, settled: bool = True, critical: bool = False) -> Item:
    findings = (Finding(type=IssueType.SERVICE_DOWN, message="down", unit=name),) if bad else ()
    score = 0.0 if bad else 1.0
    return Item(
        name=name,
        status=status_of(score),
        score=score,
        message="",
        findings=findings,
        settled=settled,
        critical=critical,
    )


def of(*items: Item, partial: bool = False, gone: frozenset[str] = frozenset()) -> Assessment:
    return Assessment(items=items, partial=partial, gone=gone)


UNUSABLE = Assessment(usable=False, reason="the bus is away")


def test_a_component_is_unknown_until_it_was_judged() -> None:
    picture = Picture([component()])

    assert picture.status() is Status.UNKNOWN
    assert not picture.complete

    picture.take("services", of(item("a")), 1.0)

    assert picture.status() is Status.HEALTHY
    assert picture.complete


def test_a_partial_look_changes_only_the_items_it_looked_at() -> None:
    picture = Picture([component()])
    picture.take("services", of(item("a"), item("b")), 1.0)

    judged, gone = picture.take("services", of(item("b", bad=True), partial=True), 2.0)

    assert (judged, gone) == ([("services", "b")], [])
    assert sorted(picture.components["services"].items) == ["a", "b"]
    assert picture.components["services"].score == 0.6


def test_a_full_look_drops_the_items_that_it_does_not_find() -> None:
    picture = Picture([component()])
    picture.take("services", of(item("a"), item("b")), 1.0)

    _, gone = picture.take("services", of(item("a")), 2.0)

    assert gone == [("services", "b")]
    assert list(picture.items) == [("services", "a")]


def test_an_item_that_a_partial_look_says_is_gone_is_dropped_once() -> None:
    picture = Picture([component()])
    picture.take("services", of(item("a"), item("b")), 1.0)

    first = picture.take("services", of(partial=True, gone=frozenset({"b"})), 2.0)
    second = picture.take("services", of(partial=True, gone=frozenset({"b"})), 3.0)

    assert (first, second) == (([], [("services", "b")]), ([], []))


def test_an_item_between_two_states_keeps_the_score_it_had() -> None:
    picture = Picture([component()])
    picture.take("services", of(item("a", bad=True)), 1.0)

    picture.take("services", of(item("a", settled=False), partial=True), 2.0)

    assert picture.components["services"].score == 0.6
    assert not picture.items["services", "a"].settled


def test_a_lost_reading_is_unknown_with_its_reason_and_hides_the_old_items_from_decisions() -> None:
    picture = Picture([component()])
    picture.take("services", of(item("a", bad=True)), 1.0)

    picture.take("services", UNUSABLE, 2.0)

    assert picture.statuses() == {"services": Status.UNKNOWN}
    assert picture.components["services"].reason == "the bus is away"
    assert picture.items == {}


def test_after_a_lost_reading_items_that_were_not_looked_at_again_are_as_they_were() -> None:
    picture = Picture([component()])
    picture.take("services", of(item("a"), item("b", bad=True)), 1.0)
    picture.take("services", UNUSABLE, 2.0)

    picture.take("services", of(item("a"), partial=True), 3.0)

    assert sorted(picture.items) == [("services", "a"), ("services", "b")]
    assert picture.components["services"].score == 0.6


def test_a_critical_unit_that_is_down_makes_the_host_unhealthy() -> None:
    picture = Picture([component(), component("memory", weight=10.0)])
    picture.take("memory", of(), 1.0)

    picture.take("services", of(item("a", bad=True, critical=True)), 1.0)

    assert picture.status() is Status.UNHEALTHY
    assert picture.score() > 0.9


def test_other_settings_keep_what_was_judged_and_forget_components_that_are_no_more() -> None:
    picture = Picture([component(), component("memory")])
    picture.take("services", of(item("a", bad=True)), 1.0)
    picture.take("memory", of(item("ram")), 1.0)

    picture.replace_components([component(weight=0.5), component("cpu")])

    assert picture.components["services"].score == 0.6
    assert picture.components["services"].weight == 0.5
    assert sorted(picture.components) == ["cpu", "services"]
    assert list(picture.items) == [("services", "a")]
