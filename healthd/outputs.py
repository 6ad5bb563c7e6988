"""The door to what other units printed for healthd: files that systemd writes for them.

Those of `exec` checks, a component each, and the reports of chores, a unit each.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from healthd.errors import ReadError

DIRECTORY: Final = Path("/run/healthd/checks")
"""In memory: reading is never a wait for a disk."""

REPORTS: Final = Path("/run/healthd/reports")

_SIZE_MAX: Final = 64 * 1024


class Outputs:
    """Fulfils `ports.Outputs` over a directory."""

    def __init__(self, directory: Path = DIRECTORY) -> None:
        self._directory = directory

    def read(self, name: str) -> str:
        """The beginning of what the program of this component or unit printed in its last run. Raises `ReadError`."""
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            with os.fdopen(os.open(self._directory / name, flags), "rb") as file:
                return file.read(_SIZE_MAX).decode("utf-8", "replace")
        except OSError as error:
            raise ReadError(f"its output cannot be read: {error.strerror or error}") from error
