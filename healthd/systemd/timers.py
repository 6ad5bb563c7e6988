"""When timers fire: asked for when their state has changed, which it does whenever they fire, and now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from healthd.jobs import TimerFacts
from healthd.systemd.bus import together
from healthd.systemd.details import DEADLINE
from healthd.systemd.names import SYSTEMD, UNKNOWN_NUMBER, get_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from healthd.model import UnitFacts
    from healthd.ports import Clock
    from healthd.soon import Soon
    from healthd.systemd.bus import Bus
    from healthd.systemd.wire import Incoming

FRESH_SECONDS: Final = 300.0
"""A timer is asked again after so long although nothing was heard of it."""

PASSED_SECONDS: Final = 60.0
"""A timer is asked again at each look when its time passed so long ago: systemd may take a minute to be accurate."""

_TIMER: Final = f"{SYSTEMD}.Timer"
_VALUES: Final = {
    b"Unit": "unit",
    b"NextElapseUSecRealtime": "next_wall",
    b"NextElapseUSecMonotonic": "next_monotonic",
    b"LastTriggerUSec": "last_wall",
}


class Timers:
    """What was last read of each timer, and the state and the instant (boot seconds) that it was read in."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[float, str], float, TimerFacts]] = {}

    def read(self, bus: Bus, units: Mapping[str, UnitFacts], clock: Clock) -> Soon[tuple[TimerFacts, ...]]:
        """The running timers among these units, in name order. Raises `BusError`."""
        now, wall = clock.boot(), clock.wall()
        running = sorted([name for name in units if name.endswith(".timer") and units[name].running])
        old = [units[name] for name in running if not self._fresh(units[name], now, wall)]
        return self._read(bus, running, old, now) if old else self._facts(running)

    async def _read(
        self, bus: Bus, running: Sequence[str], old: Iterable[UnitFacts], now: float
    ) -> tuple[TimerFacts, ...]:
        self._known = {name: known for name, known in self._known.items() if name in running}
        await together([self._ask(bus, unit, now) for unit in old])
        return self._facts(running)

    def _facts(self, running: Sequence[str]) -> tuple[TimerFacts, ...]:
        return tuple(self._known[name][2] for name in running if name in self._known)

    def _fresh(self, unit: UnitFacts, now: float, wall: float) -> bool:
        if unit.name not in self._known:
            return False
        state, at, facts = self._known[unit.name]
        # Of one whose time has passed unheard the clock was set, and systemd has chosen another time for it since.
        passed = facts.next_wall is not None and facts.next_wall + PASSED_SECONDS < wall
        return state == _state(unit) and now - at < FRESH_SECONDS and not passed

    async def _ask(self, bus: Bus, unit: UnitFacts, now: float) -> None:
        def read(answer: Incoming) -> TimerFacts:
            said = answer.skim(_VALUES)
            started = str(said.pop("unit", ""))
            times = {name: value / 1e6 for name, value in said.items() if value not in (0, UNKNOWN_NUMBER)}
            return TimerFacts(name=unit.name, unit=started, sub=unit.sub, **times)

        facts = await bus.ask(get_all(unit.name, _TIMER), read, deadline=DEADLINE)
        self._known[unit.name] = (_state(unit), now, facts)


def _state(unit: UnitFacts) -> tuple[float, str]:
    return unit.changed_at, unit.sub
