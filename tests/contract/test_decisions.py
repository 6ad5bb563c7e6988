"""The pages of decisions: every one is listed, and has the sections that page 1 asks for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest

from tests.contract.source import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FOLDER: Final = ROOT / "docs" / "adr"
PAGES: Final = sorted(FOLDER.glob("[0-9]*.md"))
SECTIONS: Final = ["Context", "Decision", "Cost", "Consequences"]

every_page = pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])


def title(page: Path) -> str:
    return page.read_text(encoding="utf-8").partition("\n")[0]


@every_page
def test_a_page_has_its_number_in_its_title(page: Path) -> None:
    assert re.match(rf"# {int(page.stem[:4])}\. \S", title(page))


@every_page
def test_a_page_has_context_and_decision_and_what_follows_in_this_order(page: Path) -> None:
    sections = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)

    known = [section for section in sections if section in SECTIONS]
    assert [section for section in SECTIONS if section in known] == known
    assert known[:2] == ["Context", "Decision"]


def test_the_numbers_are_each_used_once() -> None:
    numbers = [page.stem[:4] for page in PAGES]

    assert sorted(set(numbers)) == numbers


def test_the_index_lists_every_page_with_its_title_in_order() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^- \[(.+)\]\((.+)\)$", index, re.MULTILINE)

    assert [(title(page).removeprefix("# "), page.name) for page in PAGES] == listed
