"""Hears of a new file in a folder, without asking again and again: the kernel's directory notification, by signal."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_WANTED: Final = fcntl.DN_CREATE | fcntl.DN_RENAME | fcntl.DN_MULTISHOT


@contextmanager
def watching(folder: Path, changed: Callable[[], None]) -> Iterator[None]:
    """Call `changed` in the loop when something comes into the folder. Where the kernel cannot, nothing is heard."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGIO, changed)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # whoever waits also looks now and then
            fcntl.fcntl(descriptor, fcntl.F_NOTIFY, _WANTED)
        yield
    finally:
        os.close(descriptor)
        loop.remove_signal_handler(signal.SIGIO)
