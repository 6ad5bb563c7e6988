"""What cannot be well as long as something else is not, is not healed for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from healthd.config import ComponentSettings
from healthd.decide import engine
from healthd.decide.case import Case, Verdict
from healthd.decide.happenings import News, Unsupported
from healthd.decide.policy import rule
from healthd.decide.state import EngineState, Key
from healthd.model import ActionKind, HoldReason, IssueType
from tests.fake_units import service
from tests.unit.builders import DOWN, UNIT, finding, item, killed, moment, settings, ticket

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthd.config import Settings
    from healthd.decide.state import Ticket
    from healthd.model import Item, UnitFacts

PROBE = Key("web", "", IssueType.PROBE_FAILED)
RUNS = service(UNIT)


def configured(**component: Any) -> Settings:
    return replace(settings(), component={"web": ComponentSettings(type="http", unit=UNIT, **component)})


def verdict(
    *tickets: Ticket,
    configuration: Settings | None = None,
    unit: UnitFacts = RUNS,
    by_hand: bool = False,
    others: Mapping[tuple[str, str], Item] | None = None,
    **changes: Any,
) -> Verdict:
    """What is decided about the probe's issue."""
    bad = item(finding(IssueType.PROBE_FAILED), name="")
    now = moment(units=[unit], **{"items": [], **changes})
    items = {("web", ""): bad, ("services", UNIT): item(finding()), **(others or {})}
    now = replace(now, items=items, usable=frozenset({"web"}))
    probe = ticket(PROBE, unit=UNIT)
    state = EngineState(seed=1, fresh=False, tickets={each.key: each for each in (probe, *tickets)})
    return rule(Case(settings=configuration or configured(), state=state, moment=now, ticket=probe, by_hand=by_hand))


def test_a_hung_service_is_restarted() -> None:
    assert verdict() == Verdict(action=ActionKind.RESTART_UNIT, unit=UNIT)


def test_a_service_is_left_alone_until_it_is_known_what_it_requires() -> None:
    held = verdict(unit=replace(RUNS, detail=None))

    assert held.hold is HoldReason.UNKNOWN_STATUS
    assert held.text == "systemd has not said yet what the unit requires"


def test_what_depends_on_something_unhealthy_waits_for_it() -> None:
    held = verdict(configuration=configured(depends_on=("database",)), unhealthy=frozenset({"database"}))

    assert held.hold is HoldReason.DEPENDENCY
    assert "database" in held.text


def test_what_depends_on_something_that_is_not_judged_yet_waits_for_that() -> None:
    doubtful = {("database", ""): item(name="", settled=False)}
    held = verdict(configuration=configured(depends_on=("database",)), others=doubtful)

    assert held.hold is HoldReason.DEPENDENCY
    assert held.text == "it depends on database, which is looked at again first"


def test_what_is_merely_degraded_keeps_nobody_waiting() -> None:
    assert verdict(configuration=configured(depends_on=("database",))).action is ActionKind.RESTART_UNIT


def test_an_order_does_not_wait_for_a_dependency() -> None:
    configuration = configured(depends_on=("database",))

    assert verdict(configuration=configuration, unhealthy=frozenset({"database"}), by_hand=True).hold is None


def test_a_probe_waits_while_its_unit_is_down_and_healed_for_that() -> None:
    held = verdict(ticket(DOWN), unit=killed(UNIT))

    assert held.hold is HoldReason.DEPENDENCY
    assert "an issue of its own" in held.text


def test_a_unit_that_services_does_not_look_at_is_healed_for_its_probe() -> None:
    closed = ticket(DOWN, open=False, closed_at=1.0)

    assert verdict(closed, unit=killed(UNIT)).action is ActionKind.START_UNIT


def test_services_themselves_wait_for_no_component() -> None:
    now = moment(units=[killed(UNIT)], items=[item(finding())])
    state = EngineState(seed=1, fresh=False, tickets={DOWN: ticket(DOWN)})

    assert rule(Case(settings=configured(), state=state, moment=now, ticket=ticket(DOWN))).hold is None


# Issues without a unit


def full_disk() -> Item:
    return item(finding(IssueType.READ_ONLY, unit=None), name="/", unit=None)


def test_what_has_no_unit_does_not_need_systemd_to_be_judged() -> None:
    key = Key("services", "/", IssueType.READ_ONLY)
    away = moment(items=[full_disk()], current=False)
    state = EngineState(seed=1, fresh=False, tickets={})
    opened = engine.step(settings(), state, away, News(items=(key.name,)))
    well = replace(moment(now=1001.0, items=[replace(full_disk(), findings=())], current=False))
    still = engine.step(settings(), opened.state, well, News(items=(key.name,)))
    later = replace(well, now=1010.0)
    closed = engine.step(settings(), still.state, later, News(items=(key.name,)))

    assert [type(happening) for happening in opened.happenings][1:] == [Unsupported]
    assert opened.state.tickets[key].open
    assert not closed.state.tickets or not closed.state.tickets[key].open
