"""Accepts connections on one listening socket: so many at once, and those that dawdle make room for the others."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from typing import TYPE_CHECKING, Final

from healthd.events import Event
from healthd.expose.connection import READ_BYTES, Connection
from healthd.expose.message import Client
from healthd.expose.streams import Streams

if TYPE_CHECKING:
    from healthd.expose.message import Handler, Right
    from healthd.ports import Log

CONNECTIONS: Final = 64
IDLE_SECONDS: Final = 30.0  # for a client to send a whole request, and to take a whole answer
PATIENCE_SECONDS: Final = 1.0  # what a client may dawdle when others wait for its place
_SHORTAGE: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_SHORTAGE_SECONDS: Final = 1.0
_UCRED: Final = struct.Struct("3i")  # pid, uid, gid: unix(7)


class Server:
    """Serves one listening socket; the socket stays the caller's, who closes it.

    A bug that a request strikes costs that one connection: it is logged with its traceback, and all else goes on.
    """

    def __init__(
        self,
        listener: socket.socket,
        rights: frozenset[Right],
        handler: Handler,
        log: Log,
        *,
        streams: Streams | None = None,
        idle_seconds: float = IDLE_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._listener = listener
        self._rights = rights
        self._handler = handler
        self._log = log
        self._streams = streams or Streams()
        self._idle_seconds = idle_seconds
        self._patience_seconds = patience_seconds
        self._open: dict[asyncio.Task[None], Connection] = {}

    async def run(self) -> None:
        """Serve until cancelled; every connection has ended when this returns."""
        self._listener.setblocking(False)
        try:
            while True:
                await self._make_room()
                if (accepted := await self._accept()) is not None:
                    await self._begin(accepted)
        finally:
            for task in self._open:
                task.cancel()
            if self._open:
                await asyncio.wait(tuple(self._open))

    async def _make_room(self) -> None:
        """Wait until one more connection may be open. Who has dawdled longest is cut off, if it was long enough."""
        loop = asyncio.get_running_loop()
        while len(self._open) >= CONNECTIONS:
            waiting = [(since, task) for task, one in self._open.items() if (since := one.waiting_since) is not None]
            pause = self._patience_seconds
            if waiting:
                since, task = min(waiting, key=lambda entry: entry[0])
                pause = since + self._patience_seconds - loop.time()
                if pause <= 0:
                    task.cancel()
                    pause = self._patience_seconds
            await asyncio.wait(tuple(self._open), timeout=pause, return_when=asyncio.FIRST_COMPLETED)

    async def _accept(self) -> socket.socket | None:
        try:
            accepted, _ = await asyncio.get_running_loop().sock_accept(self._listener)
        except ConnectionAbortedError:
            return None
        except OSError as error:
            if error.errno not in _SHORTAGE:
                raise
            # The backlog keeps the socket readable: without a pause this would spin until a descriptor is free.
            await asyncio.sleep(_SHORTAGE_SECONDS)
            return None
        return accepted

    async def _begin(self, accepted: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        client = Client(rights=self._rights, uid=peer_uid(accepted))
        reader = asyncio.StreamReader(limit=READ_BYTES, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, accepted)
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        connection = Connection(
            reader, writer, client, self._handler, streams=self._streams, idle_seconds=self._idle_seconds
        )
        task = asyncio.create_task(connection.run())
        self._open[task] = connection
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._open[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.exception(Event.API_REQUEST, "a request struck a bug in healthd", error)


def peer_uid(connection: socket.socket) -> int | None:
    """Whom the kernel says the other end of a Unix socket belongs to; None on a socket of another family."""
    if connection.family != socket.AF_UNIX:
        return None
    _, uid, _ = _UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return int(uid)
