"""Answers that go on, on real sockets: framed, counted, and ended when either side goes."""

from __future__ import annotations

import asyncio
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from healthd.expose.message import Answer, Request, Stream, as_json
from tests.integration.api_server import DEADLINE, read_all, read_answer, serving
from tests.unit.expose.fake_control import FakeControl

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncGenerator
    from pathlib import Path

ASK = b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"


class Source:
    """Streams three events and then waits for ever, but for the path /short; /seen answers with the query."""

    def __init__(self) -> None:
        self.begun = 0
        self.closed = threading.Semaphore(0)

    async def answer(self, request: Request) -> Answer | Stream:
        if request.path == "/query":
            return as_json(dict(request.query))
        return Stream(chunks=self._events(for_ever=request.path != "/short"))

    async def _events(self, *, for_ever: bool) -> AsyncGenerator[bytes, None]:
        self.begun += 1
        try:
            for number in range(3):
                yield b"data: %d\n\n" % number
            yield b""
            if for_ever:
                await asyncio.Event().wait()
        finally:
            self.closed.release()


def read_until(client: socket.socket, mark: bytes) -> bytes:
    data = b""
    while mark not in data:
        part = client.recv(4096)
        assert part, f"closed after {data!r}"
        data += part
    return data


def test_events_arrive_as_they_are_made_each_in_its_own_chunk(tmp_path: Path) -> None:
    source = Source()
    with serving(tmp_path, FakeControl(), handler=source.answer) as served, served.connect() as client:
        client.sendall(ASK)
        head, _, body = read_until(client, b"data: 2\n\n\r\n").partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"text/event-stream" in head
    assert b"Transfer-Encoding: chunked" in head
    assert b"Content-Length" not in head
    assert body == b"9\r\ndata: 0\n\n\r\n9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n"


@pytest.mark.parametrize(("version", "end"), [(b"1.1", b"0\r\n\r\n"), (b"1.0", b"data: 2\n\n")])
def test_a_stream_that_ends_ends_its_answer(tmp_path: Path, version: bytes, end: bytes) -> None:
    with serving(tmp_path, FakeControl(), handler=Source().answer) as served, served.connect() as client:
        client.sendall(b"GET /short HTTP/%s\r\nHost: x\r\n\r\n" % version)

        assert read_all(client).endswith(end)


def test_head_of_a_stream_is_its_head_alone(tmp_path: Path) -> None:
    source = Source()
    with serving(tmp_path, FakeControl(), handler=source.answer) as served, served.connect() as client:
        client.sendall(b"HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n")

        assert read_all(client).endswith(b"\r\n\r\n")
    assert source.begun == 0


def test_a_stream_ends_when_its_client_goes(tmp_path: Path) -> None:
    source = Source()
    with serving(tmp_path, FakeControl(), handler=source.answer) as served:
        with served.connect() as client:
            client.sendall(ASK)
            read_until(client, b"data: 2")
        assert source.closed.acquire(timeout=DEADLINE)


def test_a_stream_ends_when_the_server_does(tmp_path: Path) -> None:
    source = Source()
    with ExitStack() as clients:
        with serving(tmp_path, FakeControl(), handler=source.answer) as served:
            client = clients.enter_context(served.connect())
            client.sendall(ASK)
            read_until(client, b"data: 2")
        assert source.closed.acquire(timeout=DEADLINE)
        assert read_all(client) == b""
        assert served.streams.open == 0


def test_a_stream_is_not_idle_however_little_it_has_to_say(tmp_path: Path) -> None:
    source = Source()
    with serving(tmp_path, FakeControl(), handler=source.answer, idle=0.1) as served, served.connect() as client:
        client.sendall(ASK)
        read_until(client, b"data: 2\n\n\r\n")
        client.settimeout(0.5)
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_one_stream_too_many_is_told_so_and_everything_else_goes_on(tmp_path: Path) -> None:
    source = Source()
    with serving(tmp_path, FakeControl(), handler=source.answer) as served, ExitStack() as clients:
        first, *_ = [clients.enter_context(served.connect()) for _ in range(served.streams.limit)]
        for client in (first, *_):
            client.sendall(ASK)
            read_until(client, b"data: 2")
        with served.connect() as late:
            late.sendall(ASK)
            status, headers, body = read_answer(late)
            assert (status, headers["retry-after"]) == (503, "10")
            assert b"16 streams are open" in body
        with served.connect() as other:
            other.sendall(b"GET /query?name=%2Fsrv HTTP/1.1\r\nHost: x\r\n\r\n")
            assert read_answer(other)[2] == b'{"name":"/srv"}\n'
        first.close()
        assert source.closed.acquire(timeout=DEADLINE)


def test_a_query_that_cannot_be_decoded_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path, FakeControl(), handler=Source().answer) as served, served.connect() as client:
        client.sendall(b"GET /query?name=%zz HTTP/1.1\r\nHost: x\r\n\r\n")

        assert read_all(client).startswith(b"HTTP/1.1 400 ")
