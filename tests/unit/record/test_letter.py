"""What people read of an alert: the cause in its title, what was done, what had changed; and no secret."""

from __future__ import annotations

from dataclasses import replace

from healthd.decide.alert import Alert, Word
from healthd.decide.state import EngineState, Key, Ticket
from healthd.evidence import Change, ChangeKind, Incident, Line, Run
from healthd.letters import Why
from healthd.model import HoldReason, IssueType, Severity
from healthd.record.letter import MOST_ISSUES, file_name, letter
from tests.unit.builders import DOWN, UNIT, ticket

ALERT = Alert(
    id=3, incident=12, keys=(DOWN,), told=1, opened_wall=1_700_000_000.0, severity=Severity.HIGH, routed=Severity.HIGH
)
FIRST = Word(1, Why.OPENED, 1_700_000_005.25)
EDITED = Change(at=1_700_000_000.0 - 180, kind=ChangeKind.UNIT_FILE, what="/etc/x.conf", text="was edited", own=True)
LINES = tuple(Line(at=float(at), source="web", text=f"line {at}") for at in range(20))
KNOWN = Incident(
    id=12,
    opened_at=1_700_000_000.0,
    ended_at=None,
    severity=Severity.HIGH,
    title="web.service is down: status 1",
    result="start_unit did not help web.service: it started, but did not stay up",
    issues=(),
    units=(UNIT,),
    attempts=2,
    runs=(Run(unit=UNIT, invocation="a", at=1.0, text="status 1", lines=LINES),),
    changes=(EDITED,),
)


def state(*tickets: Ticket) -> EngineState:
    return EngineState(seed=7, tickets={each.key: each for each in tickets})


def down(**changes: object) -> Ticket:
    return replace(ticket(), incident=12, **changes)  # type: ignore[arg-type]


def test_it_says_what_is_wrong_what_was_done_what_had_changed_and_where_to_look() -> None:
    said = letter(ALERT, FIRST, state(down()), KNOWN, host="web1")

    assert said.title == "web.service is down: killed by SIGKILL"
    assert said.text == "start_unit did not help web.service: it started, but did not stay up (2 attempts so far)"
    assert said.changed == "/etc/x.conf was edited 3 min before"
    assert said.evidence[-1] == "line 19"
    assert said.hints[:2] == ("healthctl incident 12", f"healthctl explain {UNIT}")
    assert (said.id, said.key, said.host) == ("00000007-3-1-1700000005", "00000007-3", "web1")
    assert [(issue.id, issue.open, issue.told) for issue in said.issues] == [
        ("services/web.service/service_down", True, True)
    ]


def test_its_lines_are_those_of_the_first_run_in_which_the_unit_that_it_began_with_said_something() -> None:
    def run(unit: str, source: str) -> Run:
        return Run(unit=unit, invocation=source, at=1.0, text="", lines=(Line(at=1.0, source=source, text=source),))

    silent = run(UNIT, "systemd")
    runs = (silent, run("other.service", "other"), run(UNIT, "second"), run(UNIT, "third"))

    def told(*runs: Run) -> tuple[str, ...]:
        return letter(ALERT, FIRST, state(down()), replace(KNOWN, runs=runs), host="web1").evidence

    assert told(*runs) == ("second",)
    assert told(silent) == ("systemd",)
    assert told() == ()


def test_where_nothing_is_known_of_the_incident_the_hold_says_why_nothing_is_done() -> None:
    held = down(hold=HoldReason.SUGGEST, hold_text="healing is only suggested")

    assert letter(ALERT, FIRST, state(held), None, host="h").text == "healing is only suggested"


def test_the_first_hint_is_the_command_that_does_what_is_suggested() -> None:
    waits = down(hold=HoldReason.SUGGEST, suggested="start_unit")

    assert letter(ALERT, FIRST, state(waits), KNOWN, host="h").hints[0] == f"healthctl heal {UNIT}"
    over = letter(ALERT, Word(2, Why.RESOLVED, 1.0), state(replace(waits, open=False)), KNOWN, host="h")
    assert over.hints[0] == "healthctl incident 12"


def test_the_last_letter_says_that_it_is_over_though_the_issue_is_forgotten() -> None:
    ended = replace(KNOWN, result="healed by start_unit of web.service, after 13 s")
    said = letter(ALERT, Word(2, Why.RESOLVED, 1.0), state(), ended, host="h")

    assert said.title == "over: web.service is down"
    assert said.text == "healed by start_unit of web.service, after 13 s"
    assert not said.issues[0].open


def test_of_what_comes_and_goes_and_of_what_was_given_up_the_title_says_so() -> None:
    flaps = letter(replace(ALERT, flapping=True), Word(1, Why.FLAPPING, 1.0), state(down()), KNOWN, host="h")
    lost = letter(replace(ALERT, gave_up=(DOWN,)), Word(2, Why.GAVE_UP, 1.0), state(down()), KNOWN, host="h")
    gone = letter(replace(ALERT, gave_up=(DOWN,)), Word(2, Why.GAVE_UP, 1.0), state(), None, host="h")

    assert flaps.title == "web.service comes and goes: killed by SIGKILL"
    assert lost.title == "healthd gave up on web.service: a person is needed (killed by SIGKILL)"
    assert gone.title == "healthd gave up on web.service: a person is needed"
    assert flaps.flapping
    assert lost.gave_up


def test_each_title_names_what_was_given_up_since_the_message_before() -> None:
    keys = tuple(Key("services", f"{name}.service", IssueType.SERVICE_DOWN) for name in "abc")
    tickets = [replace(ticket(key, message=f"{key.item} fell"), incident=12) for key in keys]
    word = Word(2, Why.GAVE_UP, 1.0)

    def title(lost: int, now: int, word: Word = word, tickets: list[Ticket] = tickets) -> str:
        alert = replace(ALERT, keys=keys, gave_up=keys[:lost], gave_up_now=now)
        return letter(alert, word, state(*tickets), KNOWN, host="h").title

    assert title(1, 1) == "healthd gave up on a.service: a person is needed (a.service fell)"
    assert title(2, 1) == "healthd gave up on b.service as well: a person is needed (b.service fell)"
    assert title(3, 2) == "healthd gave up on b.service and 1 more as well: a person is needed (b.service fell)"
    repeated = Word(3, Why.REPEATED, 1.0)
    assert title(3, 0, repeated) == "healthd gave up on a.service and 2 more: a person is needed (a.service fell)"
    assert title(2, 0, repeated, tickets[1:]) == "healthd gave up on b.service: a person is needed (b.service fell)"


def test_a_note_says_what_was_wrong_and_whether_healthd_ended_that() -> None:
    note, word = replace(ALERT, note=True, severity=Severity.LOW), Word(1, Why.HEALED, 1.0)
    healed = letter(note, word, state(), replace(KNOWN, result="healed by start_unit of web.service"), host="h")
    alone = letter(note, word, state(), replace(KNOWN, result=f"{UNIT} is well again without healthd"), host="h")

    assert healed.title == "healed: web.service is down"
    assert healed.text == "healed by start_unit of web.service"
    assert alone.title == "over by itself: web.service is down"
    assert (healed.status, healed.level, healed.over) == ("note", "info", False)


def test_many_are_counted_and_what_else_is_open_in_the_incident_is_named() -> None:
    keys = tuple(Key("services", f"{number}.service", IssueType.SERVICE_DOWN) for number in range(60))
    tickets = [replace(ticket(key), incident=12) for key in keys]
    disk = replace(ticket(Key("storage", "/var", IssueType.DISK_FULL), unit=None), incident=12)
    other = replace(ticket(Key("memory", "", IssueType.HIGH_MEMORY), unit=None), incident=13)
    many = letter(replace(ALERT, keys=keys), FIRST, state(*tickets), None, host="h")
    few = letter(ALERT, FIRST, state(down(), disk, other), None, host="h")

    assert many.title == "0.service is down, and 59 more with it: killed by SIGKILL"
    assert len(many.issues) == MOST_ISSUES
    assert [(issue.component, issue.told) for issue in few.issues] == [("services", True), ("storage", False)]


def test_it_holds_no_secret_and_nothing_without_end() -> None:
    said = letter(ALERT, FIRST, state(down(message="password=hunter2 " + "x" * 1000)), None, host="h")

    assert "hunter2" not in said.to_json().decode()
    assert len(said.title) == 500


def test_what_is_about_a_component_names_the_component_in_its_hints() -> None:
    key = Key("memory", "", IssueType.HIGH_MEMORY)
    said = letter(replace(ALERT, keys=(key,)), FIRST, state(ticket(key, unit=None)), None, host="h")

    assert "healthctl explain memory" in said.hints


def test_each_message_has_a_file_of_its_own_but_one_that_only_says_that_it_goes_on() -> None:
    assert file_name(ALERT, FIRST) == "3-1-1700000005.json"
    assert file_name(ALERT, Word(4, Why.ALIVE, 1.0)) == file_name(ALERT, Word(5, Why.ALIVE, 2.0)) == "3-alive.json"
