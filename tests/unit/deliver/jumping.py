"""A loop of which time jumps: to where something is due next."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.fakes import FakeClock


class Jumping(selectors.DefaultSelector):
    """Nothing ever comes from outside, so that time goes at once to where something is due."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[Any]:
        self._clock.advance(timeout or 0.0)
        return super().select(0)


class Loop(asyncio.SelectorEventLoop):
    """A loop that goes by a clock of the tests."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(Jumping(clock))
        self._clock = clock

    def time(self) -> float:
        return self._clock.boot()
