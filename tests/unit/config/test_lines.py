"""The line of every key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from healthd.config.lines import DEPTH_MAX, TooDeep, line_of, scan
from tests.unit.config.said import STEADY

if TYPE_CHECKING:
    from healthd.config.lines import KeyPath

_VALUES = (
    "1",
    "true # [ not a table ]",
    '"# not a comment"',
    "'it''s [not]'".replace("''", ""),
    '"a \\" quote = 3"',
    '"""\nk9 = 1\n[k8]\n\\""" still inside " "" """',
    "'''\n[[k7]]\nk7 = \"\"\"\n'''",
    '"""two quotes at the end"""""',
    "'''two quotes at the end'''''",
    "{ a = 1, b = [1, 2], c = { d = '}' } }",
    "[]",
    "[ # a comment with ]\n]",
    "2020-01-01T00:00:00Z",
)
_ELEMENTS = ("1", '"]"', "'#'", "[1,\n 2]", "{ a = ']' }", '"""\n,\n"""')


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[KeyPath, int]]:
    """A valid text and the line of each table, key and element in it."""
    lines: list[str] = []
    expected: dict[KeyPath, int] = {}
    table: KeyPath = ()
    arrays = 0

    def write(text: str) -> int:
        lines.extend(text.split("\n"))
        return len(lines) - text.count("\n")

    for number in range(draw(st.integers(0, 12))):
        for _ in range(draw(st.integers(0, 2))):
            write(draw(st.sampled_from(["", "   ", "# k0 = 1", "\t# [k0]"])))
        name = draw(st.sampled_from([f"k{number}", f"k.{number}", f"k {number} ü", f"k#{number}"]))
        key = name if name.isalnum() else draw(st.sampled_from([f'"{name}"', f"'{name}'"]))
        match draw(st.sampled_from(["table", "array of tables", "array", "dotted", "key"])):
            case "table":
                table = (name,)
                expected[table] = write(draw(st.sampled_from(["[{}]", "[ {} ] # x", "  [{}]"])).format(key))
            case "array of tables":
                arrays += 1
                line = write(f"[[all.{key}]]")
                expected.setdefault(("all",), line)
                table = ("all", name, 0)
                expected[("all", name)] = expected[table] = line
            case "array":
                elements = draw(st.lists(st.sampled_from(_ELEMENTS), max_size=4))
                first = write(f"{key} = [")
                expected[(*table, name)] = first
                for index, element in enumerate(elements):
                    expected[(*table, name, index)] = write(f"  {element}, # ,")
                write("]")
            case "dotted":
                line = write(f"{key} . inner.'x.y' = {draw(st.sampled_from(_VALUES))}")
                for path in ((name,), (name, "inner"), (name, "inner", "x.y")):
                    expected[(*table, *path)] = line
            case _:
                expected[(*table, name)] = write(f"{key}={draw(st.sampled_from(_VALUES))}")
    return "\n".join(lines), expected


@STEADY
@given(documents())
def test_every_table_key_and_element_of_a_valid_text_is_found_on_its_line(
    document: tuple[str, dict[KeyPath, int]],
) -> None:
    text, expected = document
    tomli.loads(text)  # the generator is to write valid TOML only

    found = scan(text)

    inside = {path for path in found if path not in expected}
    assert expected == {path: line for path, line in found.items() if path not in inside}
    assert all(any(isinstance(part, int) for part in path) for path in inside)


@STEADY
@given(st.text(alphabet="ab[]{}=\"'#\n\\,. 1", max_size=200))
def test_no_text_makes_the_scan_fail(text: str) -> None:
    try:
        lines = scan(text)
    except TooDeep:
        return

    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


def test_what_has_no_line_of_its_own_has_that_of_what_is_around_it() -> None:
    lines = scan("[a]\n\nb = { c = { d = 1 } }\n")

    assert line_of(lines, ("a", "b", "c", "d")) == 3
    assert line_of(lines, ("nothing",)) is None


def test_a_second_element_of_an_array_of_tables_has_its_own_keys() -> None:
    lines = scan("[[a]]\nb = 1\n[a.c]\nd = 1\n[[a]]\nb = 2\n[a.c]\nd = 2\n")

    assert (lines["a", 0, "b"], lines["a", 0, "c", "d"]) == (2, 4)
    assert (lines["a", 1, "b"], lines["a", 1, "c", "d"]) == (6, 8)


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 5000,
        "\nx = " + "{a=" * 5000,
        "[" + ".".join("a" * 5000) + "]",
        ".".join("a" * 5000) + " = 1",
        "[" + ".".join("a" * DEPTH_MAX) + "]\na = 1",
    ],
)
def test_a_text_made_to_exhaust_the_parser_is_stopped_before_it(text: str) -> None:
    with pytest.raises(TooDeep):
        scan(text)


def test_quoted_keys_are_read_with_their_escapes() -> None:
    assert scan('"a\\u0062\\"" = 1') == {('ab"',): 1}
