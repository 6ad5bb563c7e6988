"""The tree against the table of layers."""

from __future__ import annotations

import pytest

from tests.contract.layers import breaches, row_of, unused
from tests.contract.source import module, modules

PACKAGE = modules("healthd")


def test_no_module_imports_what_its_layer_must_not_know() -> None:
    found = [str(breach) for source in PACKAGE for breach in breaches(source)]

    assert not found, "\n".join(found)


def test_the_table_holds_nothing_that_is_not_there() -> None:
    assert list(unused(PACKAGE)) == []


def test_every_module_but_the_version_stands_in_the_table() -> None:
    assert [source.file for source in PACKAGE if row_of(source) is None] == ["healthd/__init__.py"]


@pytest.mark.parametrize(
    ("file", "line", "told"),
    [
        ("healthd/decide/new.py", "from healthd.systemd.bus import Bus", "imports healthd.systemd.bus.Bus"),
        ("healthd/decide/new.py", "from healthd.assess import score", "imports healthd.assess.score"),
        ("healthd/checks/cpu.py", "from healthd.checks.services import options", "imports healthd.checks.services"),
        ("healthd/checks/cpu.py", "from healthd.decide.policy import rule", "imports healthd.decide.policy.rule"),
        ("healthd/actions/new.py", "import healthd.decide.engine", "imports healthd.decide.engine"),
        ("healthd/host/cpu.py", "from healthd.clock import SystemClock", "imports healthd.clock.SystemClock"),
        ("healthd/pipeline.py", "from healthd.checks import services", "imports healthd.checks.services"),
        ("healthd/view.py", "from healthd.record.words import span", "imports healthd.record.words.span"),
        ("healthd/cli/new.py", "from healthd import daemon", "imports healthd.daemon"),
        ("healthd/model.py", "from healthd.config import Settings", "imports healthd.config.Settings"),
        ("healthd/new.py", "import os", "stands in no row"),
        ("healthd/__init__.py", "from healthd.model import Status", "holds the version only"),
    ],
)
def test_an_import_that_crosses_a_layer_is_told_with_file_line_and_rule(file: str, line: str, told: str) -> None:
    source = module(file, f'"""A module."""\n\ndef late() -> None:\n    {line}\n')

    (breach,) = breaches(source)

    assert str(breach).startswith(f"{file}:")
    assert told in str(breach)


def test_a_type_may_be_named_where_the_row_says_so_and_not_be_imported() -> None:
    named = module("healthd/registry.py", "if TYPE_CHECKING:\n    from healthd.ports import Ports\n")
    imported = module("healthd/registry.py", "from healthd.ports import Ports\n")

    assert list(breaches(named)) == []
    assert [breach.line for breach in breaches(imported)] == [1]


def test_everybody_may_know_the_version() -> None:
    assert list(breaches(module("healthd/expose/new.py", "from healthd import __version__\n"))) == []
