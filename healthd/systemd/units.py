"""systemd's units over D-Bus: the port `Units`. Signals keep the ledger; questions only correct it.

Order of a connection: match rules, Subscribe, ListUnits. It leaves no gap, since an answer is taken into the ledger
between the signals around it.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from healthd.errors import BusError, BusLost, BusTimeout
from healthd.events import Event
from healthd.model import JobResult, Severity, SystemState
from healthd.systemd.bus import Bus, together
from healthd.systemd.details import DEADLINE, Details, property_of
from healthd.systemd.facts import Ledger
from healthd.systemd.jobs import Jobs
from healthd.systemd.kernel_log import KernelLog
from healthd.systemd.names import MANAGER, MANAGER_PATH, SYSTEMD, UNIT, get, manager
from healthd.systemd.signals import RULES, Due, Signals, bus_call
from healthd.systemd.stops import StopRecords, Stops
from healthd.systemd.timedate import TimeDate
from healthd.systemd.timers import Timers
from healthd.systemd.unitfiles import file_states

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from healthd.evidence import Scene, UnitFiles
    from healthd.figures import KernelFault
    from healthd.jobs import TimerFacts
    from healthd.model import UnitFacts
    from healthd.ports import Clock, Log
    from healthd.soon import Soon
    from healthd.systemd.scene import Scenes
    from healthd.systemd.wire import Incoming

_FIRST_PAUSE: Final = 0.1  # seconds before connecting again, then doubled
_LONGEST_PAUSE: Final = 5.0
_STEADY: Final = 10.0  # a connection that lasted this long was a good one: the next pause is the first again

_QUIET: Final = 1.0  # seconds without anything to do, after which details are read ahead

_UP_AND_RUNNING: Final = frozenset({SystemState.RUNNING, SystemState.DEGRADED})
_ALREADY_SUBSCRIBED: Final = "org.freedesktop.systemd1.AlreadySubscribed"


class SystemdUnits:
    """Hears and asks systemd; `run` is its one task. `root` is where the unit directories of systemd are looked for."""

    def __init__(
        self, clock: Clock, log: Log, *, root: Path = Path("/"), stop_records: StopRecords | None = None
    ) -> None:
        self._clock = clock
        self._log = log
        self._root = root
        self._ledger = Ledger()
        self._stops = Stops(self._ledger, clock, stop_records or StopRecords())
        self._scenes: Scenes | None = None
        self._details = Details(self._ledger)
        self._timers = Timers()
        self._time_date = TimeDate()
        self._kernel_log = KernelLog(clock)
        self._jobs = Jobs(self._ledger, clock)
        self._signals = Signals(self._ledger, self._jobs, clock, self._set_due)
        self._view = MappingProxyType(self._ledger.units)
        self._wakes: list[Callable[[frozenset[str]], None]] = []
        self._bus: Bus | None = None
        self._listed = False  # on this connection
        self._system_state = SystemState.UNKNOWN
        self._groups: dict[str, tuple[str, str]] = {}
        self._due: set[Due] = set()
        self._stir = asyncio.Event()
        self._waking = False
        self._all_changed = False
        self._said_lost = False
        self._unread: set[str] = set()

    # The port

    @property
    def connected(self) -> bool:
        """Whether facts are current: connected, subscribed and reconciled, and no daemon-reload is under way."""
        alive = self._bus is not None and not self._bus.lost.done() and self._signals.owner != ""
        return alive and self._listed and not self._signals.reloading and Due.RELOADED not in self._due

    def facts(self) -> Mapping[str, UnitFacts]:
        """All loaded units by their primary name. A live, read-only view; it keeps what was last heard over a loss."""
        return self._view

    def system_state(self) -> SystemState:
        """The manager's state as last heard."""
        return self._system_state

    def on_change(self, wake: Callable[[frozenset[str]], None]) -> None:
        """Have `wake` called from the loop with the names of changed units, or with none: look at all."""
        self._wakes.append(wake)

    async def reconcile(self) -> None:
        """List every unit and correct what was missed."""
        bus = self._connection()
        await self._list(bus)
        await self._ask_system_state(bus)

    async def check_failed(self) -> None:
        """Ask for the failed units only, and reconcile if they are not those that the signals told of."""

        def as_told(answer: Incoming) -> bool:
            told = {name for name, unit in self._ledger.units.items() if unit.active == "failed"}
            return told == {row[0] for row in answer.rows()}

        request = manager("ListUnitsFiltered", "as", ["failed"])
        if not await self._connection().ask(request, as_told, deadline=DEADLINE):
            await self.reconcile()

    async def catch_up(self) -> None:
        """Have heard all that systemd has told until now: its answer to a question comes after that."""
        await self._ask_system_state(self._connection())

    async def describe(self, names: Iterable[str]) -> None:
        """Make sure that what signals do not tell of these units has been read."""
        names = tuple(names)
        await self._details.describe(self._connection(), names)
        await self._stops.judge_unseen(self._connection(), names)
        self._heed()

    def timers(self) -> Soon[tuple[TimerFacts, ...]]:
        """The running timers, in name order."""
        return self._timers.read(self._connection(), self._view, self._clock)

    def clock_synchronised(self) -> Soon[bool | None]:
        """Whether the kernel holds its clock for synchronised; None: nobody can tell."""
        return self._time_date.synchronised(self._connection(), self._clock.boot())

    async def primary_name(self, name: str) -> str:
        """The unit's Id; the name itself where there is no such unit."""
        return str(await property_of(self._connection(), name, UNIT, "Id"))

    async def control_group(self, name: str) -> str:
        """The path of the unit's control group, asked for once in each of its runs; "" if it has none now."""
        run = unit.invocation if (unit := self._ledger.units.get(name)) is not None else ""
        known = self._groups.get(name)
        if known is not None and run and known[0] == run:
            return known[1]
        interface = f"{SYSTEMD}.{name.rpartition('.')[2].capitalize()}"
        path = await property_of(self._connection(), name, interface, "ControlGroup")
        self._groups[name] = (run, path)
        return str(path)

    async def stopped_on_purpose(self, name: str) -> bool | None:
        """Whether the journal of this boot says that the unit last went down by a stop job. None: it cannot tell."""
        return await self._stops.on_purpose(self._connection(), name)

    async def scene(self, name: str, invocation: str) -> Scene | None:
        """What the journal has of this run. None: it cannot tell."""
        if self._scenes is None:
            from healthd.systemd.scene import Scenes  # noqa: PLC0415  not before something went wrong

            self._scenes = Scenes()
        return await self._scenes.of(name, invocation)

    async def unit_files(self, name: str) -> UnitFiles:
        """The files that a loaded unit is made of."""
        from healthd.systemd import origins  # noqa: PLC0415  not before something went wrong

        return await origins.unit_files(self._connection(), name)

    def kernel_faults(self) -> Soon[tuple[KernelFault, ...]]:
        """What the kernel complained of within the last hour, the newest first."""
        return self._kernel_log.faults()

    async def restarted_with(self, name: str) -> tuple[str, ...]:
        """The active units that a restart of this one would restart too, in name order."""
        return await self._details.restarted_with(self._connection(), name)

    async def start(self, name: str, *, deadline: float) -> JobResult:
        """StartUnit and its job's result; see `Jobs.run` for the words."""
        return await self._jobs.run(self._connection(), "StartUnit", name, deadline=deadline)

    async def restart(self, name: str, *, deadline: float) -> JobResult:
        """RestartUnit, likewise."""
        return await self._jobs.run(self._connection(), "RestartUnit", name, deadline=deadline)

    async def reload(self, name: str, *, deadline: float) -> JobResult:
        """ReloadUnit, likewise."""
        return await self._jobs.run(self._connection(), "ReloadUnit", name, deadline=deadline)

    async def reset_failed(self, name: str, *, deadline: float) -> JobResult:
        """ResetFailedUnit: "done" when systemd answered, "refused" with its words otherwise."""
        try:
            await self._connection().call(manager("ResetFailedUnit", "s", name), deadline=deadline)
        except (BusLost, BusTimeout):
            raise
        except BusError as error:
            return JobResult(result="refused", text=str(error))
        return JobResult(result="done")

    # The task

    async def run(self) -> None:
        """Keep a connection for ever: until cancelled."""
        pause = _FIRST_PAUSE
        while True:
            began = self._clock.boot()
            reason = await self._live()
            if not self._said_lost:
                self._said_lost = True
                message = f"no connection to systemd: {reason}; trying again"
                self._log.event(Event.BUS_CHANGED, message, severity=Severity.MEDIUM, reason=reason)
            if self._clock.boot() - began >= _STEADY:
                pause = _FIRST_PAUSE
            await asyncio.sleep(pause * (0.5 + os.urandom(1)[0] / 510))  # not all hosts of a network at once
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _live(self) -> str:
        """The life of one connection; returns why it ended."""
        try:
            bus = await Bus.connect(self._heard, deadline=DEADLINE)
        except BusError as error:
            return str(error)
        self._bus = bus
        bus.lost.add_done_callback(self._lost)
        try:
            await self._subscribe(bus)
            self._all_changed = True
            self._set_due(Due.RELOADED)
            while True:
                await self._work(bus)
        except BusError as error:
            return str(bus.lost.result() if bus.lost.done() else error)
        finally:
            bus.close()
            self._bus = None
            self._listed = False
            self._signals.stop()

    def _lost(self, reason: asyncio.Future[BusLost]) -> None:
        self._jobs.lost(str(reason.result()))
        self._stir.set()

    async def _subscribe(self, bus: Bus) -> None:
        await together([bus.call(bus_call("AddMatch", rule), deadline=DEADLINE) for rule in RULES])
        owner = bus_call("GetNameOwner", SYSTEMD)
        await bus.ask(owner, lambda answer: self._signals.start(answer.text()), deadline=DEADLINE)

    async def _work(self, bus: Bus) -> None:
        """Wait until something is due, and do it."""
        ahead = self._details.enabled_services() if self.connected else ()
        try:
            async with asyncio.timeout(_QUIET if ahead else None):
                await self._stir.wait()
        except TimeoutError:
            await self._details.read_ahead(bus, ahead, self._stir.is_set)
            self._heed()
            return
        self._stir.clear()
        if bus.lost.done():
            raise bus.lost.result()
        due, self._due = self._due, set()
        if due:
            await self._ask_system_state(bus)
        if Due.RELOADED in due:
            await self._look_at_all(bus)
        elif Due.UNITS in due:
            await self._list(bus)

    async def _look_at_all(self, bus: Bus) -> None:
        """After connecting, a daemon-reload or a re-execution of systemd: nothing that was known need still be true."""
        self._listed = False
        self._details.forget()
        try:
            await bus.call(manager("Subscribe"), deadline=DEADLINE)
        except BusError as error:
            if error.name != _ALREADY_SUBSCRIBED:
                raise
        await self._list(bus)
        self._listed = True
        if self._said_lost:
            self._said_lost = False
            self._log.event(Event.BUS_CHANGED, "connected to systemd again")
        self._wake_soon()

    # Questions

    def _connection(self) -> Bus:
        if self._bus is None:
            raise BusLost("not connected to systemd")
        return self._bus

    async def _list(self, bus: Bus) -> None:
        states = file_states(self._root, unread=self._cannot_read)

        def read(answer: Incoming) -> None:
            self._ledger.listed(answer.rows(), states, self._clock.boot())

        await bus.ask(manager("ListUnits"), read, deadline=DEADLINE)
        await self._stops.judge_missed(bus)
        self._wake_soon()

    def _cannot_read(self, error: OSError) -> None:
        """A folder of links that is not ours to read: said once, since systemd is listed again and again."""
        if str(error.filename) not in self._unread:
            self._unread.add(str(error.filename))
            message = f"{error.filename}: {error.strerror}; what is enabled only there does not count as enabled"
            self._log.event(Event.CHECK_FAILED, message, severity=Severity.MEDIUM, component="services")

    async def _ask_system_state(self, bus: Bus) -> None:
        def read(answer: Incoming) -> None:
            before, self._system_state = self._system_state, SystemState(answer.body()[0][1])
            if self._system_state != before and not {before, self._system_state} <= _UP_AND_RUNNING:
                self._all_changed = True
                self._wake_soon()

        await bus.ask(get(MANAGER_PATH, MANAGER, "SystemState"), read, deadline=DEADLINE)

    # Signals

    def _heard(self, message: Incoming) -> None:
        self._signals.heard(message)
        self._heed()

    def _heed(self) -> None:
        if self._ledger.changed:
            self._wake_soon()

    def _set_due(self, due: Due) -> None:
        self._due.add(due)
        self._stir.set()

    def _wake_soon(self) -> None:
        """Once for all that comes with one turn of the loop."""
        if not self._waking:
            self._waking = True
            asyncio.get_running_loop().call_soon(self._wake)

    def _wake(self) -> None:
        self._waking = False
        if not self.connected:
            return  # whoever was woken would look at facts that are not current; it is made up for when they are
        changed = self._ledger.changed
        names = frozenset() if self._all_changed else frozenset(changed - self._ledger.missed)
        if not names and not self._all_changed:
            return
        changed -= names or changed
        self._all_changed = False
        for wake in self._wakes:
            wake(names)
