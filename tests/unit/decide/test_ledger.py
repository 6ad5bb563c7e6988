"""The ledger of outcomes: what does not help is not done again and again, but suggested."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from healthd.config import UnitSettings
from healthd.decide import engine
from healthd.decide.happenings import Distrusted, Ended, GaveUp, Held, Trusted
from healthd.decide.ledger import MOST_PAGES, Name, Page
from healthd.model import ActionKind, HoldReason, IssueType
from tests.fake_units import service
from tests.unit.builders import UNIT, settings
from tests.unit.decide.bench import Bench, broken, fail_attempt, healed

if TYPE_CHECKING:
    from healthd.config import Settings

START = Name(UNIT, "signal", "start_unit")
EXITED: dict[str, Any] = {"active": "failed", "sub": "failed", "result": "exit-code", "code": 1, "exit_status": 1}


def impatient(**changes: Any) -> Settings:
    """An action that failed twice is only suggested; there are two attempts for an issue, and no pauses."""
    limits = {"suggest_after_failures": 2, "backoff_seconds": 0.0, "host_budget_seconds": 0.0} | changes
    return settings(health={"max_healing_attempts": 2}, **limits)


def fail(bench: Bench, times: int) -> None:
    """So many attempts in a row do not help."""
    for _ in range(times):
        assert bench.tickets()[f"{UNIT} service_down"].attempt is not None
        fail_attempt(bench)


def distrusting(**changes: Any) -> Bench:
    """A host on which a start of the unit did not help, twice."""
    bench = broken(configuration=impatient(**changes))
    fail(bench, 2)
    return bench


def come_back(bench: Bench) -> None:
    """Somebody starts the unit, and it stays up until its attempts are forgotten."""
    bench.bring_up(UNIT)
    bench.turn([UNIT])
    bench.later(400.0)
    assert bench.tickets() == {}


def on_a_ladder(*rungs: str, distrusts: tuple[str, ...]) -> Bench:
    """A host on which these actions on the unit did not help."""
    table = {UNIT: UnitSettings(actions=rungs)}
    bench = Bench(service(UNIT), configuration=replace(impatient(), services=settings(units=table).services))
    page = Page(failed=2, in_a_row=2, distrusted_at=bench.moment().now)
    bench.state = replace(bench.state, ledger={START._replace(action=action): page for action in distrusts})
    return bench


def break_down(bench: Bench) -> None:
    """The unit is killed again."""
    bench.kill(UNIT)
    bench.turn([UNIT])


# What is written down


def test_what_helped_and_what_did_not_is_counted_by_unit_failure_and_action() -> None:
    bench = broken(configuration=settings(host_budget_seconds=0.0))
    fail_attempt(bench)
    bench.later(11.0)
    healed(bench)
    bench.set(UNIT, **EXITED)
    bench.turn([UNIT])
    bench.later(25.0)
    fail_attempt(bench)

    page, other = bench.state.ledger[START], bench.state.ledger[START._replace(failure="exit_code")]
    assert (page.helped, page.failed, page.in_a_row, page.distrusted_at) == (1, 1, 0, None)
    assert (other.helped, other.failed, other.in_a_row) == (0, 1, 1)
    assert other.wall == pytest.approx(bench.wall)


def test_what_helped_and_did_not_last_until_the_pause_was_over_has_failed_after_all() -> None:
    bench = broken(configuration=settings(host_budget_seconds=0.0, suggest_after_failures=3))
    fail_attempt(bench)
    bench.later(11.0)
    healed(bench)
    assert bench.state.ledger[START][:3] == (1, 1, 0)
    bench.later(4.0)
    break_down(bench)

    assert bench.state.ledger[START][:3] == (0, 2, 2)
    assert bench.tickets()[f"{UNIT} service_down"].last_text == "start_unit helped, and 4 s later it failed again"
    bench.restart_healthd()
    bench.later(25.0)
    healed(bench)
    bench.later(39.0)
    break_down(bench)

    assert bench.state.ledger[START][:3] == (0, 3, 3)
    assert [gone.name for gone in bench.of(Distrusted)] == [START]
    assert len(bench.of(GaveUp)) == 1


def test_what_helped_for_longer_than_that_has_helped() -> None:
    bench = broken(configuration=settings(host_budget_seconds=0.0))
    healed(bench)
    bench.later(11.0)
    break_down(bench)

    assert bench.state.ledger[START][:3] == (1, 0, 0)


def test_what_found_nothing_to_do_and_what_somebody_stopped_says_nothing_of_the_action() -> None:
    bench = broken(configuration=impatient())
    fail_attempt(bench, result="not_supported")
    assert bench.state.ledger == {}

    bench.order(UNIT)
    bench.turn()
    bench.set(UNIT, active="inactive", sub="dead", result="success", stopped_by_job=True)
    bench.end_job(UNIT)
    bench.turn([UNIT])
    assert bench.of(Ended)[-1].text == "somebody stopped the unit meanwhile"
    assert bench.state.ledger == {}


def test_an_issue_without_a_class_of_failure_is_counted_by_its_type() -> None:
    bench = Bench(service(UNIT), configuration=impatient())
    bench.probes[UNIT] = False
    bench.turn()
    fail_attempt(bench)

    assert list(bench.state.ledger) == [Name(UNIT, "hung", "restart_unit")]


def test_an_attempt_that_an_older_healthd_began_is_counted_as_well_as_can_be() -> None:
    bench = broken(configuration=impatient())
    (ticket,) = bench.state.tickets.values()
    assert ticket.attempt is not None
    bench.state = bench.state.with_tickets([replace(ticket, attempt=replace(ticket.attempt, failure=""))])
    fail_attempt(bench)

    assert list(bench.state.ledger) == [START._replace(failure="service_down")]


def test_the_ledger_has_a_bound_and_keeps_what_is_distrusted_the_longest() -> None:
    bench = broken()
    pages = {Name(f"{n}.service", "signal", "start_unit"): Page(helped=1) for n in range(MOST_PAGES)}
    oldest, second = list(pages)[:2]
    pages[oldest] = Page(failed=6, in_a_row=6, distrusted_at=0.0)
    bench.state = replace(bench.state, ledger=pages)
    fail_attempt(bench)

    assert len(bench.state.ledger) == MOST_PAGES
    assert oldest in bench.state.ledger
    assert second not in bench.state.ledger
    assert list(bench.state.ledger)[-1] == START


def test_where_all_is_distrusted_the_oldest_page_goes() -> None:
    bench = broken()
    names = [Name(f"{n}.service", "signal", "start_unit") for n in range(MOST_PAGES)]
    bench.state = replace(bench.state, ledger=dict.fromkeys(names, Page(failed=6, in_a_row=6, distrusted_at=0.0)))
    fail_attempt(bench)

    assert names[0] not in bench.state.ledger
    assert START in bench.state.ledger


# What is only suggested


def test_what_did_not_help_so_often_in_a_row_is_suggested_and_no_more_done() -> None:
    bench = distrusting()

    (distrusted,) = bench.of(Distrusted)
    assert (distrusted.name, distrusted.page.in_a_row) == (START, 2)
    assert bench.held()[-1] is HoldReason.SUGGEST
    held = bench.of(Held)[-1]
    assert "did not help the last 2 times for signal of web.service" in held.text
    assert "healthctl heal web.service" in held.text
    assert held.wait == pytest.approx(86_400.0)
    bench.later(80_000.0)
    assert len(bench.started()) == 2


@pytest.mark.parametrize(("retry", "told"), [(86_400.0, 86_400.0), (0.0, None)])
def test_that_healthd_gave_up_is_still_said_with_the_next_try_that_there_will_be(
    retry: float, told: float | None
) -> None:
    (gave_up,) = distrusting(retry_suggested_seconds=retry).of(GaveUp)

    assert gave_up.retry == told


def test_it_is_healed_of_another_kind_of_failure_and_so_are_others_of_this_one() -> None:
    bench = distrusting()
    bench.kill("other.service")
    bench.turn(["other.service"])
    assert bench.started()[-1].unit == "other.service"

    bench.set(UNIT, **EXITED)
    bench.turn([UNIT])
    bench.later(3601.0)
    assert (bench.started()[-1].unit, bench.started()[-1].failure) == (UNIT, "exit_code")


def test_one_issue_always_has_the_attempts_that_it_is_granted() -> None:
    table = {UNIT: UnitSettings(max_attempts=4)}
    configuration = replace(impatient(), services=settings(units=table).services)
    bench = broken(configuration=configuration)
    fail(bench, 4)

    assert len(bench.of(Distrusted)) == 1


def test_where_attempts_have_no_limit_and_where_it_is_switched_off_nothing_is_distrusted() -> None:
    for configuration in (
        settings(health={"max_healing_attempts": 0}, backoff_seconds=0.0, host_budget_seconds=0.0),
        settings(health={"max_healing_attempts": 9}, backoff_seconds=0.0, suggest_after_failures=0),
    ):
        bench = broken(configuration=configuration)
        fail(bench, 8)
        assert bench.of(Distrusted) == []


def test_a_ladder_goes_on_to_the_next_rung_that_is_trusted() -> None:
    bench = on_a_ladder("reset_failed", "run_unit:mend.service", distrusts=("reset_failed",))
    break_down(bench)

    assert [(each.action, each.runs) for each in bench.started()] == [(ActionKind.RUN_UNIT, "mend.service")]


def test_each_unit_that_a_ladder_runs_has_a_page_of_its_own() -> None:
    bench = on_a_ladder("run_unit:a.service", "run_unit:b.service", distrusts=("run_unit:a.service",))
    break_down(bench)
    assert bench.started()[-1].runs == "b.service"

    fail_attempt(bench)
    assert START._replace(action="run_unit:b.service") in bench.state.ledger


def test_where_no_rung_is_trusted_the_next_one_is_suggested() -> None:
    bench = on_a_ladder("reset_failed", "start_unit", distrusts=("reset_failed", "start_unit"))
    break_down(bench)

    assert bench.started() == []
    assert bench.tickets()[f"{UNIT} service_down"].suggested == "reset_failed"


def test_what_is_distrusted_outlives_healthd_and_the_host() -> None:
    bench = distrusting()
    bench.restart_healthd()
    bench.turn()
    assert len(bench.started()) == 2
    assert len([each for each in bench.of(Held) if each.reason is HoldReason.SUGGEST]) == 1

    known = bench.state.ledger
    bench.reboot()
    assert bench.state.ledger == known


# What makes it trusted again


def test_an_order_that_helps_makes_it_trusted_again() -> None:
    bench = distrusting()
    bench.order(UNIT)
    bench.turn()
    healed(bench)

    (trusted,) = bench.of(Trusted)
    assert (trusted.text, trusted.page.helped, trusted.page.in_a_row) == ("it helped", 1, 0)
    bench.later(400.0)
    break_down(bench)
    assert len(bench.started()) == 4
    assert bench.started()[-1].by == ""


def test_an_order_that_does_not_help_is_counted_and_nothing_new_is_said() -> None:
    bench = distrusting()
    bench.later(1000.0)
    bench.order(UNIT)
    bench.turn()
    fail_attempt(bench)

    assert len(bench.of(Distrusted)) == 1
    assert bench.state.ledger[START].in_a_row == 3
    assert bench.state.ledger[START].distrusted_at == pytest.approx(bench.moment().now)
    assert bench.tickets()[f"{UNIT} service_down"].hold is HoldReason.SUGGEST


def test_after_a_long_while_it_has_one_try() -> None:
    bench = distrusting()
    bench.later(86_401.0)
    assert len(bench.started()) == 3
    assert "once more" in bench.of(Trusted)[0].text

    fail_attempt(bench)
    assert len(bench.of(Distrusted)) == 2
    bench.later(80_000.0)
    assert len(bench.started()) == 3


def test_without_such_a_while_it_stays_suggested() -> None:
    bench = distrusting(retry_suggested_seconds=0.0)
    assert bench.of(Held)[-1].wait is None
    bench.later(1e6)

    assert len(bench.started()) == 2


def test_what_becomes_well_without_it_gives_it_one_try() -> None:
    bench = distrusting()
    come_back(bench)
    assert bench.of(Trusted)[0].text == "web.service became well without it"

    break_down(bench)
    fail(bench, 1)
    assert len(bench.of(Distrusted)) == 2
    bench.later(10_000.0)
    assert len(bench.started()) == 3


def test_what_has_another_issue_open_is_not_well_yet() -> None:
    bench = distrusting()
    bench.probes[UNIT] = False
    bench.turn()
    bench.bring_up(UNIT)
    bench.turn()
    bench.later(2.0)

    assert f"{UNIT} service_down" not in {
        name for name, ticket in bench.tickets().items() if ticket.open and ticket.key.type is IssueType.SERVICE_DOWN
    }
    assert bench.of(Trusted) == []


def test_what_is_wrong_in_another_way_is_not_well_either() -> None:
    bench = distrusting()
    bench.bring_up(UNIT)
    bench.set(UNIT, auto_restarts=tuple(bench.boot - ago for ago in (30.0, 20.0, 10.0)))
    bench.turn([UNIT])
    bench.later(2.0)

    assert not bench.tickets()[f"{UNIT} service_down"].open
    assert bench.of(Trusted) == []


def test_a_reset_makes_it_trusted_and_keeps_what_is_known() -> None:
    bench = distrusting()
    bench.reset(UNIT)
    bench.turn(everything=True)

    assert len(bench.started()) == 3
    page = bench.state.ledger[START]
    assert (page.failed, page.in_a_row, page.distrusted_at) == (2, 0, None)


def test_a_reset_of_something_else_changes_nothing() -> None:
    bench = distrusting()
    before = bench.state.ledger
    bench.state = engine.reset(bench.state, [])

    assert bench.state.ledger == before


def test_settings_that_allow_more_failures_make_it_trusted() -> None:
    bench = distrusting()
    bench.settings = impatient(suggest_after_failures=6, retry_after_give_up_seconds=1.0)
    bench.later(1.0, everything=True)

    assert "settings" in bench.of(Trusted)[0].text
    assert len(bench.started()) == 3
