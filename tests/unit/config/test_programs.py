"""What systemd is told of the programs of exec components: the command as it was written, whatever is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from healthd.config import load, load_texts
from healthd.config.programs import drop_ins, quoted

if TYPE_CHECKING:
    from pathlib import Path

TABLE = '[component."disk.root-1"]\ntype = "exec"\ncommand = ["/bin/check", "-w", "10%"]\n'


def test_a_drop_in_says_who_runs_what_and_for_how_long() -> None:
    ((path, text),) = drop_ins(load_texts({"a": TABLE + 'user = "postgres"\ntimeout_seconds = 2.5\n'})).items()

    assert path == "healthd-check@disk.root-1.service.d/50-healthd.conf"
    settings = [line for line in text.splitlines() if not line.startswith("#")]
    assert settings == [
        "[Service]",
        "User=postgres",
        "ExecStart=",
        'ExecStart=:"/bin/check" "-w" "10%%"',
        "TimeoutStartSec=2.500s",
    ]


def test_nobody_is_named_by_his_number_so_that_systemd_does_not_complain() -> None:
    ((_, text),) = drop_ins(load_texts({"a": TABLE})).items()

    assert "User=65534\n" in text


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("plain", '"plain"'),
        ("", '""'),
        ('say "hi"', r'"say \"hi\""'),
        ("back\\slash", r'"back\\slash"'),
        ("100%", '"100%%"'),
        ("$HOME ${x}", '"$HOME ${x}"'),
        (";", '";"'),
        ("it's é", '"it\'s é"'),
    ],
)
def test_a_word_stands_for_itself(word: str, written: str) -> None:
    assert quoted(word) == written


def test_other_components_have_no_program() -> None:
    assert drop_ins(load_texts()) == {}


def test_a_program_that_is_not_there_is_warned_of_where_it_stands(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.touch()
    config = tmp_path / "healthd.toml"
    config.write_text(
        f'[component.a]\ntype = "exec"\ncommand = ["{there}"]\n'
        f'[component.b]\ntype = "exec"\ncommand = ["{tmp_path}/gone"]\n'
    )
    config.chmod(0o600)

    (warning,) = load(config).warnings

    assert (warning.line, warning.key) == (6, "component.b.command")
    assert warning.found == f"there is no program {tmp_path}/gone"
