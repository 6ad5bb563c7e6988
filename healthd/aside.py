"""What may block is asked in a thread of its own: one question at a time, and one that is stuck is left to itself."""

from __future__ import annotations

import asyncio
from _thread import start_new_thread  # threading's start() waits until the thread runs, which nobody needs here
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from healthd.errors import HealthdError, ReadError

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")

JOURNAL: Final = "the journal"
JOURNAL_SECONDS: Final = 2.0
"""libsystemd answers in its own time: it blocks while a disk does."""


class Aside:
    """Asks one thing, named `what`. Each question has a thread that ends with it, and never keeps the process alive."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._turn = asyncio.Lock()
        self._since: float | None = None

    @property
    def busy(self) -> bool:
        """Whether a thread is at it: maybe one that nobody waits for any more."""
        return self._since is not None

    async def ask(self, question: Callable[[], _T], *, deadline: float) -> _T:
        """The answer, or the `OSError`, `ValueError` or error of healthd's own that it raised.

        Raises `ReadError` if there is none within `deadline` seconds, and at once as long as that question is stuck.
        """
        async with self._turn:
            loop = asyncio.get_running_loop()
            if self._since is not None:
                raise ReadError(f"{self._what} has not answered for {loop.time() - self._since:.0f} s")
            answer: asyncio.Future[_T] = loop.create_future()
            try:
                start_new_thread(self._work, (question, loop, answer))
            except RuntimeError as error:  # TasksMax=
                raise ReadError(f"there is no thread to ask {self._what} with: {error}") from error
            self._since = loop.time()
            try:
                async with asyncio.timeout(deadline):
                    return await answer
            except TimeoutError:
                raise ReadError(f"{self._what} does not answer within {deadline:g} s") from None

    async def told(self, question: Callable[[], _T | None], *, deadline: float) -> _T | None:
        """Likewise, where None stands for no answer."""
        try:
            return await self.ask(question, deadline=deadline)
        except ReadError:
            return None

    def _work(self, question: Callable[[], Any], loop: asyncio.AbstractEventLoop, answer: asyncio.Future[Any]) -> None:
        """In the thread."""
        tell: Callable[[], None]
        try:
            tell = partial(answer.set_result, question())
        except (OSError, ValueError, HealthdError) as error:
            tell = partial(answer.set_exception, error)
        except BaseException as error:  # Python prints the traceback
            tell = partial(answer.set_exception, ReadError(f"a bug of healthd: {error!r}"))
            raise
        finally:
            with suppress(RuntimeError):  # the loop is closed: healthd has ended meanwhile
                loop.call_soon_threadsafe(self._hand_over, answer, tell)

    def _hand_over(self, answer: asyncio.Future[Any], tell: Callable[[], None]) -> None:
        self._since = None
        if not answer.done():  # else nobody waits any more
            tell()
