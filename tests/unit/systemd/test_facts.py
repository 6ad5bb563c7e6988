"""The ledger: how what systemd says becomes facts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from healthd.detail import UnitDetail
from healthd.systemd.facts import AUTO_RESTARTS_KEPT, Ledger
from tests.unit.systemd.story import NOW, WEB, end, row, running, say, woken

DETAIL = UnitDetail(
    service_type="simple",
    restart="no",
    remain_after_exit=False,
    triggered=False,
    required_by_enabled=False,
    can_reload=False,
)


@pytest.fixture
def ledger() -> Ledger:
    return running()


class TestWakes:
    def test_a_change_wakes(self, ledger: Ledger) -> None:
        say(ledger, "failed")

        assert woken(ledger) == {WEB}

    def test_a_repetition_does_not(self, ledger: Ledger) -> None:
        say(ledger, "failed")
        woken(ledger)
        say(ledger, "failed", now=NOW + 1)

        assert woken(ledger) == set()

    def test_a_repetition_leaves_the_instant_of_the_change(self, ledger: Ledger) -> None:
        say(ledger, "failed")

        assert say(ledger, "failed", now=NOW + 1).changed_at == NOW

    def test_the_services_part_waits_for_the_units(self, ledger: Ledger) -> None:
        ledger.service_said(WEB, {"result": "signal", "code": 2, "exit_status": 9}, NOW)
        assert woken(ledger) == set()

        unit = say(ledger, "active", "running")
        assert woken(ledger) == {WEB}
        assert (unit.result, unit.code, unit.exit_status) == ("signal", 2, 9)

    def test_an_invocation_that_was_not_known_yet_is_no_news(self, ledger: Ledger) -> None:
        say(ledger, "active", "running", invocation=b"\1" * 16)

        assert woken(ledger) == set()
        assert ledger.units[WEB].invocation == "01" * 16

    def test_another_invocation_is(self, ledger: Ledger) -> None:
        say(ledger, "active", "running", invocation=b"\1" * 16)
        say(ledger, "active", "running", invocation=bytearray(b"\2" * 16))

        assert woken(ledger) == {WEB}
        assert ledger.units[WEB].invocation == "02" * 16

    def test_states_that_no_version_of_systemd_knows_yet_are_kept(self, ledger: Ledger) -> None:
        assert say(ledger, "refreshing", "somehow").sub == "somehow"


class TestNumbers:
    def test_a_number_that_systemd_does_not_have_is_zero(self, ledger: Ledger) -> None:
        assert say(ledger, "active", active_since=2**64 - 1).active_since == 0.0

    def test_instants_are_seconds(self, ledger: Ledger) -> None:
        assert say(ledger, "active", active_since=3_500_000).active_since == 3.5


class TestAutomaticRestarts:
    def test_252_counts_once_for_each(self, ledger: Ledger) -> None:
        for at in (1.0, 2.0):
            say(ledger, "failed", now=at)
            say(ledger, "activating", "auto-restart", now=at)
            say(ledger, "activating", "auto-restart", 8, now=at + 0.1)
            say(ledger, "inactive", "dead", 8)
            say(ledger, "active", "running")

        assert ledger.units[WEB].auto_restarts == (1.0, 2.0)

    def test_257_counts_once_for_each(self, ledger: Ledger) -> None:
        for at in (1.0, 2.0):
            say(ledger, "failed", "failed-before-auto-restart", now=at)
            say(ledger, "activating", "auto-restart", now=at)
            say(ledger, "activating", "auto-restart-queued", 8, now=at + 0.1)
            say(ledger, "active", "running", 8)

        assert ledger.units[WEB].auto_restarts == (1.0, 2.0)

    def test_257_may_leave_out_the_first_of_the_states(self, ledger: Ledger) -> None:
        say(ledger, "activating", "auto-restart-queued", 8)

        assert ledger.units[WEB].auto_restarts == (NOW,)

    def test_only_the_last_are_kept(self, ledger: Ledger) -> None:
        for at in range(AUTO_RESTARTS_KEPT + 5):
            say(ledger, "activating", "auto-restart", now=float(at))
            say(ledger, "active", "running")

        assert ledger.units[WEB].auto_restarts == tuple(map(float, range(5, AUTO_RESTARTS_KEPT + 5)))


class TestOwnJobs:
    def test_the_job_that_shows_up_before_the_answer_is_ours(self, ledger: Ledger) -> None:
        ledger.dispatching(WEB)

        assert say(ledger, "active", job=7).own_job

    def test_it_stays_ours_until_it_ends(self, ledger: Ledger) -> None:
        ledger.dispatching(WEB)
        say(ledger, "active", job=7)
        ledger.dispatched(WEB, 7, NOW)
        assert ledger.units[WEB].own_job

        assert not end(ledger, 7).own_job

    def test_another_ones_job_is_not_ours_once_ours_was_refused(self, ledger: Ledger) -> None:
        ledger.dispatching(WEB)
        say(ledger, "deactivating", job=7)
        ledger.dispatched(WEB, None, NOW)

        assert not ledger.units[WEB].own_job

    def test_a_job_of_ours_on_another_unit_says_nothing(self, ledger: Ledger) -> None:
        ledger.dispatching("db.service")

        assert not say(ledger, "active", job=7).own_job


class TestListings:
    def test_a_unit_that_is_new_wakes(self, ledger: Ledger) -> None:
        ledger.listed([row(WEB), row("db.service")], {WEB: "enabled"}, NOW)

        assert woken(ledger) == {"db.service"}

    def test_a_unit_that_is_gone_wakes_and_is_forgotten(self, ledger: Ledger) -> None:
        ledger.listed([], {}, NOW)

        assert woken(ledger) == {WEB}
        assert ledger.units == {}

    def test_the_same_again_wakes_nobody(self, ledger: Ledger) -> None:
        ledger.listed([row(WEB)], {WEB: "enabled"}, NOW)

        assert woken(ledger) == set()

    def test_a_unit_that_went_down_unheard_is_missed(self, ledger: Ledger) -> None:
        ledger.listed([row(WEB, "failed", "failed")], {WEB: "enabled"}, NOW)

        assert ledger.missed == {WEB}

    def test_a_unit_that_is_down_when_first_seen_is_not(self) -> None:
        ledger = Ledger()
        ledger.listed([row(WEB, "failed", "failed")], {}, NOW)

        assert ledger.missed == set()

    def test_a_unit_that_is_no_longer_enabled_wakes(self, ledger: Ledger) -> None:
        ledger.listed([row(WEB)], {}, NOW)

        assert woken(ledger) == {WEB}
        assert ledger.units[WEB].file_state == ""

    def test_what_systemd_said_of_a_file_is_kept_where_the_disk_tells_nothing(self, ledger: Ledger) -> None:
        ledger.listed([row(WEB), row("db.service")], {WEB: "enabled"}, NOW)
        ledger.learned("db.service", {"file_state": "static"})
        ledger.listed([row(WEB), row("db.service")], {WEB: "enabled"}, NOW)

        assert ledger.units["db.service"].file_state == "static"

    def test_a_masked_unit_is_masked_whatever_links_are_left(self, ledger: Ledger) -> None:
        ledger.listed([row(WEB, load="masked")], {WEB: "enabled"}, NOW)

        assert ledger.units[WEB].file_state == "masked"

    def test_healthd_saw_it_up_if_it_ran_at_any_look(self, ledger: Ledger) -> None:
        ledger.listed([row(WEB), row("db.service", "inactive", "dead")], {WEB: "enabled"}, NOW)

        assert ledger.units[WEB].seen_up
        assert not ledger.units["db.service"].seen_up


class TestDetails:
    def test_what_was_asked_for_wakes_nobody(self, ledger: Ledger) -> None:
        ledger.learned(WEB, {"result": "exit-code"})
        ledger.described(WEB, DETAIL)

        assert woken(ledger) == set()
        assert ledger.units[WEB].detail == DETAIL
        assert ledger.units[WEB].result == "exit-code"

    def test_what_was_asked_about_a_unit_that_is_gone_is_dropped(self, ledger: Ledger) -> None:
        ledger.learned("gone.service", {"result": "exit-code"})
        ledger.described("gone.service", DETAIL)

        assert set(ledger.units) == {WEB}

    def test_equal_details_are_kept_once(self, ledger: Ledger) -> None:
        ledger.listed([row(WEB), row("db.service")], {}, NOW)
        ledger.described(WEB, DETAIL)
        ledger.described("db.service", UnitDetail(**{name: getattr(DETAIL, name) for name in DETAIL.__slots__}))

        assert ledger.units[WEB].detail is ledger.units["db.service"].detail

    def test_they_are_forgotten_when_files_may_have_changed(self, ledger: Ledger) -> None:
        ledger.described(WEB, DETAIL)
        ledger.forget_details()

        assert ledger.units[WEB].detail is None

    def test_what_made_a_start_fail_is_remembered_over_a_reload_of_units_which_takes_it_from_systemd(
        self, ledger: Ledger
    ) -> None:
        say(ledger, "failed", result="exit-code")
        ledger.described(WEB, replace(DETAIL, control_status=203))
        ledger.forget_details()
        ledger.described(WEB, DETAIL)
        told = ledger.units[WEB].detail
        assert told is not None
        assert told.control_status == 203

        say(ledger, "activating")
        say(ledger, "failed")
        ledger.described(WEB, DETAIL)
        assert ledger.units[WEB].detail == DETAIL

    def test_those_of_what_is_no_service_are_forgotten_when_its_state_changes(self, ledger: Ledger) -> None:
        """They hold its result, of which no signal is listened to."""
        ledger.listed([row("data.mount")], {}, NOW)
        ledger.described("data.mount", DETAIL)
        ledger.unit_said("data.mount", {"active": "failed"}, NOW)

        assert ledger.units["data.mount"].detail is None

    @pytest.mark.parametrize(
        ("said", "kept"),
        [
            ({"result": "exit-code", "code": 0}, False),
            ({"result": "start-limit-hit", "code": 2, "exit_status": 15}, False),
            ({"result": "exit-code", "code": 1, "exit_status": 3}, True),
            ({"result": "signal", "code": 2, "exit_status": 9}, True),
        ],
    )
    def test_those_of_a_service_whose_main_process_does_not_tell_why_it_failed(
        self, ledger: Ledger, said: dict[str, Any], kept: bool
    ) -> None:
        ledger.described(WEB, DETAIL)
        ledger.service_said(WEB, said, NOW)
        ledger.unit_said(WEB, {"active": "failed"}, NOW)

        assert (ledger.units[WEB].detail is not None) is kept
