"""Whether files of a directory were opened: the kernel tells (inotify), also of those that healthd may not open."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

_IN_OPEN: Final = 0x00000020
_IN_ONESHOT: Final = 0x80000000
_EVENTS: Final = 4096


class Touched:
    """Watches one directory. Each watch ends with the first opening, so that a busy directory costs nothing at rest."""

    def __init__(self, directory: Path) -> None:
        self._directory = os.fsencode(directory)
        self._libc: Any = None
        self._events: int | None = None
        self._watched = False

    def since(self) -> bool:
        """Whether one may have been opened since the last call: always where that cannot be known."""
        if self._watched:
            try:
                os.read(self._events or 0, _EVENTS)
            except BlockingIOError:
                return False
        self._watched = self._watch()
        return True

    def _watch(self) -> bool:
        if self._events is None:
            self._events = self._begin()
        if self._events < 0:
            return False
        return bool(self._libc.inotify_add_watch(self._events, self._directory, _IN_OPEN | _IN_ONESHOT) >= 0)

    def _begin(self) -> int:
        """The descriptor of the events; -1 without any."""
        try:
            import ctypes  # noqa: PLC0415  Python has no inotify of its own; it is not needed before something fails

            self._libc = ctypes.CDLL(None)
            return int(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        except (ImportError, OSError, AttributeError, MemoryError):  # such as in a sandbox that forbids it
            return -1
