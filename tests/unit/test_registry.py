"""The folders of like things: each file is found by what it holds, and two never hide one another."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

import healthd.actions
import healthd.checks
from healthd.errors import PluginError
from healthd.model import ActionKind
from healthd.registry import find_actions, find_checks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACTION = """
from healthd.model import ActionKind
from healthd.registry import ActionSpec

ACTION = ActionSpec(kind=ActionKind.{kind}, disruptive=False, run=print)
"""

CHECK = """
from healthd.registry import CheckSpec

CHECK = CheckSpec(type="{type}", options=repr, sample=print, assess=print, score=sum)
"""


@pytest.fixture(params=[healthd.actions, healthd.checks])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder in place of the package's own."""
    package = request.param
    monkeypatch.setattr(package, "__path__", [str(tmp_path)])
    yield tmp_path
    for file in tmp_path.glob("*.py"):
        if sys.modules.pop(f"{package.__name__}.{file.stem}", None) is not None:
            delattr(package, file.stem)


def test_every_check_is_found_by_its_type() -> None:
    checks = find_checks()

    assert "services" in checks
    assert {name: spec.type for name, spec in checks.items()} == {name: name for name in checks}


def test_a_check_stands_in_the_file_of_its_name_so_that_those_of_some_types_alone_can_be_loaded() -> None:
    assert all(find_checks({name}) == {name: spec} for name, spec in find_checks().items())
    assert find_checks({"no such type"}) == {}


def test_every_action_is_found_by_its_kind() -> None:
    actions = find_actions()

    assert actions.keys() >= {
        ActionKind.START_UNIT,
        ActionKind.RESTART_UNIT,
        ActionKind.RELOAD_UNIT,
        ActionKind.RESET_FAILED,
    }
    assert {kind: spec.kind for kind, spec in actions.items()} == {kind: kind for kind in actions}


def test_only_what_interrupts_a_running_unit_is_disruptive() -> None:
    disruptive = {kind for kind, spec in find_actions().items() if spec.disruptive}

    assert disruptive == {ActionKind.RESTART_UNIT, ActionKind.NETWORK_RESTART, ActionKind.RUN_UNIT}


@pytest.mark.parametrize("folder", [healthd.actions], indirect=True)
def test_a_new_file_is_a_new_action(folder: Path) -> None:
    (folder / "made_up.py").write_text(ACTION.format(kind="DISK_CLEANUP"), encoding="utf-8")

    assert list(find_actions()) == [ActionKind.DISK_CLEANUP]


@pytest.mark.parametrize("folder", [healthd.actions], indirect=True)
def test_two_files_that_are_the_same_action_stop_the_start(folder: Path) -> None:
    for name in ("made_up_a.py", "made_up_b.py"):
        (folder / name).write_text(ACTION.format(kind="DISK_CLEANUP"), encoding="utf-8")

    with pytest.raises(PluginError, match="two files are both disk_cleanup"):
        find_actions()


@pytest.mark.parametrize("folder", [healthd.checks], indirect=True)
def test_two_files_that_are_the_same_check_stop_the_start(folder: Path) -> None:
    for name in ("made_up_c.py", "made_up_d.py"):
        (folder / name).write_text(CHECK.format(type="tides"), encoding="utf-8")

    with pytest.raises(PluginError, match="two files are both tides"):
        find_checks()


@pytest.mark.parametrize("folder", [healthd.checks], indirect=True)
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no attribute 'CHECK'"),
        ("CHECK = 7", "CHECK must be a CheckSpec, not int"),
        ("CHECK =", "invalid syntax"),
        ("import nothing_of_this_name", "No module named 'nothing_of_this_name'"),
    ],
)
def test_a_file_that_holds_no_check_stops_the_start_and_says_why(folder: Path, text: str, said: str) -> None:
    (folder / "made_up_e.py").write_text(text, encoding="utf-8")

    with pytest.raises(PluginError, match=f"healthd.checks.made_up_e: .*{said}"):
        find_checks()
