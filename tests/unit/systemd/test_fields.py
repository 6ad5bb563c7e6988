from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthd.events import MESSAGE_IDS, Event
from healthd.model import ActionKind, OutcomeKind, Severity
from healthd.systemd.fields import cut, name, priority, record, remark, text

VALUES: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.sampled_from(ActionKind),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("severity", "expected"),
    [(None, 6), (Severity.LOW, 5), (Severity.MEDIUM, 4), (Severity.HIGH, 3), (Severity.CRITICAL, 2)],
)
def test_priority_follows_severity(severity: Severity | None, expected: int) -> None:
    assert priority(Event.ISSUE_OPENED, severity) == expected


@pytest.mark.parametrize("severity", [None, *Severity])
def test_giving_up_is_critical_whatever_the_severity(severity: Severity | None) -> None:
    assert priority(Event.HEALING_GAVE_UP, severity) == 2


def test_a_recovery_is_a_notice_however_bad_things_were() -> None:
    resolved = record(Event.ISSUE_RESOLVED, "x", severity=Severity.CRITICAL)
    healed = record(Event.HEALING_FINISHED, "x", severity=Severity.CRITICAL, fields={"outcome": OutcomeKind.SUCCESS})
    failed = record(Event.HEALING_FINISHED, "x", severity=Severity.CRITICAL, fields={"outcome": OutcomeKind.FAILED})

    assert (resolved["PRIORITY"], healed["PRIORITY"], failed["PRIORITY"]) == ("5", "5", "2")
    assert resolved["HEALTHD_SEVERITY"] == "critical"


def test_a_traceback_is_an_error_and_stands_below_the_message() -> None:
    fields = record(Event.CHECK_FAILED, "check x failed", traceback="Traceback:\n  boom\x1b[31m")

    assert fields["PRIORITY"] == "3"
    assert fields["MESSAGE"] == "check x failed\nTraceback:\n  boom\\x1b[31m"


def test_a_record_names_its_event_for_people_and_for_filters() -> None:
    fields = record(
        Event.HEALING_STARTED,
        "starting nginx.service",
        severity=Severity.HIGH,
        fields={"unit": "nginx.service", "action": ActionKind.START_UNIT, "attempt": 1, "incident": None},
    )

    assert fields == {
        "MESSAGE": "starting nginx.service",
        "PRIORITY": "3",
        "SYSLOG_IDENTIFIER": "healthd",
        "MESSAGE_ID": MESSAGE_IDS[Event.HEALING_STARTED],
        "HEALTHD_EVENT": "healing_started",
        "HEALTHD_SEVERITY": "high",
        "HEALTHD_UNIT": "nginx.service",
        "HEALTHD_ACTION": "start_unit",
        "HEALTHD_ATTEMPT": "1",
    }


def test_a_message_of_several_lines_keeps_them() -> None:
    fields = record(Event.CONFIG_REJECTED, "refused:\n  a.toml:3: one\n  a.toml:9: two\n")

    assert fields["MESSAGE"] == "refused:\n  a.toml:3: one\n  a.toml:9: two"


def test_a_message_cannot_move_the_cursor() -> None:
    fields = record(Event.ISSUE_OPENED, "bad\r\x1b[2J\x7f\x9b\ttail")

    assert fields["MESSAGE"] == "bad\\x0d\\x1b[2J\\x7f\\x9b tail"


def test_a_line_for_developers_has_no_event() -> None:
    assert remark("looking", {"unit": "a.service"}) == {
        "MESSAGE": "looking",
        "PRIORITY": "7",
        "SYSLOG_IDENTIFIER": "healthd",
        "HEALTHD_UNIT": "a.service",
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.6, "0.6"),
        (1.0, "1"),
        (15520.12345, "15520.123"),
        (1732391234.5, "1732391234.5"),
        (float("nan"), "nan"),
        (7, "7"),
        (True, "yes"),
        (False, "no"),
        (Severity.HIGH, "high"),
        (b"caf\xc3\xa9\xff", "café\\xff"),
        (("b.service", "a.service"), "b.service, a.service"),
        (frozenset({"b", "a"}), "a, b"),
        ({"free": 0.25, "used": 3}, "free=0.25, used=3"),
        (ValueError("no"), "no"),
    ],
)
def test_values_read_as_people_write_them(value: object, expected: str) -> None:
    assert text(value) == expected


@given(st.text(min_size=1))
def test_every_field_name_is_one_that_journald_takes(field: str) -> None:
    assert re.fullmatch(r"HEALTHD_[A-Z0-9_]{0,56}", name(field))


def test_a_value_beyond_the_limit_is_cut_and_says_so() -> None:
    assert cut("a" * 100, 10) == "aaaaaaaaaa [90 more bytes cut off]"
    assert cut("é" * 8, 15) == "ééééééé [1 more bytes cut off]"
    assert cut("é" * 5, 10) == "ééééé"


@given(st.text(), st.dictionaries(st.text(), VALUES))
def test_whatever_is_recorded_becomes_text_within_the_limit(message: str, fields: dict[str, object]) -> None:
    values = record(Event.ISSUE_OPENED, message, fields=fields).values()

    assert all(len(value.encode("utf-8", "backslashreplace")) <= 64 * 1024 + 40 for value in values)
