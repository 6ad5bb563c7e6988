"""The helper that writes the rule: at a start, at a reload, and when things are wrong."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from healthd.cli.policy import CONFIG_FILE, main
from healthd.cli.seal import sources, unsealed
from healthd.config import DEFAULT_FILE, load, load_texts
from healthd.config.rule import render_refusal, render_rule

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from healthd.config import Settings


class Host:
    """A folder for the rule and a configuration."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "healthd.toml"
        self.config.touch()
        self.rules = folder / "rules.d"
        self.rules.mkdir()
        self.units = folder / "units"
        self.units.mkdir()
        self.output = self.rules / "60-healthd-units.rules"

    def run(self, when: str) -> None:
        """Run the helper; it must end well whatever happens."""
        assert (
            main(
                [f"--at-{when}", "--config", str(self.config), "--output", str(self.output), "--units", str(self.units)]
            )
            == 0
        )

    def drop_in(self, name: str, text: str) -> Path:
        """Add a file beside the main one."""
        file = self.config.parent / "conf.d" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return file


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


@pytest.fixture
def parsings(monkeypatch: pytest.MonkeyPatch) -> Sequence[Settings]:
    """What was parsed, each time that the configuration was."""
    seen: list[Settings] = []

    def load_and_tell(path: Path | None) -> Settings:
        seen.append(load(path))
        return seen[-1]

    monkeypatch.setattr("healthd.config.load", load_and_tell)
    return seen


@pytest.mark.parametrize("when", ["start", "reload"])
def test_the_rule_is_written_for_all_to_read(host: Host, when: str, capsys: pytest.CaptureFixture[str]) -> None:
    old = os.umask(0o077)
    try:
        host.run(when)
    finally:
        os.umask(old)

    assert unsealed(host.output.read_bytes()) == render_rule(load_texts()).encode()
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


def test_a_configuration_that_stays_the_same_is_not_parsed_again(host: Host, parsings: Sequence[Settings]) -> None:
    host.drop_in("a.toml", "[health]\n")

    for when in ("start", "start", "reload"):
        host.run(when)

    assert len(parsings) == 1


def test_a_drop_in_that_comes_changes_or_goes_is_seen(host: Host) -> None:
    host.run("start")

    file = host.drop_in("a.toml", '[auto_healing]\nallow = ["nginx.service"]\n')
    host.run("start")
    assert '"nginx\\\\.service"' in host.output.read_text()

    file.write_text('[auto_healing]\nallow = ["nginy.service"]\n')
    host.run("start")
    assert '"nginy\\\\.service"' in host.output.read_text()

    file.unlink()
    host.run("start")
    assert unsealed(host.output.read_bytes()) == render_rule(load_texts()).encode()


def test_drop_ins_that_change_places_are_seen(host: Host) -> None:
    first = host.drop_in("a.toml", '[auto_healing]\nallow = ["first.service"]\n')
    second = host.drop_in("b.toml", '[auto_healing]\nallow = ["second.service"]\n')
    host.run("start")
    aside = first.rename(host.config.parent / "aside")
    second.rename(first)
    aside.rename(second)

    host.run("start")

    assert '"first\\\\.service"' in host.output.read_text()


def test_every_file_that_is_parsed_is_sealed(host: Host) -> None:
    for name in ("a.toml", "b.toml", "x..toml", "\udcff.toml", "\n.toml", ".hidden.toml", "c.txt"):
        host.drop_in(name, "")

    parsed = load(host.config).files

    assert len(parsed) == 6
    assert {os.fsencode(name) for name in parsed} <= set(sources(str(host.config)))


def test_a_change_that_grants_the_same_is_sealed_without_a_word(
    host: Host, parsings: Sequence[Settings], capsys: pytest.CaptureFixture[str]
) -> None:
    host.run("start")
    host.config.write_text("# a word\n")
    capsys.readouterr()

    host.run("reload")
    host.run("start")

    assert capsys.readouterr().err == ""
    assert len(parsings) == 2


def test_a_rule_that_somebody_changed_is_put_right(host: Host) -> None:
    host.run("start")
    rule = host.output.read_text()
    host.output.write_text(rule.replace("polkit.Result.NO;", "polkit.Result.YES;", 1))

    host.run("start")

    assert host.output.read_text() == rule


def test_a_rule_of_another_version_is_made_anew(
    host: Host, parsings: Sequence[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    host.run("start")
    monkeypatch.setattr("healthd.cli.seal.__version__", "99")

    host.run("start")

    assert len(parsings) == 2


def test_a_rule_is_not_sealed_with_a_text_that_was_replaced_before_it_was_read(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load_too_late(path: Path) -> Settings:
        host.config.write_text('[auto_healing]\nallow = ["nginx.service"]\n')
        return load(path)

    with monkeypatch.context() as context:
        context.setattr("healthd.config.load", load_too_late)
        host.run("start")
    host.config.write_text("")
    host.run("start")

    assert unsealed(host.output.read_bytes()) == render_rule(load_texts()).encode()


@pytest.mark.parametrize("place", ["main", "drop-in"])
def test_a_file_that_becomes_a_pipe_hangs_nobody_and_grants_nothing(host: Host, place: str) -> None:
    file = host.config if place == "main" else host.drop_in("a.toml", "")
    host.run("start")
    file.unlink()
    os.mkfifo(file)

    host.run("start")

    assert host.output.read_text() == render_refusal()


def test_each_reload_says_that_the_configuration_is_still_wrong(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    host.config.write_text("[health]\nx = 1\n")
    host.run("start")
    capsys.readouterr()

    for _ in range(2):
        host.run("reload")
        assert "left as it is" in capsys.readouterr().err


def test_helper_and_daemon_mean_the_same_file() -> None:
    assert str(DEFAULT_FILE) == CONFIG_FILE


# The programs of exec components

PROGRAM = '[component.disk]\ntype = "exec"\ncommand = ["/bin/true"]\n'


def test_a_program_gets_its_drop_in_and_loses_it_with_its_component(host: Host) -> None:
    file = host.drop_in("a.toml", PROGRAM)
    host.run("start")
    written = host.units / "healthd-check@disk.service.d" / "50-healthd.conf"
    assert 'ExecStart=:"/bin/true"\n' in written.read_text()
    assert written.stat().st_mode & 0o777 == 0o644

    file.unlink()
    host.run("reload")
    assert list(host.units.iterdir()) == []


def test_what_an_administrator_put_beside_a_drop_in_stays(host: Host) -> None:
    file = host.drop_in("a.toml", PROGRAM)
    host.run("start")
    own = host.units / "healthd-check@disk.service.d" / "override.conf"
    own.touch()

    file.unlink()
    host.run("reload")
    assert list(own.parent.iterdir()) == [own]


def test_a_drop_in_that_is_gone_or_was_changed_is_put_right_at_the_next_start(
    host: Host, parsings: Sequence[Settings]
) -> None:
    host.drop_in("a.toml", PROGRAM)
    host.run("start")
    host.run("start")
    assert len(parsings) == 1
    written = host.units / "healthd-check@disk.service.d" / "50-healthd.conf"
    text = written.read_text()

    written.write_text("[Service]\nUser=root\n")
    host.run("start")
    assert written.read_text() == text

    written.unlink()
    host.run("start")
    assert written.read_text() == text


def test_a_wrong_configuration_leaves_the_programs_as_they_are(host: Host) -> None:
    file = host.drop_in("a.toml", PROGRAM)
    host.run("start")
    file.write_text("[health]\nx = 1\n")

    for when in ("reload", "start"):
        host.run(when)
        assert [folder.name for folder in host.units.iterdir()] == ["healthd-check@disk.service.d"]


def test_drop_ins_that_cannot_be_written_are_said_and_the_rule_is_written(
    host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    host.drop_in("a.toml", PROGRAM)
    (host.units / "healthd-check@disk.service.d").touch()

    host.run("start")

    assert "programs of exec components not set up" in capsys.readouterr().err
    assert unsealed(host.output.read_bytes()) == render_rule(load_texts()).encode()
