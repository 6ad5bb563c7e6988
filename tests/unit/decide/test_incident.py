"""Which incident an issue belongs to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healthd.decide.happenings import Opened, Resolved, Started
from healthd.decide.incident import MOST_NEEDED, Grouping, merged, needs, running
from healthd.decide.state import Key
from healthd.model import IssueType
from tests.fake_units import service
from tests.unit.builders import UNIT, attempt, detail, ticket
from tests.unit.decide.bench import Bench, fail_attempt, healed

if TYPE_CHECKING:
    from healthd.decide.state import Ticket
    from healthd.model import UnitFacts

DB, WEB, PAGE = "db.service", "web.service", "page.service"


def requiring(name: str, *others: str) -> UnitFacts:
    return service(name, detail=detail(requires=others))


def incidents(bench: Bench) -> dict[str, int]:
    return {opened.ticket.key.item: opened.ticket.incident for opened in bench.of(Opened)}


def test_all_that_happens_from_the_first_sign_to_the_recovery_has_one_number() -> None:
    bench = Bench(service(UNIT))
    bench.kill(UNIT)
    bench.turn([UNIT])
    fail_attempt(bench)
    bench.later(60.0)
    healed(bench)

    tickets = [getattr(happening, "ticket", None) for happening in bench.happened]
    numbers = {each.incident for each in tickets if each is not None}

    assert bench.of(Resolved)
    assert numbers == {1}
    assert running(bench.state.tickets.values()) == frozenset()


def test_what_fails_again_after_a_verified_recovery_is_another_incident_that_follows_the_first() -> None:
    bench = Bench(service(UNIT))
    bench.kill(UNIT)
    bench.turn([UNIT])
    healed(bench)
    bench.kill(UNIT)
    bench.turn([UNIT])

    first, second = (opened.ticket for opened in bench.of(Opened))

    assert (first.incident, first.follows) == (1, 0)
    assert (second.incident, second.follows) == (2, 1)


def test_units_that_have_nothing_to_do_with_each_other_have_incidents_of_their_own() -> None:
    bench = Bench(service(DB), service(WEB))
    bench.kill(DB)
    bench.kill(WEB)
    bench.turn([DB, WEB])

    assert set(incidents(bench).values()) == {1, 2}


def test_a_unit_that_cannot_run_without_one_that_fails_belongs_to_its_incident() -> None:
    bench = Bench(service(DB), requiring(WEB, DB), requiring(PAGE, WEB))
    bench.kill(DB)
    bench.turn([DB])
    bench.kill(PAGE)
    bench.turn([PAGE])

    assert incidents(bench) == {DB: 1, PAGE: 1}


def test_a_unit_belongs_to_the_incident_of_what_needs_it_as_well() -> None:
    bench = Bench(service(DB), requiring(WEB, DB), requiring(PAGE, WEB))
    bench.kill(PAGE)
    bench.turn([PAGE])
    bench.kill(DB)
    bench.turn([DB])

    assert incidents(bench) == {PAGE: 1, DB: 1}


def test_another_issue_of_the_same_unit_belongs_to_its_incident() -> None:
    bench = Bench(service(UNIT))
    bench.probes[UNIT] = False
    bench.turn()
    bench.kill(UNIT)
    bench.turn([UNIT])

    assert {str(opened.ticket.key.type): opened.ticket.incident for opened in bench.of(Opened)} == {
        "probe_failed": 1,
        "service_down": 1,
    }


def test_the_number_and_what_was_known_of_the_unit_are_there_before_anything_is_done() -> None:
    bench = Bench(service(UNIT))
    bench.kill(UNIT)
    bench.turn([UNIT])

    (started,), (opened,) = bench.of(Started), bench.of(Opened)

    assert started.ticket.incident == opened.ticket.incident == 1
    for unit in (started.unit, opened.unit):
        assert unit is not None
        assert (unit.result, unit.exit_status, unit.invocation) == ("signal", 9, "first")


def test_an_incident_goes_on_over_a_restart_of_healthd_and_a_reboot() -> None:
    bench = Bench(service(DB), service(WEB))
    bench.kill(DB)
    bench.turn([DB])
    bench.restart_healthd()
    bench.kill(WEB)
    bench.turn()
    bench.reboot()
    bench.kill(DB)
    bench.turn()

    assert incidents(bench) == {DB: 1, WEB: 2}
    assert bench.state.incidents == 2


def test_an_incident_goes_on_while_an_attempt_is_in_flight_though_its_issue_was_closed() -> None:
    closed = ticket(open=False, closed_at=1.0, incident=4, attempt=attempt())

    assert running([closed]) == {4}
    assert running([replace(closed, attempt=None)]) == frozenset()
    assert running([ticket()]) == frozenset()


def other(name: str, incident: int) -> Ticket:
    return ticket(Key("services", name, IssueType.SERVICE_DOWN), unit=name, incident=incident)


def test_issues_that_turn_out_to_be_one_incident_get_the_oldest_number() -> None:
    tickets = [other("a.service", 7), other("b.service", 5), replace(other("c.service", 3), open=False)]

    assert [(each.key.item, each.incident) for each in merged(tickets)] == [("a.service", 5)]
    assert merged([]) == ()


def test_an_issue_between_two_incidents_belongs_to_the_older_one() -> None:
    facts = {unit.name: unit for unit in (service("a.service"), service("b.service"))}
    facts[WEB] = requiring(WEB, "a.service", "b.service")
    grouping = Grouping([other("a.service", 7), other("b.service", 5), other("z.service", 1)], facts)

    assert grouping.find(Key("services", WEB, IssueType.SERVICE_DOWN), WEB) == 5
    assert grouping.find(Key("storage", "/", IssueType.DISK_FULL), None) == 0


def test_units_that_require_each_other_in_a_circle_are_looked_at_once() -> None:
    facts = {DB: requiring(DB, WEB), WEB: requiring(WEB, DB, "unknown.service")}

    assert needs(DB, facts) == {WEB, "unknown.service"}


def test_no_more_units_are_followed_than_is_quick() -> None:
    facts = {f"{n}.service": requiring(f"{n}.service", f"{n + 1}.service") for n in range(2 * MOST_NEEDED)}

    assert len(needs("0.service", facts)) == MOST_NEEDED
