"""The helper that writes the rule: at a start, at a reload, and when things are wrong."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from healthd.cli.policy import main
from healthd.config import load_texts
from healthd.config.rule import render_refusal, render_rule

if TYPE_CHECKING:
    from pathlib import Path


class Host:
    """A folder for the rule and a configuration."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "healthd.toml"
        self.config.touch()
        self.rules = folder / "rules.d"
        self.rules.mkdir()
        self.output = self.rules / "60-healthd-units.rules"

    def run(self, when: str) -> None:
        """Run the helper; it must end well whatever happens."""
        assert main([f"--at-{when}", "--config", str(self.config), "--output", str(self.output)]) == 0


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


@pytest.mark.parametrize("when", ["start", "reload"])
def test_the_rule_is_written_for_all_to_read(host: Host, when: str, capsys: pytest.CaptureFixture[str]) -> None:
    old = os.umask(0o077)
    try:
        host.run(when)
    finally:
        os.umask(old)

    assert host.output.read_text() == render_rule(load_texts())
    assert host.output.stat().st_mode & 0o777 == 0o644
    assert [file.name for file in host.rules.iterdir()] == [host.output.name]
    assert capsys.readouterr().err.count("\n") == 1


def test_a_rule_that_stays_the_same_is_not_touched_and_not_spoken_of(
    host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    host.run("start")
    before = host.output.stat()
    capsys.readouterr()

    host.run("reload")

    after = host.output.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert capsys.readouterr().err == ""


def test_a_rule_that_polkit_cannot_read_is_written_again(host: Host) -> None:
    host.run("start")
    host.output.chmod(0o600)

    host.run("start")

    assert host.output.stat().st_mode & 0o777 == 0o644


def test_a_wrong_configuration_leaves_nothing_granted_at_a_start(
    host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    host.run("start")
    capsys.readouterr()
    host.config.write_text("[health]\nx = 1\n")

    host.run("start")

    assert host.output.read_text() == render_refusal()
    assert "the configuration has 1 problem (healthctl config check)" in capsys.readouterr().err


def test_a_wrong_configuration_leaves_the_old_rule_at_a_reload(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    host.run("start")
    rule = host.output.read_bytes()
    capsys.readouterr()
    host.config.write_text("[health]\nx = 1\ny = 1\n")

    host.run("reload")

    assert host.output.read_bytes() == rule
    assert "left as it is: the configuration has 2 problems" in capsys.readouterr().err


def test_the_rule_follows_the_configuration(host: Host) -> None:
    host.run("start")
    host.config.write_text('[auto_healing]\nallow = ["nginx.service"]\n')

    host.run("reload")

    assert '"nginx\\\\.service"' in host.output.read_text()


def test_a_missing_folder_is_said_in_one_line(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    host.rules.rmdir()

    host.run("start")

    said = capsys.readouterr().err
    assert f"there is no {host.rules}; is polkitd installed?" in said
    assert said.count("\n") == 1


def test_a_folder_in_the_rules_place_is_said_and_no_litter_is_left(
    host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    host.output.mkdir()

    host.run("start")

    assert "polkit rule not written" in capsys.readouterr().err
    assert [file.name for file in host.rules.iterdir()] == [host.output.name]
