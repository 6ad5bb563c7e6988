"""The story in the journal: each record is understood by itself, and carries the fields to find it by."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from healthd.assess.picture import Component
from healthd.assess.score import worst
from healthd.decide.happenings import (
    CascadeBegan,
    CascadeEnded,
    Ended,
    GaveUp,
    Happening,
    Held,
    LeftAlone,
    Opened,
    Resolved,
    Silenced,
    SilenceEnded,
    SilenceLasts,
    Started,
    Unsupported,
    UpgradeLasts,
    WindowOpened,
)
from healthd.decide.silence import Kind, Scope, Silence
from healthd.decide.state import Key
from healthd.events import Event
from healthd.model import ActionKind, HoldReason, IssueType, OutcomeKind, Severity, Status
from healthd.record.story import Story
from healthd.record.words import clock_time
from tests.fakes import FakeLog
from tests.unit.builders import UNIT, attempt, item, ticket
from tests.unit.record.telling import WALL, told

if TYPE_CHECKING:
    from healthd.answers import Note

# Issues


def test_an_issue_says_what_is_wrong_with_what() -> None:
    record = told(Opened(ticket=ticket()))

    assert record.event is Event.ISSUE_OPENED
    assert record.message == "web.service is down: killed by SIGKILL"
    assert record.severity is Severity.HIGH
    assert record.fields == {"component": "services", "item": UNIT, "issue": IssueType.SERVICE_DOWN, "unit": UNIT}


@pytest.mark.parametrize(
    ("type_", "seen"),
    [
        (IssueType.SERVICE_HUNG, "hangs"),
        (IssueType.CRASH_LOOP, "is in a crash loop"),
        (IssueType.JOB_FAILED, "has failed"),
        (IssueType.CLOCK_SKEW, "is wrong"),
    ],
)
def test_each_type_of_issue_is_said_in_words(type_: IssueType, seen: str) -> None:
    assert told(Opened(ticket=ticket(Key("services", UNIT, type_)))).message.startswith(f"web.service {seen}: ")


@pytest.mark.parametrize(("attempts", "again"), [(1, "(again; 1 attempt so far)"), (2, "(again; 2 attempts so far)")])
def test_an_issue_that_comes_back_says_so(attempts: int, again: str) -> None:
    assert told(Opened(ticket=ticket(attempts=attempts))).message.endswith(again)


def test_recovery_says_how_long_it_took() -> None:
    record = told(Resolved(ticket=ticket(), text="running", after=90.0))

    assert record.event is Event.ISSUE_RESOLVED
    assert record.message == "web.service is well again: running (the issue was open for 90 s)"
    assert record.fields["duration_ms"] == 90_000


def test_an_issue_that_only_ended_is_not_called_recovery() -> None:
    record = told(Resolved(ticket=ticket(), text="somebody stopped it", after=1.0, well=False))

    assert record.message.startswith("web.service has no issue service_down any more: somebody stopped it")


# Healing


def test_an_attempt_says_its_number_and_of_how_many() -> None:
    record = told(Started(ticket=ticket(), attempt=attempt(number=2)))

    assert record.event is Event.HEALING_STARTED
    assert record.message == "healing web.service: start_unit, attempt 2 of 3 (killed by SIGKILL)"
    assert record.fields["action"] is ActionKind.START_UNIT
    assert record.fields["attempt"] == 2


@pytest.mark.parametrize("most", [0, 3])
def test_an_attempt_beyond_the_limit_or_without_one_says_its_number_alone(most: int) -> None:
    assert "attempt 4 (" in told(Started(ticket=ticket(), attempt=attempt(number=4)), most=most).message


def test_an_attempt_on_a_unit_without_a_table_says_its_number_alone() -> None:
    record = told(Started(ticket=ticket(unit="other.service"), attempt=attempt(unit="other.service")))

    assert record.message.startswith("healing other.service: start_unit, attempt 1 (")


def test_an_attempt_by_hand_says_by_whom() -> None:
    assert ", ordered by root (" in told(Started(ticket=ticket(), attempt=attempt(by="root"))).message


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        (OutcomeKind.SUCCESS, "healed web.service: start_unit helped, it is up and stays up (1.5 s)"),
        (OutcomeKind.FAILED, "start_unit did not help web.service: it failed (1.5 s)"),
        (OutcomeKind.NOT_SUPPORTED, "start_unit of web.service is not supported: it failed (1.5 s)"),
    ],
)
def test_the_end_of_an_attempt_says_whether_it_helped(outcome: OutcomeKind, message: str) -> None:
    record = told(Ended(ticket=ticket(), attempt=attempt(), outcome=outcome, text="it failed", took=1.5))

    assert record.event is Event.HEALING_FINISHED
    assert record.message == message
    assert record.fields["outcome"] is outcome
    assert record.fields["duration_ms"] == 1500


def test_a_failure_without_a_remedy_says_so() -> None:
    record = told(Unsupported(ticket=ticket(), text="healthd knows no remedy"))

    assert record.event is Event.HEALING_FINISHED
    assert record.message == "web.service: healthd knows no remedy"
    assert record.fields["outcome"] is OutcomeKind.NOT_SUPPORTED


# Holds


def test_a_hold_says_why_and_until_when() -> None:
    record = told(Held(ticket=ticket(), reason=HoldReason.COOLDOWN, text="it waits", wait=20.0))

    assert record.event is Event.HEALING_HELD
    assert record.message == f"not acting on web.service: it waits (cooldown; until {clock_time(WALL + 20, now=WALL)})"
    assert record.fields["reason"] is HoldReason.COOLDOWN


def test_a_hold_that_ends_days_later_says_the_date() -> None:
    record = told(Held(ticket=ticket(), reason=HoldReason.COOLDOWN, text="it waits", wait=200_000.0))

    assert "; until 2023-11-1" in record.message


def test_a_hold_that_does_not_end_by_time_names_none() -> None:
    record = told(Held(ticket=ticket(unit=None), reason=HoldReason.PROTECTED, text="no", wait=None))

    assert record.message == "not acting on web.service: no (protected)"


def test_what_somebody_stopped_is_left_alone() -> None:
    record = told(LeftAlone(component="services", item=UNIT, unit=UNIT))

    assert record.event is Event.HEALING_HELD
    assert record.message == "web.service was stopped on purpose; healthd leaves it alone"
    assert record.fields["reason"] is HoldReason.OPERATOR_STOPPED


@pytest.mark.parametrize(
    ("ending", "retry", "words"),
    [
        (
            (3, True),
            3600.0,
            "3 attempts did not help (killed by SIGKILL). A person is needed; the next try is in 60 min.",
        ),
        (
            (1, True),
            None,
            "1 attempt did not help (killed by SIGKILL). A person is needed; there will be no further try.",
        ),
        (
            (2, False),
            None,
            "2 attempts did not help for long (killed by SIGKILL). A person is needed; there will be no further try.",
        ),
    ],
)
def test_giving_up_is_loud_and_says_what_comes(ending: tuple[int, bool], retry: float | None, words: str) -> None:
    attempts, failed = ending
    record = told(GaveUp(ticket=ticket(attempts=attempts, failed=failed), retry=retry))

    assert record.event is Event.HEALING_GAVE_UP
    assert record.severity is Severity.CRITICAL
    assert record.message == f"GAVE UP on web.service: {words} See: healthctl explain web.service"


def test_happenings_are_told_in_their_order() -> None:
    log = FakeLog()
    noted: list[Note] = []
    started = Started(ticket=ticket(), attempt=attempt())

    Story(log, noted.append).tell([Opened(ticket=ticket()), started], wall=WALL, max_attempts={})

    assert log.events() == [Event.ISSUE_OPENED, Event.HEALING_STARTED]


def test_the_hold_that_comes_with_giving_up_is_not_told_once_more() -> None:
    log = FakeLog()
    lost, other = ticket(), ticket(Key("web", "", IssueType.PROBE_FAILED))
    holds = [Held(ticket=each, reason=HoldReason.GAVE_UP, text="no more", wait=60.0) for each in (lost, other)]

    Story(log, lambda _: None).tell([GaveUp(ticket=lost, retry=60.0), *holds], wall=WALL, max_attempts={})

    assert log.events() == [Event.HEALING_GAVE_UP, Event.HEALING_HELD]


# Components and the host


@pytest.mark.parametrize(
    ("status", "severity"),
    [
        (Status.HEALTHY, None),
        (Status.DEGRADED, Severity.MEDIUM),
        (Status.UNHEALTHY, Severity.HIGH),
        (Status.UNKNOWN, Severity.MEDIUM),
    ],
)
def test_the_worse_a_status_the_more_its_record_matters(status: Status, severity: Severity | None) -> None:
    log = FakeLog()
    noted: list[Note] = []
    story = Story(log, noted.append)

    story.component_changed("services", Status.HEALTHY, status, 0.5, "1 of 9 down", wall=WALL)
    story.state_changed("healthy", status, status, 0.5, wall=WALL)

    assert [record.severity for record in log.records] == [severity, severity]


def test_a_component_that_changes_says_from_what_to_what_and_why() -> None:
    log = FakeLog()
    noted: list[Note] = []

    Story(log, noted.append).component_changed(
        "services", Status.HEALTHY, Status.DEGRADED, 0.6, "1 of 9 down", wall=WALL
    )
    Story(log, noted.append).component_changed("services", Status.DEGRADED, Status.UNKNOWN, None, "", wall=WALL)

    assert [record.message for record in log.of(Event.COMPONENT_CHANGED)] == [
        "services is degraded (was healthy): 1 of 9 down",
        "services is unknown (was degraded)",
    ]
    assert log.records[0].fields == {"component": "services", "status": Status.DEGRADED, "score": 0.6}


def test_what_cannot_be_judged_any_more_is_said_with_the_reason() -> None:
    log = FakeLog()
    noted: list[Note] = []
    hung = item(name="/srv", status=Status.UNKNOWN, message="does not answer within 2 s")
    storage = Component(name="storage", weight=0.1, critical=False, combine=worst, items={"/srv": hung})
    storage.lost = frozenset({"/srv"})
    story = Story(log, noted.append)

    story.lost(storage, wall=WALL)
    story.lost(storage, wall=WALL + 30)

    (record,) = log.of(Event.CHECK_FAILED)
    assert record.message == "storage /srv cannot be judged: does not answer within 2 s"
    assert record.fields == {"component": "storage", "item": "/srv", "reason": "does not answer within 2 s"}
    assert [note.item for note in noted] == ["/srv"]


def test_a_host_that_changes_says_its_score() -> None:
    log = FakeLog()
    noted: list[Note] = []

    Story(log, noted.append).state_changed("unknown", "auto_healing", Status.DEGRADED, 0.8512, wall=WALL)

    (record,) = log.of(Event.STATE_CHANGED)
    assert record.message == "host is auto_healing (was unknown), score 0.85"
    assert record.fields == {"status": "auto_healing", "score": 0.8512}


@pytest.mark.parametrize(("over", "then"), [(False, "heals nothing until it ends"), (True, "heals again")])
def test_an_upgrade_that_lasts_asks_a_person_to_look(over: bool, then: str) -> None:
    record = told(UpgradeLasts(text="apt-get (process 58) holds dpkg's lock", lasted=605.0, over=over))

    assert (record.event, record.severity) == (Event.HEALING_HELD, Severity.HIGH)
    assert record.fields == {"component": "updates", "item": "packages", "reason": HoldReason.PACKAGE_UPGRADE}
    assert "for 10 min (apt-get (process 58) holds dpkg's lock)" in record.message
    assert then in record.message


def test_a_cascade_says_which_units_and_what_healthd_does_about_it() -> None:
    record = told(CascadeBegan(units=("db.service", "web.service"), seconds=10.0))

    assert (record.event, record.severity) == (Event.CASCADE_BEGAN, Severity.CRITICAL)
    assert record.fields == {"reason": HoldReason.CASCADE}
    assert record.message == (
        "2 units went down within 10 s, which is one incident of the host: "
        "healing roots first, one at a time (db.service, web.service)"
    )


@pytest.mark.parametrize(
    ("still", "severity", "words"),
    [
        ((), None, "2 of 2 units are well"),
        (("db.service",), Severity.HIGH, "1 of 2 units are well; not well: db.service"),
    ],
)
def test_the_end_of_a_cascade_says_what_came_of_it(
    still: tuple[str, ...], severity: Severity | None, words: str
) -> None:
    record = told(CascadeEnded(units=("db.service", "web.service"), still=still, took=12.0))

    assert (record.event, record.severity) == (Event.CASCADE_ENDED, severity)
    assert record.message == f"the cascade is over after 12 s: {words}"


QUIET = Silence(
    id="s7",
    scope=Scope(Kind.UNITS, "web-*.service"),
    by="alice",
    reason="new disk",
    set_at=0.0,
    set_wall=WALL,
    seconds=3600.0,
    until=3600.0,
    reminded=0.0,
)
NIGHTLY = replace(QUIET, calendar="02:00", until=None, reason="")
HOUR_ON = clock_time(WALL + 3600.0, now=WALL)


@pytest.mark.parametrize(
    ("happening", "event", "severity", "message"),
    [
        (
            Silenced(silence=QUIET),
            Event.SILENCE_STARTED,
            None,
            f"alice silenced web-*.service (s7: new disk) until {HOUR_ON}",
        ),
        (
            Silenced(silence=replace(QUIET, unit="backup.service", until=None)),
            Event.SILENCE_STARTED,
            None,
            "alice silenced web-*.service (s7: new disk) while backup.service runs",
        ),
        (
            Silenced(silence=replace(QUIET, unit="backup.service")),
            Event.SILENCE_STARTED,
            None,
            f"alice silenced web-*.service (s7: new disk) while backup.service runs, until {HOUR_ON} at most",
        ),
        (
            Silenced(silence=NIGHTLY),
            Event.SILENCE_STARTED,
            None,
            "alice silenced web-*.service (s7) for 60 min from each time of the calendar '02:00' on",
        ),
        (
            WindowOpened(silence=NIGHTLY, ends=WALL + 3600.0),
            Event.SILENCE_STARTED,
            None,
            f"web-*.service (s7), as alice set it, is silenced until {HOUR_ON} by its calendar '02:00'",
        ),
        (
            SilenceEnded(silence=QUIET, text="its time is over", lasted=3600.0),
            Event.SILENCE_ENDED,
            None,
            "web-*.service (s7: new disk) is silenced no more: its time is over (it was set 60 min ago)",
        ),
        (
            SilenceLasts(silence=QUIET, lasted=90_000.0),
            Event.SILENCE_LASTS,
            Severity.MEDIUM,
            (
                "web-*.service (s7: new disk) is still silenced, as alice set it 25 h ago. Was that forgotten? "
                "healthctl resume s7 ends it"
            ),
        ),
    ],
)
def test_a_silence_is_told_with_who_what_why_and_how_long(
    happening: Happening, event: Event, severity: Severity | None, message: str
) -> None:
    record = told(happening)

    assert (record.event, record.severity, record.message) == (event, severity, message)
    assert record.fields == {"silence": "s7", "by": "alice"}
