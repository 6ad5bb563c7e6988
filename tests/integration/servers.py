"""Servers of every kind that probes are tried on, each on a port of its own."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from healthd.errors import HealthdError
from healthd.net import Network
from healthd.probes import Resolved

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

    Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PATIENCE = 20.0


@asynccontextmanager
async def serving(answer: Handler, *, path: Path | None = None, **how: Any) -> AsyncIterator[int]:
    """A server on a free port, or at a path; its connections are closed with it."""
    writers: list[asyncio.StreamWriter] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await answer(reader, writer)
        writer.close()

    if path is not None:
        server = await asyncio.start_unix_server(handle, path)
    else:
        server = await asyncio.start_server(handle, **{"host": "127.0.0.1", "port": 0, **how})
    async with server:
        yield 0 if path else server.sockets[0].getsockname()[1]
        for writer in writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)


async def well(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(OK)
    await writer.drain()
    writer.close()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept, and say nothing."""
    await reader.read()


def descriptors() -> int:
    """How many this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def played(scene: Coroutine[Any, Any, None]) -> None:
    """Run a scene to its end."""

    async def play() -> None:
        async with asyncio.timeout(PATIENCE):
            await scene

    asyncio.run(play())


async def failure(asked: Awaitable[object]) -> HealthdError:
    """What a question fails with."""
    with pytest.raises(HealthdError) as caught:
        await asked
    return caught.value


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return int(taken.getsockname()[1])


async def greeting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Greet as a mail server does, in two pieces, then echo."""
    for piece in (b"220 mail.exam", b"ple ESMTP\r\n"):
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.01)
    while data := await reader.read(100):
        writer.write(data)
        await writer.drain()


def tls_server(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


class NameServer(asyncio.DatagramProtocol):
    """Answers over UDP, on a port of its own, with what `answer` makes of a question; None: not at all."""

    def __init__(self, answer: Callable[[bytes], bytes | None]) -> None:
        self.answer = answer
        self.asked: list[bytes] = []
        self.transport: asyncio.DatagramTransport

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.asked.append(data)
        # Noise first: an answer to another question, as a forger sends it.
        self.transport.sendto(bytes([data[0] ^ 1]) + data[1:2] + b"\x81\x80" + data[4:], addr)
        if (answer := self.answer(data)) is not None:
            self.transport.sendto(answer, addr)

    @property
    def port(self) -> int:
        return int(self.transport.get_extra_info("sockname")[1])


@asynccontextmanager
async def name_server(answer: Callable[[bytes], bytes | None]) -> AsyncIterator[NameServer]:
    transport, server = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: NameServer(answer), ("127.0.0.1", 0)
    )
    try:
        yield server
    finally:
        transport.close()


def addressed(asked: bytes, flags: bytes = b"\x81\x80") -> bytes:
    """An answer with one address."""
    record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01"
    return asked[:2] + flags + b"\0\1\0\1\0\0\0\0" + asked[12:] + record


async def ask_for(net: Network, server: str, deadline: float = 5.0) -> Resolved:
    return await net.resolve("example.org", "A", server=server, deadline=deadline)


def self_signed(path: Path) -> Path:
    """Make a certificate for localhost that nobody has signed, in one file with its key."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "30", "-subj", "/CN=web", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"]
    subprocess.run([*command, "-keyout", path, "-out", f"{path}.crt"], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + path.with_name(f"{path.name}.crt").read_bytes())
    return path
