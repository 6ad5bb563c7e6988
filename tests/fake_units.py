"""A systemd that tests drive by hand; fulfils `ports.Units`. And a host and a store to go with it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from healthd.answers import History, OwnProcess, Point, SeriesHistory
from healthd.detail import UnitDetail
from healthd.errors import BusLost, ReadError, StorageError
from healthd.evidence import Changes, Line, Scene, UnitFiles
from healthd.figures import Cpu, GroupUsage, KernelFault, Memory, Network, Pressure, Sensor, Tables, Updates
from healthd.jobs import TimerFacts
from healthd.model import JobResult, SystemState, UnitFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from healthd.answers import Frame, HistoryQuery, Note, Series
    from healthd.evidence import Incident
    from healthd.figures import Mount

_T = TypeVar("_T")

SIMPLE = UnitDetail(
    service_type="simple",
    restart="no",
    remain_after_exit=False,
    triggered=False,
    required_by_enabled=False,
    can_reload=False,
)


def service(name: str, **changes: Any) -> UnitFacts:
    """An enabled service that runs, but for the changes."""
    facts = UnitFacts(
        name=name, active="active", sub="running", file_state="enabled", invocation="first", detail=SIMPLE
    )
    return replace(facts, **changes)


class FakeUnits:
    """Holds facts and does what it is told to them. `calls` lists what was asked of it, in order.

    `refuses` are units on which polkit says no; `hangs` are units whose jobs end only when `let_go` is set.
    """

    def __init__(self, *units: UnitFacts) -> None:
        self.connected = True
        self.system = SystemState.RUNNING
        self.calls: list[tuple[str, str]] = []
        self.refuses: set[str] = set()
        self.stays_down: set[str] = set()
        self.hangs: set[str] = set()
        self.let_go = asyncio.Event()
        self.restarts_too: tuple[str, ...] = ()
        self.aliases: dict[str, str] = {}
        self.timers_now: tuple[TimerFacts, ...] = ()
        self.synchronised_now: bool | None = None
        self.kernel_now: tuple[KernelFault, ...] = ()
        self.files: dict[str, UnitDetail] = {}  # what describing a unit brings to light; nothing special by default
        self.scenes: dict[tuple[str, str], Scene | None] = {}
        self.untold: list[UnitFacts] = []  # what became of units, and has not been heard yet
        self.scenes_asked: list[str] = []
        self.files_now: dict[str, UnitFiles] = {}
        self._facts = {unit.name: unit for unit in units}
        self._wakes: list[Callable[[frozenset[str]], None]] = []
        self._starts = 0

    # What a test does

    def put(self, unit: UnitFacts) -> None:
        """A unit is as this says, and whoever listens hears of it."""
        self._facts[unit.name] = unit
        self.wake(unit.name)

    def kill(self, name: str) -> None:
        """The main process is killed with SIGKILL."""
        down = {"active": "failed", "sub": "failed", "result": "signal", "code": 2, "exit_status": 9}
        self.put(replace(self._facts[name], **down))  # type: ignore[arg-type]

    def wrote(self, name: str, invocation: str, *texts: str) -> None:
        """The journal has these lines of a run."""
        self.scenes[name, invocation] = Scene(lines=tuple(Line(at=0.0, source="web", text=text) for text in texts))

    def remove(self, name: str) -> None:
        """systemd unloads the unit."""
        del self._facts[name]
        self.wake(name)

    def wake(self, *names: str) -> None:
        """Tell the listeners that these units changed; none: look at all."""
        for wake in self._wakes:
            wake(frozenset(names))

    # The port

    def facts(self) -> Mapping[str, UnitFacts]:
        return MappingProxyType(self._facts)

    def system_state(self) -> SystemState:
        return self.system

    def on_change(self, wake: Callable[[frozenset[str]], None]) -> None:
        self._wakes.append(wake)

    async def reconcile(self) -> None:
        self._asked("reconcile")

    async def check_failed(self) -> None:
        self._asked("check_failed")

    async def catch_up(self) -> None:
        for unit in self.untold:
            self.put(unit)
        self.untold.clear()

    async def describe(self, names: Iterable[str]) -> None:
        for name in names:
            detail = self._facts[name].detail or self.files.get(name, SIMPLE)
            self._facts[name] = replace(self._facts[name], detail=detail)

    async def timers(self) -> tuple[TimerFacts, ...]:
        if not self.connected:
            raise BusLost("the bus is away")
        return self.timers_now

    async def kernel_faults(self) -> tuple[KernelFault, ...]:
        return self.kernel_now

    async def clock_synchronised(self) -> bool | None:
        self._asked("clock_synchronised")
        return self.synchronised_now

    async def primary_name(self, name: str) -> str:
        self._asked("primary_name", name)
        return self.aliases.get(name, name)

    async def control_group(self, name: str) -> str:
        self._asked("control_group", name)
        return f"/system.slice/{name}" if self._facts[name].running else ""

    async def stopped_on_purpose(self, name: str) -> bool | None:
        self._asked("stopped_on_purpose", name)
        return False

    async def scene(self, name: str, invocation: str) -> Scene | None:
        self.scenes_asked.append(invocation)
        return self.scenes.get((name, invocation), Scene())

    async def unit_files(self, name: str) -> UnitFiles:
        self._asked("unit_files", name)
        return self.files_now.get(name, UnitFiles(name=name))

    async def restarted_with(self, _name: str) -> tuple[str, ...]:
        return self.restarts_too

    async def start(self, name: str, *, deadline: float) -> JobResult:
        return await self._bring_up("start", name, deadline)

    async def restart(self, name: str, *, deadline: float) -> JobResult:
        return await self._bring_up("restart", name, deadline)

    async def reload(self, name: str, *, deadline: float) -> JobResult:
        return await self._bring_up("reload", name, deadline)

    async def reset_failed(self, name: str, *, deadline: float) -> JobResult:
        self._asked("reset_failed", name)
        assert deadline > 0
        return JobResult(result="refused", text="polkit said no") if name in self.refuses else JobResult(result="done")

    async def _bring_up(self, verb: str, name: str, deadline: float) -> JobResult:
        assert deadline > 0
        self._asked(verb, name)
        if name in self.hangs:
            await self.let_go.wait()
        if name in self.refuses:
            return JobResult(result="refused", text="polkit said no")
        self._starts += 1
        if name in self.stays_down:
            self.put(replace(self._facts[name], invocation=f"start-{self._starts}"))
            return JobResult(result="failed")
        if name in self._facts:
            self.put(service(name, invocation=f"start-{self._starts}"))
        return JobResult(result="done")

    def _asked(self, verb: str, name: str = "") -> None:
        if not self.connected:
            raise BusLost("the bus is away")
        self.calls.append((verb, name))


class FakeHost:
    """Fulfils `ports.Host`. Its figures are those that a test puts there; one that is None cannot be read.

    `groups` are the control groups that there are, by path.
    """

    def __init__(self) -> None:
        self.memory_now: Memory | None = Memory(at=1000.0, total=2 * 2**30, available=3 * 2**29)
        self.cpu_now: Cpu | None = None
        self.pressure_now: Pressure | None = None
        self.tables_now: Tables | None = None
        self.heard_now: float | None = None
        self.network_now: Network | None = None
        self.sensors_now: tuple[Sensor, ...] | None = None
        self.mounts_now: tuple[Mount, ...] = ()
        self.updates_now: Updates | None = None
        self.groups: dict[str, GroupUsage] = {}
        self.package_work_now: str | None = ""
        self.changes_now: Changes | None = Changes()
        self.looked_for: list[tuple[Sequence[UnitFiles], float, float]] = []

    def boot_id(self) -> str:
        return "this-boot"

    def uptime(self) -> float:
        return 5000.0

    def own_process(self) -> OwnProcess:
        return OwnProcess(
            cpu_seconds=1.5,
            resident_bytes=24 * 2**20,
            virtual_bytes=200 * 2**20,
            started_at=1_700_000_000.0,
            open_files=20,
            most_files=1024,
        )

    def established_connections(self) -> int:
        return 3

    def memory(self) -> Memory:
        return _known(self.memory_now)

    def cpu(self) -> Cpu:
        return _known(self.cpu_now)

    def pressure(self) -> Pressure:
        return _known(self.pressure_now)

    def tables(self) -> Tables:
        return _known(self.tables_now)

    def time_heard_at(self) -> float | None:
        return self.heard_now

    def network(self) -> Network:
        return _known(self.network_now)

    async def sensors(self) -> tuple[Sensor, ...]:
        return _known(self.sensors_now)

    async def mounts(self, *, deadline: float) -> tuple[Mount, ...]:
        assert deadline > 0
        return self.mounts_now

    async def updates(self) -> Updates:
        return _known(self.updates_now)

    def package_work(self) -> str:
        return _known(self.package_work_now)

    async def changes(self, units: Sequence[UnitFiles], since: float, until: float) -> Changes:
        self.looked_for.append((units, since, until))
        return _known(self.changes_now)

    def group_usage(self, path: str) -> GroupUsage:
        if path not in self.groups:
            raise ReadError(f"there is no control group {path}")
        return self.groups[path]


def _known(figures: _T | None) -> _T:
    if figures is None:
        raise ReadError("not readable here")
    return figures


class FakeOutputs:
    """Fulfils `ports.Outputs`: what each program printed, by component."""

    def __init__(self, printed: Mapping[str, str] | None = None) -> None:
        self.printed = dict(printed or {})

    def read(self, component: str) -> str:
        if component not in self.printed:
            raise ReadError("its output cannot be read: No such file or directory")
        return self.printed[component]


class MemoryStore:
    """Fulfils `ports.Store`; `broken` makes every write fail."""

    def __init__(self) -> None:
        self.rows: dict[str, Any] = {}
        self.remembered: list[tuple[float, dict[Series, float]]] = []
        self.noted: list[Note] = []
        self.taped: list[Frame] = []
        self.filed: dict[int, Incident] = {}
        self.broken = False

    async def load(self) -> Mapping[str, Any] | None:
        return self.rows or None

    async def save(self, changed: Mapping[str, Any], removed: Sequence[str]) -> None:
        if self.broken:
            raise StorageError("no space left on device")
        self.rows.update(changed)
        for key in removed:
            self.rows.pop(key, None)

    def remember(self, at: float, values: Mapping[Series, float]) -> None:
        self.remembered.append((at, dict(values)))

    def note(self, happening: Note) -> None:
        self.noted.append(happening)

    def tape(self, frame: Frame) -> None:
        self.taped.append(frame)

    def file(self, incident: Incident) -> None:
        self.filed[incident.id] = incident

    async def incidents(self, *, since: float, most: int) -> Sequence[Incident]:
        if self.broken:
            raise StorageError("no space left on device")
        found = [each for each in self.filed.values() if each.opened_at >= since or each.ended_at is None]
        return sorted(found, key=lambda each: -each.id)[:most]

    async def incident(self, number: int) -> Incident | None:
        found = self.filed.get(number or max(self.filed, default=0))
        events = tuple(note for note in self.noted if found is not None and note.incident == found.id)
        return None if found is None else replace(found, events=events)

    async def flush(self) -> None:
        if self.broken:
            raise StorageError("no space left on device")

    async def history(self, query: HistoryQuery) -> History:
        every = sorted({series for _, values in self.remembered for series in values if query.wants(series)})
        return History(
            since=query.since,
            until=query.until,
            step=0.0,
            series=tuple(SeriesHistory(series=one, points=self._points(one, query)) for one in every),
            events=tuple(note for note in self.noted if query.since <= note.at < query.until),
        )

    async def recent(self, since: float) -> Mapping[Series, Sequence[tuple[float, float]]]:
        every = {series for _, values in self.remembered for series in values}
        return {one: [(at, v[one]) for at, v in self.remembered if at >= since and one in v] for one in every}

    def _points(self, series: Series, query: HistoryQuery) -> tuple[Point, ...]:
        values = ((at, v[series]) for at, v in self.remembered if query.since <= at < query.until and series in v)
        return tuple(Point(at, value, value, value) for at, value in values)

    async def close(self) -> None:
        return
