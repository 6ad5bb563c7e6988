"""Attempts, pauses and budgets, and that nothing makes healthd forget them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.system.units import service
from tests.system.ward import QUICK, Ward, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.throwaway import Host

HOPELESS = service("/bin/false")
A_MOMENT = 0.05
"""Seconds by which a record may be later than the decision that it tells of, from which a pause counts."""


@pytest.fixture(scope="module")
def ward(shared_host: Host) -> Ward:
    """For tests without a budget of the host."""
    made = Ward(host=shared_host)
    made.configure(QUICK)
    return made


@pytest.fixture
def fresh(host: Host) -> Ward:
    """A host on which nothing was done yet, its budget untouched."""
    return Ward(host=host)


def given_up(ward: Ward) -> str:
    """A service that healthd gave up on."""
    unit = ward.add(HOPELESS, start=False)
    cursor = ward.host.cursor()
    ward.try_start(unit)
    ward.await_event(cursor, "healing_gave_up", unit)
    return unit


def test_a_pause_after_an_attempt_is_announced_and_kept(ward: Ward) -> None:
    with ward.under("[auto_healing]\nbackoff_seconds = 2\nbackoff_max_seconds = 300\n"):
        unit = ward.add(HOPELESS, start=False)
        cursor = ward.host.cursor()
        ward.try_start(unit)
        held = ward.await_event(cursor, "healing_held", unit, reason="cooldown")
        issue = ward.issue(unit)
        second = ward.await_event(cursor, "healing_started", unit, attempt=2)
        ward.discard(unit)

    assert issue["hold"] == "cooldown"
    assert " 2 s pause after attempt 1 (cooldown; until " in held["MESSAGE"]
    assert issue["until"] > when(held) + 1.5
    assert when(second) > when(held) + 1.5


def test_a_unit_that_used_up_its_own_budget_waits_until_the_window_moves_on(fresh: Ward) -> None:
    fresh.configure(
        "[health]\nmax_healing_attempts = 2\n[auto_healing]\nhost_budget_seconds = 8\n"
        "backoff_seconds = 0\nbackoff_max_seconds = 0.1\nsettle_seconds = 0.2\n"
    )
    unit = fresh.add()
    for _ in range(2):
        cursor = fresh.host.cursor()
        fresh.kill(unit)
        fresh.await_healed(cursor, unit)
        fresh.look()
    cursor = fresh.host.cursor()
    fresh.kill(unit)
    fresh.await_event(cursor, "healing_held", unit, reason="unit_budget")
    issue = fresh.issue(unit)
    third = fresh.await_event(cursor, "healing_started", unit)

    assert issue["hold"] == "unit_budget"
    assert when(third) >= issue["until"] - A_MOMENT
    fresh.await_healed(cursor, unit)


def test_the_host_wide_budget_holds_what_goes_beyond_it_until_the_window_moves_on(fresh: Ward) -> None:
    fresh.configure("[auto_healing]\nhost_budget_actions = 2\nhost_budget_seconds = 8\nsettle_seconds = 0.2\n")
    units = {fresh.add() for _ in range(3)}
    cursor = fresh.host.cursor()
    for unit in units:
        fresh.kill(unit)
    last = fresh.await_event(cursor, "healing_held", reason="host_budget")["HEALTHD_UNIT"]
    issue, budget = fresh.issue(last), fresh.ask("explain", last)["budget"]
    again = fresh.await_event(cursor, "healing_started", last)
    begun = fresh.await_event(cursor, "healing_started")

    assert issue["hold"] == "host_budget"
    assert budget["remaining"] == 0
    assert {use["unit"] for use in budget["used"]} == units - {last}
    assert when(again) >= when(begun) + 8 - A_MOMENT
    assert when(again) >= issue["until"] - A_MOMENT
    fresh.await_healed(cursor, last)


def test_a_success_that_lasts_gives_a_unit_all_its_attempts_back(ward: Ward) -> None:
    unit = ward.add()
    with ward.under("[auto_healing]\nbackoff_max_seconds = 300\n"):
        numbers = []
        for _ in range(2):
            cursor = ward.host.cursor()
            ward.kill(unit)
            numbers.append(ward.await_event(cursor, "healing_started", unit)["HEALTHD_ATTEMPT"])
            ward.await_healed(cursor, unit)
        assert numbers == ["1", "2"]

    with ward.under("[auto_healing]\nbackoff_max_seconds = 0.1\nbackoff_seconds = 0\n"):
        ward.look()
        cursor = ward.host.cursor()
        ward.kill(unit)
        assert ward.await_event(cursor, "healing_started", unit)["HEALTHD_ATTEMPT"] == "1"
        ward.await_healed(cursor, unit)


def test_after_giving_up_there_is_a_slow_retry_which_may_help(ward: Ward) -> None:
    with ward.under("[auto_healing]\nretry_after_give_up_seconds = 2\nhost_budget_seconds = 1\n"):
        unit = ward.add(service('/bin/sh -c "[ -e /run/%N.mended ] && exec sleep infinity; exit 1"'), start=False)
        cursor = ward.host.cursor()
        ward.try_start(unit)
        gave_up = ward.await_event(cursor, "healing_gave_up", unit)
        ward.host.sh(f"touch /run/{unit.removesuffix('.service')}.mended")
        ward.await_healed(cursor, unit)

    begun = [when(each) for each in ward.story(cursor, unit) if each["HEALTHD_EVENT"] == "healing_started"]
    retries = [instant for instant in begun if instant > when(gave_up)]
    assert retries[0] >= when(gave_up) + 2 - A_MOMENT
    assert ward.host.state(unit) == "active"


def test_with_no_slow_retry_giving_up_is_for_good_until_a_reset(ward: Ward) -> None:
    with ward.under("[auto_healing]\nretry_after_give_up_seconds = 0\n"):
        unit = given_up(ward)
        assert ward.issue(unit)["until"] is None

        cursor = ward.host.cursor()
        assert ward.healthctl("reset", unit).returncode == 0
        assert ward.await_event(cursor, "healing_started", unit)["HEALTHD_ATTEMPT"] == "1"
        ward.discard(unit)


def restart(ward: Ward) -> None:
    ward.host.run(["systemctl", "restart", "healthd"])


def kill(ward: Ward) -> None:
    cursor = ward.host.cursor()
    ward.kill("healthd.service")
    ward.await_event(cursor, "daemon_ready")


def reboot(ward: Ward) -> None:
    ward.host.reboot()


def lose_power(ward: Ward) -> None:
    ward.host.reboot(cleanly=False)


@pytest.mark.parametrize("disaster", [restart, kill, reboot, lose_power])
def test_nothing_makes_healthd_forget_that_it_gave_up(ward: Ward, disaster: Callable[[Ward], None]) -> None:
    unit = given_up(ward)
    before = ward.issue(unit)
    cursor = ward.host.cursor()
    disaster(ward)
    ward.host.await_unit("healthd", "active")
    ward.look()

    assert "healing_started" not in ward.events(cursor, unit)
    issue = ward.issue(unit)
    assert issue["gave_up"]
    assert issue["attempts"] == 3
    assert issue["severity"] == "critical"
    assert abs(issue["until"] - before["until"]) < 30
    ward.discard(unit)


def test_a_crash_of_healthd_gives_no_budget_back(fresh: Ward) -> None:
    fresh.configure("[auto_healing]\nhost_budget_actions = 1\nsettle_seconds = 0.2\n")
    first, second = fresh.add(), fresh.add()
    cursor = fresh.host.cursor()
    fresh.kill(first)
    fresh.await_event(cursor, "healing_started", first)
    kill(fresh)
    cursor = fresh.host.cursor()
    fresh.kill(second)

    fresh.await_event(cursor, "healing_held", second, reason="host_budget")
    assert fresh.ask("explain", second)["budget"]["remaining"] == 0


def test_what_had_failed_before_healthd_first_ran_is_reported_until_it_changes(ward: Ward) -> None:
    ward.host.sh("systemctl stop healthd; rm -rf /var/lib/healthd/*")
    unit = ward.add()
    ward.kill(unit)
    ward.host.await_unit(unit, "failed")
    cursor = ward.host.cursor()
    ward.host.run(["systemctl", "start", "healthd"])
    ward.await_event(cursor, "healing_held", unit, reason="already_failed")
    restart(ward)
    ward.look()
    assert "healing_started" not in ward.events(cursor, unit)
    assert ward.issue(unit)["hold"] == "already_failed"

    ward.host.run(["systemctl", "start", unit])
    ward.await_healed(cursor, unit)
    cursor = ward.host.cursor()
    ward.kill(unit)
    ward.await_event(cursor, "healing_finished", unit, outcome="success")
