"""What a scene is: something that happens on a host, and what healthd should make of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST_PORT: Final = 20_000


class Kind(StrEnum):
    """What sort of machine a scene needs."""

    CONTAINER = "container"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A host: scenes of the same place share it. `together`: at the same time, else one after the other.

    `settings` are healthd's on it, besides those that lift the limits of the host; `extra` names Debian packages.
    """

    name: str
    together: bool = True
    kind: Kind = Kind.CONTAINER
    settings: str = ""
    extra: tuple[str, ...] = ()


SHARED: Final = Place(name="shared")
ALONE: Final = Place(name="alone", together=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What is right. Without an issue the scene is harmless: none may be opened, and nothing may be done.

    `component` opens the `issue`. `actions` are "ACTION UNIT", each of which must be done, and nothing else; `hold` is
    the reason for which nothing is done. `then` is an event that must follow, such as `healing_gave_up`. Issues of the
    types `also` may be opened besides, as that of a probe whose service is down.
    """

    issue: str = ""
    component: str = "services"
    actions: tuple[str, ...] = ()
    hold: str = ""
    then: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Its `name` is part of the name of everything that it makes, so that what healthd says of it is known as its own.

    In every text `{name}` stands for it, and `{port}` and `{other_port}` for ports of its own. `units` are unit files
    by their names, of which those in `start` run before healthd hears of the scene's `settings`; those with an
    [Install] section are enabled. `make` is the shell script that makes the happening, `unmake` ends it where others
    come after it. Of a fault it is waited `seconds` for what should be seen; after a harmless one healthd is watched
    for `watch` seconds. `owns` are further names, as patterns.
    """

    name: str
    component: str
    label: Label
    make: str
    unmake: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    start: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    before: str = ""
    settings: str = ""
    owns: tuple[str, ...] = ()
    seconds: float = 40.0
    watch: float = 4.0
    place: Place = SHARED

    @property
    def harmless(self) -> bool:
        """Whether nothing may be opened, nor done."""
        return not self.label.issue

    def has(self, name: str) -> bool:
        """Whether a unit, a component or an item of this name is the scene's."""
        return any(self._is_own(word.rsplit("/", 1)[-1]) for word in name.split())

    def _is_own(self, word: str) -> bool:
        if word == self.name or any(fnmatchcase(word, pattern) for pattern in self.owns):
            return True
        return word.startswith(tuple(self.name + end for end in "_@."))

    def filled(self, port: int) -> Scene:
        """With its name and its port where texts leave room for them."""

        def fill(text: str) -> str:
            ports = text.replace("{port}", str(port)).replace("{other_port}", str(port + 10_000))
            return ports.replace("{name}", self.name)

        def fill_all(texts: Mapping[str, str]) -> Mapping[str, str]:
            return {fill(key): fill(text) for key, text in texts.items()}

        label = replace(
            self.label,
            component=fill(self.label.component),
            actions=tuple(map(fill, self.label.actions)),
        )
        return replace(
            self,
            label=label,
            make=fill(self.make),
            unmake=fill(self.unmake),
            units=fill_all(self.units),
            start=tuple(map(fill, self.start)),
            files=fill_all(self.files),
            before=fill(self.before),
            settings=fill(self.settings),
            owns=tuple(map(fill, self.owns)),
        )
