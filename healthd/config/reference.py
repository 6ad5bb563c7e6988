"""The sample file and the manual page, rendered from the declarations: `python3 -m healthd.config.reference`."""

from __future__ import annotations

import sys
from textwrap import wrap
from typing import TYPE_CHECKING, Final

from healthd.config.manual import AFTER, BEFORE
from healthd.config.schema import BUILT_IN, COMMON, SECTIONS, TYPES, UNIT
from healthd.config.show import plain_data, toml_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from healthd.config.settings import Declaration

_SAMPLE_HEAD: Final = """\
# The configuration of healthd. Nothing has to be set: healthd heals with this file as it is.
#
# Lines such as "#key = value" show the default, or an example of what has none. More files, conf.d/*.toml beside this
# one, are read after it in name order: their tables merge with these, their values replace these.
# After a change: healthctl config check, then systemctl reload healthd. All of it is explained in healthd.toml(5).
"""
_SAMPLE_COMPONENT: Final = {
    "type": '"http"',
    "url": '"http://127.0.0.1:8000/healthz"',
    "unit": '"web.service"',
    "weight": "0.15",
    "interval_seconds": "5",
    "timeout_seconds": "2",
    "failures": "3",
    "successes": "2",
    "depends_on": '["network"]',
}
_NOT_SAID: Final = "not said"


def sample() -> str:
    """The file /etc/healthd/healthd.toml as it is installed. It says nothing but defaults."""
    return "\n".join(_sample_lines())


def _sample_lines() -> Iterator[str]:
    yield _SAMPLE_HEAD
    for section in SECTIONS.values():
        yield from (f"# {line}" for line in wrap(section.about, 118))
        yield f"[{section.heading}]"
        for key, declaration in section.keys.items():
            yield f"# {declaration.help}"
            yield f"#{key} = {_written(declaration)}"
        yield ""
        if section.heading == "services":
            yield "# What one unit needs to differ in."
            yield '#[services."nginx.service"]'
            for key, declaration in UNIT.items():
                yield f"# {declaration.help}"
                yield f"#{key} = {_written(declaration)}"
            yield ""
    yield "# A further component; keys and types are in healthd.toml(5)."
    yield "#[component.web]"
    yield from (f"#{key} = {value}" for key, value in _SAMPLE_COMPONENT.items())
    yield ""


def _written(declaration: Declaration) -> str:
    """What to write for a key: its default, or its example where it has none."""
    return declaration.example if _default(declaration) == _NOT_SAID else _default(declaration)


def _default(declaration: Declaration) -> str:
    """The default as TOML, or that there is none."""
    if declaration.default is None or (declaration.default in ((), {}) and declaration.example):
        return _NOT_SAID
    return toml_value(plain_data(declaration.default))


def man() -> str:
    """The manual page healthd.toml(5)."""
    return "\n".join([BEFORE.rstrip("\n"), *_man_lines(), AFTER])


def _man_lines() -> Iterator[str]:
    yield ".SH TABLES"
    for name, section in SECTIONS.items():
        yield from _man_table(f"[{name}]", section.about, section.keys)
        if name == "services":
            yield from _man_table('[services."UNIT"]', "What one unit needs to differ in.", UNIT)
    weights = ", ".join(f"{name} {weight}" for name, weight in BUILT_IN.items())
    about = (
        f"Further components, and what built-in ones need to differ in. The built-in ones and their weights: {weights}."
    )
    yield from _man_table("[component.NAME]", about, COMMON)
    for name, keys in TYPES.items():
        if keys:
            yield from _man_table(f'[component.NAME] with type = "{name}"', "", keys)


def _man_table(heading: str, about: str, keys: Mapping[str, Declaration]) -> Iterator[str]:
    yield f'.SS "{_escape(heading).replace(chr(34), chr(92) + "(dq")}"'
    if about:
        yield _escape(about)
    for key, declaration in keys.items():
        yield ".TP"
        default = "required" if declaration.required else _default(declaration)
        yield (
            rf"\fB{_escape(key)}\fR = {_escape(default)}"
            if default != "required"
            else rf"\fB{_escape(key)}\fR (required)"
        )
        text = f"{declaration.help[:1].upper()}{declaration.help[1:]}. Allowed is {declaration.kind.allowed}."
        if declaration.example:
            text += f" Example: {declaration.example}"
        yield _escape(text)


def _escape(text: str) -> str:
    """Text that roff prints as it is."""
    plain = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return f"\\&{plain}" if plain.startswith(".") else plain


def main() -> int:
    """Print what is asked for."""
    pages = {"sample": sample, "man": man}
    if len(sys.argv) != 2 or sys.argv[1] not in pages:
        sys.stderr.write("usage: python3 -m healthd.config.reference sample|man\n")
        return 2
    sys.stdout.write(pages[sys.argv[1]]())
    return 0


if __name__ == "__main__":
    sys.exit(main())
