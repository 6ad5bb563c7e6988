"""A stage for tests of the door to systemd: a private bus, a fake systemd on it, and the real `SystemdUnits`."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from healthd.systemd.stops import StopRecords
from healthd.systemd.units import SystemdUnits
from tests.fakes import FakeClock, FakeLog
from tests.integration.fake_systemd import FakeSystemd
from tests.integration.private_bus import PrivateBus, private_bus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from healthd.events import Event
    from healthd.model import Severity

PATIENCE: Final = 20.0  # seconds after which a test that still waits has failed


class Wakes:
    """What `on_change` was told, in order."""

    def __init__(self) -> None:
        self.seen: list[frozenset[str]] = []
        self._more = asyncio.Event()

    def __call__(self, names: frozenset[str]) -> None:
        self.seen.append(names)
        self._more.set()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something holds; it is looked at again at every wake."""
        while not true():
            self._more.clear()
            await self._more.wait()

    def take(self) -> list[frozenset[str]]:
        """What was seen since the last time."""
        seen, self.seen = self.seen, []
        return seen


class AudibleLog(FakeLog):
    """A log that can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.said = asyncio.Event()

    def event(self, event: Event, message: str, *, severity: Severity | None = None, **fields: object) -> None:
        super().event(event, message, severity=severity, **fields)
        self.said.set()


@dataclass(slots=True)
class Stage:
    """All that a test plays with.

    `journal` is what the journal says of stops, by unit; no entry: it cannot tell. It answers while `journal_answers`
    is set.
    """

    bus: PrivateBus
    systemd: FakeSystemd
    units: SystemdUnits
    wakes: Wakes
    log: AudibleLog
    clock: FakeClock
    journal: dict[str, bool]
    journal_answers: threading.Event
    root: Path

    async def settle(self) -> None:
        """Return when every signal that systemd has sent so far is taken in, and whoever is to be woken has been."""
        await self.units.check_failed()
        for _ in range(3):
            await asyncio.sleep(0)

    async def connected(self) -> None:
        """Wait until the units are connected and everybody was told to look at all of them."""
        await self.wakes.until(lambda: self.units.connected)
        self.wakes.take()


@asynccontextmanager
async def running(stage: Stage) -> AsyncIterator[None]:
    """The daemon's task, for as long as the context lasts."""
    task = asyncio.create_task(stage.units.run())
    try:
        await stage.connected()
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
    assert task.cancelled(), task.exception()


def on_stage(scene: Callable[[Stage], Awaitable[None]]) -> Callable[[Path], None]:
    """Make a test of a coroutine function: the bus runs, systemd is on it, `SystemdUnits` does not run yet."""

    async def play(bus: PrivateBus, root: Path) -> None:
        journal: dict[str, bool] = {}
        clock, log, wakes = FakeClock(), AudibleLog(), Wakes()
        journal_answers = threading.Event()
        journal_answers.set()
        stops = StopRecords(lambda name, since: journal.get(name) if journal_answers.wait(PATIENCE) else None)
        units = SystemdUnits(clock, log, root=root, stop_records=stops)
        units.on_change(wakes)
        systemd = FakeSystemd()
        await systemd.start()
        try:
            async with asyncio.timeout(PATIENCE):
                await scene(Stage(bus, systemd, units, wakes, log, clock, journal, journal_answers, root))
        finally:
            journal_answers.set()
            await systemd.stop()
            await asyncio.sleep(0)
        left_over = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left_over

    def test(tmp_path: Path) -> None:
        with private_bus(tmp_path) as bus:
            asyncio.run(play(bus, tmp_path))

    test.__name__ = getattr(scene, "__name__", "test")
    test.__doc__ = scene.__doc__
    return test
