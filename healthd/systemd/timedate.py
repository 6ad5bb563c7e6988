"""Whether the kernel holds its clock for synchronised, as systemd-timedated says: healthd itself may not ask for that.

The bus starts timedated for the question, and it ends by itself soon after. So it is asked seldom.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from healthd.errors import BusError
from healthd.systemd.bus import Request
from healthd.systemd.names import PROPERTIES

if TYPE_CHECKING:
    from healthd.soon import Soon
    from healthd.systemd.bus import Bus

FRESH_SECONDS: Final = 600.0
"""It is asked again after so long, at the earliest."""

DEADLINE: Final = 8.0
"""Seconds, its start included; a check has ten."""

_NAME: Final = "org.freedesktop.timedate1"
_SYNCHRONISED: Final = Request(
    _NAME, "/org/freedesktop/timedate1", PROPERTIES, "Get", "ss", (_NAME, "NTPSynchronized"), starts=True
)


class TimeDate:
    """What timedated last said, and when (boot seconds)."""

    def __init__(self) -> None:
        self._known: tuple[float, bool | None] | None = None

    def synchronised(self, bus: Bus, now: float) -> Soon[bool | None]:
        """Whether the clock is synchronised; None: nobody can tell. Raises `BusError` if the bus is lost."""
        if self._known is None or now - self._known[0] >= FRESH_SECONDS:
            return self._asked(bus, now)
        return self._known[1]

    async def _asked(self, bus: Bus, now: float) -> bool | None:
        said = await _ask(bus)
        self._known = now, said
        return said


async def _ask(bus: Bus) -> bool | None:
    try:
        ((_, said),) = await bus.call(_SYNCHRONISED, deadline=DEADLINE)
    except BusError:
        if bus.lost.done():
            raise
        return None  # there is no timedated here, or it does not answer
    return bool(said)
