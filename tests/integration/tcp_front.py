"""The TCP side on real sockets of this machine, with quick pauses, in the loop of the test itself."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from healthd.config import HttpSettings
from healthd.expose.front import Front
from healthd.expose.listeners import Pauses
from tests.fake_units import FakeHost, FakeUnits
from tests.integration.stage import AudibleLog
from tests.unit.expose.fake_control import WELL, FakeControl

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from healthd.answers import Diagnosis
    from healthd.events import Event
    from tests.fakes import Logged

PATIENCE: Final = 20.0
QUICK: Final = Pauses(retry=0.05, given_up=0.2, free=0.05)
KEYS: Final = {"reader": "read", "boss": "control"}


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody has; hardly anybody takes it in the moment until it is used."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Tcp:
    """A front, its log, and a client of it. `ssl` encrypts what the client says."""

    front: Front
    log: AudibleLog
    control: FakeControl
    units: FakeUnits
    port: int
    ssl: ssl.SSLContext | None = None
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def connect(self, port: int = 0) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port or self.port, ssl=self.ssl)
        self.writers.append(writer)
        return reader, writer

    async def get(
        self, path: str, key: str = "", *, port: int = 0, method: str = "GET", body: str = ""
    ) -> tuple[int, Any]:
        """Status and JSON value of an answer."""
        reader, writer = await self.connect(port)
        await send(writer, path, key, method=method, body=body)
        status, _, data = await receive(reader)
        writer.close()
        return status, json.loads(data) if data.startswith((b"{", b"[")) else data

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something holds; it is looked at again at every record."""
        while not true():
            self.log.said.clear()
            await self.log.said.wait()

    async def heard(self, event: Event, **fields: object) -> Logged:
        """The first record of an event that has these fields."""

        def found() -> list[Logged]:
            return [one for one in self.log.of(event) if fields.items() <= one.fields.items()]

        await self.until(lambda: bool(found()))
        return found()[0]

    async def until_served(self, *ports: int) -> None:
        """Wait until just these ports are served; there is no record of a good start."""
        while self.front.listeners.held() != set(ports):  # noqa: ASYNC110
            await asyncio.sleep(0.005)

    def diagnosis(self, name: str) -> Diagnosis:
        return next(one for one in self.front.diagnoses() if one.name == name)


async def send(writer: asyncio.StreamWriter, path: str, key: str = "", *, method: str = "GET", body: str = "") -> None:
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\n"
    head += f"Authorization: Bearer {key}\r\n" if key else ""
    head += f"Content-Length: {len(body)}\r\n" if method == "POST" else ""
    writer.write(f"{head}\r\n{body}".encode())
    await writer.drain()


async def receive(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """One answer with a Content-Length."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.rstrip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(first.split()[1]), headers, await reader.readexactly(int(headers["content-length"]))


@asynccontextmanager
async def tcp(
    directory: Path, http: HttpSettings | None = None, *, port: int = 0, wait: bool = True, pauses: Pauses = QUICK
) -> AsyncIterator[Tcp]:
    """A front that serves `port` (one is chosen) and whatever else `http` says, until the context ends."""
    keys = directory / "api-keys"
    keys.write_text(
        "".join(f"{name} {scope} sha256:{sha256(name.encode()).hexdigest()}\n" for name, scope in KEYS.items())
    )
    keys.chmod(0o640)
    port = port or free_port()
    http = http or HttpSettings(listen=(f"127.0.0.1:{port}",), metrics_listen=(), rate_limit_per_minute=0)
    log, control, units = AudibleLog(), FakeControl(host=WELL), FakeUnits()
    front = Front(control, units, FakeHost(), log, keys_file=keys, pauses=pauses)
    front.configure(http)
    stage = Tcp(front, log, control, units, port)
    running = asyncio.create_task(front.run(()))
    try:
        async with asyncio.timeout(PATIENCE):
            if wait:
                await stage.until_served(port)
            yield stage
    finally:
        running.cancel()
        await asyncio.wait({running})
        for writer in stage.writers:
            with suppress(OSError):
                writer.close()
    assert running.cancelled(), running.exception()
    assert asyncio.all_tasks() == {asyncio.current_task()}
