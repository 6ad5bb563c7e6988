"""How soon a turn follows the news of units: at once as a rule, together while there is news without end.

A turn costs much the same for one changed unit as for fifty. A hundred crash loops send hundreds of changes a second,
none of which healthd has anything to do about; a turn for each of them would be half a processor.
"""

from __future__ import annotations

from typing import Final

AT_ONCE: Final = 20
"""So many turns follow their news at once before any has to wait, and again once it has been quiet for a second."""

APART_SECONDS: Final = 0.05
"""So far apart turns are from then on: the longest that news waits."""


class Pace:
    """A bucket of `AT_ONCE` turns, one of which comes back every `APART_SECONDS`. `now` in seconds of any one clock."""

    def __init__(self) -> None:
        self._full_at = float("-inf")

    def pause(self, now: float) -> float:
        """How long news that comes now has to wait for its turn."""
        empty_until = self._full_at - (AT_ONCE - 1) * APART_SECONDS
        return min(APART_SECONDS, max(0.0, empty_until - now))

    def turned(self, now: float) -> None:
        """A turn begins that takes in news of units."""
        self._full_at = max(self._full_at, now) + APART_SECONDS
