"""What of a unit is read only when it is needed: its file's settings, its last result, and who depends on it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from healthd.detail import UnitDetail
from healthd.errors import BusError
from healthd.systemd.bus import together
from healthd.systemd.facts import SERVICE_VALUES
from healthd.systemd.names import SERVICE, SYSTEMD, UNIT, UNKNOWN_NUMBER, get, get_all, unit_path
from healthd.systemd.unitfiles import TOLD_BY_FILES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from healthd.systemd.bus import Bus
    from healthd.systemd.facts import Ledger
    from healthd.systemd.wire import Incoming

DEADLINE: Final = 10.0  # seconds for one question; PID 1 answers nothing while it reloads

_TOLD: Final = TOLD_BY_FILES | {"masked"}
_UP: Final = frozenset({"active", "activating", "reloading", "refreshing"})
_BATCH: Final = 8
_RELATIONS: Final = ("Requires", "Requisite", "BindsTo", "After", "PartOf")
_LEVELS_UP: Final = 3  # how far above a unit an enabled one is looked for

_SERVICE_DETAIL: Final = SERVICE_VALUES | {
    b"Type": "type",
    b"Restart": "restart",
    b"RemainAfterExit": "remain_after_exit",
    b"BusName": "bus_name",
    b"SuccessExitStatus": "success",
    b"RestartForceExitStatus": "forced",
    b"ExecStart": "commands",
    b"ExecCondition": "condition",
    b"ExecStartPre": "before",
    b"ExecStartPost": "after_it",
    b"RuntimeMaxUSec": "runtime",
}
# In a command of systemd's: whether its failure is ignored, CLD_* of its end, and its exit status.
_IGNORED, _CODE, _STATUS, _EXITED = 2, 8, 9, 1
# Units of other types that can fail by themselves; only services send signals about it that are listened to.
_WITH_RESULT: Final = frozenset({"Automount", "Mount", "Path", "Scope", "Socket", "Swap", "Timer"})


class Details:
    """Asks systemd about single units and writes what it hears into the ledger.

    Of the unit's own interface it asks single properties, not all of them: for UnitFileState systemd reads the links of
    all units again (1.4 ms with a hundred of them), so that is left to where the disk tells nothing.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._requirers: dict[str, tuple[str, ...]] = {}
        self._ahead = True  # there may be something to read ahead

    def forget(self) -> None:
        """Unit files may have changed."""
        self._ahead = True
        self._requirers.clear()
        self._ledger.forget_details()

    async def describe(self, bus: Bus, names: Iterable[str]) -> None:
        """Have each of these units that is loaded described, and what they require as far as it is down.

        Below one that a job stopped, what runs still or again as well: it may tell for which other one that was.
        Raises `BusError`.
        """
        units = self._ledger.units
        seen: set[str] = set()
        stopped: set[str] = set()
        level = {name for name in names if name in units}
        while level:
            await together(self._describe(bus, name) for name in sorted(level) if units[name].detail is None)
            seen |= level
            stopped |= {name for name in level if name in units and units[name].stopped_by_job}
            below: set[str] = set()
            for unit in filter(None, map(units.get, level)):
                required = {name for name in (unit.detail.requires if unit.detail else ()) if name in units}
                if unit.name in stopped:
                    stopped |= required
                below |= {name for name in required if name in stopped or not units[name].running}
            level = below - seen

    def enabled_services(self) -> Sequence[str]:
        """The services that may well be healed one day and are not described yet: none when they once were tried."""
        if not self._ahead:
            return ()
        units = self._ledger.units.values()
        return [unit.name for unit in units if unit.detail is None and unit.enabled and unit.name.endswith(".service")]

    async def read_ahead(self, bus: Bus, names: Sequence[str], interrupted: Callable[[], bool]) -> None:
        """Describe these, so that nothing need be asked when one fails; a few at a time, until there is other work."""
        for batch in (names[at : at + _BATCH] for at in range(0, len(names), _BATCH)):
            if interrupted():
                return
            try:
                await self.describe(bus, batch)
            except BusError:
                if bus.lost.done():
                    raise
                break  # whoever needs the details asks again, and hears why there are none
        self._ahead = False

    async def restarted_with(self, bus: Bus, name: str) -> tuple[str, ...]:
        """The active units to which a restart of this one goes on: systemd passes over what is not running."""
        found: set[str] = set()
        level = {name}
        while level:
            answers = await together(
                property_of(bus, unit, UNIT, relation)
                for unit in level
                for relation in ("RequiredBy", "BoundBy", "ConsistsOf")
            )
            named = {dependent for answer in answers for dependent in answer}
            level = {unit for unit in named - found - {name} if self._is_up(unit)}
            found |= level
        return tuple(sorted(found))

    def _is_up(self, name: str) -> bool:
        unit = self._ledger.units.get(name)
        return unit is not None and unit.active in _UP

    async def _describe(self, bus: Bus, name: str) -> None:
        before = self._ledger.units.get(name)
        if before is None:
            return  # it went in the moment since its name was taken down
        self._ledger.refused.discard(name)
        detail = await self._read(bus, name)
        unit = self._ledger.units.get(name)
        failed = unit is not None and unit.active == "failed" != before.active
        if failed or name in self._ledger.refused:
            detail = await self._read(bus, name)  # part of it was answered before the start that failed
        self._ledger.described(name, detail)

    async def _read(self, bus: Bus, name: str) -> UnitDetail:
        service = name.endswith(".service")
        _, own, unmet, required, can_reload, triggered_by, *relations = await together(
            [
                self._refresh(bus, name),
                self._service(bus, name) if service else self._result(bus, name),
                self._assert_failed(bus, name),
                self._required_by_enabled(bus, name),
                *(property_of(bus, name, UNIT, member) for member in ("CanReload", "TriggeredBy", *_RELATIONS)),
            ]
        )
        requires, requisite, binds_to, after, part_of = relations
        return UnitDetail(
            service_type=own.get("type", ""),
            restart=_restart(own),
            remain_after_exit=own.get("remain_after_exit", False),
            triggered=bool(triggered_by or own.get("bus_name")),
            required_by_enabled=required,
            can_reload=can_reload,
            requires=_named(other for other in (*requires, *requisite, *binds_to) if not other.endswith(".slice")),
            binds_to=_named(binds_to),
            after=_named(other for other in (*after, *part_of) if other.endswith(".service")),
            clean_statuses=tuple(own.get("success", ((), ()))[0]),
            # Of several commands, the status that is told of is that of the last one.
            may_fail=any(command[_IGNORED] for command in own.get("commands", ())[-1:]),
            control_status=_control_status(own),
            assert_failed=unmet,
            runs_at_most=own.get("runtime", UNKNOWN_NUMBER) != UNKNOWN_NUMBER,
        )

    async def _refresh(self, bus: Bus, name: str) -> None:
        """What signals tell only once something happens, and the file state where the disk does not tell it."""
        asked = {"InvocationID": "invocation", "ActiveEnterTimestampMonotonic": "active_since"}
        unit = self._ledger.units.get(name)
        if unit is not None and unit.file_state not in _TOLD:
            asked["UnitFileState"] = "file_state"
        await together([self._learn(bus, name, UNIT, member, field) for member, field in asked.items()])

    async def _learn(self, bus: Bus, name: str, interface: str, member: str, field: str) -> None:
        def read(answer: Incoming) -> None:
            self._ledger.learned(name, {field: answer.body()[0][1]})

        await bus.ask(get(unit_path(name), interface, member), read, deadline=DEADLINE)

    async def _service(self, bus: Bus, name: str) -> dict[str, Any]:
        def read(answer: Incoming) -> dict[str, Any]:
            values = answer.skim(_SERVICE_DETAIL)
            self._ledger.learned(
                name, {field: values.pop(field) for field in SERVICE_VALUES.values() if field in values}
            )
            return values

        return await bus.ask(get_all(name, SERVICE), read, deadline=DEADLINE)

    async def _result(self, bus: Bus, name: str) -> dict[str, Any]:
        kind = name.rpartition(".")[2].capitalize()
        if kind in _WITH_RESULT:
            await self._learn(bus, name, f"{SYSTEMD}.{kind}", "Result", "result")
        return {}

    async def _assert_failed(self, bus: Bus, name: str) -> bool:
        """Of a service that has not run: nothing but this tells that it was to."""
        unit = self._ledger.units.get(name)
        if unit is None or unit.active != "inactive" or unit.code or not name.endswith(".service"):
            return False
        tried, met = await together(
            property_of(bus, name, UNIT, member) for member in ("AssertTimestampMonotonic", "AssertResult")
        )
        return bool(tried) and not met

    async def _required_by_enabled(self, bus: Bus, name: str) -> bool:
        seen = level = {name}
        for _ in range(_LEVELS_UP):
            above = await together([self._above(bus, unit) for unit in level])
            level = {requirer for requirers in above for requirer in requirers} - seen
            if any(unit in self._ledger.units and self._ledger.units[unit].enabled for unit in level):
                return True
            seen = seen | level
        return False

    async def _above(self, bus: Bus, name: str) -> tuple[str, ...]:
        """What Requires or BindsTo a unit."""
        if name not in self._requirers:
            answers = await together([property_of(bus, name, UNIT, relation) for relation in ("RequiredBy", "BoundBy")])
            self._requirers[name] = tuple(requirer for answer in answers for requirer in answer)
        return self._requirers[name]


def _control_status(own: dict[str, Any]) -> int:
    """The exit status of the command that made a start fail, apart from the main one."""
    commands = (command for part in ("condition", "before", "after_it") for command in own.get(part, ()))
    failed = (command[_STATUS] for command in commands if command[_CODE] == _EXITED and not command[_IGNORED])
    return next((status for status in failed if status), 0)


def _restart(own: dict[str, Any]) -> str:
    """Restart=, or what it comes to where RestartForceExitStatus= has systemd restart the unit all the same."""
    said: str = own.get("restart", "")
    return "on-failure" if said == "no" and any(own.get("forced", ())) else said


def _named(units: Iterable[str]) -> tuple[str, ...]:
    """Each once; names are shared, for the same few stand with many units."""
    return tuple(map(sys.intern, dict.fromkeys(units)))


async def property_of(bus: Bus, name: str, interface: str, member: str) -> Any:
    """One property of a unit. Raises `BusError`."""
    ((_, value),) = await bus.call(get(unit_path(name), interface, member), deadline=DEADLINE)
    return value
