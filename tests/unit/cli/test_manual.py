"""The manual page and the completion know every verb and option of the parser."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from healthd.cli.main import parser

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]


def parsers(of: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Each verb with its parser, below and below that."""
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, verb in action.choices.items():
                yield name, verb
                yield from parsers(verb)


def spoken() -> list[str]:
    """Every verb, option and choice that the command line takes and does not hide."""
    tops = [("healthctl", parser()), *parsers(parser())]
    options = {
        option
        for _, one in tops
        for action in one._actions
        if action.help != argparse.SUPPRESS
        for option in (*action.option_strings, *(action.choices or ()))
    }
    return sorted(options - {"-h"})


@pytest.mark.parametrize("word", spoken())
def test_the_manual_page_explains_it(word: str) -> None:
    page = (ROOT / "man/healthctl.1").read_text().replace("\\-", "-").split()

    assert any(part.strip('".,[]') == word for part in page)


@pytest.mark.parametrize("word", spoken())
def test_the_completion_offers_it(word: str) -> None:
    script = (ROOT / "completion/healthctl").read_text().replace('"', " ").split()

    assert word in script


@pytest.mark.parametrize("code", ["0", "1", "2", "3", "64", "78"])
def test_the_manual_page_lists_the_exit_code(code: str) -> None:
    assert f".B {code}\n" in (ROOT / "man/healthctl.1").read_text()
