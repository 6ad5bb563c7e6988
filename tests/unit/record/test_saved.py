"""The engine's state as entries of the store: what is written comes back, and nothing else makes sense."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from healthd.decide.ledger import Name, Page
from healthd.decide.state import EngineClock, EngineState, Key, Mark
from healthd.errors import StorageError
from healthd.model import HoldReason, IssueType
from healthd.record.saved import entries, restore
from tests.unit.builders import DOWN, attempt, ticket

LOOP = Key("services", "db.service", IssueType.CRASH_LOOP)
STATE = EngineState(
    seed=7,
    fresh=False,
    tickets={
        DOWN: ticket(attempts=1, attempt=attempt(by="root", ended_at=3.5, result="done"), hold=HoldReason.COOLDOWN),
        LOOP: ticket(LOOP, gave_up_at=0.1 + 0.2, existing="signal"),
    },
    marks=(Mark(1.25, "web.service"), Mark(2.5, "db.service")),
    stopped=frozenset({("services", "b.service"), ("services", "a.service")}),
    incidents=12,
    ledger={
        Name("web.service", "signal", "start_unit"): Page(2, 6, 6, 1_700_000_000.5, 12.25),
        Name("storage /var", "disk_full", "disk_cleanup"): Page(1, 0, 0, 1_700_000_001.5, None),
    },
)
CLOCK = EngineClock(boot_id="this-boot", offset=-100.0)


def on_disk(state: EngineState = STATE, boot: float = 150.0) -> dict[str, Any]:
    """What is in the store after all of the state was written."""
    rows, _ = entries(state, CLOCK, boot, state.tickets, ())
    plain: dict[str, Any] = json.loads(json.dumps(rows))
    return plain


def test_the_state_comes_back_from_the_disk_exactly() -> None:
    state, clock = restore(on_disk(), seed=1, boot_id="this-boot", boot=150.0)

    assert (state, clock) == (STATE, CLOCK)


@pytest.mark.parametrize("saved", [None, {}])
def test_where_healthd_never_ran_it_begins_with_the_seed_it_was_given(saved: dict[str, Any] | None) -> None:
    state, clock = restore(saved, seed=9, boot_id="this-boot", boot=150.0)

    assert state == EngineState(seed=9, tickets={})
    assert clock.now(150.0) == 0.0


def test_engine_seconds_go_on_while_healthd_is_down() -> None:
    _, clock = restore(on_disk(boot=150.0), seed=1, boot_id="this-boot", boot=180.0)

    assert clock.now(180.0) == 80.0


def test_engine_seconds_go_on_over_a_reboot_from_where_they_were_saved() -> None:
    _, clock = restore(on_disk(boot=150.0), seed=1, boot_id="the-next-boot", boot=20.0)

    assert clock.now(20.0) == 50.0


def test_only_what_changed_is_written() -> None:
    rows, removed = entries(STATE, CLOCK, 150.0, [LOOP], ())

    assert rows.keys() == {f"ticket/{LOOP}", "clock", "engine"}
    assert removed == []


def test_what_was_removed_is_forgotten() -> None:
    gone = replace(STATE, tickets={LOOP: STATE.tickets[LOOP]})

    rows, removed = entries(gone, CLOCK, 150.0, [DOWN], [DOWN])

    assert rows.keys() == {"clock", "engine"}
    assert removed == [f"ticket/{DOWN}"]


def test_what_was_removed_and_came_back_before_it_was_written_is_there() -> None:
    rows, removed = entries(STATE, CLOCK, 150.0, [DOWN], [DOWN])

    assert f"ticket/{DOWN}" in rows
    assert removed == []


def test_the_same_state_is_written_the_same_way() -> None:
    other = replace(STATE, stopped=frozenset(sorted(STATE.stopped)))

    assert json.dumps(on_disk()) == json.dumps(on_disk(other))


def without(*path: str) -> dict[str, Any]:
    """What is on disk, but for this key."""
    saved = on_disk()
    table = saved
    for name in path[:-1]:
        table = table[name]
    del table[path[-1]]
    return saved


NONSENSE = {
    "no clock": without("clock"),
    "no engine": without("engine"),
    "half a ticket": without(f"ticket/{DOWN}", "severity"),
    "an engine without its marks": without("engine", "marks"),
    "a clock without its boot": without("clock", "boot_id"),
    "a ticket that is a word": {**on_disk(), f"ticket/{DOWN}": "web"},
    "a clock that is a list": {**on_disk(), "clock": [1, 2]},
    "a mark that is no instant": {**on_disk(), "engine": {**on_disk()["engine"], "marks": [["soon", "web.service"]]}},
    "half a page": {**on_disk(), "engine": {**on_disk()["engine"], "ledger": [[["a", "b", "c"], [1, 2]]]}},
    "a page of nobody": {**on_disk(), "engine": {**on_disk()["engine"], "ledger": [[["a"], [1, 2, 3, 4.5, None]]]}},
    "an unknown type": {**on_disk(), "ticket/x": {**on_disk()[f"ticket/{DOWN}"], "key": ["services", "x", "made_up"]}},
    "a field of a later version": {**on_disk(), "ticket/x": {**on_disk()[f"ticket/{DOWN}"], "later": 1}},
}


@pytest.mark.parametrize("saved", NONSENSE.values(), ids=list(NONSENSE))
def test_what_makes_no_sense_is_an_error(saved: dict[str, Any]) -> None:
    with pytest.raises(StorageError, match="makes no sense"):
        restore(saved, seed=1, boot_id="this-boot", boot=150.0)


def test_a_state_that_was_saved_before_there_were_incidents_is_read_all_the_same() -> None:
    saved = on_disk()
    del saved["engine"]["incidents"]
    for name in ("incident", "follows"):
        del saved[f"ticket/{DOWN}"][name]

    state, _ = restore(saved, seed=1, boot_id="this-boot", boot=150.0)

    assert state == replace(STATE, incidents=0)


def test_a_state_that_was_saved_before_there_was_a_ledger_is_read_all_the_same() -> None:
    saved = on_disk()
    del saved["engine"]["ledger"]
    del saved[f"ticket/{DOWN}"]["suggested"]
    del saved[f"ticket/{DOWN}"]["attempt"]["failure"]

    state, _ = restore(saved, seed=1, boot_id="this-boot", boot=150.0)

    assert state == replace(STATE, ledger={})
