"""What the daemon runs: every listening socket it hands over, with what clients of that socket may do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from healthd.expose.api import Api
from healthd.expose.server import Server
from healthd.expose.sockets import rights_of
from healthd.expose.streams import Streams

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    from healthd.ports import Control, Log


async def serve(sockets: Iterable[socket.socket], control: Control, log: Log) -> None:
    """Serve the API on these listening sockets until cancelled; leaves no task behind, and the sockets open.

    A socket named `healthd.sock` gives full control; every other one the sanitised form, to read only.
    """
    api, streams = Api(control, log), Streams()
    async with asyncio.TaskGroup() as group:
        for listener in sockets:
            group.create_task(Server(listener, rights_of(listener), api.answer, log, streams=streams).run())
