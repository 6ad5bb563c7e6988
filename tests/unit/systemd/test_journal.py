from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest

from healthd.events import MESSAGE_IDS, Event
from healthd.model import Severity
from healthd.systemd.flood import PASS, WINDOW_SECONDS
from healthd.systemd.journal import Journal, leads_to_journal, to_journal
from healthd.systemd.render import json_line
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

    from healthd.ports import Log


class Taken:
    """A outlet that takes everything."""

    def __init__(self) -> None:
        self.data: list[bytes] = []

    def send(self, record: bytes, *, wait: bool) -> None:
        self.data.append(record)

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(record) for record in self.data]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def taken() -> Taken:
    return Taken()


@pytest.fixture
def journal(clock: FakeClock, taken: Taken) -> Journal:
    return Journal(clock, taken, json_line)


def test_it_is_a_log(journal: Journal) -> None:
    log: Log = journal

    assert log is journal


@pytest.mark.parametrize("event", Event)
def test_every_event_has_its_name_and_its_fixed_id(journal: Journal, taken: Taken, event: Event) -> None:
    journal.event(event, "something happened", unit="a.service")

    assert [(entry["HEALTHD_EVENT"], entry["MESSAGE_ID"], entry["HEALTHD_UNIT"]) for entry in taken.records] == [
        (event.value, MESSAGE_IDS[event], "a.service")
    ]


def test_a_field_may_have_any_name(journal: Journal, taken: Taken) -> None:
    fields: dict[str, object] = {"about": 1, "fields": 2, "exc_info": 3, "exception": 4, "level": 5, "logger": 6}

    journal.event(Event.ISSUE_OPENED, "100 % of {braces} %s", severity=None, **fields)

    entry = taken.records[0]
    assert entry["MESSAGE"] == "100 % of {braces} %s"
    assert {name: entry[f"HEALTHD_{name.upper()}"] for name in fields} == {k: str(v) for k, v in fields.items()}


def test_a_bug_is_told_with_its_traceback(journal: Journal, taken: Taken) -> None:
    try:
        os.environ["HEALTHD_MISSING"]
    except KeyError as error:
        journal.exception(Event.CHECK_FAILED, "check disk failed", error, component="disk")

    entry = taken.records[0]
    first, *rest = entry["MESSAGE"].splitlines()
    assert first == "check disk failed"
    assert rest[0] == "Traceback (most recent call last):"
    assert rest[-1] == "KeyError: 'HEALTHD_MISSING'"
    assert (entry["PRIORITY"], entry["HEALTHD_ERROR"], entry["HEALTHD_COMPONENT"]) == (
        "3",
        "KeyError: 'HEALTHD_MISSING'",
        "disk",
    )


def test_lines_for_developers_are_written_only_when_asked_for(clock: FakeClock, taken: Taken) -> None:
    Journal(clock, taken, json_line).debug("quiet")
    Journal(clock, taken, json_line, debug=True).debug("loud", unit="a.service")

    assert [(entry["MESSAGE"], entry["PRIORITY"]) for entry in taken.records] == [("loud", "7")]


def test_a_hundred_units_in_a_crash_loop_do_not_flood_and_nothing_disappears_unsaid(
    journal: Journal, clock: FakeClock, taken: Taken
) -> None:
    for _ in range(50):
        clock.advance(1.0)
        for unit in range(100):
            journal.event(Event.COMPONENT_CHANGED, "it changed", component="services", item=f"{unit}.service")
    written = len(taken.data)
    clock.advance(WINDOW_SECONDS)
    journal.settle()

    told = [entry for entry in taken.records if entry["HEALTHD_EVENT"] == "log_dropped"]
    assert written == 100 * PASS
    assert len(told) == 100
    assert sum(int(entry["HEALTHD_DROPPED"]) for entry in told) + written == 50 * 100
    assert told[0]["MESSAGE"] == "40 more component_changed records about services 0.service within 60 s left out"
    assert (told[0]["HEALTHD_DROPPED_EVENT"], told[0]["HEALTHD_REASON"]) == ("component_changed", "repeated")


def test_what_was_left_out_is_told_at_the_next_event_after_the_window(
    journal: Journal, clock: FakeClock, taken: Taken
) -> None:
    for _ in range(PASS + 1):
        journal.event(Event.HEALING_HELD, "held", unit="a.service")
    clock.advance(WINDOW_SECONDS)

    journal.event(Event.DAEMON_STOPPING, "stopping")

    assert [entry["HEALTHD_EVENT"] for entry in taken.records[PASS:]] == ["log_dropped", "daemon_stopping"]


def test_what_was_left_out_is_told_at_the_end(journal: Journal, taken: Taken) -> None:
    for _ in range(PASS + 1):
        journal.event(Event.HEALING_HELD, "held", unit="a.service")

    undelivered = journal.close()

    assert undelivered == 0
    assert taken.records[-1]["MESSAGE"] == "1 more healing_held record about a.service within 60 s left out"


def test_actions_are_always_told(journal: Journal, taken: Taken) -> None:
    for _ in range(500):
        journal.event(Event.HEALING_STARTED, "starting", unit="a.service", severity=Severity.HIGH)
        journal.event(Event.HEALING_FINISHED, "started", unit="a.service")

    assert len(taken.data) == 1000


def test_a_record_too_big_for_a_datagram_is_shortened_and_not_lost(clock: FakeClock, taken: Taken) -> None:
    journal = Journal(clock, taken, to_journal)

    journal.event(Event.ISSUE_OPENED, "big", severity=None, **{f"field_{number}": "x" * 60_000 for number in range(9)})

    assert len(taken.data[0]) < 128 * 1024
    assert taken.data[0].count(b"more bytes cut off") == 9


def test_only_a_stderr_that_still_leads_to_the_journal_counts(tmp_path: Path) -> None:
    with (tmp_path / "stream").open("wb") as stream:
        there = os.fstat(stream.fileno())
        right = f"{there.st_dev}:{there.st_ino}"

        assert leads_to_journal(stream.fileno(), {"JOURNAL_STREAM": right})
        for other in (f"{there.st_dev}:{there.st_ino + 1}", "", "nonsense", "1:", "-1:7"):
            assert not leads_to_journal(stream.fileno(), {"JOURNAL_STREAM": other})
        assert not leads_to_journal(stream.fileno(), {})


def test_names_of_events_and_ids_are_fixed_and_unique() -> None:
    assert set(MESSAGE_IDS) == set(Event)
    assert len(set(MESSAGE_IDS.values())) == len(Event)
    assert all(re.fullmatch("[0-9a-f]{32}", message_id) for message_id in MESSAGE_IDS.values())
