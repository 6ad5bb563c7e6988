"""The time that a probe has, and what is to be said when it is over."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from healthd.errors import HealthdError, NoAnswer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class Limit:
    """An instant of the loop's time, `seconds` after it was set. `missed` is raised when it has come."""

    __slots__ = ("missed", "seconds", "until")

    def __init__(self, seconds: float, until: float) -> None:
        self.seconds, self.until = seconds, until
        self.missed: HealthdError = NoAnswer("timeout", f"no answer within {seconds:g} s")

    def left(self) -> float:
        """Seconds until then."""
        return max(0.0, self.until - asyncio.get_running_loop().time())

    @contextmanager
    def otherwise(self, missed: HealthdError) -> Iterator[None]:
        """Within this context, the limit being over means something else."""
        before, self.missed = self.missed, missed
        yield
        self.missed = before


@asynccontextmanager
async def limited(seconds: float) -> AsyncIterator[Limit]:
    """Whatever waits within this context ends after so many seconds, with the limit's `missed`."""
    limit = Limit(seconds, asyncio.get_running_loop().time() + seconds)
    try:
        async with asyncio.timeout_at(limit.until):
            yield limit
    except TimeoutError:
        raise limit.missed from None
