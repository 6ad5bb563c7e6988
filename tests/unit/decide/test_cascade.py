"""The brake on cascades: many units down at once are one incident, healed one at a time."""

from __future__ import annotations

import json
from typing import Any

import pytest

from healthd.decide.cascade import PRESSURE_SECONDS
from healthd.decide.case import Case
from healthd.decide.happenings import CascadeBegan, CascadeEnded, Opened, Resolved
from healthd.decide.policy import rule
from healthd.decide.state import Cascade, Key
from healthd.model import HoldReason, IssueType
from healthd.record.saved import restore
from tests.fake_units import service
from tests.unit.builders import finding, item, settings, ticket
from tests.unit.decide.bench import Bench, fail_attempt, healed

NAMES = tuple(f"unit-{number}.service" for number in range(6))


def host(**auto_healing: Any) -> Bench:
    return Bench(*map(service, NAMES), configuration=settings(**auto_healing))


def break_down(bench: Bench, *names: str) -> None:
    for name in names:
        bench.kill(name)
    bench.turn(names)


def acted_on(bench: Bench) -> list[str]:
    return [attempt.unit for attempt in bench.started()]


def test_in_a_cascade_one_unit_is_healed_after_the_other() -> None:
    bench = host()
    break_down(bench, *NAMES)
    (began,) = bench.of(CascadeBegan)
    assert began.units == NAMES
    assert len({opened.ticket.incident for opened in bench.of(Opened)}) == 1
    assert acted_on(bench) == [NAMES[0]]
    assert bench.held() == [HoldReason.CASCADE] * 5

    for done, name in enumerate(NAMES, start=1):
        healed(bench, name)
        assert acted_on(bench) == list(NAMES[: done + 1])


def test_an_attempt_that_does_not_help_makes_room_for_the_next() -> None:
    bench = host()
    break_down(bench, *NAMES)
    fail_attempt(bench, NAMES[0])

    assert acted_on(bench) == list(NAMES[:2])


def test_fewer_units_or_more_time_are_no_cascade() -> None:
    bench = host()
    break_down(bench, *NAMES[:4])
    for name in NAMES[:4]:
        healed(bench, name)
    bench.later(10.0)
    break_down(bench, *NAMES[4:])

    assert bench.of(CascadeBegan) == []
    assert acted_on(bench) == list(NAMES)


def test_units_that_are_up_again_by_then_count_too() -> None:
    bench = host()
    for name in NAMES[:5]:
        break_down(bench, name)
        healed(bench, name)

    assert len(bench.of(CascadeBegan)) == 1


def test_it_is_over_when_nothing_is_left_to_be_healed() -> None:
    bench = host()
    break_down(bench, *NAMES)
    bench.order(NAMES[1])  # somebody helps, and is not held
    bench.turn()
    assert acted_on(bench) == list(NAMES[:2])
    for name in NAMES:
        healed(bench, name)
    bench.later(10.0)

    (ended,) = bench.of(CascadeEnded)
    assert (ended.units, ended.still) == (NAMES, ())
    assert bench.state.cascade is None
    assert bench.state.downs == ()


def test_one_that_lasted_is_over_as_soon_as_the_last_unit_is_well() -> None:
    bench = host()
    break_down(bench, *NAMES)
    for name in NAMES[:-1]:
        healed(bench, name)
    bench.pass_time(60.0)  # as under pressure: that units went down at once is long ago
    bench.bring_up(NAMES[-1])
    bench.end_job(NAMES[-1])
    bench.turn([NAMES[-1]])
    while (due := bench.due_at()) is not None and len(bench.of(Resolved)) < len(NAMES):
        bench.time = due
        bench.turn(())

    assert [type(each) for each in bench.step.happenings][-2:] == [Resolved, CascadeEnded]
    (ended,) = bench.of(CascadeEnded)
    assert (ended.units, ended.still) == (NAMES, ())

    bench.pass_time(3600.0)
    break_down(bench, NAMES[0])
    assert bench.of(Opened)[-1].ticket.incident != bench.of(Opened)[0].ticket.incident


def test_it_lasts_while_the_budget_of_the_host_holds_the_rest() -> None:
    bench = host(host_budget_actions=2, host_budget_seconds=100.0)
    break_down(bench, *NAMES)
    for name in NAMES[:2]:
        healed(bench, name)
    bench.later(11.0)
    assert set(bench.held()[-4:]) == {HoldReason.HOST_BUDGET}
    assert bench.of(CascadeEnded) == []

    bench.later(100.0)
    assert acted_on(bench) == list(NAMES[:3])
    for name in NAMES[2:4]:
        healed(bench, name)
    bench.later(100.0)
    for name in NAMES[4:]:
        healed(bench, name)

    (ended,) = bench.of(CascadeEnded)
    assert (ended.units, ended.still) == (NAMES, ())


def test_what_no_restart_mends_does_not_keep_it_going() -> None:
    bench = host()
    for name in NAMES[:5]:
        bench.set(name, active="failed", sub="failed", result="exit-code", code=1, exit_status=203)
    bench.turn(NAMES)
    assert len(bench.of(CascadeBegan)) == 1

    bench.later(11.0)
    (ended,) = bench.of(CascadeEnded)
    assert ended.still == NAMES[:5]


def test_what_had_failed_before_healthd_came_is_none() -> None:
    bench = Bench(*map(service, NAMES), fresh=True)
    bench.state = restore({}, seed=7, boot_id=bench.boot_id, boot=bench.boot)[0]
    break_down(bench, *NAMES)

    assert bench.of(CascadeBegan) == []


@pytest.mark.parametrize("off", [{"cascade_units": 0}, {"cascade_seconds": 0.0}])
def test_it_can_be_switched_off(off: dict[str, Any]) -> None:
    bench = host(**off)
    break_down(bench, *NAMES)

    assert acted_on(bench) == list(NAMES)


def test_it_outlives_a_crash_of_healthd() -> None:
    bench = host()
    break_down(bench, *NAMES)
    bench.restart_healthd()
    bench.turn()

    assert bench.state.cascade == Cascade(since=bench.state.cascade.since if bench.state.cascade else 0.0, units=NAMES)
    assert [mark.unit for mark in bench.state.downs] == list(NAMES)


def test_a_state_of_a_version_that_knew_no_cascades_can_be_read() -> None:
    bench = host()
    saved = json.loads(json.dumps(bench.saved))
    for key in ("downs", "cascade"):
        del saved["engine"][key]

    state, _ = restore(saved, seed=7, boot_id=bench.boot_id, boot=bench.boot)
    assert (state.downs, state.cascade) == ((), None)


def test_whoever_asks_why_hears_of_it() -> None:
    bench = host()
    break_down(bench, *NAMES)
    waiting = bench.tickets()[f"{NAMES[3]} service_down"]
    asked = rule(Case(settings=bench.settings, state=bench.state, moment=bench.moment(), ticket=waiting))

    assert asked.hold is HoldReason.CASCADE


class TestPressure:
    def pressed(self) -> Bench:
        bench = host(verify_seconds=300.0)
        bench.others = {("pressure", ""): item(finding(IssueType.PRESSURE, unit=None), name="", unit=None)}
        break_down(bench, *NAMES)
        return bench

    def test_it_delays_the_next_action(self) -> None:
        bench = self.pressed()
        assert acted_on(bench) == []
        assert HoldReason.PRESSURE in bench.held()

        bench.others.clear()
        bench.turn(())
        assert acted_on(bench) == [NAMES[0]]

    def test_it_holds_nothing_that_has_no_remedy(self) -> None:
        bench = self.pressed()
        short = ticket(Key("pressure", "", IssueType.PRESSURE), unit=None)
        asked = rule(Case(settings=bench.settings, state=bench.state, moment=bench.moment(), ticket=short))

        assert (asked.hold, asked.text) == (None, "healthd knows no remedy for this")

    def test_but_not_for_ever(self) -> None:
        bench = self.pressed()
        bench.later(PRESSURE_SECONDS)
        assert acted_on(bench) == [NAMES[0]]

        healed(bench, NAMES[0])
        assert acted_on(bench) == [NAMES[0]]
        bench.later(PRESSURE_SECONDS)
        assert acted_on(bench) == list(NAMES[:2])

    def test_outside_of_a_cascade_it_holds_nobody(self) -> None:
        bench = host()
        bench.others = {("pressure", ""): item(finding(IssueType.PRESSURE, unit=None), name="", unit=None)}
        break_down(bench, NAMES[0])

        assert acted_on(bench) == [NAMES[0]]
