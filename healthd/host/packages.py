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
    """Reads below `root`. Dpkg's list is some MiB, so it is read again only when it has changed; `read` blocks."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._status, self._run = root / "var/lib/dpkg/status", root / "run"
        self._known: tuple[int, int, int] | None = None
        self._broken: tuple[str, ...] = ()

    def read(self) -> Updates:
        """What is to be done. Raises `Absent` where there is no dpkg, `OSError` where its list cannot be read."""
        try:
            found = self._status.stat()
        except FileNotFoundError:
            raise Absent("there is no dpkg") from None
        key = (found.st_ino, found.st_size, found.st_mtime_ns)
        if key != self._known:
            with self._status.open("rb") as lines:
                self._broken = not_whole(lines)
            self._known = key
        wanting = self._run / "reboot-required.pkgs"
        return Updates(
            reboot_required=(self._run / "reboot-required").exists(),
            reboot_for=_names(wanting) if wanting.exists() else (),
            not_whole=self._broken,
            changed_at=found.st_mtime,
        )


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


def _names(file: Path) -> tuple[str, ...]:
    """Packages, each once, in order; they are written anew with each upgrade."""
    return tuple(dict.fromkeys(file.read_text(encoding="utf-8", errors="replace").split()[:_MOST_NAMED]))
