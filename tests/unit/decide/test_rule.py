"""The rule, asked directly: what the services of a host do not show."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healthd.config import CleanExit, UnitSettings
from healthd.decide.case import Case
from healthd.decide.policy import rule
from healthd.decide.state import EngineState, Key, Mark
from healthd.model import HoldReason, IssueType, Status
from tests.fake_units import service
from tests.unit.builders import UNIT, finding, item, moment, settings, ticket
from tests.unit.decide.bench import broken

if TYPE_CHECKING:
    from healthd.model import UnitFacts


def case(
    type_: IssueType, unit: UnitFacts | None = None, *, status: Status = Status.UNHEALTHY, named: bool = True
) -> Case:
    key = Key("services", UNIT, type_)
    facts = unit or service(UNIT)
    return Case(
        settings=settings(),
        state=EngineState(seed=1, tickets={}),
        moment=moment(units=[facts], items=[item(finding(type_), status=status)]),
        ticket=ticket(key, unit=UNIT if named else None),
    )


def test_an_issue_without_a_remedy_is_said_to_have_none() -> None:
    verdict = rule(case(IssueType.HIGH_MEMORY))

    assert (verdict.action, verdict.hold, verdict.text) == (None, None, "healthd knows no remedy for this")


def test_a_probe_that_belongs_to_no_unit_says_what_would_have_it_healed() -> None:
    verdict = rule(case(IssueType.PROBE_FAILED, named=False))

    assert (verdict.action, verdict.hold) == (None, None)
    assert verdict.text == "only reported: its table names no unit to restart (unit = ...)"


def test_what_nobody_would_act_on_is_not_held_until_it_settles() -> None:
    known = case(IssueType.CLOCK_SKEW, named=False)
    (name,) = known.moment.items
    between = {name: replace(known.moment.items[name], settled=False)}

    assert rule(replace(known, moment=replace(known.moment, items=between))).hold is None


def test_a_spent_budget_holds_nothing_that_has_no_remedy() -> None:
    known = case(IssueType.CLOCK_SKEW, named=False)
    spent = replace(known.state, marks=tuple(Mark(known.moment.now, f"{n}.service") for n in range(10)))

    assert rule(replace(known, state=spent)).hold is None


def test_an_issue_that_is_about_no_unit_is_not_held_for_a_units_sake() -> None:
    assert rule(case(IssueType.CLOCK_SKEW, named=False)).hold is None


def test_an_item_of_unknown_status_is_never_acted_on() -> None:
    assert rule(case(IssueType.SERVICE_DOWN, status=Status.UNKNOWN)).hold is HoldReason.UNKNOWN_STATUS


def test_a_unit_of_which_systemd_said_nothing_is_never_acted_on() -> None:
    known = case(IssueType.SERVICE_DOWN)
    unknown = replace(known, moment=replace(known.moment, facts={}))

    assert rule(unknown).hold is HoldReason.UNKNOWN_STATUS


def test_a_clean_exit_that_is_fine_is_no_issue() -> None:
    configuration = settings(units={UNIT: UnitSettings(clean_exit=CleanExit.OK)})

    assert broken(service(UNIT, active="inactive", sub="dead", code=1), configuration).happened == []


def test_two_issues_of_one_unit_have_one_attempt_between_them() -> None:
    second = Key("web", "page", IssueType.PROBE_FAILED)
    bench = broken()
    state = bench.state.with_tickets([ticket(second, unit=UNIT)])
    moment_ = bench.moment()
    probe = item(finding(IssueType.PROBE_FAILED), name="page")
    moment_ = replace(moment_, items={**moment_.items, ("web", "page"): probe})

    held = rule(Case(settings=settings(), state=state, moment=moment_, ticket=state.tickets[second]))

    assert held.hold is HoldReason.JOB_RUNNING
