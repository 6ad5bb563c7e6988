"""Root first: among units that stand on one another the deepest is healed, and the others wait for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from healthd.decide.graph import roots_first
from healthd.decide.happenings import Held
from healthd.decide.state import Key
from healthd.model import HoldReason, IssueType, Severity
from tests.fake_units import service
from tests.unit.builders import detail, ticket
from tests.unit.decide.bench import Bench, fail_attempt, healed

if TYPE_CHECKING:
    from healthd.model import UnitFacts

DB, API, WEB = "db.service", "api.service", "web.service"


def needs(name: str, *others: str, **changes: Any) -> UnitFacts:
    """A service that requires others."""
    return service(name, detail=detail(requires=others), **changes)


def follows(name: str, *others: str) -> UnitFacts:
    """A service that only starts after others."""
    return service(name, detail=detail(after=others))


def chain() -> Bench:
    return Bench(needs(WEB, API), needs(API, DB), service(DB))


def break_all(bench: Bench, *names: str) -> None:
    for name in names:
        bench.kill(name)
    bench.turn(names)


def acted_on(bench: Bench) -> list[str]:
    return [attempt.unit for attempt in bench.started()]


def words(bench: Bench) -> dict[str, str]:
    """What is said of each unit that waits."""
    return {held.ticket.unit or "": held.text for held in bench.of(Held) if held.reason is HoldReason.DEPENDENCY}


def test_the_deepest_is_healed_and_the_others_follow_one_after_the_other() -> None:
    bench = chain()
    break_all(bench, WEB, API, DB)
    assert acted_on(bench) == [DB]
    assert words(bench) == {
        API: "it requires db.service, which is being healed",
        WEB: "it requires db.service, which is being healed",
    }

    healed(bench, DB)
    assert acted_on(bench) == [DB, API]

    healed(bench, API)
    assert acted_on(bench) == [DB, API, WEB]


def test_what_requires_a_unit_that_cannot_be_healed_waits_for_it() -> None:
    bench = chain()
    bench.set(DB, active="failed", sub="failed", result="exit-code", code=1, exit_status=203)
    break_all(bench, WEB)
    bench.turn()

    assert acted_on(bench) == []
    assert words(bench)[WEB] == "it requires db.service, which is down"


@pytest.mark.parametrize(
    ("below", "said"),
    [
        ({"active": "inactive", "sub": "dead", "stopped_by_job": True}, "somebody stopped"),
        ({"active": "inactive", "sub": "dead", "load": "masked"}, "is masked"),
        ({"active": "inactive", "sub": "dead", "load": "not-found"}, "does not exist"),
        ({"active": "activating", "sub": "start"}, "is activating"),
    ],
)
def test_a_start_never_pulls_up_what_it_requires_past_a_limit_or_a_person(below: dict[str, Any], said: str) -> None:
    bench = Bench(needs(WEB, DB), service(DB, **below))
    break_all(bench, WEB)

    assert acted_on(bench) == []
    assert words(bench)[WEB] == f"it requires db.service, which {said}"


@pytest.mark.parametrize("below", [{"active": "inactive", "sub": "dead"}, None])
def test_what_is_not_in_use_or_not_known_is_no_reason_to_wait(below: dict[str, Any] | None) -> None:
    bench = Bench(needs(WEB, DB), *([service(DB, **below)] if below else []))
    break_all(bench, WEB)

    assert acted_on(bench) == [WEB]


def test_units_that_require_each_other_do_not_wait_for_ever() -> None:
    bench = Bench(needs(WEB, API), needs(API, WEB))
    break_all(bench, WEB, API)
    assert len(acted_on(bench)) == 1

    healed(bench, acted_on(bench)[0])
    assert sorted(acted_on(bench)) == [API, WEB]


def test_what_only_starts_after_another_waits_while_that_is_healed() -> None:
    bench = Bench(follows(WEB, DB), service(DB))
    break_all(bench, WEB, DB)
    assert acted_on(bench) == [DB]
    assert words(bench) == {WEB: "it starts after db.service, which is being healed"}

    fail_attempt(bench, DB)  # it goes without, as systemd would
    assert acted_on(bench) == [DB, WEB]


def test_an_order_by_hand_does_not_wait() -> None:
    bench = chain()
    break_all(bench, WEB, DB)
    bench.order(WEB)
    bench.turn()

    assert acted_on(bench) == [DB, WEB]


def test_a_hung_service_waits_for_the_one_behind_it_that_hangs_too() -> None:
    bench = Bench(needs(WEB, DB), service(DB))
    bench.probes = {WEB: False, DB: False}
    bench.turn()
    assert acted_on(bench) == [DB]

    bench.probes[DB] = True
    healed(bench, DB)
    bench.later(1.0, everything=True)
    assert acted_on(bench) == [DB, WEB]


def test_a_hung_service_that_waits_gets_well_with_the_one_behind_it() -> None:
    bench = Bench(needs(WEB, DB), service(DB))
    bench.probes = {WEB: False, DB: False}
    bench.turn()

    bench.probes = {WEB: True, DB: True}
    healed(bench, DB)
    bench.later(10.0)
    assert acted_on(bench) == [DB]
    assert not [each for each in bench.state.tickets.values() if each.open]


def test_a_unit_that_systemd_stopped_for_another_is_started_again_when_that_is_back() -> None:
    bench = Bench(needs(WEB, DB, file_state="disabled"), service(DB))
    bench.set(WEB, active="inactive", sub="dead", code=2, exit_status=15, stopped_for=DB)
    break_all(bench, DB)
    bench.turn()
    assert acted_on(bench) == [DB]
    assert bench.tickets()[f"{WEB} service_down"].message.startswith("stopped by systemd because db.service")

    healed(bench, DB)
    assert acted_on(bench) == [DB, WEB]


def test_roots_come_first_then_the_worst_then_the_oldest() -> None:
    def down(name: str, **changes: Any) -> Any:
        return ticket(Key("services", name, IssueType.SERVICE_DOWN), unit=name, **changes)

    facts = {unit.name: unit for unit in (needs(WEB, API), follows(API, DB), service(DB), service("x.service"))}
    tickets = [down(WEB, severity=Severity.CRITICAL), down(API), down(DB, opened_at=5.0), down("x.service")]

    assert [each.unit for each in roots_first(tickets, facts)] == [DB, API, WEB, "x.service"]


def test_a_probe_waits_while_the_one_behind_it_is_not_judged_yet() -> None:
    bench = Bench(needs(WEB, DB), service(DB))
    bench.probes, bench.unsettled = {WEB: False, DB: True}, {DB}
    bench.turn()
    assert acted_on(bench) == []
    assert words(bench)[WEB] == "it requires db.service, which may not be well; it is looked at again"

    bench.unsettled.clear()
    bench.turn()
    assert acted_on(bench) == [WEB]


def test_who_waits_goes_on_waiting_while_systemd_reads_its_unit_files_anew() -> None:
    bench = chain()
    break_all(bench, WEB, DB)
    for name in (WEB, API, DB):
        bench.set(name, detail=None)
    bench.turn(())

    assert acted_on(bench) == [DB]
    assert words(bench)[WEB] == "it requires db.service, which is being healed"


def test_a_hung_service_waits_while_the_one_behind_it_waits_for_its_next_attempt() -> None:
    bench = Bench(needs(WEB, DB), service(DB))
    bench.probes = {DB: False}
    bench.turn()
    fail_attempt(bench, DB, "refused")
    bench.probes[WEB] = False
    bench.turn()

    assert acted_on(bench) == [DB]
    assert words(bench)[WEB] == "it requires db.service, which is not well"
