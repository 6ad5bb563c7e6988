"""What stands in for the world around the daemon: every door of it, so that a test can let it run from start to end."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from healthd import daemon
from healthd.answers import Diagnosis
from healthd.errors import ConfigError, StorageError
from tests.fake_units import FakeUnits, MemoryStore, service
from tests.fakes import FakeClock, FakeLog
from tests.unit.assembly import settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import pytest

    from healthd.config import HttpSettings, Settings
    from healthd.control import Controller
    from healthd.events import Event

WEB = service("web.service")


class Units(FakeUnits):
    """A systemd that says at once how its units are, unless it is `away`."""

    away = False

    async def run(self) -> None:
        self.connected = not self.away
        self.wake()
        await asyncio.Event().wait()


class Store(MemoryStore):
    """What it was asked for fails by name: "load", "set_aside", "close"."""

    def __init__(self) -> None:
        super().__init__()
        self.fails: set[str] = set()

    async def load(self) -> Any:
        self._try("load")
        return await super().load()

    async def set_aside(self) -> Path:
        self._try("set_aside")
        return Path("/var/lib/healthd/history.db.broken-1")

    async def close(self) -> None:
        self._try("close")

    def _try(self, name: str) -> None:
        if name in self.fails:
            raise StorageError(f"cannot {name}")


class Notifier:
    """Keeps what systemd is told. `interval`: WatchdogSec= in seconds."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.active, self.why_off = True, ""
        self.said: str | None = None
        self.interval: float | None = None
        self._more = asyncio.Event()

    def watchdog_interval(self) -> float | None:
        return self.interval

    def ready(self, status: str) -> None:
        self.said = status
        self._tell(f"ready: {status}")

    def status(self, text: str) -> None:
        self.said = text
        self._tell(f"status: {text}")

    def reloading(self) -> None:
        self._tell("reloading")

    def stopping(self) -> None:
        self._tell("stopping")

    def watchdog(self) -> None:
        self._tell("alive")

    async def until(self, words: str, times: int = 1) -> None:
        """Wait until something that begins so has been told so often."""
        while sum(told.startswith(words) for told in self.told) < times:
            self._more.clear()
            await self._more.wait()

    def _tell(self, message: str) -> None:
        self.told.append(message)
        self._more.set()


class Log(FakeLog):
    """A log that can settle."""

    def settle(self) -> None:
        return


class Socket:
    """A listening socket, as far as the daemon looks at it."""

    def __init__(self, path: str) -> None:
        self.path, self.closed = path, False

    def getsockname(self) -> str:
        return self.path

    def close(self) -> None:
        self.closed = True


@dataclass(slots=True, kw_only=True)
class Doors:
    """What stands in for the world around the daemon; a test changes it before the start."""

    units: Units
    notifier: Notifier
    settings: Settings | ConfigError = field(default_factory=settings)
    store: Store = field(default_factory=Store)
    log: Log = field(default_factory=Log)
    clock: FakeClock = field(default_factory=FakeClock)
    control: Controller | None = None
    http: list[HttpSettings] = field(default_factory=list)

    def load(self, _path: Path | None) -> Settings:
        if isinstance(self.settings, ConfigError):
            raise self.settings
        return self.settings

    def messages(self, event: Event) -> list[str]:
        return [record.message for record in self.log.of(event)]

    def front(self, control: Controller, *_: object) -> Front:
        """What meets clients; keeps what it may ask."""
        self.control = control
        return Front(self)


class Front:
    """Serves nobody, and keeps the settings that it is told of."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self.requests: dict[tuple[str, int], int] = {}

    def configure(self, http: HttpSettings) -> None:
        self._doors.http.append(http)

    def diagnoses(self) -> list[Diagnosis]:
        return [Diagnosis(name="tcp", ok=True, text="served")]

    async def run(self, _sockets: object) -> None:
        await asyncio.Event().wait()


@asynccontextmanager
async def running(patch: pytest.MonkeyPatch, doors: Doors) -> AsyncIterator[asyncio.Task[None]]:
    """A daemon between these doors, told to stop at the end."""
    patch.setattr(daemon, "Notifier", lambda: doors.notifier)
    patch.setattr(daemon, "SystemdUnits", lambda _clock, _log, root: doors.units)
    patch.setattr(daemon, "SqliteStore", lambda _path, **_how: doors.store)
    patch.setattr(daemon, "load", doors.load)
    patch.setattr(import_module("healthd.expose.front"), "Front", doors.front)
    one = daemon.Daemon(doors.load(None), None, doors.clock, doors.log, Path("/"))  # type: ignore[arg-type]
    async with asyncio.timeout(60):  # a machine that is busy takes its time to collect what the tests before left
        task = asyncio.create_task(one.run())
        yield task
        if not task.done():
            os.kill(os.getpid(), signal.SIGTERM)
        await task


def played(
    patch: pytest.MonkeyPatch,
    scene: Callable[[Doors], Awaitable[None]],
    *,
    prepare: Callable[[Doors], None] = lambda _: None,
) -> Doors:
    """The world after a daemon lived through a scene: it is ready, then comes the scene, then its end."""

    async def play() -> Doors:
        doors = Doors(units=Units(WEB), notifier=Notifier())
        prepare(doors)
        async with running(patch, doors):
            await doors.notifier.until("ready")
            await asyncio.sleep(0)  # what serves clients is begun right after READY
            await asyncio.sleep(0)
            await scene(doors)
        return doors

    return asyncio.run(play())
