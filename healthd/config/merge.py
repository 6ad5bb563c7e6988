"""Several files become one tree: tables merge, values replace, and every node still knows where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from healthd.config.fragments import Fragment
    from healthd.config.lines import KeyPath


@dataclass(slots=True, kw_only=True)
class Node:
    """A value or, where `children` is not None, a table. `replaced` is what stood there in an earlier file."""

    fragment: Fragment
    path: KeyPath
    raw: Any = None
    children: dict[str, Node] | None = None
    replaced: Node | None = field(default=None, repr=False)

    def plain(self) -> Any:
        """The value as the parser would have given it, had all stood in one file."""
        if self.children is None:
            return self.raw
        return {name: child.plain() for name, child in self.children.items()}

    def at(self, path: KeyPath) -> Node | None:
        """The node that a path leads to."""
        node: Node | None = self
        for part in path:
            node = node.children.get(part) if node is not None and node.children and isinstance(part, str) else None
        return node

    def nearest(self, sub: KeyPath) -> tuple[Fragment, int | None]:
        """The file and line of what stands at `sub` below this node, or of the nearest thing around it."""
        node = self
        for length, part in enumerate(sub):
            child = node.children.get(part) if node.children is not None and isinstance(part, str) else None
            if child is None:
                return node.fragment, node.fragment.line((*node.path, *sub[length:]))
            node = child
        return node.fragment, node.fragment.line(node.path)

    def earlier(self) -> Iterator[Node]:
        """What stood there in earlier files, newest first."""
        node = self.replaced
        while node is not None:
            yield node
            node = node.replaced


def merge(fragments: Sequence[Fragment]) -> Node | None:
    """The tree of all files; None without any."""
    if not fragments:
        return None
    tables: dict[str, Node] = {}
    for fragment in fragments:
        _merge_into(tables, {name: _node(fragment, (name,), raw) for name, raw in fragment.table.items()})
    return Node(fragment=fragments[0], path=(), children=tables)


def _node(fragment: Fragment, path: KeyPath, raw: Any) -> Node:
    if not isinstance(raw, dict):
        return Node(fragment=fragment, path=path, raw=raw)
    children = {name: _node(fragment, (*path, name), value) for name, value in raw.items()}
    return Node(fragment=fragment, path=path, children=children)


def _merge_into(older: dict[str, Node], newer: dict[str, Node]) -> None:
    for name, node in newer.items():
        present = older.get(name)
        if present is not None and present.children is not None and node.children is not None:
            _merge_into(present.children, node.children)
            continue
        node.replaced = present
        older[name] = node
