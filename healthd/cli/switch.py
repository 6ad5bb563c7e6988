"""Turning recipes on and off: checked first, then linked, then read by the daemon, and undone if it refuses."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from healthd.cli.as_daemon import as_daemon
from healthd.cli.client import Client, Refused, Unreachable
from healthd.cli.text import plain
from healthd.config import DEFAULT_FILE, load
from healthd.errors import ConfigError, RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from healthd.cli.shelf import Recipe, Shelf
    from healthd.config import Settings

    Changes = Mapping[Path, Path | None]
    """Links by their place: where each is to lead, None for one that is to go."""


def switch(shelf: Shelf, names: Iterable[str], socket: Path, *, on: bool) -> int:
    """Turn these recipes on or off, all or none. Returns 0, or 1 after saying what is wrong and that nothing changed.

    Raises `RequestError` for a name that is none, `ConfigError` with every problem of the configuration as it would be.
    """
    wanted = list(names)
    changes = _to_enable(shelf, wanted) if on else _to_disable(shelf, wanted)
    word = "on" if on else "off"
    if not changes:
        print(f"already {word}: {_listed(wanted)}")
        return 0
    settings = _checked(shelf, changes, on=on)
    recipes = [shelf.named(name) for name in wanted] if on else []
    for line in dict.fromkeys(_doubts(recipes, settings)):
        _complain(f"warning: {line}")
    before = {place: place.readlink() if place.is_symlink() else None for place in changes}
    _apply(changes)
    try:
        Client(socket).post("/api/v1/reload", {})
    except Refused as refusal:
        _apply(before)
        hint = () if refusal.problems else (refusal.hint,)
        for line in (*refusal.problems, *str(refusal).splitlines(), *hint):
            _complain(line)
        _complain(f"healthd refused it, so nothing was changed: {_listed(wanted)}")
        return 1
    except Unreachable as error:
        print(f"{word}: {_listed(wanted)}")
        _complain(f"{error}; it counts from healthd's next start ({error.hint})")
    else:
        print(f"{word}, and in force: {_listed(wanted)}")
    for one in recipes:
        if one.first:
            print(f"for {plain(one.name)}, {one.first}")
    return 0


def _to_enable(shelf: Shelf, names: Iterable[str]) -> Changes:
    recipes = [shelf.named(name) for name in names]
    for one in recipes:
        if one.own:
            place = shelf.place(one.name)
            raise RequestError(409, f"{place} is there and is no link to the recipe", hint="move it away first")
    return {shelf.place(one.name): one.path for one in recipes if not one.enabled}


def _to_disable(shelf: Shelf, names: Iterable[str]) -> Changes:
    changes: dict[Path, Path | None] = {}
    for name in names:
        links = shelf.links_to(name)
        if not links and shelf.named(name).own:
            place = shelf.place(name)
            raise RequestError(409, f"{place} is no link to the recipe: it is a file of your own", hint=f"rm {place}")
        changes |= dict.fromkeys(links)
    return changes


def _checked(shelf: Shelf, changes: Changes, *, on: bool) -> Settings | None:
    """The settings as they would be; `ConfigError` if they would be wrong.

    What is wrong already is no reason to keep a recipe on.
    """
    main = _main_file(shelf)
    with as_daemon():
        try:
            return load(main, changes=changes)
        except ConfigError as error:
            new = error.problems if on else [one for one in error.problems if one not in _present_problems(main)]
    if new:
        _complain("the configuration would be wrong, so nothing was changed:")
        raise ConfigError(new)
    return None


def _doubts(recipes: Iterable[Recipe], settings: Settings | None) -> Iterable[str]:
    """What is not wrong, but perhaps not meant."""
    for one in recipes:
        if one.units and not one.fits:
            yield f"{one.name}: this host has no {' and no '.join(one.units)}"
    if settings is not None:
        files = {str(one.path) for one in recipes}
        yield from (str(warning) for warning in settings.warnings if warning.file in files)
        yield from _taken_ports(recipes, settings)


def _taken_ports(recipes: Iterable[Recipe], settings: Settings) -> Iterable[str]:
    """Services whose port healthd listens on itself."""
    ours = {
        address.rpartition(":")[2]: f"[http] {key}"
        for key in ("listen", "metrics_listen")
        for address in getattr(settings.http, key)
    }
    for one in recipes:
        for name in one.components:
            options = settings.component[name].options
            port = _port(options.get("url") or options.get("address") or "")
            if port in ours:
                yield f"{one.name}: healthd listens on port {port} itself; give it another one in {ours[port]}"


def _port(where: str) -> str:
    return (
        where.partition("://")[2].partition("/")[0].rpartition(":")[2] if "://" in where else where.rpartition(":")[2]
    )


def _apply(changes: Changes) -> None:
    """Make the links as they should be. What was done is undone if not all of it can be."""
    done: dict[Path, Path | None] = {}
    try:
        for place, target in changes.items():
            old = place.readlink() if place.is_symlink() else None
            if old is not None:
                place.unlink()
            done[place] = old
            if target is not None:
                place.symlink_to(target)
    except OSError as error:
        for place, target in done.items():
            place.unlink(missing_ok=True)
            if target is not None:
                place.symlink_to(target)
        raise RequestError(500, f"{place} cannot be changed: {error.strerror or error}") from error


def _main_file(shelf: Shelf) -> Path | None:
    """The file beside the folder of drop-ins; None for the usual one, which need not exist."""
    main = shelf.folder.parent / DEFAULT_FILE.name
    return None if main == DEFAULT_FILE else main


def _present_problems(main: Path | None) -> Iterable[object]:
    try:
        load(main)
    except ConfigError as error:
        return error.problems
    return ()


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(plain, names))


def _complain(line: str) -> None:
    print(f"healthctl: {plain(line)}", file=sys.stderr)
