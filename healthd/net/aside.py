"""What may block for as long as it likes runs aside, in threads that nobody's end waits for."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any, Final, TypeVar

from healthd.errors import ReadError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from healthd.net.limit import Limit

_T = TypeVar("_T")

THREADS: Final = 16
"""So many questions at once. One that is stuck keeps its thread; while all are, no further one can be asked."""

_Outcome = tuple[Any, OSError | ValueError | None]


class Aside:
    """Asks each question in a daemon thread of its own, and never a second time while the first is not answered."""

    def __init__(self, most: int = THREADS) -> None:
        self._room = most
        self._asked: dict[Hashable, asyncio.Future[_Outcome]] = {}

    async def ask(self, key: Hashable, question: Callable[[], _T], limit: Limit) -> _T:
        """What the question gives; it may raise OSError and ValueError. `ReadError` if there is no thread for it."""
        with limit.otherwise(ReadError(f"{self._room} look-ups hang, so that none more can be made")):
            while key not in self._asked and len(self._asked) >= self._room:
                await asyncio.wait(self._asked.values(), return_when=asyncio.FIRST_COMPLETED)
        answer = self._asked.get(key)
        if answer is None:
            answer = self._begin(key, question)
        value: _T
        # Whoever waits may give up; the question goes on, for others who asked the same.
        value, error = await asyncio.shield(answer)
        if error is not None:
            raise error
        return value

    def _begin(self, key: Hashable, question: Callable[[], Any]) -> asyncio.Future[_Outcome]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_Outcome] = loop.create_future()
        thread = threading.Thread(target=self._run, args=(key, question, loop), daemon=True, name="healthd-aside")
        self._asked[key] = answer
        try:
            thread.start()
        except RuntimeError as error:  # TasksMax=
            del self._asked[key]
            raise ReadError(f"no thread for a look-up: {error}") from error
        return answer

    def _run(self, key: Hashable, question: Callable[[], Any], loop: asyncio.AbstractEventLoop) -> None:
        """In the thread."""
        outcome: _Outcome = (None, ValueError("the look-up broke off"))
        try:
            outcome = (question(), None)
        except (OSError, ValueError) as error:
            outcome = (None, error)
        finally:
            with contextlib.suppress(RuntimeError):  # the loop is closed: healthd has ended meanwhile
                loop.call_soon_threadsafe(self._hand_over, key, outcome)

    def _hand_over(self, key: Hashable, outcome: _Outcome) -> None:
        answer = self._asked.pop(key)
        if not answer.done():
            answer.set_result(outcome)
