"""What may block is asked in a thread of its own: one question at a time, and one that is stuck is left to itself."""

from __future__ import annotations

import asyncio
import time
from _thread import start_new_thread  # threading's start() waits until the thread runs, which nobody needs here
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from healthd.errors import HealthdError, ReadError

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")


class Aside:
    """Asks one thing, named `what`. Each question has a thread that ends with it, and never keeps the process alive."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._since: float | None = None

    async def ask(self, question: Callable[[], _T], *, deadline: float) -> _T:
        """The answer, or the `OSError`, `ValueError` or error of healthd's own that it raised.

        Raises `ReadError` if there is none within `deadline` seconds, and at once as long as that question is stuck.
        """
        if self._since is not None:
            raise ReadError(f"{self._what} has not answered for {time.monotonic() - self._since:.0f} s")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_T] = loop.create_future()
        try:
            start_new_thread(self._work, (question, loop, answer))
        except RuntimeError as error:  # TasksMax=
            raise ReadError(f"there is no thread to ask {self._what} with: {error}") from error
        self._since = time.monotonic()
        try:
            async with asyncio.timeout(deadline):
                return await answer
        except TimeoutError:
            raise ReadError(f"{self._what} does not answer within {deadline:g} s") from None

    def _work(self, question: Callable[[], Any], loop: asyncio.AbstractEventLoop, answer: asyncio.Future[Any]) -> None:
        """In the thread."""
        try:
            result = question()
        except (OSError, ValueError, HealthdError) as error:
            self._hand_over(loop, answer, answer.set_exception, error)
        except BaseException as error:  # Python prints the traceback
            self._hand_over(loop, answer, answer.set_exception, ReadError(f"a bug of healthd: {error!r}"))
            raise
        else:
            self._hand_over(loop, answer, answer.set_result, result)

    def _hand_over(
        self, loop: asyncio.AbstractEventLoop, answer: asyncio.Future[Any], tell: Callable[[Any], None], what: Any
    ) -> None:
        def told() -> None:
            self._since = None
            if not answer.done():  # nobody waits any more
                tell(what)

        with suppress(RuntimeError):  # the loop is closed: healthd has ended meanwhile
            loop.call_soon_threadsafe(told)
