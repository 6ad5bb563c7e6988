"""The door to time."""

from __future__ import annotations

import time


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
