"""Where in a TOML text each key stands. The parser gives values without positions; this reads the positions alone.

On valid TOML the result is exact. On anything else it is of no use but harmless: one pass, no exception but `TooDeep`.
It runs before the parser, so that a text made to exhaust the parser (deep nesting, keys of thousands of parts) never
reaches it: up to the parser's first error both see the same keys and brackets.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import tomli

if TYPE_CHECKING:
    from collections.abc import Mapping

KeyPath = tuple[str | int, ...]
"""Leads to a value: names of tables and keys, and indices into arrays."""

DEPTH_MAX: Final = 16
_BLANK: Final = re.compile(r"[ \t\n]*")
_BLANK_IN_LINE: Final = re.compile(r"[ \t]*")
_BLANK_OR_COMMENT: Final = re.compile(r"(?:[ \t\n]++|#[^\n]*+)*+")
_PART: Final = re.compile(r"""[ \t]*("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)[ \t]*""")
_STEPS_DOWN: Final = {"[": 1, "{": 1, "]": -1, "}": -1}
_STEP: Final = re.compile(r"""["'\[\]{}#,\n]""")
_ENDS: Final = {
    '"': re.compile(r'\\.|["\n]'),
    "'": re.compile(r"['\n]"),
    '"""': re.compile(r'\\.|"""', re.DOTALL),
    "'''": re.compile(r"'''"),
}


class TooDeep(ValueError):
    """Tables, arrays or keys nested deeper than any configuration is. `line` is where."""

    def __init__(self, line: int) -> None:
        super().__init__(f"nested deeper than {DEPTH_MAX} at line {line}")
        self.line = line


def scan(text: str) -> dict[KeyPath, int]:
    """The line (from 1) of every table, key and array element, by path; keys inside braces have none of their own.

    Lines end in LF alone. Raises `TooDeep`.
    """
    scanner = _Scanner(text)
    scanner.run()
    return scanner.lines


class _Scanner:
    """One pass over a text. `_at` is where it stands, `_table` the table that keys belong to."""

    def __init__(self, text: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._text = text
        self._at = 0
        self._line = 1
        self._counted = 0
        self._table: KeyPath = ()
        self._arrays: dict[KeyPath, int] = {}

    def run(self) -> None:
        while True:
            self._skip(_BLANK)
            if self._at >= len(self._text):
                return
            if self._peek("[["):
                self._header(2)
            elif self._peek("["):
                self._header(1)
            elif not self._peek("#"):
                self._pair()
            newline = self._text.find("\n", self._at)
            self._at = len(self._text) if newline < 0 else newline

    def _peek(self, sign: str) -> bool:
        return self._text.startswith(sign, self._at)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        if found := pattern.match(self._text, self._at):
            self._at = found.end()

    def _here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _header(self, brackets: int) -> None:
        line = self._here()
        self._at += brackets
        parts = self._key(line)
        if not parts:
            return
        *outer, name = parts
        parent = self._enter((), outer, line)
        path = (*parent, name)
        self.lines[path] = line
        if brackets == 2:
            self._arrays[path] = self._arrays.get(path, 0) + 1
            path = (*path, self._arrays[path] - 1)
            self.lines[path] = line
        self._table = path

    def _pair(self) -> None:
        line = self._here()
        parts = self._key(line)
        if not parts or not self._peek("="):
            return
        self._at += 1
        *outer, name = parts
        path = (*self._enter(self._table, outer, line), name)
        if len(path) > DEPTH_MAX:
            raise TooDeep(line)
        self.lines[path] = line
        self._value(path)

    def _enter(self, path: KeyPath, names: list[str], line: int) -> KeyPath:
        """The table that `names` lead to, in its newest element where it is an array of tables."""
        for name in names:
            path = (*path, name)
            self.lines.setdefault(path, line)
            if path in self._arrays:
                path = (*path, self._arrays[path] - 1)
        return path

    def _key(self, line: int) -> list[str]:
        """The parts of a dotted key; none where there is no key."""
        parts: list[str] = []
        while found := _PART.match(self._text, self._at):
            self._at = found.end()
            parts.append(_unquoted(found[1]))
            if len(parts) > DEPTH_MAX:
                raise TooDeep(line)
            if not self._peek("."):
                return parts
            self._at += 1
        return []

    def _value(self, path: KeyPath) -> None:
        """Pass over a value; where it is an array, note the lines of its elements."""
        self._skip(_BLANK_IN_LINE)
        in_array = self._peek("[")
        depth = elements = 0
        while found := _STEP.search(self._text, self._at):
            sign = found[0]
            self._at = found.start()
            if depth == 0 and sign in "#\n":
                return
            if sign in "\"'":
                self._at = _string_end(self._text, self._at)
            elif sign == "#":
                self._skip(_BLANK_OR_COMMENT)
            else:
                self._at += 1
                depth += _STEPS_DOWN.get(sign, 0)
                if depth + len(path) > DEPTH_MAX:
                    raise TooDeep(self._here())
                if depth <= 0:
                    return
                if in_array and depth == 1 and (sign == "," or elements == 0):
                    elements += self._element((*path, elements))
        self._at = len(self._text)

    def _element(self, path: KeyPath) -> bool:
        """Note the line of the element that comes next; False if none does."""
        self._skip(_BLANK_OR_COMMENT)
        if self._peek("]"):
            return False
        line = self._here()
        if line != self.lines[path[:-1]]:  # else it is found there
            self.lines[path] = line
        return True


def _unquoted(part: str) -> str:
    if part[0] not in "\"'":
        return part
    if part[0] == "'" or "\\" not in part:
        return part[1:-1]
    try:
        (name,) = tomli.loads(f"{part} = 0")
    except ValueError:  # a bad escape: the parser refuses the whole file next
        return part
    return name


def _string_end(text: str, at: int) -> int:
    """Where the string that begins here ends."""
    quote = text[at]
    mark = quote * 3 if text.startswith(quote * 3, at) else quote
    at += len(mark)
    while found := _ENDS[mark].search(text, at):
        at = found.end()
        if found[0] == mark:
            # Up to two quotes may stand right before the closing three.
            extra = len(mark) - 1 if len(mark) == 3 else 0
            while extra and text.startswith(quote, at):
                at, extra = at + 1, extra - 1
            return at
        if found[0] == "\n":
            return found.start()
    return len(text)


def line_of(lines: Mapping[KeyPath, int], path: KeyPath) -> int | None:
    """The line of a value, or of the nearest thing around it that has one."""
    for length in range(len(path), 0, -1):
        if (line := lines.get(path[:length])) is not None:
            return line
    return None
