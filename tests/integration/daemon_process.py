"""The daemon as a process of its own, started as systemd starts it, with whatever a test does to it from inside."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from healthd.cli.client import Client
from healthd.expose.sockets import make_sockets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

PATIENCE: Final = 20.0
"""Seconds after which a test that still waits has failed."""

_ROOT: Final = Path(__file__).parents[2]
_KEPT: Final = ("PATH", "HOME", "LANG", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG", "DBUS_SYSTEM_BUS_ADDRESS")

# As systemd passes sockets: descriptors from 3 on. The numbers in HANDED ascend, so that none is overwritten unread.
_AS_SYSTEMD_DOES: Final = """
import os, sys
handed = [int(number) for number in os.environ.pop("HANDED").split()]
for place, number in enumerate(handed, 3):
    os.dup2(number, place)
if handed:
    os.environ.update(LISTEN_FDS=str(len(handed)), LISTEN_PID=str(os.getpid()))
{hook}
from healthd.__main__ import main
sys.exit(main())
"""


_NO_TCP: Final = "[http]\nlisten = []\nmetrics_listen = []\n"


class Manager:
    """The end of sd_notify that PID 1 holds. `told` is every message so far, as assignments."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.told: list[dict[str, str]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(str(path))

    def close(self) -> None:
        self._socket.close()

    async def hear(self) -> dict[str, str]:
        """The next message."""
        data = await asyncio.get_running_loop().sock_recv(self._socket, 4096)
        self.told.append(dict(line.split("=", 1) for line in data.decode("utf-8").splitlines()))
        return self.told[-1]

    async def until(self, true: Callable[[dict[str, str]], bool]) -> dict[str, str]:
        """The next message of which this is true."""
        while not true(message := await self.hear()):
            pass
        return message

    async def silent(self, seconds: float) -> None:
        """Return when nothing more has come for so long."""
        with suppress(TimeoutError):
            while True:
                await asyncio.wait_for(self.hear(), seconds)

    async def until_told(self, name: str) -> dict[str, str]:
        """The next message that has this variable."""
        return await self.until(lambda message: name in message)

    async def until_status(self, words: str) -> dict[str, str]:
        """The next message whose status line has these words."""
        return await self.until(lambda message: words in message.get("STATUS", ""))


@dataclass(slots=True, kw_only=True)
class Daemon:
    """A healthd that runs."""

    process: asyncio.subprocess.Process
    manager: Manager
    directory: Path
    config: Path

    def configure(self, text: str) -> None:
        """Write another configuration; nobody is told."""
        self.config.write_text(text, encoding="utf-8")

    def records(self) -> list[dict[str, Any]]:
        """What it logged so far. What else came on stderr is left out."""
        lines = (self.directory / "log").read_text(encoding="utf-8").splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]

    def stderr(self) -> str:
        """All that came on stderr."""
        return (self.directory / "log").read_text(encoding="utf-8")

    async def get(self, target: str) -> Any:
        """Ask its API."""
        return await asyncio.to_thread(self._client().get, target)

    async def post(self, target: str, fields: Mapping[str, object]) -> Any:
        """Order something by its API; raises Refused."""
        return await asyncio.to_thread(self._client().post, target, fields)

    async def ended(self) -> int:
        """Its exit status, or the number of the signal that killed it as a negative one."""
        return await self.process.wait()

    def _client(self) -> Client:
        return Client(self.directory / "healthd.sock")


@asynccontextmanager
async def daemon(
    directory: Path,
    config: str = "",
    *options: str,
    hook: str = "",
    notify: bool = True,
    sockets: bool = True,
    tcp: bool = False,
    patience: float = PATIENCE,
    watchdog: float | None = None,
) -> AsyncIterator[Daemon]:
    """Start it, and kill it at the end if it still runs.

    `hook` is Python that is run in its process first. `tcp`: the addresses of `config` are served. `notify`, `sockets`,
    `watchdog` (seconds): what systemd gives.
    """
    path = directory / "healthd.toml"
    path.write_text(config, encoding="utf-8")
    path.chmod(0o600)
    if not tcp:
        (directory / "conf.d").mkdir(exist_ok=True)
        (directory / "conf.d/00-no-tcp.toml").write_text(_NO_TCP, encoding="utf-8")
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment |= {"PYTHONPATH": str(_ROOT), "STATE_DIRECTORY": str(directory), "RUNTIME_DIRECTORY": str(directory)}
    with closing(Manager(directory / "notify")) as manager, _listening(directory, wanted=sockets) as handed:
        environment |= {"NOTIFY_SOCKET": str(manager.path)} if notify else {}
        environment |= {"WATCHDOG_USEC": str(round(watchdog * 1e6))} if watchdog else {}
        environment["HANDED"] = " ".join(map(str, handed))
        program = [sys.executable, "-c", _AS_SYSTEMD_DOES.format(hook=hook), "--config", str(path), *options]
        with (directory / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(*program, env=environment, stderr=log, pass_fds=handed)
        try:
            async with asyncio.timeout(patience):
                yield Daemon(process=process, manager=manager, directory=directory, config=path)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
                await process.wait()
            manager.path.unlink()


@contextmanager
def _listening(directory: Path, *, wanted: bool) -> Iterator[Sequence[int]]:
    if not wanted:
        yield ()
        return
    full, read = make_sockets(directory)
    with full, read:
        yield sorted((full.fileno(), read.fileno()))
