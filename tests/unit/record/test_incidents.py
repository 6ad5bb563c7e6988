"""What is written down of an incident: how it went, how it ended, what was found; and no secret."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from healthd.decide.happenings import Ended, GaveUp, Happening, Held, LeftAlone, Opened, Resolved, Started
from healthd.decide.state import Key
from healthd.events import Event
from healthd.evidence import Change, ChangeKind, CoreDump, Incident, Line, Run, Surroundings
from healthd.model import ActionKind, HoldReason, IssueType, OutcomeKind, Severity
from healthd.record.incidents import LATER_LINES, MOST_CHANGES, MOST_RUNS, Incidents
from tests.fake_units import MemoryStore
from tests.fakes import FakeClock, FakeLog
from tests.unit.builders import DOWN, UNIT, attempt, ticket

if TYPE_CHECKING:
    from healthd.decide.state import Ticket

PROBE = Key("web", "", IssueType.PROBE_FAILED)
EDITED = Change(at=1_700_000_000.0 - 180, kind=ChangeKind.UNIT_FILE, what="/etc/x.conf", text="was edited", own=True)
UPGRADED = Change(at=1_700_000_000.0 - 60, kind=ChangeKind.PACKAGE, what="libc6", text="was upgraded from 1 to 2")
STOOD = Surroundings(pressure={}, values={}, beside=("web: password=hunter2",))


@dataclass(kw_only=True)
class Desk:
    """Where incidents are kept; `tickets` are those of the engine."""

    tickets: dict[Key, Ticket] = field(default_factory=dict)
    store: MemoryStore = field(default_factory=MemoryStore)
    clock: FakeClock = field(default_factory=FakeClock)
    log: FakeLog = field(default_factory=FakeLog)
    incidents: Incidents = field(init=False)

    def __post_init__(self) -> None:
        self.incidents = Incidents(store=self.store, clock=self.clock, log=self.log, tickets=lambda: self.tickets)

    def happens(self, *happenings: Happening) -> Incident:
        """It happens, and the engine's state is as the newest of each ticket says."""
        for happening in happenings:
            ticket = getattr(happening, "ticket", None)
            if ticket is not None:
                self.tickets[ticket.key] = ticket
        self.incidents.hear(happenings)
        return self.kept()

    def happens_to(self, number: int) -> None:
        """A slight issue opens, of an incident of this number."""
        key = Key("pressure", f"{number}", IssueType.PRESSURE)
        self.tickets[key] = ticket(key, unit=None, severity=Severity.LOW, incident=number)
        self.incidents.hear([Opened(ticket=self.tickets[key])])

    def kept(self, number: int = 1) -> Incident:
        return self.store.filed[number]

    def ended(self) -> Incident:
        return self.happens(Resolved(ticket=closed(), text="running", after=1.2))


def open_one(**changes: Any) -> Ticket:
    return ticket(**{"key": DOWN, "incident": 1, **changes})


def closed(**changes: Any) -> Ticket:
    return open_one(open=False, closed_at=1.0, **changes)


def started() -> Started:
    return Started(ticket=open_one(attempt=attempt(), attempts=1), attempt=attempt())


def succeeded() -> Ended:
    return Ended(ticket=open_one(attempts=1), attempt=attempt(), outcome=OutcomeKind.SUCCESS, text="running", took=1.0)


def failed() -> Ended:
    return Ended(ticket=open_one(), attempt=attempt(), outcome=OutcomeKind.FAILED, text="it fell again", took=1.0)


def test_an_incident_begins_with_its_first_issue() -> None:
    incident = Desk().happens(Opened(ticket=open_one(follows=7)))

    assert incident == Incident(
        id=1,
        opened_at=1_700_000_000.0,
        ended_at=None,
        severity=Severity.HIGH,
        title="web.service is down: killed by SIGKILL",
        result="it goes on",
        issues=("services/web.service/service_down",),
        units=(UNIT,),
        follows=7,
    )


def test_what_was_healed_says_by_what() -> None:
    desk = Desk()
    desk.happens(Opened(ticket=open_one()), started())
    assert desk.kept().result == "healing web.service: start_unit, attempt 1"
    desk.happens(succeeded())
    incident = desk.ended()

    assert incident.result.startswith("healed by start_unit of web.service, after ")
    assert (incident.ended_at, incident.attempts) == (desk.clock.wall(), 1)


def test_what_took_several_actions_says_so() -> None:
    desk, root = Desk(), open_one(key=Key("services", "root.service", IssueType.SERVICE_DOWN))
    desk.happens(Opened(ticket=root), Started(ticket=root, attempt=attempt()), Opened(ticket=open_one()))
    desk.happens(Resolved(ticket=replace(root, open=False, closed_at=1.0), text="running", after=1.0))
    desk.happens(started(), succeeded())

    assert desk.ended().result.startswith("healed by start_unit of web.service, the last of 2 attempts, after ")


def test_what_came_back_without_healing_says_so() -> None:
    desk = Desk()
    desk.happens(
        Opened(ticket=open_one()), Held(ticket=open_one(), reason=HoldReason.DRY_RUN, text="it is dry", wait=None)
    )
    assert desk.kept().result == "not acting on web.service: it is dry"

    assert desk.ended().result.startswith("web.service is well again without healthd: running, after ")


@pytest.mark.parametrize(
    ("outcome", "result"),
    [
        (OutcomeKind.SUCCESS, "healed by disk_cleanup: 40 MiB won, after "),
        (OutcomeKind.FAILED, "disk_cleanup did not help storage /var: 40 MiB won"),
        (OutcomeKind.NOT_SUPPORTED, "disk_cleanup of storage /var is not supported: 40 MiB won"),
    ],
)
def test_what_was_done_to_the_host_says_what_it_was_and_what_came_of_it(outcome: OutcomeKind, result: str) -> None:
    desk, key = Desk(), Key("storage", "/var", IssueType.DISK_FULL)
    full, cleaning = open_one(key=key, unit=None), attempt(action=ActionKind.DISK_CLEANUP, unit="healthd-x.service")
    desk.happens(Opened(ticket=full), Started(ticket=full, attempt=cleaning, unit=None))
    assert desk.kept().result == "healing storage /var: disk_cleanup, attempt 1"
    desk.happens(Ended(ticket=full, attempt=cleaning, outcome=outcome, text="40 MiB won", took=1.0))
    if outcome is OutcomeKind.SUCCESS:
        desk.happens(Resolved(ticket=closed(key=key, unit=None), text="40 MiB won", after=1.0, well=True))

    assert desk.kept().result.startswith(result)


def test_what_was_won_by_healing_something_else_is_not_said_to_be_well_without_healthd() -> None:
    desk, key = Desk(), Key("storage", "/var", IssueType.DISK_FULL)
    desk.happens(Opened(ticket=open_one(key=key, unit=None)))

    incident = desk.happens(Resolved(ticket=closed(key=key, unit=None), text="5 % used", after=1.0, well=True))

    assert incident.result.startswith("storage /var is well again: 5 % used")


def test_what_somebody_stopped_says_that() -> None:
    desk = Desk()
    desk.happens(Opened(ticket=open_one()))

    incident = desk.happens(Resolved(ticket=closed(), text="somebody stopped it", after=1.0, well=False))

    assert incident.result.startswith("web.service has no issue service_down any more: somebody stopped it")


def test_what_was_given_up_is_as_severe_as_that_and_stays_so() -> None:
    desk = Desk()
    desk.happens(Opened(ticket=open_one()), started(), failed())
    assert desk.kept().result == "start_unit did not help web.service: it fell again"
    gave_up = open_one(severity=Severity.CRITICAL, gave_up_at=1.0)

    incident = desk.happens(GaveUp(ticket=gave_up, retry=None))
    assert incident.result == "healthd gave up on web.service: a person is needed"

    incident = desk.ended()
    assert (incident.severity, incident.gave_up) == (Severity.CRITICAL, True)
    assert incident.result.startswith("web.service is well again without healthd")


def test_an_incident_lasts_until_all_of_its_issues_are_over() -> None:
    desk = Desk()
    probe = open_one(key=PROBE, unit=UNIT)
    desk.happens(Opened(ticket=open_one()), Opened(ticket=probe))
    assert desk.ended().ended_at is None

    incident = desk.happens(Resolved(ticket=replace(probe, open=False), text="it answers", after=2.0))

    assert incident.ended_at is not None
    assert incident.issues == ("services/web.service/service_down", "web/probe_failed")
    assert incident.units == (UNIT,)


def test_what_turns_out_to_be_a_part_of_another_says_of_which() -> None:
    desk = Desk()
    other = ticket(Key("services", "db.service", IssueType.SERVICE_DOWN), incident=1)
    mine = ticket(incident=2)
    desk.happens(Opened(ticket=other), Opened(ticket=mine))

    desk.happens(Held(ticket=replace(mine, incident=1), reason=HoldReason.CASCADE, text="one at a time", wait=None))

    assert (desk.kept(2).part_of, desk.kept(2).result) == (1, "part of incident 1")
    assert desk.kept(1).ended_at is None


def test_what_is_found_is_kept_with_it_even_after_its_end() -> None:
    desk = Desk()
    desk.happens(Opened(ticket=open_one()))
    desk.ended()
    desk.incidents.found(
        1, surroundings=STOOD, run=run(), changes=(UPGRADED, EDITED), missed=("/etc/y cannot be read",)
    )

    incident = desk.kept()
    assert incident.ended_at is not None
    assert (incident.runs, incident.changes, incident.looked) == ((run(),), (EDITED, UPGRADED), True)
    assert incident.missed == ("/etc/y cannot be read",)


def run(invocation: str = "first", *texts: str) -> Run:
    lines = tuple(Line(at=1.0, source="web", text=text) for text in texts)
    return Run(unit=UNIT, invocation=invocation, at=1.0, text="killed by SIGKILL", lines=lines)


def test_no_secret_is_kept() -> None:
    desk = Desk()
    key = ("-----BEGIN PRIVATE KEY-----", "hunter2", "-----END PRIVATE KEY-----")
    core = CoreDump(at=1.0, pid=1, signal="SIGSEGV", program="web --token hunter2", file="")
    desk.happens(Opened(ticket=open_one(message="http://bob:hunter2@db/ is down")))
    desk.happens(Held(ticket=open_one(), reason=HoldReason.DRY_RUN, text="password=hunter2", wait=None))
    told = replace(run("first", "password=hunter2", *key), core=core)
    desk.incidents.found(1, surroundings=STOOD, run=told, missed=("token=hunter2",))

    assert "hunter2" not in repr(desk.kept())
    assert len(desk.kept().runs[0].lines) == 4


def test_a_run_that_is_told_again_takes_its_own_place() -> None:
    desk = Desk()
    desk.happens(Opened(ticket=open_one()))
    core = CoreDump(at=1.0, pid=1, signal="SIGSEGV", program="web", file="")
    for told in (run(), run("second"), replace(run(), core=core)):
        desk.incidents.found(1, run=told)

    assert [(each.invocation, each.core) for each in desk.kept().runs] == [("first", core), ("second", None)]


def test_evidence_has_a_bound() -> None:
    desk = Desk()
    desk.happens(Opened(ticket=open_one(message="x" * 9999)))
    for number in range(20):
        desk.incidents.found(1, run=run(str(number), *["line"] * 40), missed=tuple(f"{number} {n}" for n in range(9)))
    desk.incidents.found(1, changes=[replace(EDITED, what=f"/etc/{n}") for n in range(500)])

    incident = desk.kept()
    assert [len(each.lines) for each in incident.runs] == [40, *[LATER_LINES] * (MOST_RUNS - 1)]
    assert len(incident.changes) == MOST_CHANGES
    assert len(incident.missed) == 20
    assert len(incident.title) == 500


def test_a_change_that_is_found_twice_is_one_and_the_units_own_if_one_says_so() -> None:
    desk = Desk()
    desk.happens(Opened(ticket=open_one()))
    desk.incidents.found(1, changes=[UPGRADED, EDITED])
    desk.incidents.found(1, changes=[replace(UPGRADED, own=True), replace(EDITED, own=False)])

    assert desk.kept().changes == (replace(UPGRADED, own=True), EDITED)


def test_what_changed_is_said_once_in_the_journal_with_where_to_read_on() -> None:
    desk = Desk()
    desk.happens(Opened(ticket=open_one()))
    desk.incidents.found(1, changes=())
    assert desk.log.records == []
    desk.incidents.found(1, changes=(EDITED, UPGRADED))
    desk.incidents.found(1, changes=(replace(EDITED, what="/etc/z"),))

    (record,) = desk.log.of(Event.CHANGES_FOUND)
    assert record.message == (
        "incident 1 (web.service is down): /etc/x.conf was edited 3 min before, and 1 more change within the hour. "
        "See: healthctl incident 1"
    )
    assert record.fields == {"incident": 1}


def test_what_changed_before_an_issue_without_a_unit_names_what_it_is_about() -> None:
    desk = Desk()
    disk = Key("storage", "/var", IssueType.DISK_FULL)
    desk.happens(Opened(ticket=ticket(disk, unit=None, message="97 % used", incident=1)))
    desk.incidents.found(1, changes=(UPGRADED,))

    assert desk.log.records[-1].message.startswith("incident 1 (storage /var is filling up): libc6 was")


def test_of_what_hardly_matters_only_changes_of_its_own_are_said_in_the_journal() -> None:
    desk = Desk()
    for number, changes in ((1, (UPGRADED,)), (2, (EDITED,))):
        desk.happens_to(number)
        desk.incidents.found(number, changes=changes)

    assert [record.fields["incident"] for record in desk.log.of(Event.CHANGES_FOUND)] == [2]


def test_nothing_is_kept_of_what_nobody_knows() -> None:
    desk = Desk()
    desk.incidents.hear([Opened(ticket=ticket()), LeftAlone(component="services", item=UNIT, unit=UNIT)])
    desk.incidents.found(9, changes=(EDITED,))

    assert desk.store.filed == {}


def test_incidents_that_are_over_are_let_go_of_in_the_end() -> None:
    desk = Desk()
    for number in range(1, 200):
        one = open_one(incident=number)
        desk.tickets[DOWN] = one
        desk.incidents.hear([Opened(ticket=one)])
        desk.tickets[DOWN] = replace(one, open=False)
        desk.incidents.hear([Resolved(ticket=desk.tickets[DOWN], text="running", after=1.0)])

    desk.incidents.found(1, missed=("x",))
    desk.incidents.found(199, missed=("x",))

    assert (desk.kept(1).missed, desk.kept(199).missed) == ((), ("x",))


# A start of healthd


def recalled(desk: Desk, *incidents: Incident) -> Desk:
    again = Desk(tickets=desk.tickets, store=desk.store)
    again.incidents.recall(incidents)
    again.incidents.hear([])
    return again


def test_an_incident_goes_on_over_a_restart_with_all_that_was_found() -> None:
    desk = Desk()
    desk.happens(Opened(ticket=open_one()))
    desk.incidents.found(1, run=run(), changes=(EDITED,))
    again = recalled(desk, desk.kept())
    again.happens(started())

    assert again.incidents.unseen() == ()
    assert (again.kept().runs, again.kept().attempts) == ((run(),), 1)


def test_what_the_state_knows_better_is_taken_from_it() -> None:
    desk = Desk()
    desk.happens(Opened(ticket=open_one()))
    kept = desk.kept()
    desk.tickets[DOWN] = open_one(severity=Severity.CRITICAL, gave_up_at=1.0)

    known = recalled(desk, kept).kept()

    assert (known.gave_up, known.severity) == (True, Severity.CRITICAL)
    assert known.result == "healthd gave up on web.service: a person is needed"


def test_an_incident_that_ended_meanwhile_is_over() -> None:
    desk = Desk()
    desk.happens(Opened(ticket=open_one()))
    kept = desk.kept()
    desk.tickets.clear()
    over = replace(kept, id=2, ended_at=5.0)

    again = recalled(desk, kept, over)

    assert again.kept().result.startswith("over when healthd looked again, after ")
    assert 2 not in again.store.filed


def test_an_issue_of_which_nothing_was_written_down_is_looked_at_again() -> None:
    desk = Desk(tickets={DOWN: open_one()})
    again = recalled(desk)

    (unseen,) = again.incidents.unseen()
    again.incidents.open(unseen)
    assert again.kept().issues == ("services/web.service/service_down",)

    (still_unseen,) = recalled(again, again.kept()).incidents.unseen()
    assert still_unseen is unseen
