"""What hangs together is told together: one alert for an incident, and for what comes and goes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from healthd.config import ComponentSettings, Heal, UnitSettings
from healthd.decide.announce import CALM_SECONDS, UPDATE_SECONDS
from healthd.letters import Why
from healthd.model import IssueType, Severity
from tests.fake_units import service
from tests.unit.builders import UNIT, detail, finding, item
from tests.unit.decide.bench import Bench, fail_attempt, healed
from tests.unit.decide.inbox import BROKEN, SUGGESTED, Inbox, host, kill, revive, spoil, telling

if TYPE_CHECKING:
    from healthd.decide.state import Key


def test_what_hangs_together_is_one_alert() -> None:
    below, above = service("db.service"), service(UNIT, detail=detail(requires=("db.service",)))
    tables = {name: UnitSettings(heal=Heal.SUGGEST) for name in (UNIT, "db.service")}
    bench = Bench(below, above, configuration=telling(units=tables, alerting={"group_seconds": 2.0}))
    inbox = Inbox(bench)
    kill(bench, "db.service")
    bench.later(1.0)
    kill(bench)
    bench.later(2.0)
    assert inbox.take() == ["opened"]
    revive(bench, "db.service")
    assert {key.item for key in inbox.got[0].alert.keys} >= {"db.service"}
    bench.later(300.0)
    revive(bench)
    bench.later(300.0)
    inbox.take()

    assert len({told.alert.id for told in inbox.got}) == 1
    assert inbox.got[-1].why is Why.RESOLVED


def test_what_waits_for_another_issue_is_not_told_by_itself() -> None:
    below, above = service("db.service"), service(UNIT, detail=detail(requires=("db.service",)))
    bench = Bench(below, above, configuration=telling(units={"db.service": UnitSettings(heal=Heal.SUGGEST)}))
    inbox = Inbox(bench)
    kill(bench, "db.service")
    assert inbox.take() == ["opened"]
    kill(bench)
    bench.later(600.0)

    assert inbox.take() == []


@pytest.mark.parametrize("healing", [True, False])
def test_what_depends_on_another_component_is_not_told_while_that_is_unhealthy_whether_it_may_be_healed_or_not(
    healing: bool,
) -> None:
    configuration = telling(health={"auto_healing_enabled": healing})
    web = ComponentSettings(type="http", depends_on=("database",))
    bench = Bench(service(UNIT), configuration=replace(configuration, component={"web": web}))
    inbox = Inbox(bench)
    root, other = ("database", "main"), ("web", "page")
    bench.unhealthy = frozenset({"database", "web"})
    for name in (root, other):
        bench.others[name] = item(finding(IssueType.PROBE_FAILED, unit=None), name=name[1], unit=None)
        bench.look_at(name)
    bench.later(600.0)
    assert inbox.take() == ["opened"]
    assert {key.component for key in inbox.got[0].alert.keys} == {"database"}

    bench.unhealthy = frozenset({"web"})
    bench.others[root] = item(name=root[1], unit=None)
    bench.look_at(root)
    bench.later(600.0)

    assert "opened" in inbox.take()
    assert {key.component for told in inbox.got for key in told.alert.keys} == {"database", "web"}


def test_each_message_that_healthd_gave_up_says_on_what_it_did_so_since_the_one_before() -> None:
    names = tuple(f"{letter}.service" for letter in "abcdef")
    bench, inbox = host(*names, health={"max_healing_attempts": 1}, cascade_units=5, alerting={"group_seconds": 2.0})
    for name in names:
        kill(bench, name)
    for _ in range(30):
        for ticket in list(bench.state.tickets.values()):
            if ticket.attempt is not None:
                fail_attempt(bench, ticket.attempt.unit)
        for _ in range(10):
            bench.later(UPDATE_SECONDS / 10)
            inbox.take()

    said: dict[int, list[Key]] = {}
    for told in inbox.got:
        lost, new = told.alert.gave_up, told.alert.gave_up_now
        assert new or told.why is not Why.GAVE_UP
        said.setdefault(told.alert.id, []).extend(lost[len(lost) - new :])
        assert said[told.alert.id] == list(lost)
    assert {key.item for keys in said.values() for key in keys} == set(names)
    assert len([told for told in inbox.got if told.why is Why.GAVE_UP]) > len(said)


def test_a_cascade_is_one_alert() -> None:
    names = tuple(f"{letter}.service" for letter in "abcdef")
    tables = {name: UnitSettings(heal=Heal.SUGGEST) for name in names}
    bench, inbox = host(*names, units=tables, alerting={"group_seconds": 2.0}, cascade_units=5)
    for name in names:
        kill(bench, name)
        bench.later(0.1)
    bench.later(3.0)
    assert inbox.take() == ["opened"]
    assert len(inbox.got[0].alert.keys) == 6
    for name in names:
        revive(bench, name)

    assert inbox.take() == ["resolved"]


def test_what_joins_later_is_told_together_after_a_while() -> None:
    bench, inbox = host(alerting={"min_severity": Severity.LOW})
    spoil(bench)
    assert inbox.take() == ["opened"]
    both = [
        finding(type_, unit=None) for type_ in (IssueType.READ_ONLY, IssueType.INODES_FULL, IssueType.NETWORK_ERROR)
    ]
    for known in (2, 3):
        bench.others[BROKEN] = item(*both[:known], name=BROKEN[1], unit=None)
        bench.look_at(BROKEN)
    bench.later(UPDATE_SECONDS - 1.0)
    assert inbox.take() == []
    bench.later(2.0)

    assert inbox.take() == ["joined"]
    assert [len(told.alert.keys) for told in inbox.got] == [1, 3]


def test_what_joins_and_is_gone_again_before_that_is_told_is_no_news() -> None:
    bench, inbox = host(alerting={"min_severity": Severity.LOW})
    spoil(bench)
    both = [finding(IssueType.READ_ONLY, unit=None), finding(IssueType.INODES_FULL, unit=None)]
    for known in (2, 1):
        bench.others[BROKEN] = item(*both[:known], name=BROKEN[1], unit=None)
        bench.look_at(BROKEN)
        bench.later(2.0)
    bench.later(600.0)

    assert inbox.take() == ["opened"]


def test_what_comes_and_goes_beside_what_was_told_is_told_at_once_and_not_as_what_joins() -> None:
    bench, inbox = host()
    spoil(bench)
    assert inbox.take() == ["opened"]
    both = [finding(type_, unit=None) for type_ in (IssueType.READ_ONLY, IssueType.KERNEL_FAULT)]
    begin = bench.time
    for known in (2, 1, 2, 1, 2):
        assert inbox.take() == []
        bench.others[BROKEN] = item(*both[:known], name=BROKEN[1], unit=None)
        bench.look_at(BROKEN)
        bench.later(5.0)

    assert inbox.take() == ["flapping"]
    assert bench.time - begin < UPDATE_SECONDS
    bench.later(600.0)
    assert inbox.take() == []


def test_what_comes_and_goes_is_told_once_as_that_and_its_end_when_it_is_calm() -> None:
    bench, inbox = host()
    for _ in range(2):
        kill(bench)
        healed(bench)
        bench.later(400.0)
    assert inbox.take() == []
    kill(bench)
    assert inbox.take() == ["flapping"]
    healed(bench)
    assert inbox.take() == []
    bench.later(400.0)
    kill(bench)
    healed(bench)
    bench.later(CALM_SECONDS - 10.0)
    assert inbox.take() == []
    bench.later(11.0)

    assert inbox.take() == ["resolved"]
    assert bench.state.alerts == ()


def test_that_it_comes_and_goes_is_news_of_what_was_told_before() -> None:
    bench, inbox = host(units=SUGGESTED)
    for _ in range(2):
        kill(bench)
        revive(bench)
        bench.later(400.0)
    inbox.take()
    kill(bench)

    assert inbox.take() == ["flapping"]


def test_that_healthd_gave_up_on_more_of_it_is_told_together_after_a_while() -> None:
    names = ("a.service", "b.service", "c.service")
    bench, inbox = host(*names, health={"max_healing_attempts": 1}, cascade_units=2)
    for name in names:
        bench.kill(name)
    bench.turn(names)
    fail_attempt(bench, "a.service")
    assert inbox.take() == ["gave_up"]
    fail_attempt(bench, "b.service")
    fail_attempt(bench, "c.service")
    assert inbox.take() == []
    bench.later(UPDATE_SECONDS + 1.0)

    assert inbox.take() == ["gave_up"]
    assert [len(told.alert.gave_up) for told in inbox.got] == [1, 3]


def test_what_joins_before_anything_was_told_makes_nobody_wait_longer() -> None:
    bench, inbox = host(alerting={"group_seconds": 20.0, "min_severity": Severity.MEDIUM})
    name = BROKEN[1]
    minor, broken = finding(IssueType.CLOCK_SKEW, unit=None), finding(IssueType.READ_ONLY, unit=None)
    bench.others[BROKEN] = item(minor, name=name, unit=None)
    bench.look_at(BROKEN)
    bench.others[BROKEN] = item(minor, broken, name=name, unit=None)
    bench.look_at(BROKEN)
    bench.later(15.0)
    bench.others[BROKEN] = item(replace(minor, critical=True), broken, name=name, unit=None)
    bench.look_at(BROKEN)
    assert inbox.take() == []
    bench.later(6.0)

    assert inbox.take() == ["opened"]
