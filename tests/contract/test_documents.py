"""What the documents name is there: commands, verbs, files, keys, holds, limits."""

from __future__ import annotations

import ast
import re
import shlex
from typing import TYPE_CHECKING, Final

import pytest

from healthd.cli.main import parser
from healthd.config import Settings, load_texts
from healthd.events import Event
from healthd.model import HoldReason
from tests.contract.layers import TABLE
from tests.contract.source import ROOT, modules

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENTS: Final = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
HEALING: Final = (ROOT / "docs" / "healing.md").read_text(encoding="utf-8")

every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=[str(path.relative_to(ROOT)) for path in DOCUMENTS])


def spans(text: str) -> list[str]:
    """What is set as code within the text, and each indented line, in their order."""
    unfenced = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [a or b for a, b in re.findall(r"^    (\S.*)$|`([^`\n]+)`", unfenced, re.MULTILINE)]


def commands(text: str, program: str) -> list[list[str]]:
    """The calls of a program in a text, as words."""
    calls = (call for span in spans(text) for call in span.partition("  #")[0].split("&&"))
    found = [shlex.split(call.strip().removeprefix("sudo ")) for call in calls if program in call]
    return [words for words in found if words and words[0] == program]


def rows(text: str, title: str) -> list[list[str]]:
    """The cells of the table whose header begins with this title."""
    lines = text.split(f"\n| {title} |", 1)[1].splitlines()[2:]
    table = lines[: next(at for at, line in enumerate(lines) if not line.startswith("|"))]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table]


@every_document
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    named = [words[1] for words in commands(document.read_text(encoding="utf-8"), "make") if len(words) > 1]

    assert [name for name in named if name not in targets] == []


@every_document
def test_every_verb_and_option_of_healthctl_that_is_named_exists(
    document: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _, *words in commands(document.read_text(encoding="utf-8"), "healthctl"):
        verb = words[:2] if words[:1] in (["config"], ["recipe"], ["key"]) else words[:1]
        with pytest.raises(SystemExit) as end:
            parser().parse_args([*verb, "--help"])
        assert end.value.code == 0, f"healthctl has no {' '.join(verb)}"
        offered = capsys.readouterr().out
        assert [word for word in words if word.startswith("--") and word not in offered] == []


@every_document
def test_every_link_leads_to_a_file(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text(encoding="utf-8"))
    inner = [link for link in links if "://" not in link]

    assert [link for link in inner if not (document.parent / link).exists()] == []


@every_document
def test_every_file_that_is_named_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = {span for span in spans(text) if re.fullmatch(r"[\w.-]+(/[\w.-]+)*(\.py|\.toml|\.md|/)", span)}
    places = (ROOT, ROOT / "healthd", ROOT / "etc", document.parent)
    names = {path.name for place in places[:3] for path in place.glob("*/*.py")}

    missing = [name for name in named - names if "NAME" not in name]
    assert sorted(name for name in missing if not any((place / name).exists() for place in places)) == []


@every_document
def test_every_event_that_is_named_exists(document: Path) -> None:
    named = re.findall(r"HEALTHD_EVENT=(\w+)", document.read_text(encoding="utf-8"))

    assert [name for name in named if name not in set(Event)] == []


@every_document
def test_every_configuration_that_is_shown_is_valid(document: Path) -> None:
    for number, text in enumerate(re.findall(r"```toml\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)):
        load_texts({f"{document.name}, example {number}": text})


def test_the_first_two_commands_of_the_readme_are_run_and_test() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert [words[1] for words in commands(readme, "make") if len(words) > 1][:2] == ["run", "test"]


def test_operators_are_told_of_every_hold_that_the_policy_knows_and_of_no_other() -> None:
    told = [cells[0].strip("`") for cells in rows(HEALING, "reason")]

    assert sorted(told) == sorted(known_holds())


def known_holds() -> set[str]:
    """The reasons that stand in the code which gives them."""
    deciding = (f"healthd.decide.{name}" for name in ("policy", "upgrade", "silence", "suggest"))
    givers = (*deciding, "healthd.config.patterns")
    nodes = (node for source in modules("healthd") if source.name in givers for node in ast.walk(source.tree))
    return {
        HoldReason[node.attr].value
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "HoldReason"
    }


def test_operators_are_told_the_limits_as_they_are() -> None:
    told = {cells[0].strip("`"): float(cells[1]) for cells in rows(HEALING, "key in `[auto_healing]`")}

    assert told == {name: getattr(Settings().auto_healing, name) for name in told}
    assert f"max_healing_attempts` ({Settings().health.max_healing_attempts})" in HEALING


def test_the_design_shows_the_table_of_layers_that_is_tested() -> None:
    design = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    shown = {name.strip("`/") for cells in rows(design, "layer") for name in cells[1].split()}

    assert shown == {name for row in TABLE for name in row.modules}
