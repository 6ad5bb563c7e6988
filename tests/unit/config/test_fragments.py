"""The files of the configuration: which are read, and what is said of those that cannot be."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from healthd.config import load, load_texts
from healthd.errors import ConfigError
from tests.unit.config.said import said

if TYPE_CHECKING:
    from pathlib import Path


def problems_of(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path)
    return [str(problem) for problem in caught.value.problems]


@pytest.fixture
def main(tmp_path: Path) -> Path:
    (tmp_path / "conf.d").mkdir()
    file = tmp_path / "healthd.toml"
    file.touch()
    return file


def test_without_any_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.config.fragments.DEFAULT_FILE", tmp_path / "healthd.toml")

    settings = load()

    assert settings.files == ()
    assert settings == load_texts()


def test_drop_ins_are_read_although_the_usual_file_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.config.fragments.DEFAULT_FILE", tmp_path / "healthd.toml")
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "a.toml").write_text("[auto_healing]\ndry_run = true\n")

    assert load().auto_healing.dry_run


def test_drop_ins_are_read_after_the_main_file_in_name_order(main: Path) -> None:
    folder = main.parent / "conf.d"
    for name in ("b.toml", "a.toml", "c.txt", ".hidden.toml", "d.toml.dpkg-dist"):
        (folder / name).write_text("[health]\n" if name.endswith("toml") else "not TOML")

    assert load(main).files == (str(main), str(folder / "a.toml"), str(folder / "b.toml"))


def test_a_named_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    missing = tmp_path / "no.toml"

    assert problems_of(missing) == [
        f"{missing}: it cannot be read: No such file or directory; create it, or name another with --config"
    ]


def test_all_files_are_told_of_at_once(main: Path) -> None:
    folder = main.parent / "conf.d"
    main.write_text("[health]\nx = 1\n")
    (folder / "a.toml").write_bytes(b"[health]\n# \xff\n")
    (folder / "b.toml").write_text("[health\n")
    (folder / "c.toml").mkdir()
    (folder / "d.toml").symlink_to("nowhere")
    (folder / "e.toml").write_text("health = 1\n")

    problems = problems_of(main)

    assert [problem.removeprefix(str(folder)).split(": ")[0] for problem in problems] == [
        f"{main}:2",
        "/a.toml:2",
        "/b.toml:1",
        "/c.toml",
        "/d.toml",
        "/e.toml:1",
    ]


def test_a_pipe_in_the_folder_holds_nothing_up(main: Path) -> None:
    os.mkfifo(main.parent / "conf.d" / "a.toml")

    (problem,) = problems_of(main)

    assert "it is not a regular file" in problem


def test_a_folder_that_is_a_file_is_told(main: Path) -> None:
    (main.parent / "conf.d").rmdir()
    (main.parent / "conf.d").touch()

    (problem,) = problems_of(main)

    assert problem.startswith(f"{main.parent / 'conf.d'}: it cannot be read: Not a directory")


def test_what_may_stand_in_an_unreadable_file_is_not_said_to_be_missing(main: Path) -> None:
    main.write_text('[component.web]\nurl = "http://h/"\ndepends_on = ["database"]\n')
    (main.parent / "conf.d" / "a.toml").write_text('[component.web]\ntype = "http\n')

    (problem,) = problems_of(main)

    assert "a.toml:2: this is not TOML" in problem


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"[health]\nx = \n", "a.toml:2: this is not TOML: invalid value at column 5; "),
        (b"[health]\n\nx = 1\nx = 2\n", "a.toml:4: this is not TOML: cannot overwrite a value at column 6; "),
        (b'[health]\nx = "abc', "a.toml:2: this is not TOML: unterminated string at the end of the file; "),
        (b"[health]\r\nx = \r\n", "a.toml:2: this is not TOML: invalid value at column 5; "),
        (b"[health]\n\xc3\x28\n", "a.toml:2: byte 0xc3 is not UTF-8; save the file as UTF-8"),
        (b"\nx = " + b"[" * 100_000, "a.toml:2: tables, arrays or keys are nested deeper than 16; "),
        (b"\n" + b"a." * 100_000 + b"a = 1", "a.toml:2: tables, arrays or keys are nested deeper than 16; "),
        (b"\nx = 1" + b"0" * 9000, "a.toml:2: this is not TOML: a number of thousands of digits; "),
        (b"#" * (1024 * 1024 + 1), "a.toml: the file is larger than 1 MiB; "),
    ],
)
def test_a_broken_file_is_told_with_its_line(text: bytes, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_texts({"a.toml": text})

    (problem,) = caught.value.problems
    assert str(problem).startswith(words)


def test_more_components_than_any_host_has_are_refused() -> None:
    text = "".join(f'[component.c{number}]\ntype = "heartbeat"\nevery_seconds = 60\n' for number in range(1001))

    assert said(a=text) == ["a.toml:3001: component.c1000: found 1001 components; allowed are 1000"]


def test_more_problems_than_anyone_mends_at_once_are_only_counted() -> None:
    text = "[health]\n" + "".join(f"k{number} = 1\n" for number in range(5000))

    with pytest.raises(ConfigError) as caught:
        load_texts({"a": text})

    *first, last = caught.value.problems
    assert len(first) == 200
    assert last.found == "and 4800 more problems"
