"""One thread for what may block: work is done in order, and a thread that hangs never keeps the process from ending."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from healthd.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")
_V = TypeVar("_V")


class Worker:
    """Runs functions in a thread of its own, which is there once there is work, for whoever holds the loop.

    `errors` are what they may raise. Anything else is a bug and comes out as `StorageError`, as does a lack of threads.

    A `ThreadPoolExecutor` would do the same, but Python waits for its threads at the end of the process: a disk that
    hangs would keep the daemon from stopping.
    """

    def __init__(self, name: str, *, errors: tuple[type[Exception], ...]) -> None:
        self._errors = errors
        self._name = name
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._running = False
        self._late: asyncio.Future[Any] | None = None

    @property
    def stuck(self) -> bool:
        """Whether work that was given up is still under way: what is submitted now waits for it."""
        return self._late is not None and not self._late.done()

    async def do(self, work: Callable[[], _T], *, deadline: float, where: object) -> _T:
        """Have the work done within so many seconds. Raises `StorageError`, at once while the thread is stuck."""
        if self.stuck:
            raise StorageError(f"{where}: the disk has not answered for a while")
        return await self.waited(self.submit(work), deadline=deadline, where=where)

    async def waited(self, doing: asyncio.Future[_T], *, deadline: float, where: object) -> _T:
        """What work comes to that was submitted; the work goes on though nobody waits any more."""
        try:
            async with asyncio.timeout(deadline):
                return await asyncio.shield(doing)
        except TimeoutError:
            self._late = doing
            raise StorageError(f"{where}: the disk did not answer within {deadline:g} s") from None
        except StorageError:
            raise
        except self._errors as error:
            raise StorageError(f"{where}: {getattr(error, 'strerror', None) or error}") from error

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
            except BaseException as error:
                _tell(loop, future.set_exception, StorageError(f"a bug of healthd: {error!r}"), future)
                raise
            else:
                _tell(loop, future.set_result, result, future)

        try:
            self._ensure_thread()
        except RuntimeError as error:  # TasksMax=
            future.set_exception(StorageError(f"no thread can be started to do it: {error}"))
        else:
            self._jobs.put(job)
        return future

    def _ensure_thread(self) -> None:
        if not self._running:
            self._start()
            self._running = True

    def _start(self) -> None:
        Thread(target=self._work, name=self._name, daemon=True).start()

    def stop(self) -> None:
        """End the thread after what was submitted. Does not wait for it."""
        self._jobs.put(None)

    def _work(self) -> None:
        ended = False
        try:
            while (job := self._jobs.get()) is not None:
                job()
            ended = True
        finally:
            if not ended:  # by a bug, of which Python prints the traceback; the work behind it is done all the same
                try:
                    self._start()
                except RuntimeError:
                    self._running = False  # not before: whoever submits would start another one beside it


def _tell(loop: asyncio.AbstractEventLoop, tell: Callable[[_V], None], what: _V, future: asyncio.Future[_T]) -> None:
    with suppress(RuntimeError):  # the loop was closed meanwhile: nobody is there to be told
        loop.call_soon_threadsafe(lambda: None if future.done() else tell(what))
