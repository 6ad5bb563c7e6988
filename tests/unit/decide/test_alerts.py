"""A person hears of what a person is needed for: soon, once, and of its end; and of nothing else."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from healthd.config import UnitSettings
from healthd.decide.alert import Alert
from healthd.decide.announce import ALIVE_SECONDS
from healthd.decide.silence import Kind, Scope
from healthd.model import IssueType, Severity, SystemState
from tests.unit.builders import DOWN, UNIT, finding, item
from tests.unit.decide.bench import fail_attempt, healed
from tests.unit.decide.inbox import BROKEN, SUGGESTED, host, kill, revive, spoil, telling

CRITICAL = {UNIT: UnitSettings(critical=True)}


def test_what_healthd_can_do_nothing_about_is_told_at_once_and_its_end_is_told_too() -> None:
    bench, inbox = host()
    spoil(bench)
    assert inbox.take() == ["opened"]
    spoil(bench, spoilt=False)
    bench.later(1.0)

    assert inbox.take() == ["resolved"]
    assert bench.state.alerts == ()


def test_what_is_healed_by_the_first_attempt_is_not_told_at_all() -> None:
    bench, inbox = host()
    kill(bench)
    assert bench.step.wake_at is not None
    healed(bench)
    bench.later(3600.0)

    assert inbox.take() == []
    assert bench.state.alerts == ()


def test_it_is_told_when_the_first_attempt_fails_and_when_it_is_well_again() -> None:
    bench, inbox = host()
    kill(bench)
    assert inbox.take() == []
    fail_attempt(bench)
    assert inbox.take() == ["opened"]
    bench.later(11.0)
    healed(bench)

    assert inbox.take() == ["resolved"]


def test_it_is_told_when_the_first_attempt_takes_longer_than_recovery_may() -> None:
    bench, inbox = host(verify_seconds=30.0)
    kill(bench)
    bench.later(29.0)
    assert inbox.take() == []
    bench.later(1.5)

    assert inbox.take() == ["opened"]


def test_a_hold_that_a_person_must_end_is_told_at_once() -> None:
    bench, inbox = host(units=SUGGESTED)
    kill(bench)

    assert inbox.take() == ["opened"]


def test_a_hold_that_passes_by_itself_is_given_time() -> None:
    bench, inbox = host()
    bench.set(UNIT, active="failed", job=7, result="signal", code=2, exit_status=9)
    bench.turn([UNIT])
    bench.later(10.0)
    assert inbox.take() == []
    bench.later(25.0)

    assert inbox.take() == ["opened"]


def test_a_critical_one_is_told_at_once_though_it_is_being_healed() -> None:
    bench, inbox = host(units=CRITICAL, alerting={"group_seconds": 5.0})
    kill(bench)

    assert inbox.take() == ["opened"]
    assert inbox.got[0].alert.severity is Severity.CRITICAL


def test_giving_up_is_told_at_once_and_louder() -> None:
    bench, inbox = host(health={"max_healing_attempts": 2}, alerting={"group_seconds": 30.0})
    kill(bench)
    fail_attempt(bench)
    bench.later(12.0)
    fail_attempt(bench)

    assert inbox.take() == ["gave_up"]
    assert inbox.got[0].alert.severity is Severity.CRITICAL
    assert inbox.got[0].alert.gave_up == (DOWN,)


def test_giving_up_is_news_of_what_was_told_before() -> None:
    bench, inbox = host(health={"max_healing_attempts": 2})
    kill(bench)
    fail_attempt(bench)
    assert inbox.take() == ["opened"]
    bench.later(12.0)
    fail_attempt(bench)

    assert inbox.take() == ["gave_up"]
    assert inbox.got[1].alert.id == inbox.got[0].alert.id


def test_what_gets_more_severe_is_told_again() -> None:
    bench, inbox = host()
    spoil(bench)
    assert inbox.take() == ["opened"]
    found = finding(IssueType.READ_ONLY, unit=None, critical=True)
    bench.others[BROKEN] = item(found, name=BROKEN[1], unit=None)
    bench.look_at(BROKEN)

    assert inbox.take() == ["worse"]


def test_what_is_less_severe_than_asked_for_is_not_told() -> None:
    bench, inbox = host(alerting={"min_severity": Severity.CRITICAL})
    spoil(bench)
    bench.later(3600.0)

    assert inbox.take() == []


def test_nobody_is_told_where_nobody_is_to_be_told() -> None:
    bench, inbox = host(alerting={"webhook_url": ""})
    spoil(bench)

    assert inbox.take() == []
    assert bench.state.openings == ()


def test_of_what_was_told_the_end_is_told_once_there_is_a_receiver_again() -> None:
    bench, inbox = host()
    spoil(bench)
    assert inbox.take() == ["opened"]
    somebody, nobody = bench.settings, telling(alerting={"webhook_url": ""})
    bench.settings = nobody
    kill(bench)
    assert bench.state.openings == ()
    spoil(bench, spoilt=False)
    bench.later(86_400.0)
    assert inbox.take() == []
    revive(bench)
    bench.settings = somebody
    bench.later(1.0)

    assert inbox.take() == ["resolved"]
    assert inbox.got[1].alert.id == inbox.got[0].alert.id
    assert bench.state.alerts == ()


def test_it_is_told_again_as_often_as_asked_for() -> None:
    bench, inbox = host(alerting={"repeat_seconds": 600.0})
    spoil(bench)
    assert inbox.take() == ["opened"]
    bench.later(599.0)
    assert inbox.take() == []
    bench.later(1.5)
    assert inbox.take() == ["repeated"]
    bench.later(601.0)

    assert inbox.take() == ["repeated"]


def test_it_is_never_told_again_where_that_is_switched_off() -> None:
    bench, inbox = host(alerting={"repeat_seconds": 0.0})
    spoil(bench)
    inbox.take()
    bench.later(1e6)

    assert inbox.take() == []


def test_repeats_that_wait_to_be_sent_are_one() -> None:
    bench, inbox = host(alerting={"repeat_seconds": 600.0})
    spoil(bench)
    bench.later(3000.0)

    assert inbox.take() == ["opened", "repeated"]


def test_what_is_silenced_is_not_told_until_the_silence_ends() -> None:
    bench, inbox = host(units=SUGGESTED)
    bench.silence(Scope(Kind.UNITS, UNIT), 600.0)
    kill(bench)
    bench.later(590.0)
    assert inbox.take() == []
    bench.later(11.0)

    assert inbox.take() == ["opened"]


def test_of_what_was_told_and_then_silenced_only_the_end_is_told() -> None:
    bench, inbox = host(units=SUGGESTED, alerting={"repeat_seconds": 60.0})
    kill(bench)
    assert inbox.take() == ["opened"]
    bench.silence(Scope(Kind.UNITS, UNIT), 3600.0)
    bench.turn(())
    bench.later(600.0)
    assert inbox.take() == []
    revive(bench)

    assert inbox.take() == ["resolved"]


def test_what_is_over_before_the_group_is_told_is_not_told() -> None:
    bench, inbox = host(units=SUGGESTED, alerting={"group_seconds": 5.0})
    kill(bench)
    bench.later(1.0)
    revive(bench)
    bench.later(60.0)

    assert inbox.take() == []


def test_nothing_is_told_of_what_ends_with_the_host() -> None:
    bench, inbox = host(units=SUGGESTED)
    bench.units.system = SystemState.STOPPING
    kill(bench)
    bench.later(60.0)

    assert inbox.take() == []


def test_where_somebody_forgets_it_is_said_again_and_again() -> None:
    bench, inbox = host(alerting={"alertmanager_url": "http://127.0.0.1:9093"})
    spoil(bench)
    assert inbox.take() == ["opened"]
    bench.later(ALIVE_SECONDS + 1.0)
    assert inbox.take() == ["alive"]
    bench.later(ALIVE_SECONDS * 3)
    assert inbox.take() == ["alive"]
    spoil(bench, spoilt=False)
    bench.later(1.0)
    inbox.take()
    bench.later(ALIVE_SECONDS * 3)

    assert inbox.take() == []


def test_a_message_is_kept_until_it_is_in_the_outbox_over_any_end_of_healthd() -> None:
    bench, inbox = host()
    spoil(bench)
    words = [word for alert in bench.state.alerts for word in alert.unsent]
    bench.restart_healthd()
    assert [word for alert in bench.state.alerts for word in alert.unsent] == words
    bench.turn()
    spoil(bench, spoilt=False)
    bench.later(1.0)
    bench.restart_healthd()
    bench.turn()

    assert inbox.take() == ["opened", "resolved"]
    assert bench.state.alerts == ()


def test_an_open_alert_is_not_told_again_after_a_restart() -> None:
    bench, inbox = host(units=SUGGESTED)
    kill(bench)
    assert inbox.take() == ["opened"]
    bench.restart_healthd()
    bench.turn()
    bench.later(60.0)
    assert inbox.take() == []
    revive(bench)

    assert inbox.take() == ["resolved"]


def test_two_alerts_never_have_one_number() -> None:
    bench, inbox = host(units=SUGGESTED)
    for _ in range(2):
        kill(bench)
        revive(bench)
    inbox.take()

    assert [told.alert.id for told in inbox.got] == [1, 1, 2, 2]


@pytest.mark.parametrize("change", [{"severity": "huge"}, {"keys": [["a"]]}, {"unsent": [[1, "because", 2.0]]}])
def test_an_alert_that_makes_no_sense_is_refused(change: dict[str, object]) -> None:
    whole = Alert(
        id=1, incident=1, keys=(DOWN,), opened_wall=1.5, severity=Severity.HIGH, routed=Severity.HIGH, due=2.5
    )
    plain = json.loads(json.dumps(whole.to_plain()))

    assert Alert.from_plain(plain) == whole
    assert replace(Alert.from_plain(plain), id=2) != whole
    with pytest.raises((ValueError, TypeError, KeyError)):
        Alert.from_plain({**plain, **change})
