"""`healthctl config`, on files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from healthd.cli.main import main
from healthd.config import load_texts
from healthd.config.show import tables

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def write(directory: Path, text: str) -> Path:
    path = directory / "healthd.toml"
    path.write_text(text)
    return path


def test_a_valid_configuration_is_said_to_be_valid_with_its_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, "[health]\nmax_healing_attempts = 5\n")

    assert main(["config", "check", "--config", str(path)]) == 0
    assert capsys.readouterr().out == f"configuration is valid (files: {path})\n"


def test_every_problem_is_printed_and_the_exit_code_says_config(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, "[health]\nmax_healing_attempts = -5\nno_such_key = 1\n")

    assert main(["config", "check", "--config", str(path)]) == 78
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[0] for line in lines] == [f"{path}:2", f"{path}:3"]


def test_the_verdict_is_there_as_json_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = write(tmp_path, "")
    assert main(["config", "check", "--json", "--config", str(good)]) == 0
    assert json.loads(capsys.readouterr().out) == {"valid": True, "files": [str(good)], "warnings": []}

    bad = write(tmp_path, "[health]\nno_such_key = 1\n")
    assert main(["config", "check", "--json", "--config", str(bad)]) == 78
    verdict = json.loads(capsys.readouterr().out)
    assert (verdict["valid"], len(verdict["problems"])) == (False, 1)


def test_a_warning_does_not_make_it_invalid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, '[alerting]\npagerduty_key = "s3cret"\n')
    path.chmod(0o644)

    assert main(["config", "check", "--config", str(path)]) == 0
    captured = capsys.readouterr()
    assert captured.err.startswith(f"warning: {path}")
    assert "s3cret" not in captured.out + captured.err


def test_what_the_files_come_to_is_shown_without_a_daemon(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, '[alerting]\npagerduty_key = "s3cret"\n')

    assert main(["config", "show", "--json", "--config", str(path)]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["alerting"]["pagerduty_key"] == "***"
    assert shown["health"] == tables(load_texts())["health"]


def test_what_is_shown_says_where_it_comes_from_and_is_toml(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, '[services."nginx.service"]\nheal = "suggest"\n')

    assert main(["config", "show", "--config", str(path)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("# from the files; the running healthd was not asked\n")
    assert load_texts({"shown.toml": out}).unit("nginx.service").heal == "suggest"


def test_a_wrong_file_is_not_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, "[health]\nno_such_key = 1\n")

    assert main(["config", "show", "--config", str(path)]) == 1
    assert capsys.readouterr().err.startswith(f"healthctl: {path}:2: ")
