"""The command line: what it takes, and how it refuses the rest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from healthd import __version__
from healthd.cli.main import main, parser


def refused(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[object, str]:
    with pytest.raises(SystemExit) as caught:
        main(argv)
    return caught.value.code, capsys.readouterr().err


def test_without_a_verb_it_helps(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "healthctl doctor" in capsys.readouterr().out


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])

    assert caught.value.code == 0
    assert "examples:\n  healthctl status" in capsys.readouterr().out


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])

    assert capsys.readouterr().out == f"healthctl {__version__}\n"


@pytest.mark.parametrize(
    "argv",
    [
        ("stats",),
        ("heal",),
        ("heal", "x", "--action", "reboot"),
        ("config",),
        ("issues", "--jsn"),
        ("--jsn", "issues"),
        ("incident", "foo"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line_with_a_hint(
    capsys: pytest.CaptureFixture[str], argv: tuple[str, ...]
) -> None:
    code, err = refused(capsys, *argv)

    assert code == 64
    assert err.count("\n") == 1
    assert err.startswith("healthctl: ")
    assert "--help" in err


@pytest.mark.parametrize(
    "argv",
    [("silence", "web", "--for", "5x"), ("history", "cpu", "--since", "foo"), ("incidents", "--since", "2999-01-01")],
)
def test_an_argument_that_makes_no_sense_is_one_too(capsys: pytest.CaptureFixture[str], argv: tuple[str, ...]) -> None:
    assert main(argv) == 64
    assert capsys.readouterr().err.startswith(f"healthctl: {argv[-2]} {argv[-1]}: this is no")


@pytest.mark.parametrize("argv", [("status", "--jsn"), ("status", "a", "b"), ("status", "--socket")])
def test_a_mistake_after_status_is_unknown_to_a_monitoring_system(
    capsys: pytest.CaptureFixture[str], argv: tuple[str, ...]
) -> None:
    assert refused(capsys, *argv)[0] == 3


@pytest.mark.parametrize("argv", [["--json", "--socket", "/s", "issues"], ["issues", "--json", "--socket", "/s"]])
def test_what_every_verb_takes_may_stand_before_it_or_after(argv: list[str]) -> None:
    args = parser().parse_args(argv)

    assert (args.json, args.socket) == (True, Path("/s"))


def test_nothing_is_abbreviated() -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["heal", "x", "--dry"])


@pytest.mark.parametrize(("argv", "code"), [(["status"], 3), (["issues"], 1), (["heal", "x"], 1), (["reload"], 1)])
def test_without_a_daemon_every_verb_says_in_one_line_what_to_look_at(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, argv: list[str], code: int
) -> None:
    socket = tmp_path / "healthd.sock"

    assert main(["--socket", str(socket), *argv]) == code
    err = capsys.readouterr().err
    assert f"cannot reach healthd at {socket}: there is no such socket" in err
    assert "systemctl status healthd" in err


def test_completion_stays_silent_without_a_daemon(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["--socket", str(tmp_path / "no.sock"), "--complete", "names"]) == 1
    assert capsys.readouterr() == ("", "")


def test_ctrl_c_ends_it_quietly(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("healthd.cli.issues.run", interrupted)

    assert main(["issues"]) == 130
    assert capsys.readouterr() == ("", "")


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [
        sys.executable,
        "-c",
        "import sys; from healthd.cli.main import main; sys.exit(main(['config', 'show']))",
    ]
    with os.fdopen(write_end, "wb") as gone:
        done = subprocess.run(command, stdout=gone, stderr=subprocess.PIPE, timeout=30, check=False)

    assert (done.returncode, done.stderr) == (141, b"")


def test_a_terminal_without_our_signs_is_no_reason_to_fail(tmp_path: Path) -> None:
    code = f"import sys; from healthd.cli.main import main; sys.exit(main(['--socket', '{tmp_path}/no', 'doctor']))"
    env = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=env, timeout=30, check=False)

    assert done.returncode == 1
    assert b"Traceback" not in done.stderr


def test_status_loads_nothing_that_takes_long_to_load(tmp_path: Path) -> None:
    heavy = {"asyncio", "http.client", "structlog", "psutil", "ssl", "healthd.model", "healthd.config", "sqlite3"}
    run = f"main(['--socket', '{tmp_path}/no', 'status'])"
    code = f"import sys; from healthd.cli.main import main; {run}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)

    assert heavy & set(done.stdout.split()) == set()


@pytest.mark.parametrize(("verb", "code"), [(["config", "show"], 1), (["--socket", "/none", "doctor"], 1)])
def test_a_full_disk_behind_the_output_is_one_line_and_no_success(verb: list[str], code: int) -> None:
    command = [sys.executable, "-c", f"import sys; from healthd.cli.main import main; sys.exit(main({verb}))"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=30, check=False)

    assert (done.returncode, done.stderr) == (
        code,
        "healthctl: the output cannot be written: No space left on device\n",
    )


def test_who_closed_the_output_gets_the_exit_code_all_the_same() -> None:
    script = "import sys; from healthd.cli.main import main; sys.exit(main(['config', 'show']))"
    command = ["sh", "-c", 'exec "$0" -c "$1" >&-', sys.executable, script]
    done = subprocess.run(command, stderr=subprocess.PIPE, timeout=30, check=False)

    assert (done.returncode, done.stderr) == (0, b"")
