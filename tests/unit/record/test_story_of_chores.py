"""What is done to the host, and by units of other names, is told so that both are found."""

from __future__ import annotations

from healthd.decide.happenings import Ended, Started
from healthd.decide.state import Key
from healthd.model import ActionKind, IssueType, OutcomeKind
from tests.unit.builders import attempt, ticket
from tests.unit.record.telling import told

FULL = ticket(Key("storage", "/var", IssueType.DISK_FULL), unit=None, message="96 % of its space is used")
CLEANING = attempt(action=ActionKind.DISK_CLEANUP, unit="healthd-disk-cleanup.service")


def test_what_is_done_to_the_host_is_told_of_the_part_that_is_healed_and_found_by_the_unit_that_does_it() -> None:
    record = told(Started(ticket=FULL, attempt=CLEANING))

    assert record.message == "healing storage /var: disk_cleanup, attempt 1 (96 % of its space is used)"
    assert record.fields["unit"] == "healthd-disk-cleanup.service"


def test_what_was_won_is_told_where_it_helped() -> None:
    record = told(
        Ended(ticket=FULL, attempt=CLEANING, outcome=OutcomeKind.SUCCESS, text="40 MiB won; 50 % used", took=2.0)
    )

    assert record.message == "healed storage /var: disk_cleanup helped, 40 MiB won; 50 % used (2.0 s)"


def test_a_unit_that_is_run_for_another_is_named() -> None:
    running = attempt(action=ActionKind.RUN_UNIT, runs="web-repair.service")

    assert told(Started(ticket=ticket(), attempt=running)).message.startswith(
        "healing web.service: run_unit:web-repair.service, attempt 1"
    )
