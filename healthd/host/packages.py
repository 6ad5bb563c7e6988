"""What the package manager left to be done: a reboot, or packages that are not whole."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from healthd.errors import Absent
from healthd.figures import Updates

if TYPE_CHECKING:
    from collections.abc import Iterable

_WHOLE: Final = frozenset({b"installed", b"config-files", b"not-installed"})
"""States of dpkg that need nothing to be done; any other is one in which it stopped half-way."""

_MOST_NAMED: Final = 50


class Packages:
    """Reads below `root`. Dpkg's list is some MiB, so it is read again only when it has changed.

    Both methods raise `Absent` where there is no dpkg, `OSError` where its list cannot be read.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._status, self._reboot = f"{root}/var/lib/dpkg/status", f"{root}/run/reboot-required"
        self._known: tuple[int, int, int] | None = None
        self._broken: tuple[str, ...] = ()

    def at_hand(self) -> Updates | None:
        """What is to be done; None where `read` must tell. To look whether a file has changed does not block."""
        found = self._look()
        return self._told(found) if _key(found) == self._known else None

    def read(self) -> Updates:
        """What is to be done. Blocks for as long as the disk takes."""
        found = self._look()
        with open(self._status, "rb") as lines:  # noqa: PTH123  see files.py
            self._broken = not_whole(lines)
        self._known = _key(found)
        return self._told(found)

    def _look(self) -> os.stat_result:
        try:
            return os.stat(self._status)  # noqa: PTH116  likewise
        except FileNotFoundError:
            raise Absent("there is no dpkg") from None

    def _told(self, found: os.stat_result) -> Updates:
        required = os.path.exists(self._reboot)  # noqa: PTH110  likewise
        return Updates(
            reboot_required=required,
            reboot_for=_names(f"{self._reboot}.pkgs") if required else (),
            not_whole=self._broken,
            changed_at=found.st_mtime,
        )


def _key(found: os.stat_result) -> tuple[int, int, int]:
    """What is another one when the file was written anew."""
    return found.st_ino, found.st_size, found.st_mtime_ns


def not_whole(lines: Iterable[bytes]) -> tuple[str, ...]:
    """The packages in dpkg's status file that are not whole, each with its state ("foo half-configured")."""
    found: list[str] = []
    name = b""
    for line in lines:
        if line.startswith(b"Package: "):
            name = line[9:].strip()
        elif line.startswith(b"Status: "):
            words = line.split()
            state = words[-1]
            if len(words) == 4 and state not in _WHOLE and len(found) < _MOST_NAMED:
                found.append(f"{os.fsdecode(name)} {os.fsdecode(state)}")
    return tuple(found)


def _names(file: str) -> tuple[str, ...]:
    """Packages, each once, in order; they are written anew with each upgrade. There may be no such file."""
    try:
        with open(file, encoding="utf-8", errors="replace") as names:  # noqa: PTH123  likewise
            return tuple(dict.fromkeys(names.read().split()[:_MOST_NAMED]))
    except FileNotFoundError:
        return ()
