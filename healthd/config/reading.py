"""Reading a table of the tree: every key against the declarations, what is wrong to the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthd.config.forms import nearest
from healthd.config.kinds import Wrong, shown
from healthd.config.report import dotted
from healthd.config.schema import home_of
from healthd.config.secret import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from healthd.config.merge import Node
    from healthd.config.report import Report
    from healthd.config.settings import Declaration


class Reader:
    """Reads tables for one report. `complete` False: a file could not be read, and what is missing may stand in it."""

    def __init__(self, report: Report, *, complete: bool) -> None:
        self._report = report
        self.complete = complete

    def tell(self, node: Node, found: str, allowed: str) -> None:
        """Something is wrong with a node, and with whatever stood there in an earlier file."""
        for one in (node, *node.earlier()):
            self._report.add(one, found, allowed)

    def hint(self, name: str, known: Collection[str]) -> str:
        """The words that point at the known name nearest to a mistyped one, or nothing."""
        return "" if self._report.full else nearest(name, tuple(known))

    def table(self, root: Node | None, name: str) -> Mapping[str, Node]:
        """What stands in a table of the configuration; nothing if it is not there or is none."""
        node = root.at((name,)) if root is not None else None
        return self.entries(node) if node is not None else {}

    def entries(self, node: Node) -> Mapping[str, Node]:
        """What stands in a node that is to be a table."""
        found: Mapping[str, Node] = {}
        for one in (*node.earlier(), node):
            if one.children is None:
                self._report.add(one, f"found {shown(one.raw)}", f"allowed is a table, written [{dotted(one.path)}]")
            else:
                found = one.children
        return found

    def values(self, entries: Mapping[str, Node], keys: Mapping[str, Declaration], where: str) -> dict[str, Any]:
        """The values that are said and right. `where` names the table in the words about an unknown key."""
        found: dict[str, Any] = {}
        for name, node in entries.items():
            if name not in keys:
                self.tell(node, "unknown key", self._known(name, keys, where))
                continue
            # What a later file replaces is read too, only to tell what is wrong with it.
            for one in (*node.earlier(), node):
                self._read(one, name, keys[name], found)
        return found

    def _read(self, node: Node, name: str, declaration: Declaration, found: dict[str, Any]) -> None:
        found.pop(name, None)
        try:
            found[name] = declaration.kind.read(node.plain())
        except Wrong as wrong:
            for flaw in wrong.flaws:
                hidden = declaration.secret and isinstance(node.raw, str)
                self._report.add(node, f"found {HIDDEN}" if hidden else flaw.found, flaw.allowed, sub=flaw.sub)

    def _known(self, name: str, keys: Mapping[str, Declaration], where: str) -> str:
        if hint := self.hint(name, keys):
            return hint.removeprefix("; ")
        if (home := home_of(name)) is not None:
            return f"it belongs in [{home}]"
        return f"keys of {where} are {', '.join(keys)}"
