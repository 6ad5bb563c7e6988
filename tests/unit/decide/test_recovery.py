"""How issues end otherwise than by an attempt: by themselves, by a stop, with their unit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from healthd.config import Heal, UnitSettings
from healthd.decide import engine
from healthd.decide.happenings import Ended, News, Resolved
from healthd.model import HoldReason
from tests.fake_units import service
from tests.unit.builders import UNIT, detail, killed, settings
from tests.unit.decide.bench import Bench, fail_attempt, healed

if TYPE_CHECKING:
    from healthd.decide.case import Moment
    from healthd.decide.happenings import Happening


def test_a_recovery_without_an_attempt_of_healthd_resolves_when_it_has_settled() -> None:
    bench = Bench(service(UNIT), configuration=settings(dry_run=True))
    bench.kill(UNIT)
    bench.turn([UNIT])

    bench.bring_up(UNIT)
    bench.turn([UNIT])
    assert bench.of(Resolved) == []

    bench.later(1.0)
    (resolved,) = bench.of(Resolved)
    assert (resolved.well, resolved.text) == (True, "running")
    assert resolved.after == pytest.approx(1.0, abs=0.001)


def test_a_recovery_that_is_doubtful_must_settle_anew() -> None:
    bench = Bench(service(UNIT), configuration=settings(dry_run=True))
    bench.kill(UNIT)
    bench.turn([UNIT])
    bench.bring_up(UNIT)
    bench.turn([UNIT])

    bench.later(0.9)
    bench.set(UNIT, active="deactivating")
    bench.turn([UNIT])
    bench.bring_up(UNIT)
    bench.turn([UNIT])
    bench.later(0.9)

    assert bench.of(Resolved) == []


def test_an_unreadable_check_clears_no_fault() -> None:
    bench = Bench(service(UNIT), configuration=settings(dry_run=True))
    bench.kill(UNIT)
    bench.turn([UNIT])
    bench.bring_up(UNIT)
    bench.turn([UNIT])

    bench.units.connected = False
    bench.turn()
    bench.later(100.0)

    assert bench.of(Resolved) == []
    assert bench.held()[-1] is HoldReason.UNKNOWN_STATUS


def test_a_unit_that_somebody_stops_is_no_issue_any_more_at_once() -> None:
    bench = Bench(service(UNIT), configuration=settings(dry_run=True))
    bench.kill(UNIT)
    bench.turn([UNIT])

    bench.set(UNIT, active="inactive", sub="dead", stopped_by_job=True)
    bench.turn([UNIT])

    (resolved,) = bench.of(Resolved)
    assert (resolved.well, resolved.text) == (False, "somebody stopped it")


def test_a_stop_while_healthd_heals_closes_the_issue_and_the_attempt_ends_with_its_job() -> None:
    bench = Bench(service(UNIT))
    bench.kill(UNIT)
    bench.turn([UNIT])

    bench.set(UNIT, active="inactive", sub="dead", stopped_by_job=True)
    bench.turn([UNIT])
    assert len(bench.of(Resolved)) == 1
    assert bench.outcomes() == []

    bench.end_job(UNIT, "canceled")
    bench.turn([UNIT])
    (ended,) = bench.of(Ended)
    assert (ended.outcome, ended.text) == ("failed", "somebody stopped the unit meanwhile")


def test_while_the_job_of_a_closed_issue_runs_no_second_attempt_is_made_on_its_unit() -> None:
    bench = Bench(service(UNIT), configuration=settings(backoff_seconds=0.0))
    bench.kill(UNIT)
    bench.turn([UNIT])
    bench.set(UNIT, active="inactive", sub="dead", stopped_by_job=True)
    bench.turn([UNIT])

    bench.bring_up(UNIT)
    bench.turn([UNIT])
    bench.kill(UNIT)
    bench.turn([UNIT])
    assert len(bench.started()) == 1

    fail_attempt(bench)
    assert len(bench.started()) == 2


def test_a_unit_that_is_gone_is_no_issue_any_more() -> None:
    bench = Bench(service(UNIT), service("other.service"), configuration=settings(dry_run=True))
    bench.kill(UNIT)
    bench.turn([UNIT])

    bench.units.remove(UNIT)
    bench.turn([UNIT])

    (resolved,) = bench.of(Resolved)
    assert (resolved.well, resolved.text) == (False, "systemd has it loaded no more")


def test_an_issue_of_a_component_that_a_reload_took_away_is_closed_and_one_without_a_reading_is_not() -> None:
    bench = Bench(service(UNIT), service("other.service"), configuration=settings(dry_run=True))
    bench.kill(UNIT)
    bench.turn([UNIT])
    unread = replace(bench.moment(), items={}, usable=frozenset(), configured=frozenset({"services"}))
    elsewhere = replace(unread, configured=frozenset({"memory"}))

    assert not any(isinstance(each, Resolved) for each in happens(bench, unread))
    (resolved,) = (each for each in happens(bench, elsewhere) if isinstance(each, Resolved))
    assert (resolved.well, resolved.text) == (False, "it is not in the configuration any more")


def test_an_issue_of_what_the_host_has_no_more_is_closed_with_the_reason() -> None:
    bench = Bench(service(UNIT), service("other.service"), configuration=settings(dry_run=True))
    bench.kill(UNIT)
    bench.turn([UNIT])
    gone = replace(bench.moment(), items={}, usable=frozenset(), left_out={"services": "systemd does not run here"})

    (resolved,) = (each for each in happens(bench, gone) if isinstance(each, Resolved))
    assert (resolved.well, resolved.text) == (False, "it is left out: systemd does not run here")


def happens(bench: Bench, moment: Moment) -> tuple[Happening, ...]:
    """What the engine makes of this moment after a reload."""
    return engine.step(bench.settings, bench.state, moment, News(everything=True)).happenings


def test_an_attempt_on_a_unit_that_is_gone_has_failed() -> None:
    bench = Bench(service(UNIT), service("other.service"))
    bench.kill(UNIT)
    bench.turn([UNIT])

    bench.units.remove(UNIT)
    bench.end_job(UNIT, "failed")
    bench.turn([UNIT])

    assert bench.of(Ended)[0].text == "systemd has the unit loaded no more"


def test_an_issue_of_a_unit_that_vanished_while_healthd_was_down_is_closed() -> None:
    bench = Bench(service(UNIT), service("other.service"), configuration=settings(dry_run=True))
    bench.kill(UNIT)
    bench.turn([UNIT])

    bench.units.remove(UNIT)
    bench.restart_healthd()
    bench.turn()

    assert len(bench.of(Resolved)) == 1


def test_a_unit_that_is_watched_only_while_it_is_down_is_healed_by_hand_all_the_same() -> None:
    bench = Bench(service(UNIT, file_state="disabled"), service("other.service"))
    bench.kill(UNIT)
    bench.turn([UNIT])
    bench.order(UNIT)
    bench.turn([])

    healed(bench)

    assert bench.outcomes() == ["success"]
    assert bench.of(Resolved)[0].text == "it need not be watched any more"


def test_a_closed_issue_whose_attempt_leads_to_nothing_ends_when_the_verify_time_is_over() -> None:
    bench = Bench(service(UNIT, file_state="disabled"), service("other.service"))
    bench.kill(UNIT)
    bench.turn([UNIT])
    bench.order(UNIT)
    bench.turn([])

    bench.set(UNIT, active="activating", sub="start")
    bench.end_job(UNIT)
    bench.turn([UNIT])
    bench.later(30.0)

    assert bench.outcomes() == ["failed"]


def test_a_unit_that_an_enabled_one_needs_stays_watched_while_it_comes_back() -> None:
    needed = service(UNIT, file_state="static", detail=detail(required_by_enabled=True))
    bench = Bench(needed, service("other.service"))
    bench.kill(UNIT)
    bench.turn([UNIT])

    bench.set(UNIT, active="activating", sub="start")
    bench.turn([UNIT])
    assert bench.of(Resolved) == []

    healed(bench)
    assert [resolved.well for resolved in bench.of(Resolved)] == [True]


def test_a_failed_job_is_run_again_if_its_table_says_so_and_has_helped_when_it_ran_to_its_end() -> None:
    once = service(UNIT, detail=detail(service_type="oneshot"), active="inactive", sub="dead", code=1)
    bench = Bench(once, configuration=settings(units={UNIT: UnitSettings(heal=Heal.ON)}))
    bench.kill(UNIT)
    bench.turn([UNIT])
    assert list(bench.tickets()) == [f"{UNIT} job_failed"]

    bench.set(UNIT, active="activating", sub="start", invocation="again", job=9, own_job=True)
    bench.turn([UNIT])
    bench.set(UNIT, active="inactive", sub="dead", result="success", code=1, exit_status=0, job=0)
    bench.end_job(UNIT)
    bench.turn([UNIT])
    bench.later(1.0)

    assert bench.outcomes() == ["success"]


def test_a_job_that_ran_to_its_end_and_was_unloaded_has_helped() -> None:
    once = killed(detail=detail(service_type="oneshot"))
    bench = Bench(once, service("other.service"), configuration=settings(units={UNIT: UnitSettings(heal=Heal.ON)}))

    bench.units.remove(UNIT)
    bench.end_job(UNIT)
    bench.turn([UNIT])

    assert bench.outcomes() == ["success"]
