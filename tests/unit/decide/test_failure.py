"""What systemd's words about a dead unit mean, and how people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from healthd.decide.failure import CLASSES, SETUP_EXITS, Cause, cause_of, class_of, in_words, signal_name
from healthd.model import IssueType
from tests.fake_units import service
from tests.unit.builders import detail, killed

if TYPE_CHECKING:
    from healthd.model import UnitFacts

SEEN: list[tuple[dict[str, Any], Cause, str]] = [
    ({"result": "signal", "code": 2, "exit_status": 9}, Cause.SIGNAL, "killed by SIGKILL"),
    ({"result": "success", "code": 2, "exit_status": 15}, Cause.SIGNAL, "killed by SIGTERM"),
    ({"result": "signal", "code": 1}, Cause.SIGNAL, "killed by a signal"),
    ({"result": "core-dump", "code": 3, "exit_status": 11}, Cause.CORE_DUMP, "crashed with SIGSEGV"),
    ({"result": "success", "code": 3, "exit_status": 6}, Cause.CORE_DUMP, "crashed with SIGABRT"),
    ({"result": "core-dump"}, Cause.CORE_DUMP, "crashed"),
    ({"result": "exit-code", "code": 1, "exit_status": 3}, Cause.EXIT_CODE, "ended with exit status 3"),
    ({"result": "exit-code", "code": 0}, Cause.EXIT_CODE, "one of its commands failed"),
    ({"result": "exit-code", "code": 1, "exit_status": 0}, Cause.EXIT_CODE, "one of its commands failed"),
    (
        {"dependency_failed": True},
        Cause.DEPENDENCY,
        "not started, because something that it requires has failed",
    ),
    ({"result": "timeout"}, Cause.TIMEOUT, "did not start or stop in time"),
    (
        {"result": "timeout", "detail": detail(runs_at_most=True)},
        Cause.TIMEOUT,
        "took longer than it may: to run (RuntimeMaxSec=), to start or to stop",
    ),
    (
        {"result": "success", "detail": detail(assert_failed=True)},
        Cause.CONFIG,
        "not started: an assertion of its unit file (Assert...=) does not hold",
    ),
    ({"result": "watchdog", "code": 3, "exit_status": 6}, Cause.WATCHDOG, "hung: it did not answer systemd's watchdog"),
    ({"result": "oom-kill"}, Cause.OOM, "killed because memory ran out"),
    ({"result": "start-limit-hit"}, Cause.START_LIMIT, "started too often; systemd refuses to start it again"),
    ({"result": "resources"}, Cause.RESOURCES, "systemd lacked a resource to start it"),
    ({"result": "protocol"}, Cause.PROTOCOL, "it did not keep to its start protocol"),
    ({"result": "success", "code": 1}, Cause.CLEAN_EXIT, "ended by itself with success"),
    ({"result": "success", "code": 1, "exit_status": 1}, Cause.EXIT_CODE, "ended with exit status 1"),
    ({"result": "success", "code": 0}, Cause.UNKNOWN, "failed"),
    ({"result": "exec-condition", "code": 0}, Cause.UNKNOWN, "failed (exec-condition)"),
    ({"load": "error"}, Cause.CONFIG, "systemd cannot read its unit file"),
    ({"load": "bad-setting"}, Cause.CONFIG, "systemd cannot use its unit file"),
    ({"load": "not-found"}, Cause.CONFIG, "its unit file is gone"),
    (
        {"result": "exit-code", "code": 1, "exit_status": 78},
        Cause.CONFIG,
        "it says that its configuration is wrong (exit status 78)",
    ),
    (
        {"result": "start-limit-hit", "code": 1, "exit_status": 217},
        Cause.CONFIG,
        "systemd could not set it up: user does not exist (USER) (exit status 217)",
    ),
]


@pytest.mark.parametrize(("facts", "cause", "words"), SEEN, ids=[words for _, _, words in SEEN])
def test_a_failure_has_a_cause_and_words(facts: dict[str, Any], cause: Cause, words: str) -> None:
    unit = service("web.service", active="failed", **facts)

    assert (cause_of(unit), in_words(unit)) == (cause, words)


def test_no_memory_for_the_program_passes_and_is_no_configuration_error() -> None:
    unit = service("web.service", active="failed", result="exit-code", code=1, exit_status=204)

    assert 204 not in SETUP_EXITS
    assert cause_of(unit) is Cause.EXIT_CODE


def test_a_program_that_is_killed_with_a_number_like_a_setup_status_is_no_configuration_error() -> None:
    unit = service("web.service", active="failed", result="signal", code=2, exit_status=78)

    assert cause_of(unit) is Cause.SIGNAL


@pytest.mark.parametrize("known", [{"clean_statuses": (3, 4)}, {"may_fail": True}])
def test_what_its_file_calls_a_success_is_one(known: dict[str, Any]) -> None:
    ended = {"active": "inactive", "result": "success", "code": 1}
    of_the_program = service("web.service", exit_status=3, detail=detail(**known), **ended)
    like_a_setup_status = service("web.service", exit_status=217, detail=detail(may_fail=True), **ended)

    assert cause_of(of_the_program) is Cause.CLEAN_EXIT
    assert cause_of(like_a_setup_status) is Cause.CLEAN_EXIT


@pytest.mark.parametrize(
    ("status", "main", "cause", "words"),
    [
        (203, {"code": 0}, Cause.CONFIG, "systemd could not set it up: the program cannot be executed"),
        (78, {"code": 2, "exit_status": 15}, Cause.CONFIG, "it says that its configuration is wrong"),
        (4, {"code": 0}, Cause.EXIT_CODE, "a command around its main one ended with exit status 4"),
        (203, {"code": 1, "exit_status": 5}, Cause.EXIT_CODE, "ended with exit status 5"),
    ],
)
def test_a_command_around_the_main_one_tells_where_that_does_not(
    status: int, main: dict[str, Any], cause: Cause, words: str
) -> None:
    unit = service("web.service", active="failed", result="exit-code", detail=detail(control_status=status), **main)

    assert cause_of(unit) is cause
    assert in_words(unit).startswith(words)


def test_a_signal_without_a_name_is_called_by_its_number() -> None:
    assert signal_name(99) == "signal 99"


def test_every_cause_has_words() -> None:
    assert {cause for _, cause, _ in SEEN} == set(Cause) - {Cause.HUNG, Cause.LEAK, Cause.CRASH_LOOP}


def test_every_class_has_a_remedy_and_a_reason() -> None:
    assert set(CLASSES) == set(Cause)
    assert all(kind.why for kind in CLASSES.values())


def test_what_systemd_stopped_for_another_unit_says_for_which() -> None:
    unit = service("web.service", active="inactive", code=2, exit_status=15, stopped_for="db.service")

    assert cause_of(unit) is Cause.DEPENDENCY
    assert in_words(unit) == "stopped by systemd because db.service, which it binds to, went down"


@pytest.mark.parametrize(
    ("issue", "cause", "unit", "kind"),
    [
        (IssueType.SERVICE_DOWN, "oom", killed(), Cause.SIGNAL),
        (IssueType.SERVICE_DOWN, "oom", service("web.service"), Cause.OOM),
        (IssueType.JOB_FAILED, "a word of tomorrow", service("web.service"), Cause.UNKNOWN),
        (IssueType.PROBE_FAILED, "", service("web.service"), Cause.HUNG),
        (IssueType.HEARTBEAT_MISSED, "", killed(), Cause.SIGNAL),
        (IssueType.HIGH_MEMORY, "limit", service("web.service"), Cause.LEAK),
        (IssueType.CRASH_LOOP, "unknown", killed(), Cause.CRASH_LOOP),
        (IssueType.DISK_FULL, "limit", service("web.service"), None),
        (IssueType.SERVICE_DOWN, "signal", None, None),
    ],
)
def test_the_class_of_an_issue_is_that_of_its_unit_as_it_is_now(
    issue: IssueType, cause: str, unit: UnitFacts | None, kind: Cause | None
) -> None:
    assert class_of(issue, cause, unit) is kind
