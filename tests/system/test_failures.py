"""Each way in which a service can fail, and what healthd makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.system.units import job, never_ready, obedient, service
from tests.system.ward import QUICK, Ward, when

if TYPE_CHECKING:
    from tools.throwaway import Host


@pytest.fixture(scope="module")
def ward(shared_host: Host) -> Ward:
    made = Ward(host=shared_host)
    made.configure(QUICK)
    return made


def test_a_killed_service_is_started_once_and_every_step_is_said(ward: Ward) -> None:
    unit = ward.add()
    before, cursor = ward.invocation(unit), ward.host.cursor()
    ward.kill(unit)
    ward.await_healed(cursor, unit)

    opened, started, finished, resolved = ward.story(cursor, unit)
    now = ward.host.show(unit, "ActiveState", "InvocationID")
    assert now["ActiveState"] == "active"
    assert now["InvocationID"] != before
    assert ward.starts(cursor, unit) == 1
    common = {
        "HEALTHD_COMPONENT": "services",
        "HEALTHD_ITEM": unit,
        "HEALTHD_UNIT": unit,
        "HEALTHD_ISSUE": "service_down",
        "HEALTHD_SEVERITY": "high",
    }
    for record in (opened, started, finished, resolved):
        assert common.items() <= record.items()
        assert len(record["MESSAGE_ID"]) == 32
    assert opened["HEALTHD_EVENT"] == "issue_opened"
    attempt = {"HEALTHD_ACTION": "start_unit", "HEALTHD_ATTEMPT": "1"}
    assert (attempt | {"HEALTHD_EVENT": "healing_started"}).items() <= started.items()
    assert (attempt | {"HEALTHD_EVENT": "healing_finished", "HEALTHD_OUTCOME": "success"}).items() <= finished.items()
    assert int(finished["HEALTHD_DURATION_MS"]) >= 200
    assert resolved["HEALTHD_EVENT"] == "issue_resolved"
    assert int(resolved["HEALTHD_DURATION_MS"]) >= int(finished["HEALTHD_DURATION_MS"])
    assert ward.issue(unit) == {}


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("kill -TERM $$", "SIGTERM"),
        ("kill -HUP $$", "SIGHUP"),
        ("exit 1", "exit status 1"),
        ("exit 42", "exit status 42"),
        ('exec /usr/bin/python3 -c "import ctypes; ctypes.string_at(0)"', "SIGSEGV"),
    ],
    ids=["SIGTERM", "SIGHUP", "exit-1", "exit-42", "segfault"],
)
def test_a_service_that_ends_badly_is_started_again(ward: Ward, end: str, words: str) -> None:
    unit = ward.add(obedient())
    before, cursor = ward.invocation(unit), ward.host.cursor()
    ward.tell(unit, end)
    ward.await_healed(cursor, unit)

    assert ward.events(cursor, unit) == ["issue_opened", "healing_started", "healing_finished", "issue_resolved"]
    assert words in ward.story(cursor, unit)[0]["MESSAGE"]
    assert ward.host.state(unit) == "active"
    assert ward.invocation(unit) != before


def test_a_service_that_stops_answering_its_watchdog_is_started_again(ward: Ward) -> None:
    once = '/bin/sh -c "systemd-notify --ready; [ -e /run/%N.hung ] || { touch /run/%N.hung; exec sleep infinity; }; '
    unit = ward.add(
        service(
            once + 'while systemd-notify WATCHDOG=1; do sleep 0.2; done"',
            *("Type=notify", "NotifyAccess=all", "WatchdogSec=1", "TimeoutAbortSec=1"),
        ),
        start=False,
    )
    cursor = ward.host.cursor()
    ward.host.run(["systemctl", "start", unit])
    ward.await_healed(cursor, unit)

    assert "watchdog" in ward.story(cursor, unit)[0]["MESSAGE"]
    assert ward.host.state(unit) == "active"


def test_a_service_that_an_assertion_keeps_from_its_start_is_reported_until_it_starts(ward: Ward) -> None:
    cursor = ward.host.cursor()
    unit = ward.add(service(unit=["AssertPathExists=/run/wanted"]), start=False)
    ward.try_start(unit)
    ward.await_event(cursor, "healing_held", unit, reason="config_error")
    assert "an assertion of its unit file" in ward.issue(unit)["message"]

    ward.host.sh(f"touch /run/wanted; systemctl start {unit}")
    ward.await_healed(cursor, unit)
    assert "healing_started" not in ward.events(cursor, unit)


def test_a_service_that_may_run_for_so_long_only_is_started_again(ward: Ward) -> None:
    cursor = ward.host.cursor()
    unit = ward.add(service("/bin/sleep infinity", "RuntimeMaxSec=2"))
    opened = ward.await_event(cursor, "issue_opened", unit)
    assert "RuntimeMaxSec=" in opened["MESSAGE"]
    ward.await_event(cursor, "healing_finished", unit, outcome="success")
    ward.discard(unit)


def test_a_service_that_ends_by_itself_with_success_is_only_reported(ward: Ward) -> None:
    unit = ward.add(obedient())
    before, cursor = ward.invocation(unit), ward.host.cursor()
    ward.tell(unit, "exit 0")
    ward.await_event(cursor, "healing_held", unit, reason="clean_exit")
    ward.look()

    assert "healing_started" not in ward.events(cursor, unit)
    assert ward.invocation(unit) == before
    assert ward.issue(unit)["hold"] == "clean_exit"


@pytest.mark.parametrize(("clean_exit", "state"), [("heal", "active"), ("ok", "inactive")])
def test_what_a_clean_end_means_can_be_said_for_each_unit(ward: Ward, clean_exit: str, state: str) -> None:
    unit = ward.add(obedient())
    ward.configure(f'[services."{unit}"]\nclean_exit = "{clean_exit}"\n', name="clean")
    cursor = ward.host.cursor()
    ward.tell(unit, "exit 0")
    if clean_exit == "heal":
        ward.await_healed(cursor, unit)
    else:
        ward.host.await_unit(unit, "inactive")
        ward.look()
        assert ward.issue(unit) == {}

    assert ward.host.state(unit) == state


def test_a_start_that_hangs_is_tried_three_times_with_growing_pauses_and_then_given_up_aloud(ward: Ward) -> None:
    unit = ward.add(never_ready(), start=False)
    cursor = ward.host.cursor()
    ward.try_start(unit)
    gave_up = ward.await_event(cursor, "healing_gave_up", unit, seconds=60)

    story = ward.story(cursor, unit)
    assert [r["HEALTHD_ATTEMPT"] for r in story if r["HEALTHD_EVENT"] == "healing_started"] == ["1", "2", "3"]
    assert {r["HEALTHD_OUTCOME"] for r in story if r["HEALTHD_EVENT"] == "healing_finished"} == {"failed"}
    assert gave_up["HEALTHD_SEVERITY"] == "critical"
    assert int(gave_up["PRIORITY"]) <= 2
    assert "GAVE UP" in gave_up["MESSAGE"]
    assert ward.starts(cursor, unit) == 4
    issue = ward.issue(unit)
    assert issue["gave_up"]
    assert issue["attempts"] == 3
    assert issue["severity"] == "critical"
    assert issue["until"] > issue["opened_at"] + 3000

    finished = [when(r) for r in story if r["HEALTHD_EVENT"] == "healing_finished"]
    begun = [when(r) for r in story if r["HEALTHD_EVENT"] == "healing_started"]
    pauses = [start - end for start, end in zip(begun[1:], finished, strict=False)]
    assert pauses[0] >= 0.19
    assert pauses[1] >= 0.39


@pytest.mark.parametrize(
    ("broken", "status"),
    [
        (service("/usr/bin/no-such-program"), "203"),
        (service("sleep infinity", "User=nosuchuser"), "217"),
        (service("sleep infinity", "ReadWritePaths=/no/such/path"), "226"),
        (service('/bin/sh -c "exit 78"'), "78"),
    ],
    ids=["missing-program", "missing-user", "broken-sandbox", "EX_CONFIG"],
)
def test_what_no_restart_can_mend_is_reported_and_not_started(ward: Ward, broken: str, status: str) -> None:
    unit = ward.add(broken, start=False)
    cursor = ward.host.cursor()
    ward.try_start(unit)
    ward.await_event(cursor, "healing_held", unit, reason="config_error")
    ward.look()

    assert f"exit status {status}" in ward.story(cursor, unit)[0]["MESSAGE"]
    assert ward.starts(cursor, unit) == 1
    assert "healing_started" not in ward.events(cursor, unit)
    assert ward.issue(unit)["hold"] == "config_error"


def test_a_service_that_systemd_itself_restarts_is_no_issue(ward: Ward) -> None:
    unit = ward.add(service("sleep infinity", "Restart=always", "RestartSec=300ms"))
    before, cursor = ward.invocation(unit), ward.host.cursor()
    ward.kill(unit)
    ward.host.await_unit(unit, "active", invocation_other_than=before)
    ward.look()

    assert ward.events(cursor, unit) == []
    assert ward.starts(cursor, unit) == 1


def test_a_failed_unit_of_another_type_is_reported(ward: Ward) -> None:
    unit = ward.add("[Mount]\nWhat=nothing\nWhere=/mnt\nType=nosuchfs\n", name="mnt.mount", enable=False, start=False)
    cursor = ward.host.cursor()
    ward.try_start(unit)
    ward.await_event(cursor, "healing_held", unit, reason="not_allowed")
    assert ward.issue(unit)["message"]

    ward.host.run(["systemctl", "reset-failed", unit])
    ward.await_healed(cursor, unit)


def test_a_crash_loop_is_an_issue_while_systemd_still_restarts_the_service(ward: Ward) -> None:
    unit = ward.add(
        service('/bin/sh -c "sleep 0.1; exit 1"', "Restart=always", "RestartSec=50ms", unit=["StartLimitIntervalSec=0"])
    )
    cursor = ward.host.cursor()
    ward.await_event(cursor, "issue_opened", unit, issue="crash_loop")
    held = ward.await_event(cursor, "healing_held", unit, reason="starting")
    ward.look()

    assert "systemd restarts it by itself" in held["MESSAGE"]
    assert ward.issue(unit)["type"] == "crash_loop"
    assert "healing_started" not in ward.events(cursor, unit)
    ward.discard(unit)


def test_a_service_that_systemd_gave_up_on_is_reset_and_started(ward: Ward) -> None:
    third_run_works = "echo >> /run/%N.runs; [ $$(wc -l < /run/%N.runs) -lt 3 ] || exec sleep infinity; exit 1"
    limits = ["StartLimitBurst=2", "StartLimitIntervalSec=1h"]
    unit = ward.add(
        service(f'/bin/sh -c "{third_run_works}"', "Restart=always", "RestartSec=10ms", unit=limits), start=False
    )
    cursor = ward.host.cursor()
    ward.try_start(unit)
    ward.await_healed(cursor, unit)

    assert ward.events(cursor, unit) == ["issue_opened", "healing_started", "healing_finished", "issue_resolved"]
    assert ward.host.state(unit) == "active"


def test_a_service_that_is_killed_more_often_than_systemd_lets_it_start_comes_back_each_time(ward: Ward) -> None:
    unit = ward.add(service(unit=["StartLimitBurst=3", "StartLimitIntervalSec=1h"]))
    with ward.under("[health]\nmax_healing_attempts = 0\n[auto_healing]\nbackoff_seconds = 0\n"):
        for _ in range(5):
            cursor = ward.host.cursor()
            ward.kill(unit)
            ward.await_healed(cursor, unit)
            assert ward.host.state(unit) == "active"


def test_a_job_that_failed_is_reported_and_not_run_again(ward: Ward) -> None:
    unit = ward.add(job("/bin/false"), start=False)
    cursor = ward.host.cursor()
    ward.try_start(unit)
    ward.await_event(cursor, "healing_held", unit, reason="oneshot", issue="job_failed", severity="medium")
    ward.look()

    assert ward.starts(cursor, unit) == 1
    assert "healing_started" not in ward.events(cursor, unit)


def test_a_failed_job_runs_again_if_its_own_table_says_so(ward: Ward) -> None:
    unit = ward.add(job('/bin/sh -c "[ -e /run/%N.ran ] || { touch /run/%N.ran; exit 1; }"'), start=False)
    ward.configure(f'[services."{unit}"]\nheal = true\n', name="job")
    cursor = ward.host.cursor()
    ward.try_start(unit)
    ward.await_event(cursor, "healing_finished", unit, outcome="success")

    assert ward.host.show(unit, "Result", "ActiveState") == {"Result": "success", "ActiveState": "inactive"}
    assert ward.issue(unit) == {}
