"""What the daemon runs on its Unix sockets: each with what clients of that socket may do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from healthd.expose.message import Client
from healthd.expose.server import Server, peer_uid
from healthd.expose.sockets import rights_of

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable

    from healthd.expose.message import Handler
    from healthd.expose.streams import Streams
    from healthd.ports import Log


async def serve(sockets: Iterable[socket.socket], answer: Handler, streams: Streams, log: Log) -> None:
    """Serve the API on these listening sockets until cancelled; leaves no task behind, and the sockets open.

    A socket named `healthd.sock` gives full control; every other one the sanitised form, to read only.
    """
    async with asyncio.TaskGroup() as group:
        for listener in sockets:
            group.create_task(Server(listener, local(listener), answer, log, streams=streams).run())


def local(listener: socket.socket) -> Callable[[socket.socket], Client]:
    """How clients of this Unix socket are greeted: the kernel tells who they are, and the socket what they may do."""
    rights = rights_of(listener)
    return lambda connection: Client(rights=rights, uid=peer_uid(connection))
