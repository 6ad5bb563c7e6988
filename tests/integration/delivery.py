"""The delivery process as systemd runs it, and receivers of the tests: an HTTP server that notes, a mail server."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from healthd.letters import Letter
from healthd.record.outbox import FileOutbox
from tests.integration.servers import serving
from tests.unit.builders import a_letter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

PATIENCE: Final = 40.0
_NOW: Final = time.time()
_ROOT: Final = Path(__file__).parents[2]
_KEPT: Final = ("PATH", "HOME", "LANG", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")


def numbered(count: int, **changes: Any) -> Letter:
    """A letter of an alert of its own, a millisecond younger than the one before."""
    made = replace(a_letter(), id=f"letter-{count}", key=f"alert-{count}", at=_NOW + count / 1e3)
    return replace(made, **changes)


@dataclass(kw_only=True)
class Receiver:
    """An HTTP server that takes letters. `answer` says with which status, headers and delay it answers each request."""

    answer: Callable[[int], tuple[int, str, float]] = lambda _count: (200, "", 0.0)
    port: int = 0
    asked: int = 0
    taken: Counter[str] = field(default_factory=Counter)
    at: list[float] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if line)
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.asked += 1
        self.at.append(asyncio.get_running_loop().time())
        status, more, delay = self.answer(self.asked)
        if status == 200:
            self.taken[headers.get("idempotency-key", "")] += 1
            self.bodies.append(body)
        self.changed.set()
        await asyncio.sleep(delay)
        writer.write(f"HTTP/1.1 {status} X\r\n{more}Content-Length: 2\r\nConnection: close\r\n\r\nok".encode())
        await writer.drain()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something holds; it is looked at at each request."""
        async with asyncio.timeout(PATIENCE):
            while not true():
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def receiving(receiver: Receiver) -> AsyncIterator[Receiver]:
    """The receiver listens."""
    async with serving(receiver.handle) as port:
        receiver.port = port
        yield receiver


@dataclass(kw_only=True)
class Mailbox:
    """A mail server. `answer`: to the how many-th naming of a recipient; `mails`: who got each mail."""

    answer: Callable[[str, int], str] = lambda _to, _count: "250 ok"
    port: int = 0
    named: Counter[str] = field(default_factory=Counter)
    mails: list[tuple[str, ...]] = field(default_factory=list)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to: list[str] = []
        said = "220 here"
        while True:
            writer.write(f"{said}\r\n".encode())
            await writer.drain()
            line = (await reader.readuntil(b"\r\n")).decode().strip()
            verb, _, rest = line.partition(":")
            said = "250 ok"
            match verb.upper().split()[0]:
                case "RCPT":
                    address = rest.strip("<>")
                    self.named[address] += 1
                    said = self.answer(address, self.named[address])
                    to += [address] if said.startswith("2") else []
                case "DATA":
                    writer.write(b"354 go on\r\n")
                    await reader.readuntil(b"\r\n.\r\n")
                    self.mails.append(tuple(to))
                    to.clear()
                case "RSET":
                    to.clear()
                case "QUIT":
                    return
                case _:
                    pass


@asynccontextmanager
async def mailing(box: Mailbox) -> AsyncIterator[Mailbox]:
    """The mail server listens."""
    async with serving(box.handle) as port:
        box.port = port
        yield box


@dataclass(kw_only=True)
class Delivery:
    """The folders, the configuration, and whoever runs over them."""

    directory: Path
    processes: list[asyncio.subprocess.Process] = field(default_factory=list)

    def configure(self, text: str) -> None:
        path = self.directory / "healthd.toml"
        path.write_text(f"[alerting]\n{text}", encoding="utf-8")
        path.chmod(0o600)

    async def put(self, *letters: Letter) -> None:
        """As healthd does it."""
        await FileOutbox(self.directory).put({f"{letter.id}.json": letter.to_json() for letter in letters})

    def left(self) -> list[str]:
        """What lies in the outbox."""
        return sorted(path.name for path in (self.directory / "outbox").iterdir())

    async def start(self, *, idle: float = 5.0, **more: str) -> asyncio.subprocess.Process:
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        environment |= {"PYTHONPATH": str(_ROOT), "STATE_DIRECTORY": str(self.directory), **more}
        options = ["--config", str(self.directory / "healthd.toml"), "--idle", str(idle)]
        with (self.directory / "log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "healthd.deliver", *options, env=environment, stderr=log
            )
        self.processes.append(process)
        return process

    def log(self) -> str:
        return (self.directory / "log").read_text(encoding="utf-8")

    async def empty(self) -> None:
        """Wait until the outbox is empty."""
        await self._until(lambda: not self.left())

    async def says(self, text: str) -> None:
        """Wait until this is in the log."""
        await self._until(lambda: text in self.log())

    async def _until(self, true: Callable[[], bool]) -> None:
        """Another process does not say when it has done something: look again and again."""
        async with asyncio.timeout(PATIENCE):
            while not true():  # noqa: ASYNC110
                await asyncio.sleep(0.02)


@asynccontextmanager
async def delivery(directory: Path, configuration: str) -> AsyncIterator[Delivery]:
    """Nothing runs at its end."""
    (directory / "outbox").mkdir(exist_ok=True)
    made = Delivery(directory=directory)
    made.configure(configuration)
    try:
        yield made
    finally:
        for process in made.processes:
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
                await process.wait()


@asynccontextmanager
async def one(directory: Path, receiver: Receiver) -> AsyncIterator[tuple[Receiver, Delivery]]:
    """A delivery to this receiver as its webhook."""
    async with receiving(receiver) as web, delivery(directory, f'webhook_url = "{web.url}"') as desk:
        yield web, desk
