"""Whatever stands in the files: problems with a file name in one line each, or settings; never anything else."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from healthd.config import Settings, load_texts
from healthd.config.reference import sample
from healthd.config.rule import render_rule
from healthd.config.schema import COMMON, SECTIONS, TYPES, UNIT
from healthd.config.show import tables, text, toml_key, toml_value
from healthd.errors import ConfigError
from healthd.model import Problem
from tests.unit.config.said import STEADY

KEYS = sorted({*(key for section in SECTIONS.values() for key in section.keys), *UNIT, *COMMON})
NAMES = st.sampled_from([*SECTIONS, "component", "nginx.service", "web", "cpu", "a b", *KEYS, *TYPES]) | st.text(
    max_size=5
)
WORDS = st.sampled_from(
    ["*", "!dbus*", "http://h/", "run_unit:a.service", "a.service", "127.0.0.1:1", "suggest", *TYPES]
)
SCALARS = (
    st.none().map(lambda _: float("nan"))
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | WORDS
    | st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)


def read(*files: bytes | str) -> Settings | None:
    """The settings; None if the files are refused as they should be."""
    names = [f"{number}.toml" for number, _ in enumerate(files)]
    problems: tuple[Problem, ...] = ()
    try:
        accepted = load_texts(dict(zip(names, files, strict=True)))
    except ConfigError as error:
        problems = error.problems
        accepted = None
    if accepted is None:
        assert problems
        for problem in problems:
            assert problem.file in names
            assert problem.line is None or problem.line >= 1
            assert "\n" not in str(problem)
        return None
    # What is accepted must also be good for all that is made of it.
    render_rule(accepted)
    assert isinstance(load_texts({"shown": text(tables(accepted))}).health.check_interval_seconds, float)
    return accepted


def document(tree: dict[str, Any]) -> str:
    return "".join(f"{toml_key(name)} = {toml_value(value)}\n" for name, value in tree.items())


@STEADY
@given(st.binary(max_size=300))
def test_bytes(data: bytes) -> None:
    read(data)


@STEADY
@given(st.text(alphabet="[]{}=\"'.,#\n\\ ab1_-:T", max_size=200))
def test_texts_that_look_like_toml(garbage: str) -> None:
    read(garbage)


@settings(STEADY, max_examples=300)
@given(st.dictionaries(NAMES, VALUES, max_size=5), st.dictionaries(NAMES, VALUES, max_size=3))
def test_valid_toml_of_any_shape(first: dict[str, Any], second: dict[str, Any]) -> None:
    read(document(first), document(second))


@settings(STEADY, max_examples=300)
@given(
    st.sampled_from([*SECTIONS, 'services."nginx.service"', "component.web", "component.cpu"]),
    st.dictionaries(st.sampled_from([*KEYS, *(key for keys in TYPES.values() for key in keys)]), VALUES, max_size=5),
)
def test_values_of_any_shape_in_known_keys(section: str, values: dict[str, Any]) -> None:
    read(f"[{section}]\n{document(values)}")


@STEADY
@given(st.sampled_from(sorted(TYPES)), st.data())
def test_components_of_any_type_with_values_of_any_shape(kind: str, data: st.DataObject) -> None:
    keys = {**COMMON, **TYPES[kind]}
    values = data.draw(st.dictionaries(st.sampled_from(sorted(keys)), VALUES, max_size=6)) | {"type": kind}
    good = {
        key: declaration.example for key, declaration in keys.items() if declaration.required and declaration.example
    }
    lines = "".join(f"{key} = {value}\n" for key, value in good.items() if key not in values)

    read(f"[component.x]\n{document(values)}{lines}")


@STEADY
@given(st.randoms(use_true_random=False))
def test_damaged_samples(chance: random.Random) -> None:
    lines = [
        line.removeprefix("#") if " = " in line or line.startswith("#[") else line for line in sample().split("\n")
    ]
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(lines))
        match chance.randrange(5):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, chance.choice(lines))
            case 2:
                lines[at] = lines[at][: chance.randrange(len(lines[at]) + 1)]
            case 3:
                place = chance.randrange(len(lines[at]) + 1)
                lines[at] = lines[at][:place] + chance.choice("[]{}\"'=.,#\\\x00é7") + lines[at][place:]
            case _:
                other = chance.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]

    read("\n".join(lines))
