"""Accepts connections on one listening socket: so many at once, and those that dawdle make room for the others."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from healthd.events import Event
from healthd.expose.connection import READ_BYTES, Connection, refuse_nothing
from healthd.expose.streams import Streams

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthd.expose.connection import Refused
    from healthd.expose.message import Client, Handler
    from healthd.expose.tls import Context
    from healthd.ports import Log

CONNECTIONS: Final = 64
IDLE_SECONDS: Final = 30.0  # for a client to send a whole request, and to take a whole answer
PATIENCE_SECONDS: Final = 1.0  # what a client may dawdle when others wait for its place
HANDSHAKE_SECONDS: Final = 10.0  # to agree on TLS, and
FAREWELL_SECONDS: Final = 1.0  # to end it in order
_SHORTAGE: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_SHORTAGE_SECONDS: Final = 1.0
_UCRED: Final = struct.Struct("3i")  # pid, uid, gid: unix(7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many connections may be open, in all and (0: as many) of one client address, and how long one may wait."""

    connections: int = CONNECTIONS
    of_one_client: int = 0
    idle_seconds: float = IDLE_SECONDS
    patience_seconds: float = PATIENCE_SECONDS


@dataclass(slots=True, kw_only=True)
class _Guest:
    """Who is connected. Before `connection` is there, TLS is being agreed upon."""

    client: Client
    since: float
    connection: Connection | None = None

    def waiting_since(self) -> float | None:
        """Since when the server waits for this client; None while it works for it."""
        return self.since if self.connection is None else self.connection.waiting_since


class Server:
    """Serves one listening socket; the socket stays the caller's, who closes it.

    `greet` says who a new connection is, `tls` what it is encrypted with (None: nothing), each time anew. A bug that a
    request strikes costs that one connection: it is logged with its traceback, and all else goes on.
    """

    def __init__(
        self,
        listener: socket.socket,
        greet: Callable[[socket.socket], Client],
        handler: Handler,
        log: Log,
        *,
        streams: Streams | None = None,
        limits: Limits = Limits(),
        refused: Refused = refuse_nothing,
        tls: Callable[[], Context | None] = lambda: None,
    ) -> None:
        self._listener = listener
        self._greet = greet
        self._handler = handler
        self._log = log
        self._streams = streams or Streams()
        self._limits = limits
        self._refused = refused
        self._tls = tls
        self._open: dict[asyncio.Task[None], _Guest] = {}

    async def run(self) -> None:
        """Serve until cancelled; every connection has ended when this returns."""
        self._listener.setblocking(False)
        try:
            while True:
                await self._make_room()
                if (accepted := await self._accept()) is not None:
                    self._begin(accepted)
        finally:
            for task in self._open:
                task.cancel()
            if self._open:
                await asyncio.wait(tuple(self._open))

    async def _make_room(self) -> None:
        """Wait until one more connection may be open. Who has dawdled longest is cut off, if it was long enough."""
        loop, patience = asyncio.get_running_loop(), self._limits.patience_seconds
        while len(self._open) >= self._limits.connections:
            pause = patience
            if (slowest := self._slowest()) is not None:
                since, task = slowest
                pause = since + patience - loop.time()
                if pause <= 0:
                    task.cancel()
                    pause = patience
            await asyncio.wait(tuple(self._open), timeout=pause, return_when=asyncio.FIRST_COMPLETED)

    def _slowest(self, address: str = "") -> tuple[float, asyncio.Task[None]] | None:
        """The connection (of this client) for which the server has waited longest, and since when."""
        waiting = [
            (since, task)
            for task, guest in self._open.items()
            if address in ("", guest.client.address) and (since := guest.waiting_since()) is not None
        ]
        return min(waiting, key=lambda entry: entry[0], default=None)

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

    def _begin(self, accepted: socket.socket) -> None:
        try:
            client = self._greet(accepted)
        except OSError:  # gone already
            accepted.close()
            return
        if not self._has_room_for(client):
            accepted.close()
            return
        guest = _Guest(client=client, since=asyncio.get_running_loop().time())
        task = asyncio.create_task(self._serve(accepted, guest))
        self._open[task] = guest
        task.add_done_callback(self._ended)

    def _has_room_for(self, client: Client) -> bool:
        """Whether one more of this client may be open. Its own slowest gives way: it cannot crowd out others."""
        most = self._limits.of_one_client
        if not most or sum(guest.client.address == client.address for guest in self._open.values()) < most:
            return True
        slowest = self._slowest(client.address)
        if slowest is not None:
            slowest[1].cancel()
        return slowest is not None

    async def _serve(self, accepted: socket.socket, guest: _Guest) -> None:
        loop, context = asyncio.get_running_loop(), self._tls()
        reader = asyncio.StreamReader(limit=READ_BYTES, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        limit, farewell = (None, None) if context is None else (HANDSHAKE_SECONDS, FAREWELL_SECONDS)
        try:
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol,
                accepted,
                ssl=context,
                ssl_handshake_timeout=limit,
                ssl_shutdown_timeout=farewell,
            )
        except OSError as error:  # of ssl too, which is what a client without TLS or a certificate comes to
            self._refused(guest.client, 0, f"TLS: {getattr(error, 'reason', None) or error}")
            return
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        guest.connection = Connection(
            reader,
            writer,
            guest.client,
            self._handler,
            streams=self._streams,
            idle_seconds=self._limits.idle_seconds,
            refused=self._refused,
        )
        await guest.connection.run()

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
