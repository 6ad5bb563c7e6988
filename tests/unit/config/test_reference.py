"""The committed sample and manual page, and that they say what holds."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from healthd.config import load_texts
from healthd.config.reference import main, man, sample
from healthd.config.schema import COMMON, SECTIONS, TYPES, UNIT
from tests.unit.config.said import said

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("file", "text", "page"), [("etc/healthd.toml", sample(), "sample"), ("man/healthd.toml.5", man(), "man")]
)
def test_the_committed_file_is_what_the_declarations_say(file: str, text: str, page: str) -> None:
    command = f"python3 -m healthd.config.reference {page} > {file}"

    assert (ROOT / file).read_text() == text, f"render it again: {command}"


def test_the_sample_changes_nothing() -> None:
    assert replace(load_texts({"a": sample()}), files=()) == load_texts()


def test_every_line_of_the_sample_can_be_put_in_force() -> None:
    assert said(a=re.sub(r"^#(\[|[a-z_]+ = )", r"\1", sample(), flags=re.MULTILINE)) == []


def test_the_sample_has_every_key_of_the_sections() -> None:
    lines = sample().splitlines()

    for section in SECTIONS.values():
        assert f"[{section.heading}]" in lines
        assert all(any(line.startswith(f"#{key} = ") for line in lines) for key in section.keys)


def test_the_manual_has_every_key_of_every_table() -> None:
    page = man()

    for keys in (*(section.keys for section in SECTIONS.values()), UNIT, COMMON, *TYPES.values()):
        assert all(f"\\fB{key}\\fR" in page for key in keys)


def test_every_key_says_what_it_is_for_and_what_to_write() -> None:
    for keys in (*(section.keys for section in SECTIONS.values()), UNIT, COMMON, *TYPES.values()):
        for key, declaration in keys.items():
            assert declaration.help, key
            assert declaration.default is not None or declaration.example, key


@pytest.mark.parametrize("page", ["sample", "man"])
def test_the_pages_are_printed(page: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["reference", page])

    assert main() == 0
    assert capsys.readouterr().out == {"sample": sample(), "man": man()}[page]


def test_an_unknown_page_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["reference", "x"])

    assert main() == 2
