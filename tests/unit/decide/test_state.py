"""What the engine remembers, as values; and its clock."""

from __future__ import annotations

import json
import shlex

import pytest

from healthd.decide.state import EngineClock, EngineState, Key, Mark, Ticket
from healthd.model import HoldReason, IssueType
from tests.unit.builders import DOWN, attempt, ticket


def test_a_key_reads_as_component_item_and_type() -> None:
    assert str(DOWN) == "services/web.service/service_down"
    assert DOWN.name == ("services", "web.service")


@pytest.mark.parametrize(
    "whole",
    [
        ticket(),
        ticket(open=False, closed_at=5.5, attempts=3, last_end=4.25, gave_up_at=4.5),
        ticket(attempt=attempt(ended_at=1.5, result="done", invocation="abc", up_since=2.5, by="alice")),
        ticket(hold=HoldReason.COOLDOWN, hold_text="10 s pause", hold_until=0.1 + 0.2, wake_at=0.1 + 0.2),
        ticket(unit=None, existing="x/1/2/loaded", well_since=3.25),
    ],
)
def test_a_ticket_comes_back_from_json_as_it_was(whole: Ticket) -> None:
    assert Ticket.from_plain(json.loads(json.dumps(whole.to_plain()))) == whole


@pytest.mark.parametrize("change", [{"key": ["a", "b"]}, {"severity": "huge"}, {"unknown": 1}, {"hold": "because"}])
def test_a_ticket_that_makes_no_sense_is_refused(change: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        Ticket.from_plain({**ticket().to_plain(), **change})


def test_a_state_with_tickets_put_in_and_taken_out_is_another_state() -> None:
    loop = Key("services", "web.service", IssueType.CRASH_LOOP)
    state = EngineState(seed=1, tickets={DOWN: ticket()}, marks=(Mark(1.0, "a"),))

    changed = state.with_tickets([ticket(loop)], [DOWN, Key("gone", "gone", IssueType.READ_ONLY)])

    assert set(changed.tickets) == {loop}
    assert set(state.tickets) == {DOWN}


def test_the_clock_begins_at_zero() -> None:
    assert EngineClock.resume(None, "boot", 500.0).now(510.0) == 10.0


def test_the_clock_goes_on_exactly_over_a_restart_of_healthd() -> None:
    clock = EngineClock.resume(None, "boot", 500.0)
    saved = json.loads(json.dumps(clock.to_plain(600.0)))

    assert EngineClock.resume(saved, "boot", 700.0).now(700.0) == 200.0


@pytest.mark.parametrize("boot", [0.0, 30.0, 1e7])
def test_over_a_reboot_the_clock_goes_on_from_what_was_saved(boot: float) -> None:
    clock = EngineClock.resume(None, "boot", 500.0)
    saved = clock.to_plain(600.0)

    after = EngineClock.resume(saved, "another boot", boot)

    assert after.now(boot) == 100.0
    assert after.now(boot + 5.0) == 105.0


def test_the_clock_never_goes_back() -> None:
    saved = {"boot_id": "boot", "boot": 600.0, "now": 100.0}

    assert EngineClock.resume(saved, "boot", 550.0).now(550.0) == 100.0


@pytest.mark.parametrize(
    ("component", "item", "command"),
    [
        ("services", "web.service", "healthctl heal web.service"),
        ("services", r"dev-disk\x2d1.service", r"healthctl heal 'dev-disk\x2d1.service'"),
        ("web", "", "healthctl heal web"),
        ("timers", "backup.timer", "healthctl heal timers/backup.timer"),
        ("storage", "/var", "healthctl heal /var"),
        ("storage", "/mnt/it's", r"healthctl heal '/mnt/it'\''s'"),
    ],
)
def test_the_command_that_heals_an_issue_names_just_it_and_means_that_to_a_shell(
    component: str, item: str, command: str
) -> None:
    assert Key(component, item, IssueType.SERVICE_DOWN).command == command
    assert shlex.split(command)[:2] == ["healthctl", "heal"]
