"""The recipes that the package brings, and which of them are turned on: files, looked at and never changed here."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from healthd.config.fragments import Unusable, parse
from healthd.config.patterns import is_unit_name
from healthd.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

SHELF: Final = Path("/usr/share/healthd/recipes")
FOLDER: Final = Path("/etc/healthd/conf.d")
ROOT: Final = Path("/")

# Where unit files are, as `systemd-analyze unit-paths` has it. /lib is /usr/lib, but on a host that was never merged.
_UNIT_FOLDERS: Final = (
    "etc/systemd/system",
    "run/systemd/system",
    "run/systemd/generator",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
    "run/systemd/generator.late",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One recipe. `about` is one line, `first` what an operator has to do before; `units` says which the host has.

    `links` are the links in the folder of drop-ins that turn it on. `own`: a file of the operator stands in its place.
    """

    name: str
    path: Path
    about: str
    first: str
    units: Mapping[str, bool]
    components: tuple[str, ...]
    links: tuple[Path, ...]
    own: bool

    @property
    def enabled(self) -> bool:
        """Whether the daemon reads it."""
        return bool(self.links)

    @property
    def fits(self) -> bool:
        """Whether this host has something that it is about, as far as a unit shows that."""
        return any(self.units.values())


class Shelf:
    """The recipes of a host; `root` is where its units are looked for."""

    def __init__(self, shelf: Path = SHELF, folder: Path = FOLDER, root: Path = ROOT) -> None:
        self._shelf, self.folder, self._root = shelf, folder, root

    def all(self) -> list[Recipe]:
        """Every recipe, in name order."""
        links = self._links()
        return [self._recipe(path, links) for path in sorted(self._shelf.glob("*.toml"))]

    def named(self, name: str) -> Recipe:
        """The recipe of this name; `RequestError` if there is none."""
        path = self._shelf / f"{name}.toml"
        if path.name != f"{name}.toml" or not path.is_file():
            raise RequestError(404, f"there is no recipe {name!r}", hint=self._nearest(name))
        return self._recipe(path, self._links())

    def links_to(self, name: str) -> tuple[Path, ...]:
        """What turns a recipe on, also one that the package does not bring any more."""
        return self._links().get(f"{name}.toml", ())

    def place(self, name: str) -> Path:
        """The link that turns it on."""
        return self.folder / f"{name}.toml"

    def _links(self) -> dict[str, tuple[Path, ...]]:
        """The drop-ins that are links into the shelf, by the file that they lead to."""
        found: dict[str, tuple[Path, ...]] = {}
        for link in sorted(self.folder.glob("*.toml")):
            target = Path(os.path.normpath(link.parent / link.readlink())) if link.is_symlink() else link
            if target.parent == self._shelf:
                found[target.name] = (*found.get(target.name, ()), link)
        return found

    def _recipe(self, path: Path, links: Mapping[str, tuple[Path, ...]]) -> Recipe:
        name, own = path.stem, self.place(path.stem)
        text = path.read_text(encoding="utf-8", errors="replace")
        components, units = _contents(path, text)
        return Recipe(
            name=name,
            path=path,
            about=_about(name, text),
            first=_first(text),
            units={unit: self._has(unit) for unit in units},
            components=components,
            links=links.get(path.name, ()),
            own=own.exists() and own not in links.get(path.name, ()),
        )

    def _has(self, unit: str) -> bool:
        """Whether there is a file of this unit, or of the template that it is made from; a masked one is none."""
        stem, at, rest = unit.partition("@")
        template = f"{stem}@.{rest.rpartition('.')[2]}" if at else unit
        for name in dict.fromkeys((unit, template)):
            for folder in _UNIT_FOLDERS:
                file = self._root / folder / name
                if file.is_symlink() and file.readlink() == Path("/dev/null"):
                    return False
                if file.exists():
                    return True
        return False

    def _nearest(self, name: str) -> str:
        from difflib import get_close_matches

        known = [path.stem for path in self._shelf.glob("*.toml")]
        close = get_close_matches(name[:64], known, n=1, cutoff=0.5)
        return f"did you mean {close[0]}?" if close else "healthctl recipe list"


def _about(name: str, text: str) -> str:
    """What the first line says: `# NAME: what it does`."""
    first = text.partition("\n")[0].lstrip("# ")
    return first.removeprefix(f"{name}:").strip()


def _first(text: str) -> str:
    """The paragraph of the head that begins with `# First:`; "" if it has none."""
    head = text.partition("\n\n")[0]
    _, _, rest = head.partition("\n# First: ")
    return "\n".join(line.removeprefix("#").rstrip() for line in rest.partition("\n#\n")[0].splitlines())


def _contents(path: Path, text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The components and the units of a recipe, as they stand there, valid or not."""
    try:
        table = parse(str(path), text.encode(), 0).table
    except Unusable:
        return (), ()  # whoever turns it on is told
    components = _tables(table.get("component"))
    named = [one.get("unit") for one in components.values()]
    named += _tables(table.get("services"))
    units = tuple(dict.fromkeys(unit for unit in named if isinstance(unit, str) and is_unit_name(unit)))
    return tuple(components), units


def _tables(value: object) -> Mapping[str, Any]:
    return {name: one for name, one in value.items() if isinstance(one, dict)} if isinstance(value, dict) else {}
