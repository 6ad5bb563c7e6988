"""The package as its syntax trees: the modules, and what each of them imports."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A rule that is broken at a place."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One imported name, dotted. `type_only`: the type checker alone sees it. `relative`: it begins with a dot."""

    target: str
    line: int
    type_only: bool
    relative: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A file of Python: its path from the root of the repository, its dotted name, text, tree and imports."""

    file: str
    name: str
    text: str
    tree: ast.Module
    imports: tuple[Import, ...]

    def breach(self, line: int, text: str) -> Breach:
        """A breach in this module."""
        return Breach(file=self.file, line=line, text=text)


def module(file: str, text: str) -> Module:
    """The module that this text would be at this path."""
    name = file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    tree = ast.parse(text, file)
    return Module(file=file, name=name, text=text, tree=tree, imports=tuple(_imports(tree)))


@cache
def modules(folder: str) -> tuple[Module, ...]:
    """Every module below this folder of the repository."""
    paths = sorted((ROOT / folder).rglob("*.py"))
    return tuple(module(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")) for path in paths)


def within(name: str, *packages: str) -> bool:
    """Whether a dotted name is one of these, or lies in one of them."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def _imports(tree: ast.Module) -> Iterator[Import]:
    """Every import, wherever it stands; `from a import b` is the name a.b."""
    type_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield Import(target=alias.name, line=node.lineno, type_only=id(node) in type_only)
            case ast.ImportFrom(names=names, level=level):
                for alias in names:
                    yield Import(
                        target=f"{node.module or ''}.{alias.name}".lstrip("."),
                        line=node.lineno,
                        type_only=id(node) in type_only,
                        relative=level > 0,
                    )
            case _:
                continue


def functions(source: Module) -> Iterator[tuple[str, Function]]:
    """Every function and method with its name within the module: `Healer._act`."""

    def walk(node: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Function):
                yield f"{prefix}{child.name}", child
                yield from walk(child, f"{prefix}{child.name}.")
            elif isinstance(child, ast.ClassDef):
                yield from walk(child, f"{prefix}{child.name}.")
            else:
                yield from walk(child, prefix)

    return walk(source.tree, "")
