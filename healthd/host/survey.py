"""How full file systems are, asked in a thread: one that hangs keeps whoever asks for as long as it pleases."""

from __future__ import annotations

import asyncio
import os
import threading
from _thread import start_new_thread  # threading's start() waits until the thread runs, which nobody needs here
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from healthd.errors import ReadError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

MOST_STUCK: Final = 8
"""Threads that are left waiting for mounts that hang; beyond that, nothing more is asked until one comes back."""

Answer = os.statvfs_result | OSError


class Survey:
    """Asks one mount after another, in one thread for each look.

    A mount that does not answer in time is left to that thread, and a new one asks the others. Until the thread comes
    back, that mount is not asked again.
    """

    def __init__(self, ask: Callable[[bytes], os.statvfs_result] = os.statvfs) -> None:
        self._ask = ask
        self._stuck: dict[bytes, _Batch] = {}

    async def look(self, paths: Iterable[bytes], *, deadline: float) -> Mapping[bytes, Answer]:
        """What each mount answered; those that are not in it hang. `deadline`: seconds for a single mount.

        Raises `ReadError` where no thread can be started.
        """
        answers: dict[bytes, Answer] = {}
        asked = [path for path in paths if path not in self._stuck]
        while asked and len(self._stuck) < MOST_STUCK:
            batch = _Batch(self._ask, asked, asyncio.get_running_loop(), self._through)
            try:
                start_new_thread(batch.work, ())
            except RuntimeError as error:  # TasksMax=
                raise ReadError(f"there is no thread to ask mounts with: {error}") from error
            try:
                await self._wait(batch, deadline)
            finally:  # also when whoever asked waits no more
                if (hung := batch.leave()) is not None:
                    self._stuck[hung] = batch
            answers.update(batch.answers)
            asked = [path for path in asked if path not in answers and path not in self._stuck]
        return answers

    async def _wait(self, batch: _Batch, deadline: float) -> None:
        """Until it is done, or one mount has had its time."""
        count = -1
        while not batch.done.is_set() and len(batch.answers) > count:
            count = len(batch.answers)
            with suppress(TimeoutError):
                async with asyncio.timeout(deadline):
                    await batch.done.wait()

    def _through(self, batch: _Batch) -> None:
        """The thread of a batch has ended."""
        batch.done.set()
        for path in [path for path, each in self._stuck.items() if each is batch]:
            del self._stuck[path]


class _Batch:
    """The mounts that one thread asks."""

    def __init__(
        self,
        ask: Callable[[bytes], os.statvfs_result],
        paths: Iterable[bytes],
        loop: asyncio.AbstractEventLoop,
        through: Callable[[_Batch], None],
    ) -> None:
        self.answers: dict[bytes, Answer] = {}
        self.done = asyncio.Event()
        self._ask, self._paths, self._loop, self._through = ask, tuple(paths), loop, through
        self._lock = threading.Lock()
        self._current: bytes | None = None
        self._left = False

    def leave(self) -> bytes | None:
        """Have the thread ask nothing more; returns the mount that it is still waiting for."""
        with self._lock:
            self._left = True
            return self._current

    def work(self) -> None:
        """In the thread."""
        for path in self._paths:
            with self._lock:
                if self._left:
                    break
                self._current = path
            answer = self._answer(path)
            with self._lock:
                self.answers[path], self._current = answer, None
        with suppress(RuntimeError):  # the loop is closed: healthd has ended meanwhile
            self._loop.call_soon_threadsafe(self._through, self)

    def _answer(self, path: bytes) -> Answer:
        try:
            return self._ask(path)
        except OSError as error:
            return error
