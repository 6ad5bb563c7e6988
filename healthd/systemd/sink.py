"""Where rendered records go without ever holding up the one who writes them.

A record is handed over at once and without waiting. Only what journald (or the terminal) does not take waits in a
bounded queue, and a thread that lives no longer than the queue delivers it in order. So nothing runs while all is well,
a journald that hangs stops nobody, and one that restarts misses nothing.

libsystemd cannot serve here: sd_journal_sendv blocks while journald hangs, and systemd-python calls it with the
interpreter locked, so a thread would not help (docs/adr/0006-systemd-python.md).
"""

from __future__ import annotations

import errno
import os
import select
import socket
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

JOURNAL_SOCKET: Final = "/run/systemd/journal/socket"

# Nobody at the other end, or no room there: it passes. Any other errno will not.
_PASSES: Final = frozenset({errno.EAGAIN, errno.ECONNREFUSED, errno.ENOENT, errno.ENOBUFS, errno.ENOMEM})
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 2.0


class Outlet(Protocol):
    """The other end."""

    def send(self, record: bytes, *, wait: bool) -> None:
        """Deliver one record whole. Raises `OSError`: EAGAIN if it would have to wait and must not."""


class JournalOutlet:
    """journald's socket. Each datagram goes to its path, not over a connection: so the socket may be made anew."""

    def __init__(self, path: str = JOURNAL_SOCKET) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def send(self, record: bytes, *, wait: bool) -> None:
        """Deliver one datagram."""
        self._socket.sendto(record, 0 if wait else socket.MSG_DONTWAIT, self._path)

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()


class StreamOutlet:
    """A terminal, a pipe or a file that other processes share, so that it must not be made non-blocking."""

    def __init__(self, fd: int = 2) -> None:
        self._fd = fd
        self._writable = select.poll()
        self._writable.register(fd, select.POLLOUT)

    def send(self, record: bytes, *, wait: bool) -> None:
        """Write one record."""
        # What is writable takes PIPE_BUF bytes in one piece; a terminal stopped with Ctrl-S is not writable.
        if not wait and (len(record) > select.PIPE_BUF or not self._writable.poll(0)):
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        left = memoryview(record)
        while left:
            try:
                left = left[os.write(self._fd, left) :]
            except BlockingIOError:  # somebody who shares it did make it non-blocking
                self._writable.poll()


class Sink:
    """A bounded queue before an outlet. Records keep their order; what does not fit is counted and told at its place.

    `told` renders the record that says how many were lost. Safe to use from any thread.
    """

    def __init__(self, outlet: Outlet, told: Callable[[int], bytes], *, limit: int = 2000) -> None:
        self._outlet = outlet
        self._told = told
        self._limit = limit
        self._lock = threading.Lock()
        self._queue: deque[bytes | int] = deque()  # records, and where some are missing, how many
        self._thread: threading.Thread | None = None
        self._hurry = threading.Event()

    def put(self, record: bytes, *, late: bytes = b"") -> None:
        """Deliver the record now, or with `late` appended as soon as it can be. Neither blocks nor raises."""
        with self._lock:
            if self._queue or not self._taken(record):
                self._hold(record + late)
                self._ensure_thread()

    def close(self, *, deadline: float) -> int:
        """Wait at most `deadline` seconds until all is delivered. Returns how many records were not."""
        self._hurry.set()
        with self._lock:
            if self._queue:
                self._ensure_thread()
            thread = self._thread
        if thread is not None:
            thread.join(deadline)
        with self._lock:
            return sum(entry if isinstance(entry, int) else 1 for entry in self._queue)

    def _taken(self, record: bytes) -> bool:
        """Whether the outlet took the record at once; one that it never will take is counted instead of kept."""
        try:
            self._outlet.send(record, wait=False)
        except OSError as error:
            if error.errno in _PASSES:
                return False
            self._count(1)
            self._ensure_thread()
        return True

    def _hold(self, record: bytes) -> None:
        if len(self._queue) < self._limit:
            self._queue.append(record)
        else:
            self._count(1)

    def _count(self, lost: int) -> None:
        if self._queue and isinstance(self._queue[-1], int):
            self._queue[-1] += lost
        else:
            self._queue.append(lost)

    def _ensure_thread(self) -> None:
        if self._thread is None:
            thread = threading.Thread(target=self._deliver, name="healthd-log", daemon=True)
            with suppress(RuntimeError):  # TasksMax=: what waits goes out with the next record
                thread.start()
                self._thread = thread

    def _deliver(self) -> None:
        pause = _FIRST_PAUSE
        while (entry := self._next()) is not None:
            try:
                self._outlet.send(self._told(entry) if isinstance(entry, int) else entry, wait=True)
            except OSError as error:
                if error.errno not in _PASSES:
                    if self._give_up_on(entry):
                        continue
                    return
                if self._hurry.wait(pause):
                    self._hurry.clear()
                    pause = _FIRST_PAUSE
                else:
                    pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                pause = _FIRST_PAUSE
                self._done(entry)

    def _next(self) -> bytes | int | None:
        """What is to be delivered now; None ends the thread."""
        with self._lock:
            if not self._queue:
                self._thread = None
                return None
            return self._queue[0]

    def _done(self, entry: bytes | int) -> None:
        with self._lock:
            head = self._queue[0]
            if isinstance(entry, int) and isinstance(head, int) and head > entry:
                self._queue[0] = head - entry  # more were lost while this number was on its way
            else:
                self._queue.popleft()

    def _give_up_on(self, entry: bytes | int) -> bool:
        """Count what the outlet will never take. False ends the thread: not even the count is taken."""
        with self._lock:
            if isinstance(entry, int):
                self._thread = None
                return False
            self._queue.popleft()
            if self._queue and isinstance(self._queue[0], int):
                self._queue[0] += 1
            else:
                self._queue.appendleft(1)
            return True
