"""The door to time."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from healthd.errors import ReadError

if TYPE_CHECKING:
    from datetime import tzinfo

_LOCAL: Final = Path("/etc/localtime")


class SystemClock:
    """The kernel's clocks; fulfils `ports.Clock`."""

    def boot(self) -> float:
        """Seconds since boot, suspend included."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def monotonic(self) -> float:
        """Seconds since boot without suspend."""
        return time.clock_gettime(time.CLOCK_MONOTONIC)

    def wall(self) -> float:
        """Unix seconds."""
        return time.time()

    def zone(self, name: str) -> tzinfo:
        """The time zone of this name; "" is the local one. Read anew each time. Raises `ReadError` if there is none."""
        from datetime import UTC  # noqa: PLC0415  only calendars need it
        from zoneinfo import ZoneInfo  # noqa: PLC0415

        name = name or os.environ.get("TZ", "").removeprefix(":")
        try:
            if name:
                return UTC if name == "UTC" else ZoneInfo.no_cache(name)
            with _LOCAL.open("rb") as file:
                return ZoneInfo.from_file(file)
        except FileNotFoundError:
            return UTC  # as systemd has it where no zone is set
        except (KeyError, ValueError, OSError):
            raise ReadError(f"there is no time zone {name!r}") from None
