"""The folders of like things: what every check and every action holds, and what becomes of a file that does not."""

from __future__ import annotations

import inspect
import sys
from dataclasses import FrozenInstanceError, fields
from typing import TYPE_CHECKING, Final

import pytest

import healthd.actions
import healthd.checks
from healthd.config import load_texts
from healthd.errors import PluginError
from healthd.model import Assessment
from healthd.registry import ActionSpec, CheckSpec, find_actions, find_checks
from tests.contract.source import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CHECKS: Final = find_checks()
ACTIONS: Final = find_actions()
FOLDERS: Final = {"checks": set(CHECKS), "actions": {str(kind) for kind in ACTIONS}}
PAGES: Final = {"checks": ("components.md", "probes.md", "healing.md"), "actions": ("healing.md",)}

every_check = pytest.mark.parametrize("check", CHECKS.values(), ids=list(CHECKS))
every_action = pytest.mark.parametrize("action", ACTIONS.values(), ids=[str(kind) for kind in ACTIONS])


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_file_is_named_after_what_it_holds(folder: str) -> None:
    files = {path.stem for path in (ROOT / "healthd" / folder).glob("*.py") if path.stem != "__init__"}

    assert files == FOLDERS[folder]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_has_its_tests_in_the_mirror_of_its_folder(folder: str) -> None:
    tests = {path.stem for path in (ROOT / "tests" / "unit" / folder).glob("test_*.py")}

    assert sorted(name for name in FOLDERS[folder] if f"test_{name}" not in tests) == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_check_and_action_is_explained_to_operators(folder: str) -> None:
    page = "".join((ROOT / "docs" / page).read_text(encoding="utf-8") for page in PAGES[folder])

    assert sorted(name for name in FOLDERS[folder] if f"`{name}`" not in page) == []


@every_check
def test_a_check_says_what_it_is_in_its_module(check: CheckSpec) -> None:
    assert inspect.getdoc(inspect.getmodule(check.assess))


@every_check
def test_a_check_waits_only_while_it_reads(check: CheckSpec) -> None:
    assert not inspect.iscoroutinefunction(check.assess)
    assert not inspect.iscoroutinefunction(check.score)


@every_check
def test_the_options_of_a_check_cannot_be_changed(check: CheckSpec) -> None:
    options = check.options(load_texts(), check.type)

    with pytest.raises(FrozenInstanceError):
        setattr(options, fields(options)[0].name, None)


@every_check
def test_a_component_without_items_is_well(check: CheckSpec) -> None:
    assert check.score(Assessment().items) == 1.0


@every_action
def test_an_action_says_what_it_is_in_its_module(action: ActionSpec) -> None:
    assert inspect.getdoc(inspect.getmodule(action.run))


@every_action
def test_an_action_is_given_a_port_a_unit_and_a_deadline_and_nothing_to_decide_with(action: ActionSpec) -> None:
    assert inspect.iscoroutinefunction(action.run)
    assert list(inspect.signature(action.run).parameters) == ["units", "unit", "deadline"]


# What becomes of a malformed file


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder in place of that of the package."""
    package = request.param
    loaded = set(sys.modules)
    monkeypatch.setattr(package, "__path__", [str(tmp_path)])
    for name in [name for name in sys.modules if name.startswith(f"{package.__name__}.")]:
        monkeypatch.delitem(sys.modules, name)
    yield tmp_path
    for name in set(sys.modules) - loaded:
        if name.startswith(f"{package.__name__}."):
            delattr(package, name.rpartition(".")[2])
            del sys.modules[name]


MALFORMED: Final = {
    "holds nothing": "",
    "holds something else": "CHECK = ACTION = 'a word'",
    "holds the class": "from healthd.registry import ActionSpec, CheckSpec\nCHECK, ACTION = CheckSpec, ActionSpec",
    "is no Python": "CHECK = ACTION =",
    "imports what is not there": "from healthd.model import NoSuchWord",
}

IN_EACH_FOLDER: Final = [
    pytest.param(healthd.checks, find_checks, id="checks"),
    pytest.param(healthd.actions, find_actions, id="actions"),
]


@pytest.mark.parametrize("text", MALFORMED.values(), ids=list(MALFORMED))
@pytest.mark.parametrize(("folder", "find"), IN_EACH_FOLDER, indirect=["folder"])
def test_a_malformed_file_is_refused_by_its_name(folder: Path, find: Callable[[], object], text: str) -> None:
    (folder / "made_up.py").write_text(text, encoding="utf-8")

    with pytest.raises(PluginError, match=r"healthd\.(checks|actions)\.made_up: "):
        find()


@pytest.mark.parametrize(("folder", "find"), IN_EACH_FOLDER, indirect=["folder"])
def test_an_empty_folder_is_an_empty_answer(folder: Path, find: Callable[[], object]) -> None:
    assert list(folder.iterdir()) == []
    assert find() == {}
