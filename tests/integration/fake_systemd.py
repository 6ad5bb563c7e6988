"""org.freedesktop.systemd1 on a private bus: a systemd that does what a test says, in the order in which PID 1 does.

Modelled on `busctl introspect org.freedesktop.systemd1` of systemd 252, and on its signals as `busctl monitor` shows.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jeepney import (
    DBusAddress,
    HeaderFields,
    Message,
    MessageType,
    message_bus,
    new_error,
    new_method_return,
    new_signal,
)
from jeepney.io.asyncio import open_dbus_connection

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

NAME = "org.freedesktop.systemd1"
PATH = "/org/freedesktop/systemd1"
TIMEDATE = "org.freedesktop.timedate1"
MANAGER = f"{NAME}.Manager"
UNIT = f"{NAME}.Unit"
SERVICE = f"{NAME}.Service"
PROPERTIES = "org.freedesktop.DBus.Properties"
NO_JOB = (0, "/")


def unit_path(name: str) -> str:
    """As systemd escapes it; names in tests have nothing but letters, digits, dots, dashes and @."""
    for plain, escaped in ((".", "_2e"), ("-", "_2d"), ("@", "_40")):
        name = name.replace(plain, escaped)
    return f"{PATH}/unit/{name}"


def job_path(job: int) -> str:
    return f"{PATH}/job/{job}"


@dataclass(slots=True)
class FakeUnit:
    """A unit, by the names that systemd gives its properties. Further ones go into `more`, as signature and value."""

    name: str
    active: str = "active"
    sub: str = "running"
    load: str = "loaded"
    job: int = 0
    invocation: str = "00" * 16
    result: str = "success"
    code: int = 0
    status: int = 0
    more: dict[str, tuple[str, Any]] = field(default_factory=dict)

    def unit_values(self) -> dict[str, tuple[str, Any]]:
        """What its own signals carry."""
        since = 3_000_000 if self.active == "active" else 0
        return {
            "ActiveState": ("s", self.active),
            "FreezerState": ("s", "running"),
            "SubState": ("s", self.sub),
            "StateChangeTimestamp": ("t", 1_700_000_000_000_000),
            "ActiveEnterTimestampMonotonic": ("t", since),
            "Job": ("(uo)", (self.job, job_path(self.job)) if self.job else NO_JOB),
            "ConditionResult": ("b", True),
            "InvocationID": ("ay", bytes.fromhex(self.invocation)),
        }

    def service_values(self) -> dict[str, tuple[str, Any]]:
        """What the service's signals carry."""
        return {
            "MainPID": ("u", 4711),
            "StatusText": ("s", "Result"),
            "Result": ("s", self.result),
            "NRestarts": ("u", 0),
            "ExecMainCode": ("i", self.code),
            "ExecMainStatus": ("i", self.status),
        }

    def properties(self, interface: str) -> dict[str, tuple[str, Any]]:
        """Everything that can be asked for."""
        if interface == SERVICE:
            told = self.service_values()
            rest: dict[str, tuple[str, Any]] = {
                "Type": ("s", "simple"),
                "Restart": ("s", "no"),
                "RemainAfterExit": ("b", False),
                "ExecStart": ("a(sasbttttuii)", [("/bin/true", ["true"], False, 0, 0, 0, 0, 0, 0, 0)]),
                "ExecStartPre": ("a(sasbttttuii)", []),
                "EnvironmentFiles": ("a(sb)", []),
                "BusName": ("s", ""),
            }
        elif interface == UNIT:
            told = self.unit_values()
            rest = {
                "LoadState": ("s", self.load),
                "UnitFileState": ("s", "disabled"),
                "FragmentPath": ("s", f"/etc/systemd/system/{self.name}"),
                "SourcePath": ("s", ""),
                "DropInPaths": ("as", []),
                "NeedDaemonReload": ("b", False),
                "CanReload": ("b", False),
                "AssertTimestampMonotonic": ("t", 0),
                "AssertResult": ("b", False),
                "InactiveExitTimestampMonotonic": ("t", 2_000_000),
                "TriggeredBy": ("as", []),
                "RequiredBy": ("as", []),
                "BoundBy": ("as", []),
                "ConsistsOf": ("as", []),
                "Requires": ("as", []),
                "Requisite": ("as", []),
                "BindsTo": ("as", []),
                "After": ("as", []),
                "PartOf": ("as", []),
            }
        else:
            told, rest = {}, {"Result": ("s", self.result)}
        return told | rest | self.more

    def row(self) -> tuple[Any, ...]:
        """Its line of ListUnits."""
        job = (self.job, "start", job_path(self.job)) if self.job else (0, "", "/")
        return (self.name, "", self.load, self.active, self.sub, "", unit_path(self.name), *job)


class FakeSystemd:
    """A connection that owns systemd's name and answers; `calls` lists what was asked, as member and arguments.

    `silent` are the members that get no answer, `refuse` those that get an error (name and text). `how_jobs_end` is the
    result of every job, None for jobs that do not end; with `removed_first` the end of a job is told before its path,
    with `one_job` whoever asks gets the same one. `comes_up` is what a unit is when its job ends.
    """

    def __init__(self) -> None:
        self.units: dict[str, FakeUnit] = {}
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.silent: set[str] = set()
        self.refuse: dict[str, tuple[str, str]] = {}
        self.how_jobs_end: str | None = "done"
        self.comes_up: dict[str, Any] = {}
        self.removed_first = self.one_job = False
        self.system_state = "running"
        self.synchronised = True
        self.in_flight = self.most_in_flight = 0
        self.held: list[Message] | None = None  # a list: calls are kept in it, unanswered, until `release`
        self._subscribed = False
        self._jobs = 100
        self._connection: Any = None
        self._task: asyncio.Task[None] | None = None
        self._called = asyncio.Event()

    async def start(self) -> None:
        """Connect to the bus and take the name."""
        with contextlib.ExitStack() as undo:
            self._connection = await open_dbus_connection("SYSTEM")
            undo.callback(self._connection.writer.close)
            await self._connection.send(message_bus.RequestName(NAME))
            while (await self._connection.receive()).header.message_type is not MessageType.method_return:
                pass
            undo.pop_all()
        self._task = asyncio.create_task(self._serve(self._connection))

    async def keep_time(self) -> None:
        """Answer for systemd-timedated as well."""
        await self._send(message_bus.RequestName(TIMEDATE))

    async def stop(self) -> None:
        """Leave the bus."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        if self._connection is not None:
            self._connection.writer.close()
            with contextlib.suppress(ConnectionError):
                await self._connection.writer.wait_closed()
            self._connection = None

    def add(self, *names: str, **values: Any) -> FakeUnit:
        """Have units loaded; returns the last one. Nobody is told."""
        for name in names:
            self.units[name] = FakeUnit(name, **values)
        return self.units[names[-1]]

    def asked(self, member: str) -> int:
        """How often this was called."""
        return sum(1 for called, _ in self.calls if called == member)

    async def until_asked(self, member: str, times: int = 1) -> None:
        """Wait for this to be called."""
        while self.asked(member) < times:
            self._called.clear()
            await self._called.wait()

    async def release(self, only: str = "") -> None:
        """Answer what was held, or the calls of one member alone, while the others wait on."""
        held = self.held or []
        ready = [call for call in held if only in ("", call.header.fields[HeaderFields.member])]
        self.held = [call for call in held if call not in ready] if only else None
        for call in ready:
            await self._answer(call)

    # What systemd says

    async def emit(self, member: str, signature: str, *body: Any) -> None:
        """A signal of the manager."""
        await self._send(new_signal(DBusAddress(PATH, interface=MANAGER), member, signature, body))

    async def tell(self, name: str, **changes: Any) -> None:
        """Change a unit and say so as systemd does: the service's values first, then the unit's."""
        unit = self.units[name]
        for key, value in changes.items():
            setattr(unit, key, value)
        if not self._subscribed:
            return
        if name.endswith(".service"):
            await self._properties(name, SERVICE, unit.service_values())
        await self._properties(name, UNIT, unit.unit_values())

    async def reload(self, *, meanwhile: Callable[[], Awaitable[None]] | None = None) -> None:
        """A daemon-reload: every unit goes and comes back."""
        await self.emit("Reloading", "b", True)
        for name in self.units:
            await self.emit("UnitRemoved", "so", name, unit_path(name))
        for name in self.units:
            await self.emit("UnitNew", "so", name, unit_path(name))
        if meanwhile is not None:
            await meanwhile()
        await self.emit("Reloading", "b", False)

    async def reexecute(self) -> None:
        """A daemon-reexec: another connection takes the name, and remembers who had subscribed."""
        await self.emit("Reloading", "b", True)
        await self.stop()
        await self.start()
        await self.emit("Reloading", "b", False)

    async def _properties(self, name: str, interface: str, values: dict[str, tuple[str, Any]]) -> None:
        address = DBusAddress(unit_path(name), interface=PROPERTIES)
        await self._send(new_signal(address, "PropertiesChanged", "sa{sv}as", (interface, values, ["Conditions"])))

    # What systemd answers

    async def _serve(self, connection: Any) -> None:
        while True:
            try:
                message = await connection.receive()
            except (EOFError, ConnectionError):
                return
            if message.header.message_type is MessageType.method_call:
                await self._called_with(message)

    async def _called_with(self, call: Message) -> None:
        member = call.header.fields[HeaderFields.member]
        self.calls.append((member, tuple(call.body)))
        self._called.set()
        if self.held is not None:
            self.held.append(call)
            self.most_in_flight = max(self.most_in_flight, len(self.held))
        elif member not in self.silent:
            await self._answer(call)

    async def _answer(self, call: Message) -> None:
        member = call.header.fields[HeaderFields.member]
        path = call.header.fields[HeaderFields.path]
        if member in self.refuse:
            name, text = self.refuse[member]
            await self._send(new_error(call, name, "s", (text,)))
        elif member in ("Get", "GetAll"):
            await self._send(self._property(call, path, *call.body))
        elif member in ("ListUnits", "ListUnitsFiltered"):
            wanted = call.body[0] if call.body else None
            rows = [unit.row() for unit in self.units.values() if wanted is None or unit.active in wanted]
            await self._send(new_method_return(call, "a(ssssssouso)", (rows,)))
        elif member in ("StartUnit", "RestartUnit", "ReloadUnit"):
            await self._run_job(call, call.body[0])
        else:
            self._subscribed = self._subscribed or member == "Subscribe"
            await self._send(new_method_return(call))

    def _property(self, call: Message, path: str, interface: str, member: str | None = None) -> Message:
        if interface == TIMEDATE:
            return new_method_return(call, "v", (("b", self.synchronised),))
        if path == PATH:
            return new_method_return(call, "v", (("s", self.system_state),))
        known = next((unit for unit in self.units.values() if unit_path(unit.name) == path), None)
        unit = known or FakeUnit(path, active="inactive", sub="dead", load="not-found")
        values = unit.properties(interface)
        if member is None:
            return new_method_return(call, "a{sv}", (values,))
        return new_method_return(call, "v", (values[member],))

    async def _run_job(self, call: Message, name: str) -> None:
        self._jobs += 0 if self.one_job else 1
        job = self._jobs
        answer = new_method_return(call, "o", (job_path(job),))
        if not self.removed_first:
            await self._send(answer)
        if name in self.units:
            await self.tell(name, job=job)
            if self.comes_up:
                await self.tell(name, **self.comes_up)
        if self.how_jobs_end is not None:
            await self.end_job(job, name, self.how_jobs_end)
        if self.removed_first:
            await self._send(answer)

    async def end_job(self, job: int, name: str, result: str) -> None:
        """Say that a job is over, and then that its unit has none."""
        await self.emit("JobRemoved", "uoss", job, job_path(job), name, result)
        if name in self.units:
            await self.tell(name, job=0)

    async def _send(self, message: Message) -> None:
        await self._connection.send(message)
