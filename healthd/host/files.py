"""Small files that the kernel makes up as they are read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

MOST: Final = 4096
"""Bytes: what the kernel gives in one go, and more than any of these files has that is to be read whole."""


def read(path: str) -> bytes:
    """What the file begins with, in one go: three system calls and no object but this. Raises `OSError`."""
    opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(opened, MOST)
    finally:
        os.close(opened)


class Kept:
    """Files below `root` that are there for as long as the kernel runs: each is opened once, and read again and again.

    To look up and open such a file takes longer than to read it.
    """

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._opened: dict[str, int] = {}

    def __del__(self) -> None:
        for opened in self._opened.values():
            os.close(opened)

    def opened(self, name: str) -> int:
        """The descriptor of the file. Raises `OSError`."""
        opened = self._opened.get(name)
        if opened is None:
            opened = self._opened[name] = os.open(f"{self._root}/{name}", os.O_RDONLY | os.O_CLOEXEC)
        return opened

    def read(self, name: str, most: int = MOST) -> bytes:
        """What the file begins with, as it is now: at least `most` bytes, if it has them. Raises `OSError`."""
        opened = self.opened(name)
        text = os.pread(opened, MOST, 0)
        while most > MOST and len(text) < most and (more := os.pread(opened, MOST, len(text))):
            text += more  # of what has many lines the kernel gives a page at a time
        return text
