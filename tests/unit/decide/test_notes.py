"""What was well again before anybody was told is a note, once, for those who ask for that; for others it is nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.config import UnitSettings
from healthd.decide.silence import Kind, Scope
from healthd.model import Severity
from tests.unit.builders import DOWN, UNIT
from tests.unit.decide.bench import fail_attempt, healed
from tests.unit.decide.inbox import SUGGESTED, host, kill, revive, spoil, telling

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.unit.decide.bench import Bench
    from tests.unit.decide.inbox import Inbox


def asked(*more: str, alerting: Mapping[str, object] | None = None, **said: object) -> tuple[Bench, Inbox]:
    """A host of which people want notes."""
    return host(*more, alerting={"notify_healed": True, **(alerting or {})}, **said)


def test_what_the_first_attempt_heals_is_a_note_once_all_is_well() -> None:
    bench, inbox = asked()
    kill(bench)
    assert inbox.take() == []
    healed(bench)

    assert inbox.take() == ["healed"]
    (note,) = (told.alert for told in inbox.got)
    assert (note.keys, note.severity, note.routed, note.note) == ((DOWN,), Severity.LOW, Severity.LOW, True)
    bench.later(1e5)
    assert inbox.take() == []
    assert bench.state.alerts == ()


def test_what_gets_well_by_itself_before_anybody_is_told_is_a_note_too() -> None:
    bench, inbox = asked(units=SUGGESTED, alerting={"group_seconds": 5.0})
    kill(bench)
    bench.later(1.0)
    revive(bench)
    assert inbox.take() == []
    bench.later(5.0)

    assert inbox.take() == ["healed"]


def test_what_was_told_is_told_to_be_over_and_is_no_note() -> None:
    bench, inbox = asked()
    kill(bench)
    fail_attempt(bench)
    assert inbox.take() == ["opened"]
    bench.later(11.0)
    healed(bench)
    bench.later(600.0)

    assert inbox.take() == ["resolved"]


def test_all_that_was_healed_of_an_incident_is_one_note_at_its_end() -> None:
    names = ("a.service", "b.service")
    bench, inbox = asked(*names, cascade_units=2)
    for name in names:
        bench.kill(name)
    bench.turn(names)
    healed(bench, "a.service")
    assert inbox.take() == []
    bench.later(1.0)
    healed(bench, "b.service")

    assert inbox.take() == ["healed"]
    assert {key.item for key in inbox.got[0].alert.keys} == set(names)


def test_of_an_incident_that_is_told_after_all_there_is_no_note() -> None:
    names = ("a.service", "b.service")
    bench, inbox = asked(*names, cascade_units=2)
    for name in names:
        bench.kill(name)
    bench.turn(names)
    healed(bench, "a.service")
    bench.later(1.0)
    fail_attempt(bench, "b.service")
    assert inbox.take() == ["opened"]
    bench.later(60.0)
    healed(bench, "b.service")
    bench.later(600.0)

    assert inbox.take() == ["resolved"]


def test_what_is_open_again_is_no_note_until_it_is_well() -> None:
    bench, inbox = asked(alerting={"group_seconds": 30.0})
    kill(bench)
    healed(bench)
    bench.later(28.0)
    kill(bench)
    bench.later(2.0)
    assert inbox.take() == []
    healed(bench)

    assert inbox.take() == ["healed"]
    bench.later(600.0)
    assert inbox.take() == []


def test_what_fails_anew_and_is_told_takes_nothing_else_from_the_note_that_waits() -> None:
    names = ("a.service", "b.service")
    bench, inbox = asked(*names, cascade_units=2, alerting={"group_seconds": 60.0})
    for name in names:
        bench.kill(name)
    bench.turn(names)
    healed(bench, "a.service")
    bench.later(1.0)
    healed(bench, "b.service")
    bench.later(20.0)
    bench.kill("a.service")
    bench.turn(["a.service"])
    fail_attempt(bench, "a.service")
    bench.later(600.0)

    assert sorted(inbox.take()) == ["healed", "opened"]
    keys = {told.why: [key.item for key in told.alert.keys] for told in inbox.got}
    assert keys == {"healed": ["b.service"], "opened": ["a.service"]}


def test_of_what_comes_and_goes_there_are_no_more_notes_once_that_was_told() -> None:
    bench, inbox = asked()
    for _ in range(3):
        kill(bench)
        healed(bench)
        bench.later(60.0)
    assert inbox.take() == ["flapping", "healed", "healed"]
    bench.later(3600.0)

    assert inbox.take() == ["resolved"]


def test_what_somebody_stops_or_silences_and_what_is_not_severe_is_no_note() -> None:
    bench, inbox = asked()
    kill(bench)
    bench.set(UNIT, active="inactive", sub="dead", result="success", stopped_by_job=True)
    bench.turn([UNIT])
    bench.later(60.0)
    assert inbox.take() == []

    bench, inbox = asked()
    bench.silence(Scope(Kind.UNITS, UNIT), 600.0)
    bench.turn(())
    kill(bench)
    revive(bench)
    bench.later(700.0)
    assert inbox.take() == []

    bench, inbox = asked(alerting={"min_severity": Severity.CRITICAL})
    kill(bench)
    healed(bench)
    bench.later(60.0)
    assert inbox.take() == []


def test_a_note_that_waits_outlives_the_end_of_healthd_and_not_the_wish_for_it() -> None:
    bench, inbox = asked(alerting={"group_seconds": 30.0})
    kill(bench)
    healed(bench)
    bench.restart_healthd()
    bench.turn()
    bench.later(31.0)
    assert inbox.take() == ["healed"]

    kill(bench)
    healed(bench)
    bench.settings = telling(alerting={"notify_healed": False})
    bench.turn(())
    bench.later(60.0)
    assert inbox.take() == []
    assert bench.state.alerts == ()


def test_a_critical_unit_is_told_at_once_and_so_never_a_note() -> None:
    bench, inbox = asked(units={UNIT: UnitSettings(critical=True)})
    kill(bench)
    healed(bench)
    bench.later(60.0)

    assert inbox.take() == ["opened", "resolved"]


def test_a_disk_that_recovers_within_the_group_is_a_note() -> None:
    bench, inbox = asked(alerting={"group_seconds": 10.0})
    spoil(bench)
    bench.later(3.0)
    spoil(bench, spoilt=False)
    bench.later(20.0)

    assert inbox.take() == ["healed"]
