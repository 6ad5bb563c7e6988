"""Small files that the kernel makes up as they are read."""

from __future__ import annotations

import os
from typing import Final

MOST: Final = 4096
"""Bytes: what the kernel gives in one go, and more than any of these files has that is to be read whole."""


def read(path: str) -> bytes:
    """What the file begins with, in one go: three system calls and no object but this. Raises `OSError`."""
    opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(opened, MOST)
    finally:
        os.close(opened)
