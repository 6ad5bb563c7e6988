"""The windows of calendar silences: kept as long as they hold, so that a turn without any costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from healthd.decide.happenings import Silencing
from healthd.decide.silence import Window
from healthd.errors import ReadError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from healthd.decide.silence import Silence
    from healthd.ports import Clock, Log

_KEEP_SECONDS: Final = 3600.0
"""Then a window is worked out anew, should the local time zone be another one."""

_LOOKED_AT: Final = 20
"""So many times of an expression are looked at, to see that one window is over before the next begins."""


class Windows:
    """Works out windows. `of` are those of the silences at hand, by expression and length: None where none will come.

    One that cannot be worked out, since its time zone is not there any more, is left out.
    """

    def __init__(self, clock: Clock, log: Log) -> None:
        self._clock, self._log = clock, log
        self._known: dict[tuple[str, float], tuple[float, Window | None]] = {}
        self.of: Mapping[tuple[str, float], Window | None] = {}

    def look(self, silences: Iterable[Silence], orders: Iterable[object]) -> None:
        """Bring `of` up to date for these silences, and for those that are about to be set."""
        wanted = {(each.calendar, each.seconds) for each in silences if each.calendar}
        set_now = (order.silence for order in orders if isinstance(order, Silencing))
        wanted |= {(each.calendar, each.seconds) for each in set_now if each.calendar}
        if not wanted and not self.of:
            return
        wall, found = self._clock.wall(), {}
        for key in wanted:
            since, window = self._known.get(key, (wall + 1, None))
            until = since + _KEEP_SECONDS if window is None else min(since + _KEEP_SECONDS, window.ends)
            if not since <= wall < until:
                try:
                    window = window_at(self._clock, *key, wall)
                except ReadError as error:
                    self._log.debug("the window of a silence is not known", error=str(error))
                    continue
                self._known[key] = wall, window
            found[key] = window
        self._known = {key: known for key, known in self._known.items() if key in wanted}
        self.of = found


def window_at(clock: Clock, text: str, seconds: float, wall: float) -> Window | None:
    """The window that is open at this time, or the next one; None: there is none. Raises `ReadError`, `ValueError`."""
    from healthd.formats.calendar import parse  # noqa: PLC0415  most hosts have no calendar silence
    from healthd.formats.occurrence import next_after  # noqa: PLC0415

    calendar = parse(text)
    begins = next_after(calendar, wall - seconds, clock.zone(calendar.zone))
    return None if begins is None else Window(begins, begins + seconds)


def check_windows(clock: Clock, text: str, seconds: float) -> None:
    """Raises `ValueError` in words unless windows come, one after the other; `ReadError` for an unknown time zone."""
    from healthd.formats.calendar import parse  # noqa: PLC0415
    from healthd.formats.occurrence import next_after  # noqa: PLC0415

    calendar = parse(text)
    zone, at = clock.zone(calendar.zone), clock.wall()
    following = next_after(calendar, at - seconds, zone)
    if following is None:
        raise ValueError(f"{text!r} names no time that is still to come")
    for _ in range(_LOOKED_AT):
        at, following = following, next_after(calendar, following, zone)
        if following is None:
            return
        if following - at < seconds:
            raise ValueError(
                f"{text!r} comes again after {following - at:g} s, so it must be silenced for less than that"
            )
