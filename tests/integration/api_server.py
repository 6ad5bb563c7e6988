"""The API on real Unix sockets, served from a thread, so that tests can use plain blocking clients."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from healthd.expose.api import Api
from healthd.expose.serve import local
from healthd.expose.server import Limits, Server
from healthd.expose.sockets import FULL_NAME, READ_NAME, make_sockets
from healthd.expose.streams import Streams
from tests.fakes import FakeLog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from healthd.expose.message import Handler
    from healthd.ports import Control

DEADLINE: Final = 10.0


class Served:
    """A served API: where it is, what it logged, and `left_over`, the tasks that its end left behind."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FULL_NAME
        self.read_path = directory / READ_NAME
        self.log = FakeLog()
        self.streams = Streams()
        self.left_over: set[asyncio.Task[object]] = set()
        self.loop: asyncio.AbstractEventLoop | None = None

    def connect(self, path: Path | None = None) -> socket.socket:
        """A client's connection on which nothing waits for ever."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(DEADLINE)
        connection.connect(str(path or self.path))
        return connection


@contextmanager
def serving(
    directory: Path, control: Control, *, handler: Handler | None = None, idle: float = 30.0, patience: float = 1.0
) -> Iterator[Served]:
    """Serve below this directory for as long as the context lasts; `handler` answers in place of the API."""
    served = Served(directory)
    listeners = make_sockets(directory)
    stop: asyncio.Event
    ready = threading.Event()

    async def run() -> None:
        nonlocal stop
        stop = asyncio.Event()
        served.loop = asyncio.get_running_loop()
        answer, streams = handler or Api(control, served.log).answer, served.streams
        limits = Limits(idle_seconds=idle, patience_seconds=patience)
        servers = [Server(one, local(one), answer, served.log, streams=streams, limits=limits) for one in listeners]
        tasks = [asyncio.create_task(server.run()) for server in servers]
        ready.set()
        await stop.wait()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        served.left_over = asyncio.all_tasks() - {asyncio.current_task()}

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    try:
        assert ready.wait(DEADLINE)
        yield served
    finally:
        assert served.loop is not None
        served.loop.call_soon_threadsafe(stop.set)
        thread.join(DEADLINE)
        for listener in listeners:
            listener.close()
    assert not thread.is_alive()
    assert served.left_over == set()


def read_all(connection: socket.socket) -> bytes:
    """Everything that comes until the other end closes; a connection cut off counts as closed."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def read_answer(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """One answer with a Content-Length: status, headers by lower-case name, body."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        assert part, f"closed after {data!r}"
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers["content-length"]):
        part = connection.recv(65536)
        assert part, "closed within a body"
        body += part
    return int(first.split()[1]), headers, body
