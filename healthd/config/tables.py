"""Kinds of values that are tables themselves: a headers table, a metric's description, a row of a score table."""

# ruff: noqa: D102 -- what `allowed` and `read` promise is said once, by the protocol Kind

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from healthd.config.forms import nearest
from healthd.config.kinds import Flaw, Kind, Wrong, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUIRED: Final = object()
"""Stands in place of a default for what must be said."""

_NAME: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


class Table(NamedTuple):
    """A table with these keys: each has a kind and a default, which may be REQUIRED."""

    allowed: str
    keys: Mapping[str, tuple[Kind, Any]]

    def read(self, raw: object) -> Mapping[str, Any]:
        if not isinstance(raw, dict):
            refuse(raw, self.allowed)
        flaws = [
            Flaw(found="unknown key", allowed=self._keys() + nearest(name, tuple(self.keys)), sub=(name,))
            for name in raw
            if name not in self.keys
        ]
        values: dict[str, Any] = {}
        for name, (kind, default) in self.keys.items():
            if name in raw:
                values[name] = _part(kind, name, raw[name], flaws)
            elif default is REQUIRED:
                flaws.append(Flaw(found=f"key {name} is missing", allowed=f"allowed is {self.allowed}"))
            else:
                values[name] = default
        if flaws:
            raise Wrong(*flaws)
        return MappingProxyType(values)

    def _keys(self) -> str:
        return f"keys here are {', '.join(self.keys)}"


class Named(NamedTuple):
    """A table of any names, each with a value of one kind."""

    allowed: str
    of: Kind
    least: int = 0

    def read(self, raw: object) -> Mapping[str, Any]:
        if not isinstance(raw, dict) or len(raw) < self.least:
            refuse(raw, self.allowed)
        flaws: list[Flaw] = []
        values: dict[str, Any] = {}
        for name, one in raw.items():
            if not _NAME.fullmatch(name):
                flaws.append(Flaw(found="malformed name", allowed="allowed are letters, digits, _ . : -", sub=(name,)))
            values[name] = _part(self.of, name, one, flaws)
        if flaws:
            raise Wrong(*flaws)
        return MappingProxyType(values)


def _part(kind: Kind, name: str, raw: object, flaws: list[Flaw]) -> Any:
    """One value of a table; what is wrong with it goes to `flaws`."""
    try:
        return kind.read(raw)
    except Wrong as wrong:
        flaws += [Flaw(found=f.found, allowed=f.allowed, sub=(name, *f.sub)) for f in wrong.flaws]
        return None
