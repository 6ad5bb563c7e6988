"""One thread for what may block: work is done in order, and a thread that hangs never keeps the process from ending."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")
_V = TypeVar("_V")


class Worker:
    """Runs functions in a thread of its own, for whoever holds the loop. `errors` are what they may raise.

    A `ThreadPoolExecutor` would do the same, but Python waits for its threads at the end of the process: a disk that
    hangs would keep the daemon from stopping.
    """

    def __init__(self, name: str, *, errors: tuple[type[Exception], ...]) -> None:
        self._errors = errors
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[], _T]) -> asyncio.Future[_T]:
        """Have the work done after what was submitted before; its result or error comes to the running loop."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_T] = loop.create_future()
        future.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may be waiting any more

        def job() -> None:
            try:
                result = work()
            except self._errors as error:
                _tell(loop, future.set_exception, error, future)
            else:
                _tell(loop, future.set_result, result, future)

        self._jobs.put(job)
        return future

    def stop(self) -> None:
        """End the thread after what was submitted. Does not wait for it."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


def _tell(loop: asyncio.AbstractEventLoop, tell: Callable[[_V], None], what: _V, future: asyncio.Future[_T]) -> None:
    with suppress(RuntimeError):  # the loop was closed meanwhile: nobody is there to be told
        loop.call_soon_threadsafe(lambda: None if future.done() else tell(what))
