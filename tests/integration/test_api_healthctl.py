"""healthctl against the API on real sockets: outputs, exit codes, who may do what."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from healthd.cli.client import Client, Refused, Unreachable, claimed_name
from healthd.cli.main import main
from healthd.errors import ConfigError, RequestError
from healthd.expose import render
from healthd.model import ActionKind, HoldReason, Problem, Status
from tests.integration.api_server import DEADLINE, serving
from tests.unit.expose.fake_control import CONFIG, EXPLANATION, HEALED, STATUS, WELL, FakeControl
from tests.unit.expose.outcomes import DIAGNOSES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import Run


def over_the_wire(value: object) -> Any:
    return json.loads(json.dumps(value))


@pytest.mark.parametrize(
    ("status", "code"), [(Status.HEALTHY, 0), (Status.DEGRADED, 1), (Status.UNHEALTHY, 2), (Status.UNKNOWN, 3)]
)
def test_the_exit_code_of_status_is_that_of_a_monitoring_plugin(run: Run, status: Status, code: int) -> None:
    assert run(FakeControl(host=replace(WELL, status=status)), "status")[0] == code
    assert run(FakeControl(host=replace(WELL, status=status)), "status", "--json")[0] == code


@pytest.mark.parametrize(
    ("name", "code", "line"),
    [
        ("services", 1, "!  services  degraded  0.58  2 of 4 units are down"),
        ("memory", 0, "✔  memory  healthy  1.00  41 % used"),
        ("nginx.service", 2, "✘  nginx.service  unhealthy  0.00  killed by SIGKILL"),
        ("nginx", 2, "✘  nginx.service  unhealthy  0.00  killed by SIGKILL"),
    ],
)
def test_status_of_one_thing_is_about_that_thing(run: Run, name: str, code: int, line: str) -> None:
    got, out, _ = run(FakeControl(), "status", name)

    assert (got, out.splitlines()[0]) == (code, line)


def test_status_of_nothing_known_is_unknown_and_names_what_is(run: Run) -> None:
    code, _, err = run(FakeControl(), "status", "web")

    assert code == 3
    assert err == "healthctl: there is no component 'web' (known: services, memory)\n"


def test_the_whole_status_says_whether_healing_is_on(run: Run) -> None:
    _, out, _ = run(FakeControl(), "status")

    assert out.splitlines()[0] == "! degraded · score 0.70 · up 3 d 4 h · healing is on"


def test_the_whole_status_is_shown_even_if_the_settings_are_not_to_be_had(run: Run) -> None:
    class Shy(FakeControl):
        def config(self) -> Any:
            raise RequestError(503, "not now")

    code, out, _ = run(Shy(), "status")

    assert code == 1
    assert out.splitlines()[0] == "! degraded · score 0.70 · up 3 d 4 h"


@pytest.mark.parametrize(
    ("argv", "value"),
    [
        (["status"], render.status(STATUS)),
        (["status", "services"], render.component(STATUS.health_checks["services"])),
        (["issues"], [render.issue(one) for one in STATUS.health_checks["services"].issues]),
        (["explain", "nginx.service"], render.explanation(EXPLANATION)),
        (["heal", "nginx.service"], render.finished(HEALED)),
        (["check"], render.status(STATUS)),
        (["reset", "nginx.service"], {"reset": ["services/nginx.service/service_down"]}),
        (["reload"], {"reloaded": True, "warnings": ["TLS is not in use"]}),
        (["config", "show"], CONFIG),
        (["doctor"], [render.diagnosis(one) for one in DIAGNOSES]),
    ],
)
def test_json_is_the_answer_of_the_api(run: Run, argv: list[str], value: object) -> None:
    _, out, _ = run(FakeControl(), *argv, "--json")

    assert json.loads(out) == over_the_wire(value)


def test_explain_is_told_in_words(run: Run) -> None:
    code, out, _ = run(FakeControl(), "explain", "nginx.service")

    assert code == 0
    assert "Decision      hold: waits before the next attempt" in out


def test_explain_of_something_unknown_is_one_line_with_a_hint(run: Run) -> None:
    assert run(FakeControl(), "explain", "nobody") == (
        1,
        "",
        "healthctl: nothing here is called nobody (healthctl status)\n",
    )


def test_a_complaint_stays_one_line_and_harmless_whatever_the_name(run: Run) -> None:
    _, _, err = run(FakeControl(), "explain", "no\nbody\x1b[31m")

    assert err.count("\n") == 1
    assert "\x1b" not in err


def test_heal_orders_what_was_asked_in_the_name_of_who_asks(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "alice")
    control = FakeControl()

    code, out, _ = run(control, "heal", "nginx.service", "--action", "start_unit", "--dry-run")

    by = f"alice (claimed, uid {os.getuid()})"
    assert control.told == [("heal", "nginx.service", ActionKind.START_UNIT, True, by)]
    assert (code, out) == (0, "nginx.service: would start the unit: up again since 3 s\n")


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (HEALED, 0),
        (replace(HEALED, outcome=None), 1),
        (replace(HEALED, decision="hold", hold=HoldReason.PROTECTED, outcome=None), 1),
    ],
)
def test_heal_succeeds_only_when_it_is_healed(run: Run, outcome: Any, code: int) -> None:
    assert run(FakeControl(outcome=outcome), "heal", "nginx.service")[0] == code


@pytest.mark.parametrize(
    ("argv", "first"), [([], "! degraded"), (["memory"], "✔  memory"), (["nginx"], "✘  nginx.service")]
)
def test_check_runs_now_and_shows_how_things_stand(run: Run, argv: list[str], first: str) -> None:
    code, out, _ = run(FakeControl(), "check", *argv)

    assert code == 0
    assert out.startswith(first)


def test_reset_names_what_was_forgotten(run: Run) -> None:
    assert run(FakeControl(), "reset", "nginx.service")[1] == "reset: services/nginx.service/service_down\n"
    assert run(FakeControl(), "reset", "memory")[1] == "There was nothing to forget about memory.\n"


def test_the_configuration_in_force_is_shown_as_toml(run: Run) -> None:
    _, out, _ = run(FakeControl(), "config", "show")

    assert out.startswith("# in force in the running healthd\n")
    assert '[services."nginx.service"]\nheal = "suggest"\n' in out


def test_doctor_fails_while_something_is_broken(run: Run) -> None:
    code, out, _ = run(FakeControl(), "doctor")

    assert code == 1
    assert "✔ daemon: answers at" in out
    assert "✘ polkit: nginx.service may not be restarted\n    systemctl reload healthd\n" in out


def test_doctor_looks_from_outside_when_nobody_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--socket", str(tmp_path / "healthd.sock"), "doctor"]) == 1
    assert "✘ daemon: cannot reach healthd" in capsys.readouterr().out


def test_completion_lists_components_and_items(run: Run) -> None:
    _, out, _ = run(FakeControl(), "--complete", "names")

    assert out.split() == ["services", "backup.service", "cron.service", "nginx.service", "ssh.service", "memory"]


def as_nobody(socket_path: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """healthctl of a user without any rights, who need not be able to read this Python."""
    code = f"""
import os, sys
from healthd.cli import config, heal, heartbeat, issues, main, status
main.parser().parse_args({list(argv)!r})  # has argparse load what it loads late
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
sys.exit(main.main({["--socket", str(socket_path), *argv]!r}))
"""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)


@pytest.fixture
def open_directory(tmp_path: Path) -> Path:
    """A directory that everybody can reach, as /run/healthd is."""
    for parent in (tmp_path, *tmp_path.parents[:3]):
        parent.chmod(0o755)
    return tmp_path


needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")


@needs_root
def test_everybody_may_read_the_outline(open_directory: Path) -> None:
    with serving(open_directory, FakeControl()) as served:
        done = as_nobody(served.path, "status")

    assert done.returncode == 1
    assert done.stdout.startswith("! degraded · score 0.70 · up 3 d 4 h\n")
    assert "nginx" not in done.stdout
    assert "be in the group healthd" in done.stdout


@needs_root
@pytest.mark.parametrize("argv", [("issues",), ("heal", "x"), ("config", "show")])
def test_everything_else_is_refused_with_what_to_do(open_directory: Path, argv: tuple[str, ...]) -> None:
    control = FakeControl()
    with serving(open_directory, control) as served:
        done = as_nobody(served.path, *argv)

    assert done.returncode == 1
    assert done.stderr.endswith("(use sudo, or be in the group healthd)\n")
    assert done.stderr.count("\n") == 1
    assert control.told == []


def answering(path: Path, answer: bytes | None) -> threading.Thread:
    """A server that takes one request and answers with these bytes, or only listens."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(1)
    listener.settimeout(DEADLINE)

    def serve() -> None:
        with listener:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                if answer is None:
                    connection.settimeout(DEADLINE)
                    assert connection.recv(1) == b""  # the client gives up first
                else:
                    connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "healthd closed the connection without an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{", "healthd closed the connection without an answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "healthd closed the connection without an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "what answers there is not healthd"),
        (None, "healthd did not answer within 0.2 s"),
    ],
)
def test_every_bad_answer_is_said_in_one_line(tmp_path: Path, answer: bytes | None, words: str) -> None:
    path = tmp_path / "healthd.sock"
    thread = answering(path, answer)
    try:
        with pytest.raises(Unreachable, match=words) as caught:
            Client(path).get("/health", seconds=0.2 if answer is None else DEADLINE)
    finally:
        thread.join(DEADLINE)
    assert caught.value.hint


def test_a_socket_on_which_nobody_listens_is_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "healthd.sock"
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))

        with pytest.raises(Unreachable, match="nobody listens there"):
            Client(path).get("/health")


def test_a_file_that_is_no_socket_is_said_to_be_the_reason(tmp_path: Path) -> None:
    path = tmp_path / ("long" * 50)

    with pytest.raises(Unreachable, match="cannot reach healthd at"):
        Client(path).get("/health")


def test_a_server_that_answers_without_reading_is_heard(tmp_path: Path) -> None:
    with serving(tmp_path, FakeControl()) as served, pytest.raises(Refused) as caught:
        Client(served.path).post("/api/v1/heal", {"name": "x" * 3_000_000})

    assert caught.value.status == 413


def test_a_full_queue_is_waited_for_and_no_longer_than_allowed(tmp_path: Path) -> None:
    path = tmp_path / "healthd.sock"
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
        listener.bind(str(path))
        listener.listen(0)
        first.connect(str(path))

        with pytest.raises(Unreachable, match="did not answer within"):
            Client(path).get("/health", seconds=0.1)


def test_a_refusal_carries_status_hint_and_problems(tmp_path: Path) -> None:
    problem = Problem(file="/etc/x.toml", line=3, key="a", found="1", allowed="2")
    with serving(tmp_path, FakeControl(fault=ConfigError([problem]))) as served, pytest.raises(Refused) as caught:
        Client(served.path).post("/api/v1/apply", {})

    assert caught.value.status == 422
    assert caught.value.problems == (str(problem),)


def test_an_order_is_signed_with_the_login_where_there_is_no_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr("os.getlogin", lambda: "bob")

    assert claimed_name() == "bob"


def test_an_order_from_no_terminal_is_signed_with_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_terminal() -> str:
        raise OSError

    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr("os.getlogin", no_terminal)
    monkeypatch.setattr("os.getuid", lambda: 0)
    assert claimed_name() == "root"

    monkeypatch.setattr("os.getuid", lambda: 4_000_000)
    assert claimed_name() == "4000000"
