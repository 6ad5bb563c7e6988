from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest

from healthd import __main__ as program
from healthd import __version__
from healthd.config import Settings
from healthd.errors import HealthdError, StorageError
from tests.fakes import FakeLog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


WRONG = '[health]\ncheck_interval_seconds = "often"\nhealth_timeout = 3\n'


class Log(FakeLog):
    """A log of which `lost` records do not arrive."""

    lost = 0

    def close(self) -> int:
        return self.lost


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """What is logged; the test's process keeps what `main` would take from it."""
    log = Log()
    monkeypatch.setattr("healthd.lean.slim", lambda: None)
    monkeypatch.setattr("faulthandler.enable", lambda: None)
    monkeypatch.setattr("healthd.systemd.journal.open_log", lambda *_: log)
    monkeypatch.setattr("healthd.systemd.journal.leads_to_journal", lambda *_: False)
    yield log
    gc.enable()


def written(directory: Path, text: str) -> str:
    """The path of a configuration."""
    path = directory / "healthd.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return str(path)


def served_by(monkeypatch: pytest.MonkeyPatch, *, ends: BaseException | None = None) -> list[Any]:
    """Put another daemon in place of the real one; returns what it is made of."""
    made: list[Any] = []

    class Daemon:
        def __init__(self, *parts: Any) -> None:
            made.extend(parts)

        async def run(self) -> None:
            if ends is not None:
                raise ends

    monkeypatch.setattr("healthd.daemon.Daemon", Daemon)
    return made


def test_check_says_that_a_configuration_is_valid(log: Log, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, "")

    assert program.main(["--check", "--config", path]) == 0
    assert capsys.readouterr() == (f"configuration is valid (files: {path})\n", "")


def test_check_tells_what_is_not_wrong_but_ought_to_be_changed(
    log: Log, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, '[services."dbus.service"]\nheal = true\n')

    assert program.main(["--check", "--config", path]) == 0
    assert capsys.readouterr().err.startswith(f"warning: {path}:2: ")


@pytest.mark.parametrize("options", [[], ["--check"], ["--foreground-log"]], ids=["start", "check", "foreground"])
def test_a_wrong_configuration_ends_with_78_and_every_problem_on_stderr(
    options: list[str], log: Log, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, WRONG)

    assert program.main([*options, "--config", path]) == program.EX_CONFIG == 78
    assert [line.partition(": ")[0] for line in capsys.readouterr().err.splitlines()] == [f"{path}:2", f"{path}:3"]
    assert log.records == []


def test_under_systemd_a_wrong_configuration_is_one_record_with_every_problem(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("healthd.systemd.journal.leads_to_journal", lambda *_: True)

    assert program.main(["--config", written(tmp_path, WRONG)]) == 78
    (record,) = log.records
    assert record.message.count("healthd.toml:") == 2
    assert capsys.readouterr().err == ""


def test_a_record_that_the_journal_does_not_take_goes_to_stderr(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("healthd.systemd.journal.leads_to_journal", lambda *_: True)
    log.lost = 1

    assert program.main(["--config", written(tmp_path, WRONG)]) == 78
    assert capsys.readouterr().err.count("healthd.toml:") == 2


def test_without_options_the_usual_configuration_is_read(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    made = served_by(monkeypatch)
    asked, settings = [], Settings()

    def load(path: Path | None) -> Settings:
        asked.append(path)
        return settings

    monkeypatch.setattr("healthd.config.load", load)
    monkeypatch.setattr("sys.argv", ["healthd"])

    assert program.main() == 0
    assert asked == [None]
    assert (made[0], made[1], made[3]) == (settings, None, log)


def test_what_an_operator_can_mend_ends_it_with_one_line(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served_by(monkeypatch, ends=StorageError("cannot make /var/lib/healthd: Read-only file system"))
    log.lost = 2

    assert program.main(["--config", written(tmp_path, "")]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first == "healthd: cannot make /var/lib/healthd: Read-only file system"
    assert "2 records" in second


def test_a_bug_ends_it_with_a_traceback(log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bug = LookupError("a bug")
    served_by(monkeypatch, ends=ExceptionGroup("tasks", [bug, HealthdError("and what came of it")]))

    with pytest.raises(ExceptionGroup) as caught:
        program.main(["--config", written(tmp_path, "")])

    assert caught.value.exceptions == (bug,)


def test_the_version_is_that_of_the_package(log: Log, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        program.main(["--version"])

    assert caught.value.code == 0
    assert capsys.readouterr().out == f"healthd {__version__}\n"
