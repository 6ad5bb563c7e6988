from __future__ import annotations

import re
from pathlib import Path

import pytest

from healthd.events import MESSAGE_IDS, Event
from healthd.model import HoldReason

ROOT = Path(__file__).parents[2]
CATALOG = ROOT / "systemd/catalog/healthd.catalog"

ISSUE = frozenset({"COMPONENT", "ITEM", "ISSUE"})
ALWAYS: dict[Event, frozenset[str]] = {
    Event.DAEMON_READY: frozenset({"STATUS", "SCORE"}),
    Event.COMPONENT_CHANGED: frozenset({"COMPONENT", "STATUS"}),
    Event.STATE_CHANGED: frozenset({"STATUS", "SCORE"}),
    Event.ISSUE_OPENED: ISSUE | {"SEVERITY"},
    Event.ISSUE_RESOLVED: ISSUE,
    Event.HEALING_STARTED: ISSUE | {"UNIT", "ACTION", "ATTEMPT"},
    Event.HEALING_FINISHED: ISSUE | {"OUTCOME"},
    Event.HEALING_HELD: frozenset({"COMPONENT", "ITEM", "REASON"}),
    Event.HEALING_GAVE_UP: ISSUE | {"ATTEMPT", "REASON"},
    Event.STORAGE_FAILED: frozenset({"REASON"}),
    Event.CHANGES_FOUND: frozenset({"INCIDENT"}),
    **dict.fromkeys((Event.SILENCE_STARTED, Event.SILENCE_ENDED, Event.SILENCE_LASTS), frozenset({"SILENCE", "BY"})),
    **dict.fromkeys((Event.ACTION_DISTRUSTED, Event.ACTION_TRUSTED), frozenset({"ACTION"})),
    Event.LOG_DROPPED: frozenset({"DROPPED", "REASON"}),
}
"""The fields that every record of an event has."""


def entries() -> dict[str, tuple[dict[str, str], str]]:
    """Header fields and text of each entry, by MESSAGE_ID."""
    found = {}
    for part in re.split(r"(?m)^-- ", CATALOG.read_text(encoding="utf-8"))[1:]:
        head, _, text = part.partition("\n\n")
        message_id, *lines = head.splitlines()
        found[message_id] = (dict(line.split(": ", 1) for line in lines), text)
    return found


def test_every_event_is_explained_under_its_id_and_nothing_else_is() -> None:
    assert set(entries()) == set(MESSAGE_IDS.values())


@pytest.mark.parametrize("event", Event)
def test_an_entry_says_what_happened_and_where_to_read_more(event: Event) -> None:
    head, text = entries()[MESSAGE_IDS[event]]

    assert set(head) == {"Subject", "Defined-By", "Documentation"}
    assert head["Defined-By"] == "healthd"
    assert len(text.strip().splitlines()) >= 2


@pytest.mark.parametrize("event", Event)
def test_an_entry_fills_in_only_fields_that_every_record_of_its_event_has(event: Event) -> None:
    head, text = entries()[MESSAGE_IDS[event]]
    used = set(re.findall(r"@([A-Z_]+)@", head["Subject"] + text))

    assert used <= {f"HEALTHD_{name}" for name in ALWAYS.get(event, frozenset())}


def test_each_reason_for_a_hold_is_named_once_and_no_other() -> None:
    _, text = entries()[MESSAGE_IDS[Event.HEALING_HELD]]

    named = [word for listed in re.findall(r"Reasons[^:]*:([^.]*)\.", text) for word in re.findall(r"\w+", listed)]

    assert sorted(named) == sorted(HoldReason)


def test_no_line_is_wider_than_a_terminal() -> None:
    assert (
        max(len(line) for line in CATALOG.read_text(encoding="utf-8").splitlines() if not line.startswith("#")) <= 100
    )
