"""Questions to the journal, which libsystemd answers in its own time: it blocks while a disk does.

Each is asked in a thread of its own, one at a time. One that has not come back by its deadline is left alone in its
thread, and those behind it are answered with None until it is through.
"""

from __future__ import annotations

import asyncio
import contextlib
from _thread import start_new_thread  # threading's start() waits until the thread runs, which nobody needs here
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Asking(Generic[T]):
    """Asks questions of one kind. None stands for no answer."""

    def __init__(self, *, deadline: float = 2.0) -> None:
        self._deadline = deadline
        self._turn = asyncio.Lock()
        self._busy = False  # a thread is at it: maybe one that nobody waits for any more

    @property
    def busy(self) -> bool:
        """Whether a thread is at it."""
        return self._busy

    async def ask(self, question: Callable[[], T | None]) -> T | None:
        """What the question, which blocks, returns."""
        async with self._turn:
            if self._busy:
                return None
            loop = asyncio.get_running_loop()
            answer: asyncio.Future[T | None] = loop.create_future()
            try:
                start_new_thread(self._in_thread, (question, loop, answer))
            except RuntimeError:  # TasksMax=
                return None
            self._busy = True
            try:
                async with asyncio.timeout(self._deadline):
                    return await answer
            except TimeoutError:
                return None

    def _in_thread(
        self, question: Callable[[], T | None], loop: asyncio.AbstractEventLoop, answer: asyncio.Future[T | None]
    ) -> None:
        told = None
        try:
            told = question()
        finally:
            with contextlib.suppress(RuntimeError):  # the loop is closed: healthd has ended meanwhile
                loop.call_soon_threadsafe(self._hand_over, answer, told)

    def _hand_over(self, answer: asyncio.Future[T | None], told: T | None) -> None:
        self._busy = False
        if not answer.done():
            answer.set_result(told)
