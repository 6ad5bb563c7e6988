from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthd.events import Event
from healthd.model import Severity
from healthd.systemd.fields import record
from healthd.systemd.render import json_line, line, native, utc


def parse_native(data: bytes) -> dict[str, str]:
    """Read a datagram as journald does."""
    fields = {}
    while data:
        head, _, data = data.partition(b"\n")
        key, equals, value = head.partition(b"=")
        if not equals:
            size = int.from_bytes(data[:8], "little")
            value, newline, data = data[8 : 8 + size], data[8 + size : 9 + size], data[9 + size :]
            assert newline == b"\n"
        fields[key.decode()] = value.decode()
    return fields


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("TZ", "UTC-1")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


OPENED = record(
    Event.ISSUE_OPENED,
    "nginx.service is down (exit code 1)",
    severity=Severity.HIGH,
    fields={"component": "services", "unit": "nginx.service", "issue": "services/nginx.service/service_down"},
)


@given(st.dictionaries(st.from_regex(r"[A-Z][A-Z_]{0,9}", fullmatch=True), st.text()))
def test_journald_reads_back_every_value_as_it_was(fields: dict[str, str]) -> None:
    clean = {key: value.encode("utf-8", "backslashreplace").decode() for key, value in fields.items()}

    assert parse_native(native(fields)) == clean


def test_a_limit_cuts_each_value() -> None:
    assert native({"A": "x" * 100, "B": "y"}, limit=4) == b"A=xxxx [96 more bytes cut off]\nB=y\n"


def test_a_json_line_is_one_object_with_the_names_of_the_journal() -> None:
    data = json_line(OPENED, 1_700_000_000.25)

    assert data.count(b"\n") == 1
    assert json.loads(data) == {"time": "2023-11-14T22:13:20.250Z", "level": "error"} | OPENED


def test_a_line_tells_time_level_event_message_and_what_the_message_does_not_say(berlin: object) -> None:
    assert line(OPENED, 1_700_000_000.0, colour=False) == (
        b"23:13:20 error    issue_opened     nginx.service is down (exit code 1) component=services\n"
    )


def test_a_line_has_colours_only_where_asked_for() -> None:
    assert b"\x1b[1;31m" in line(OPENED, 0.0, colour=True)
    assert b"\x1b" not in line(OPENED, 0.0, colour=False)


def test_a_message_with_more_lines_cannot_forge_a_field_of_the_journal() -> None:
    fields = record(Event.ISSUE_OPENED, "bad\nPRIORITY=0")

    assert parse_native(native(fields))["PRIORITY"] == "6"


def test_a_traceback_stands_indented_below_its_line() -> None:
    fields = record(Event.CHECK_FAILED, "check x failed", traceback="Traceback\nKeyError: 1")

    assert line(fields, 0.0, colour=False).decode().splitlines()[1:] == ["    Traceback", "    KeyError: 1"]


def test_times_are_utc_to_the_millisecond() -> None:
    assert utc(0.9996) == "1970-01-01T00:00:00.999Z"
