"""Which units are enabled, told by the links below systemd's directories.

systemd answers the same question by D-Bus, but needs 1.4 ms for each unit the first time (it reads all these links
again for every one: 230 ms for 153 services, and more than in proportion with more) or 300 ms for a list, and does
nothing else meanwhile. Only what is enabled, generated or transient is told here; what else a unit's file is, is asked
of systemd when it matters. Source: systemctl(1) "is-enabled", systemd.unit(5) "Unit File Load Path".
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENABLED_IN: Final = (  # the first one wins
    ("etc/systemd/system", "enabled"),
    ("etc/systemd/system.control", "enabled"),
    ("run/systemd/system", "enabled-runtime"),
    ("run/systemd/system.control", "enabled-runtime"),
)
FILES_IN: Final = (
    ("run/systemd/transient", "transient"),
    ("run/systemd/generator.early", "generated"),
    ("run/systemd/generator", "generated"),
    ("run/systemd/generator.late", "generated"),
)
TOLD_BY_FILES: Final = frozenset(state for _, state in (*ENABLED_IN, *FILES_IN))

# Generators pull in units that have files elsewhere, too: each cluster of PostgreSQL and instance of Postfix on Debian.
_GENERATED_LINKS: Final = tuple(directory for directory, state in FILES_IN if state == "generated")

_PULLING = (".wants", ".requires", ".upholds")


def file_states(root: Path = Path("/"), *, unread: Callable[[OSError], None] = lambda _: None) -> dict[str, str]:
    """The state of each unit that is enabled (for good or until the next boot), generated or transient, by name.

    `unread` hears of each directory that cannot be read: what only that one enables is left out.
    """
    states: dict[str, str] = {}
    for directory, state in ENABLED_IN:
        for name in _enabled(root / directory, unread):
            states.setdefault(name, state)
    for directory, state in FILES_IN:
        for entry in _entries(root / directory, unread):
            if not entry.name.endswith((*_PULLING, ".d")):
                states.setdefault(entry.name, state)
    for directory in _GENERATED_LINKS:
        for name in _enabled(root / directory, unread):
            states.setdefault(name, "enabled-runtime")  # as systemctl calls it
    return states


def _enabled(directory: Path, unread: Callable[[OSError], None]) -> Iterator[str]:
    """What a link in this directory enables: what the folder of another unit pulls in, and what has an alias."""
    for entry in _entries(directory, unread):
        if entry.name.endswith(_PULLING):
            yield from (link.name for link in _entries(entry, unread) if link.is_symlink())
        elif entry.is_symlink():
            with suppress(OSError):  # somebody disables it at this moment
                target = Path(entry.path).readlink().name
                if target not in (entry.name, "null"):  # a file that lives elsewhere; a masked unit
                    yield target


def _entries(directory: Path | os.DirEntry[str], unread: Callable[[OSError], None]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:  # `umask 077` before `systemctl enable` made it root's alone
        unread(error)
        return []
