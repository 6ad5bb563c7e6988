"""What is wrong, gathered: every problem with its file, line and key, in file and line order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from healthd.model import Problem

if TYPE_CHECKING:
    from healthd.config.lines import KeyPath
    from healthd.config.merge import Node

PROBLEMS_MAX: Final = 200
"""A person mends no more at once; a file of garbage must not cost more either."""

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_NAME_MAX: Final = 80


def dotted(path: KeyPath) -> str:
    """A path as TOML writes it: services."nginx.service".heal, alerting.email_notifications[1]."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _BARE.fullmatch(part) else _quoted(part))
    return text


def _quoted(name: str) -> str:
    cut = name if len(name) <= _NAME_MAX else f"{name[:_NAME_MAX]}..."
    plain = "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in cut)
    return '"' + plain.replace('"', '\\"') + '"'


class Report:
    """The problems found so far."""

    def __init__(self) -> None:
        self._found: list[tuple[int, int, Problem]] = []
        self._untold = 0
        self._wrong: set[KeyPath] = set()

    @property
    def full(self) -> bool:
        """Whether further problems are only counted: no need to look for hints any more."""
        return len(self._found) >= PROBLEMS_MAX

    def add(self, node: Node, found: str, allowed: str, *, sub: KeyPath = ()) -> None:
        """Something is wrong with a node, or with what is at `sub` in it."""
        self._wrong.add(node.path)
        if self.full:
            self._untold += 1
            return
        fragment, line = node.nearest(sub)
        key = dotted((*node.path, *sub))
        problem = Problem(file=fragment.file, line=line, key=key, found=found, allowed=allowed)
        self._found.append((fragment.order, line or 0, problem))

    def add_file(self, order: int, problem: Problem) -> None:
        """A file as a whole cannot be used."""
        self._found.append((order, problem.line or 0, problem))

    def told(self, path: KeyPath) -> bool:
        """Whether the value at this path is known to be wrong: nothing that follows from it is worth telling."""
        return path in self._wrong

    def problems(self) -> tuple[Problem, ...]:
        """All of them, in file and line order."""
        told = [problem for _, _, problem in sorted(self._found, key=lambda entry: entry[:2])]
        if self._untold:
            last = told[-1]
            more = Problem(file=last.file, line=None, key="", found=f"and {self._untold} more problems", allowed="")
            told.append(more)
        return tuple(told)
