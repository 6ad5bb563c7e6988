"""The tree against the other rules of the house, and each rule against a module that breaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract import rules
from tests.contract.source import module, modules, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.contract.source import Breach, Module

    Rule = Callable[[Module], Iterator[Breach]]

PACKAGE = modules("healthd")
EVERYTHING = [*PACKAGE, *modules("tests"), *modules("tools"), *modules("bench")]

OF_THE_PACKAGE: list[Rule] = [
    rules.foreign,
    rules.banned,
    rules.processes,
    rules.impure,
    rules.clocks,
    rules.loops,
    rules.kernel_files,
    rules.dynamic,
    rules.cancellation,
    rules.values,
]
OF_ALL_CODE: list[Rule] = [rules.sizes, rules.names, rules.relative]


@pytest.mark.parametrize("rule", OF_THE_PACKAGE, ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule: Rule) -> None:
    found = [str(breach) for source in PACKAGE for breach in rule(source)]

    assert not found, "\n".join(found)


@pytest.mark.parametrize("rule", OF_ALL_CODE, ids=lambda rule: rule.__name__)
def test_package_tests_and_tools_keep_the_rule(rule: Rule) -> None:
    found = [str(breach) for source in EVERYTHING for breach in rule(source)]

    assert not found, "\n".join(found)


def test_every_exception_is_caught_at_the_known_borders_and_nowhere_else() -> None:
    found = [broad for source in PACKAGE for broad in rules.broad_handlers(source)]

    strangers = [str(broad.breach) for broad in found if (broad.module, broad.function) not in rules.BORDERS]
    assert not strangers, "\n".join(strangers)
    assert {(broad.module, broad.function) for broad in found} == rules.BORDERS


def test_every_door_is_used() -> None:
    assert [name for name, door in rules.DOORS.items() if not _used(name, door)] == []


def _used(library: str, door: tuple[str, ...]) -> bool:
    taken = {source.name for source in PACKAGE for each in source.imports if within(each.target, library)}
    return all(any(within(name, place) for name in taken) for place in door)


def test_whoever_may_ask_for_the_time_does() -> None:
    taken = [source.name for source in PACKAGE for each in source.imports if within(each.target, "time")]

    assert [place for place in rules.CLOCKS if not any(within(name, place) for name in taken)] == []


LONG = "\n".join(["def long():", *["    pass"] * rules.FUNCTION_LINES])


@pytest.mark.parametrize(
    ("rule", "file", "text", "told"),
    [
        (rules.foreign, "healthd/view.py", "import tomli", "only healthd.config may import tomli"),
        (
            rules.foreign,
            "healthd/cli/text.py",
            "from rich.console import Console",
            "rich.console.Console, which has no",
        ),
        (rules.foreign, "healthd/sample.py", "import sqlite3", "only healthd.record may import sqlite3"),
        (rules.banned, "healthd/heal.py", "from subprocess import run", "imports subprocess.run: the daemon starts no"),
        (
            rules.banned,
            "healthd/host/cpu.py",
            "from asyncio import create_subprocess_exec",
            "the daemon starts no process",
        ),
        (rules.banned, "healthd/expose/api.py", "import http.client", "what asks the network is healthd.net"),
        (rules.banned, "healthd/record/store.py", "import pickle", "is data, never code"),
        (rules.processes, "healthd/host/cpu.py", "os.execve(path, [], {})", "uses os.execve"),
        (rules.processes, "healthd/heal.py", "asyncio.create_subprocess_exec(a)", "uses create_subprocess_exec"),
        (rules.impure, "healthd/decide/limits.py", "import time", "takes time and facts as arguments"),
        (rules.impure, "healthd/assess/score.py", "from pathlib import Path", "imports pathlib.Path"),
        (rules.impure, "healthd/assess/score.py", "print(1)", "calls print()"),
        (rules.impure, "healthd/decide/engine.py", "async def step(): pass", "is a coroutine"),
        (rules.impure, "healthd/decide/engine.py", "def step():\n    global n\n    n = 1", "keeps no state"),
        (rules.clocks, "healthd/heal.py", "from time import monotonic", "time is an argument"),
        (rules.loops, "healthd/config/load.py", "import asyncio", "nothing here has a loop"),
        (rules.kernel_files, "healthd/daemon.py", "Path('/proc/self/status')", "names /proc/self/status"),
        (rules.dynamic, "healthd/heal.py", "importlib.import_module(name)", "imports by a name"),
        (
            rules.cancellation,
            "healthd/heal.py",
            "try: pass\nexcept (OSError, asyncio.CancelledError): pass",
            "does not raise it on",
        ),
        (rules.values, "healthd/model.py", "@dataclass(frozen=True)\nclass A: pass", "without kw_only, slots"),
        (rules.values, "healthd/decide/state.py", "@dataclass\nclass A: pass", "without frozen, kw_only, slots"),
        (rules.sizes, "healthd/heal.py", "\n" * 401, "has 401 lines"),
        (rules.sizes, "healthd/heal.py", LONG, "long has 51 lines"),
        (rules.names, "healthd/record/utils.py", "", "is named 'utils'"),
        (rules.names, "healthd/common/api.py", "", "is named 'common'"),
        (rules.relative, "healthd/heal.py", "from .model import Status", "imports .model.Status"),
    ],
)
def test_a_module_that_breaks_a_rule_is_found(rule: Rule, file: str, text: str, told: str) -> None:
    (breach,) = rule(module(file, text))

    assert str(breach).startswith(f"{file}:")
    assert told in str(breach)


@pytest.mark.parametrize(
    "text",
    [
        "try: pass\n    except Exception: pass",
        "try: pass\n    except: return",
        "try: pass\n    except (OSError, BaseException) as e: log(e)",
        "with contextlib.suppress(Exception): pass",
    ],
)
def test_catching_everything_is_found_in_each_of_its_forms(text: str) -> None:
    (broad,) = rules.broad_handlers(module("healthd/heal.py", f"class Healer:\n  def other(self):\n    {text}\n"))

    assert (broad.module, broad.function, broad.breach.file) == ("healthd.heal", "Healer.other", "healthd/heal.py")


def test_cleaning_up_and_raising_on_is_no_border() -> None:
    text = "def connect():\n    try: pass\n    except BaseException:\n        close()\n        raise\n"

    assert list(rules.broad_handlers(module("healthd/heal.py", text))) == []
