"""`healthctl incidents` and `incident`: what somebody reads who was woken up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from healthd.cli import incident, incidents
from healthd.cli.text import Style
from healthd.evidence import Run
from healthd.expose import dossier
from tests.unit.cli.test_pages import over_the_wire
from tests.unit.expose.fake_control import INCIDENT, NOW

if TYPE_CHECKING:
    from healthd.evidence import Incident

PLAIN = Style(coloured=False)
GOING = replace(INCIDENT, ended_at=None, result="not acting on nginx.service: 20 s pause", changes=(), follows=0)


def whole(value: Incident) -> list[str]:
    return incident.page(over_the_wire(dossier.whole(value)), NOW, PLAIN)


def listed(*values: Incident) -> list[str]:
    return incidents.page(over_the_wire([dossier.summary(value) for value in values]), NOW, PLAIN)


def section(lines: list[str], title: str) -> list[str]:
    """The lines below a title."""
    begin = next(number for number, line in enumerate(lines) if line.strip().startswith(title)) + 1
    end = next((number for number in range(begin, len(lines)) if not lines[number]), len(lines))
    return [line.strip() for line in lines[begin:end]]


def test_the_first_lines_say_what_it_was_how_it_ended_and_what_had_changed() -> None:
    assert whole(INCIDENT)[:4] == [
        "● Incident 12: nginx.service is down: killed by SIGKILL",
        "  over, high, 20:00:11: healed by start_unit of nginx.service, after 2.0 s",
        "  changed before: /etc/systemd/system/nginx.service.d/override.conf was edited 3 min before (and 2 more)",
        "  it was the same shortly before: healthctl incident 11",
    ]


def test_each_kind_of_evidence_has_its_title() -> None:
    lines = whole(INCIDENT)

    assert section(lines, "What changed in the hour before") == [
        "19:57:11  /etc/systemd/system/nginx.service.d/override.conf was edited 3 min before",
        "19:50:11  nginx was upgraded from 1.22.1-9 to 1.22.1-10 10 min before",
        "19:31:51  the host was rebooted 28 min before",
    ]
    assert section(lines, "What happened") == [
        "20:00:11.500  nginx.service is down: killed by SIGKILL",
        "20:00:12.750  healed nginx.service: start_unit helped, it is up and stays up (1.0 s)",
    ]
    assert section(lines, "What nginx.service left (killed by SIGKILL)") == [
        "it used 12.0 MiB of memory and 5 tasks before the action",
        "core dump: SIGSEGV in /usr/sbin/nginx (coredumpctl info 812)",
        "20:00:09 nginx: worker: password=***",
        "20:00:11 systemd: nginx.service: Main process exited",
        "all of it: journalctl _SYSTEMD_INVOCATION_ID=0123456789abcdef0123456789abcdef",
    ]
    assert section(lines, "How things stood") == [
        "memory      5.0 of 8.0 GiB available",
        "load        0.40",
        "pressure    cpu 0.5 %, memory 0 %, io 1.25 %",
        "component   score 0.60, stable",
        "values      restarts 2",
        "also wrong  storage /var: 97 % used",
    ]
    assert section(lines, "What could not be looked at") == [
        "/etc/nginx/private cannot be looked into: Permission denied"
    ]


def test_one_that_goes_on_says_since_when_and_what_holds_it() -> None:
    lines = whole(GOING)

    assert lines[1:3] == [
        "  going on, high, since 20:00:11 (5 min ago): not acting on nginx.service: 20 s pause",
        "  changed before: nothing that healthd knows of",
    ]


def test_what_is_not_known_is_not_said_to_be_nothing() -> None:
    bare = replace(GOING, looked=False, surroundings=None, runs=(), events=(), missed=(), part_of=3)

    assert whole(bare)[2:] == ["  changed before: not known (yet)", "  it goes on as: healthctl incident 3"]


def test_a_run_of_which_little_is_known_says_that_little() -> None:
    core = replace(INCIDENT.runs[0].core, file="") if INCIDENT.runs[0].core else None
    run = Run(unit="a.service", invocation="", at=NOW, text="it was never started", core=core)
    lines = whole(replace(INCIDENT, runs=(run,)))

    assert section(lines, "What a.service left") == ["core dump: SIGSEGV in /usr/sbin/nginx (the core was not kept)"]


def test_what_stands_around_it_may_not_be_known_and_may_be_foretold() -> None:
    stood = INCIDENT.surroundings
    assert stood is not None
    bare = replace(
        stood,
        memory_total=None,
        memory_available=None,
        load=None,
        pressure={},
        values={},
        beside=(),
        trend="",
        score=None,
        seconds_to_critical=600.0,
    )

    assert section(whole(replace(INCIDENT, surroundings=bare)), "How things stood") == ["foretold  critical in 10 min"]


def test_very_many_changes_are_no_wall() -> None:
    lines = section(whole(replace(INCIDENT, changes=INCIDENT.changes[1:2] * 30)), "What changed in the hour before")

    assert len(lines) == 13
    assert lines[-1] == "and 18 more: --json has all"


def test_an_incident_of_another_day_has_its_date() -> None:
    lines = incident.page(over_the_wire(dossier.whole(INCIDENT)), NOW + 5 * 86_400, PLAIN)

    assert lines[1].startswith("  over, high, 2025-11-23 20:00: healed")
    assert section(lines, "What happened")[0].startswith("2025-11-23 20:00  nginx.service is down")


def test_the_list_has_a_paragraph_for_each_and_says_where_there_is_more() -> None:
    assert listed(replace(GOING, id=9), INCIDENT) == [
        "●  9  20:00:11  nginx.service is down: killed by SIGKILL",
        "      going on, high, since 20:00:11 (5 min ago): not acting on nginx.service: 20 s pause",
        "● 12  20:00:11  nginx.service is down: killed by SIGKILL",
        "      over, high, 20:00:11: healed by start_unit of nginx.service, after 2.0 s",
        "      changed before: /etc/systemd/system/nginx.service.d/override.conf was edited 3 min before (and 2 more)",
        "",
        "All that is known of one: healthctl incident NUMBER (or: last)",
    ]
    assert listed() == ["No incidents."]


def test_what_a_program_wrote_cannot_steer_the_terminal() -> None:
    line: Any = replace(INCIDENT.runs[0].lines[0], text="\x1b[2J")
    run = replace(INCIDENT.runs[0], lines=(line,))

    assert "\x1b" not in "\n".join(whole(replace(INCIDENT, runs=(run,), title="\x1b]0;x")))
