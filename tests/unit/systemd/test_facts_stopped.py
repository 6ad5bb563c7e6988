"""The ledger: who was stopped on purpose, in the stories that systemd 252 and 257 tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.builders import detail
from tests.unit.systemd.story import NOW, WEB, end, row, running, say, woken

if TYPE_CHECKING:
    from healthd.model import UnitFacts
    from healthd.systemd.facts import Ledger

DB = "db.service"


@pytest.fixture
def ledger() -> Ledger:
    return running()


class TestStoppedOnPurpose:
    def test_a_stop_by_job(self, ledger: Ledger) -> None:
        say(ledger, "active", "running", 7)
        say(ledger, "deactivating", "stop-sigterm", 7)
        assert not say(ledger, "inactive", "dead", 7).stopped_by_job

        assert end(ledger, 7).stopped_by_job

    def test_a_stop_of_which_only_the_end_is_heard(self, ledger: Ledger) -> None:
        """252 and 257 leave out states when many signals wait."""
        say(ledger, "inactive", "dead", 7)

        assert end(ledger, 7).stopped_by_job

    def test_a_stop_that_took_too_long_and_so_failed(self, ledger: Ledger) -> None:
        say(ledger, "deactivating", "stop-sigterm", 7)
        say(ledger, "deactivating", "stop-sigkill", 7)
        say(ledger, "failed", "failed", 7)

        assert end(ledger, 7).stopped_by_job

    def test_until_the_job_has_ended_a_failure_under_it_may_be_half_of_a_restart(self, ledger: Ledger) -> None:
        say(ledger, "deactivating", "stop-sigkill", 7)
        assert say(ledger, "failed", "failed", 7).lowered
        assert not say(ledger, "activating", "start", 7).lowered

        say(ledger, "failed", "failed", 7)
        assert not end(ledger, 7, "failed").lowered

        say(ledger, "active", "running", 8)
        say(ledger, "failed", "failed", 9)
        assert not end(ledger, 9).lowered
        assert not say(ledger, "failed", "failed", 10).lowered

    def test_a_stop_while_systemd_waits_to_restart_it(self, ledger: Ledger) -> None:
        say(ledger, "failed")
        say(ledger, "activating", "auto-restart")
        say(ledger, "activating", "auto-restart", 8)
        say(ledger, "inactive", "dead", 8)

        assert end(ledger, 8).stopped_by_job

    def test_a_stop_in_the_middle_of_a_start(self, ledger: Ledger) -> None:
        say(ledger, "inactive", "dead")
        say(ledger, "activating", "start", 7)
        ledger.job_ended(7, WEB, "canceled", NOW)
        say(ledger, "deactivating", "stop-sigterm", 8)
        say(ledger, "inactive", "dead", 8)

        assert end(ledger, 8).stopped_by_job

    def test_not_a_crash(self, ledger: Ledger) -> None:
        assert not say(ledger, "failed").stopped_by_job

    def test_not_a_kill_by_the_watchdog(self, ledger: Ledger) -> None:
        say(ledger, "deactivating", "stop-watchdog")

        assert not say(ledger, "failed").stopped_by_job

    def test_not_an_end_by_itself(self, ledger: Ledger) -> None:
        say(ledger, "deactivating", "stop-sigterm")

        assert not say(ledger, "inactive", "dead").stopped_by_job

    def test_not_a_restart(self, ledger: Ledger) -> None:
        say(ledger, "deactivating", "stop-sigterm", 7)
        say(ledger, "inactive", "dead", 7)
        say(ledger, "active", "running", 7)

        assert not end(ledger, 7).stopped_by_job

    def test_not_a_restart_that_fails_in_its_start(self, ledger: Ledger) -> None:
        say(ledger, "deactivating", "stop-sigterm", 7)
        say(ledger, "inactive", "dead", 7)
        say(ledger, "activating", "start", 7)
        say(ledger, "failed", "failed", 7)

        assert not end(ledger, 7, "failed").stopped_by_job

    def test_not_a_restart_that_the_start_limit_refuses(self, ledger: Ledger) -> None:
        say(ledger, "deactivating", "stop-sigterm", 7)
        say(ledger, "inactive", "dead", 7)
        say(ledger, "failed", "failed", 7)

        assert not end(ledger, 7, "failed").stopped_by_job

    def test_not_a_start_that_fails(self, ledger: Ledger) -> None:
        say(ledger, "inactive", "dead")
        say(ledger, "activating", "start", 7)
        say(ledger, "failed", "failed", 7)

        assert not end(ledger, 7, "failed").stopped_by_job

    def test_not_a_oneshot_that_was_started_and_is_done(self, ledger: Ledger) -> None:
        say(ledger, "inactive", "dead")
        say(ledger, "inactive", "dead", 7)
        say(ledger, "activating", "start", 7)
        say(ledger, "inactive", "dead", 7)

        assert not end(ledger, 7).stopped_by_job

    def test_not_an_automatic_restart(self, ledger: Ledger) -> None:
        say(ledger, "failed")
        say(ledger, "activating", "auto-restart", 8)
        say(ledger, "inactive", "dead", 8)
        say(ledger, "active", "running", 8)

        assert not end(ledger, 8).stopped_by_job

    def test_not_an_automatic_restart_that_the_start_limit_refuses(self, ledger: Ledger) -> None:
        say(ledger, "failed")
        say(ledger, "activating", "auto-restart", 8)
        say(ledger, "inactive", "dead", 8)
        say(ledger, "failed", "failed", 8)

        assert not end(ledger, 8, "failed").stopped_by_job

    def test_a_stop_of_one_that_has_failed_already(self, ledger: Ledger) -> None:
        say(ledger, "failed")
        assert not say(ledger, "failed", "failed", 7).stopped_by_job
        woken(ledger)

        assert end(ledger, 7).stopped_by_job
        assert woken(ledger) == {WEB}

    def test_a_stop_of_one_that_ended_though_it_should_run(self, ledger: Ledger) -> None:
        ledger.described(WEB, detail())
        ledger.service_said(WEB, {"code": 1}, NOW)
        say(ledger, "inactive", "dead")
        say(ledger, "inactive", "dead", 7)

        assert end(ledger, 7).stopped_by_job

    def test_not_a_start_of_one_that_has_failed_which_fails_again(self, ledger: Ledger) -> None:
        say(ledger, "failed")
        say(ledger, "failed", "failed", 7)
        say(ledger, "activating", "start", 7)
        say(ledger, "failed", "failed", 7)

        assert not end(ledger, 7, "failed").stopped_by_job

    def test_not_a_start_of_one_that_has_failed_which_is_refused(self, ledger: Ledger) -> None:
        say(ledger, "failed")
        say(ledger, "failed", "failed", 7)

        assert not end(ledger, 7, "failed").stopped_by_job

    def test_not_our_own_job_on_one_that_has_failed(self, ledger: Ledger) -> None:
        say(ledger, "failed")
        ledger.dispatching(WEB)
        say(ledger, "failed", "failed", 7)
        ledger.dispatched(WEB, 7, NOW)

        assert not end(ledger, 7).stopped_by_job

    def test_not_a_job_of_our_own(self, ledger: Ledger) -> None:
        ledger.dispatching(WEB)
        say(ledger, "inactive", "dead", 7)
        ledger.dispatched(WEB, 7, NOW)

        assert not end(ledger, 7).stopped_by_job

    def test_no_longer_when_it_is_started_again(self, ledger: Ledger) -> None:
        say(ledger, "inactive", "dead", 7)
        end(ledger, 7)

        assert not say(ledger, "activating", "start", 8).stopped_by_job

    def test_still_while_its_start_only_waits(self, ledger: Ledger) -> None:
        say(ledger, "inactive", "dead", 7)
        end(ledger, 7)

        assert say(ledger, "inactive", "dead", 8).stopped_by_job

    def test_a_stop_whose_end_was_not_heard_shows_in_a_listing(self, ledger: Ledger) -> None:
        say(ledger, "inactive", "dead", 7)
        ledger.listed([row(WEB, "inactive", "dead")], {}, NOW)

        assert ledger.units[WEB].stopped_by_job

    def test_a_restart_that_the_start_limit_refused_unheard_is_none(self, ledger: Ledger) -> None:
        say(ledger, "inactive", "dead", 7)
        ledger.service_said(WEB, {"result": "start-limit-hit"}, NOW)
        ledger.listed([row(WEB, "failed", "failed")], {}, NOW)

        assert not ledger.units[WEB].stopped_by_job

    def test_the_journal_tells_of_one_that_is_down(self, ledger: Ledger) -> None:
        say(ledger, "inactive", "dead")
        woken(ledger)
        ledger.stopped(WEB, NOW)

        assert ledger.units[WEB].stopped_by_job
        assert woken(ledger) == {WEB}

    def test_the_journal_does_not_tell_of_one_that_runs(self, ledger: Ledger) -> None:
        ledger.stopped(WEB, NOW)

        assert not ledger.units[WEB].stopped_by_job


class TestDownForAReasonThatSystemdForgets:
    def test_a_reset_failed_takes_the_result_from_systemd_and_not_from_us(self, ledger: Ledger) -> None:
        ledger.service_said(WEB, {"result": "exit-code", "code": 1, "exit_status": 1}, NOW)
        say(ledger, "failed")
        ledger.service_said(WEB, {"result": "success", "code": 1, "exit_status": 1}, NOW)

        assert say(ledger, "inactive", "dead").result == "exit-code"

    def test_a_run_that_comes_after_it_has_its_own_result(self, ledger: Ledger) -> None:
        ledger.service_said(WEB, {"result": "exit-code"}, NOW)
        say(ledger, "failed")
        ledger.service_said(WEB, {"result": "success"}, NOW)
        say(ledger, "inactive", "dead")
        say(ledger, "active", "running")
        ledger.service_said(WEB, {"result": "success"}, NOW)

        assert say(ledger, "inactive", "dead").result == "success"


class TestDependencyFailed:
    def test_a_start_that_is_given_up_for_what_the_unit_requires(self, ledger: Ledger) -> None:
        say(ledger, "inactive", "dead", 7)

        assert end(ledger, 7, "dependency").dependency_failed

    def test_it_is_over_when_the_unit_starts(self, ledger: Ledger) -> None:
        say(ledger, "inactive", "dead", 7)
        end(ledger, 7, "dependency")

        assert not say(ledger, "activating", "start", 8).dependency_failed


class TestStoppedForAnother:
    """web.service binds to db.service."""

    @pytest.fixture
    def bound(self, ledger: Ledger) -> Ledger:
        ledger.listed([row(WEB), row(DB)], {WEB: "enabled", DB: "enabled"}, 60.0)
        ledger.described(WEB, detail(requires=(DB,), binds_to=(DB,)))
        return ledger

    @staticmethod
    def of_db(ledger: Ledger, active: str, sub: str, job: int = 0) -> None:
        ledger.unit_said(DB, {"active": active, "sub": sub, "job": (job, "/")}, NOW)

    @staticmethod
    def stop(ledger: Ledger) -> UnitFacts:
        say(ledger, "active", "running", 7)
        say(ledger, "deactivating", "stop-sigterm", 7)
        say(ledger, "inactive", "dead", 7)
        return end(ledger, 7)

    @pytest.mark.parametrize("state", [("failed", "failed"), ("activating", "auto-restart"), ("inactive", "dead")])
    def test_that_went_down_by_itself(self, bound: Ledger, state: tuple[str, str]) -> None:
        bound.service_said(DB, {"code": 2, "exit_status": 9}, NOW)
        self.of_db(bound, *state)
        unit = self.stop(bound)

        assert (unit.stopped_for, unit.stopped_by_job) == (DB, False)

    def test_and_that_was_back_before_the_stop_was_over(self, bound: Ledger) -> None:
        self.of_db(bound, "failed", "failed")
        say(bound, "deactivating", "stop-sigterm", 7)
        self.of_db(bound, "active", "running")
        say(bound, "inactive", "dead", 7)

        assert end(bound, 7).stopped_for == DB

    def test_that_it_binds_to_over_a_third_one_which_stops_after_it(self, bound: Ledger) -> None:
        bound.listed([row(WEB), row(DB), row("app.service")], {}, 61.0)
        self.of_db(bound, "failed", "failed")
        unit = self.stop(bound)
        assert unit.stopped_for == DB
        bound.described(WEB, detail(requires=("app.service",)))
        self.of_db(bound, "active", "running")
        say(bound, "active", "running")
        self.of_db(bound, "failed", "failed")
        assert self.stop(bound).stopped_by_job
        bound.changed.clear()
        bound.described("app.service", detail(requires=(DB,), binds_to=(DB,)))

        assert bound.units[WEB].stopped_for == DB
        assert woken(bound) == {WEB}

    def test_of_which_that_is_learned_only_later(self, bound: Ledger) -> None:
        bound.forget_details()
        self.of_db(bound, "failed", "failed")
        assert self.stop(bound).stopped_by_job
        self.of_db(bound, "active", "running")
        bound.described(WEB, detail(requires=(DB,), binds_to=(DB,)))

        assert (bound.units[WEB].stopped_for, bound.units[WEB].stopped_by_job) == (DB, False)

    def test_not_for_one_that_is_stopped_itself(self, bound: Ledger) -> None:
        say(bound, "active", "running", 7)
        self.of_db(bound, "deactivating", "stop-sigterm", 8)
        self.of_db(bound, "inactive", "dead", 8)
        unit = self.stop(bound)

        assert (unit.stopped_for, unit.stopped_by_job) == ("", True)

    def test_not_when_that_had_been_stopped_before(self, bound: Ledger) -> None:
        self.of_db(bound, "inactive", "dead", 8)
        bound.job_ended(8, DB, "done", NOW)

        assert self.stop(bound).stopped_by_job

    def test_it_is_over_when_the_unit_starts(self, bound: Ledger) -> None:
        self.of_db(bound, "failed", "failed")
        self.stop(bound)

        assert say(bound, "activating", "start", 9).stopped_for == ""

    def test_the_journal_told_of_a_stop_while_the_other_had_failed(self, bound: Ledger) -> None:
        self.of_db(bound, "failed", "failed")
        say(bound, "inactive", "dead")
        bound.stopped(WEB, NOW)

        assert bound.units[WEB].stopped_for == DB

    def test_one_that_systemd_does_not_know_stops_nobody(self, bound: Ledger) -> None:
        bound.removed(DB)

        assert self.stop(bound).stopped_by_job
