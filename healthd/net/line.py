"""A connection: made, used and closed. On bare sockets, so that closing means closed, whatever happened."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import TYPE_CHECKING, Final, Protocol

from healthd.errors import HealthdError, NoAnswer, ReadError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthd.net.limit import Limit
    from healthd.net.places import Place

CHUNK: Final = 64 * 1024
_BACKLOG_PAUSE: Final = 0.05

_WORDS: Final = {
    errno.ECONNREFUSED: ("refused", "connection refused"),
    errno.ECONNRESET: ("reset", "connection reset"),
    errno.EPIPE: ("reset", "connection reset"),
    errno.ENOENT: ("missing", "there is no such socket"),
    errno.ENOTSOCK: ("missing", "that is no socket"),
    errno.ETIMEDOUT: ("timeout", "the connection timed out"),
    errno.ENETUNREACH: ("unreachable", "the network is unreachable"),
    errno.EHOSTUNREACH: ("unreachable", "the host is unreachable"),
    errno.EPROTOTYPE: ("protocol", "the socket is one of another kind"),
}
_OURS: Final = frozenset({errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})
"""What this host or its configuration is to blame for, not whoever is probed."""


def translated(error: OSError) -> HealthdError:
    """What an error of a socket means."""
    words = (error.strerror or str(error)).lower()
    if error.errno in _OURS:
        return ReadError(f"healthd cannot connect: {words}")
    cause, text = _WORDS.get(error.errno or 0, ("network", words))
    return NoAnswer(cause, text)


class Line(Protocol):
    """Bytes to and fro. OSError where the other end or the network fails."""

    async def send(self, data: bytes) -> None:
        """Send all of it."""

    async def receive(self) -> bytes:
        """Some bytes, at least one; b"" when the other end has ended."""

    def close(self) -> None:
        """Close at once."""


class PlainLine:
    """A socket that is connected."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket, self._loop = connected, asyncio.get_running_loop()

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        await self._loop.sock_sendall(self._socket, data)

    async def receive(self) -> bytes:
        """Some bytes, at least one; b"" when the other end has ended."""
        return await self._loop.sock_recv(self._socket, CHUNK)

    def close(self) -> None:
        """Close at once."""
        self._socket.close()


async def connect(places: Sequence[Place], limit: Limit) -> socket.socket:
    """A socket that is connected to the first of these places that answers. Raises what the first one failed with."""
    failed: HealthdError | None = None
    for number, place in enumerate(places, 1):
        more = len(places) - number
        try:
            # A place that does not answer at all leaves time for those after it.
            async with asyncio.timeout(limit.left() / (more + 1) if more else None):
                return await _connect(place)
        except TimeoutError as error:
            failed = failed or (translated(error) if error.errno else limit.missed)
        except OSError as error:
            failed = failed or translated(error)
    raise failed or NoAnswer("dns", "the name has no address")


async def _connect(place: Place) -> socket.socket:
    made = socket.socket(place.family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, place.address)
    except BaseException:
        made.close()
        raise
    return made


async def connect_unix(path: str) -> socket.socket:
    """A socket that is connected to the Unix socket at this path. Raises OSError."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        while True:
            try:
                made.connect(path)
            except BlockingIOError:
                # Its backlog is full. Nothing tells when there is room again: poll(2) calls such a socket writable.
                await asyncio.sleep(_BACKLOG_PAUSE)
            else:
                return made
    except BaseException:
        made.close()
        raise
