"""Makes way for units: they choose their ports first when the host starts, and get one that healthd holds.

A unit that fails is asked for its last words, once a run. If they say that an address is in use and healthd holds the
port, healthd closes it: healing, or systemd itself, then starts the unit again.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from healthd.model import SystemState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from healthd.expose.listeners import Listeners
    from healthd.model import UnitFacts
    from healthd.ports import Host, Units

BOOT_SECONDS: Final = 120.0
"""Seconds after the boot for which units that start with the host have the first choice."""

QUESTIONS: Final = 16
"""Units that may wait to be asked; in a storm the others are left alone."""

_STARTING: Final = frozenset({SystemState.INITIALIZING, SystemState.STARTING})
_AGAIN: Final = frozenset({"auto-restart", "auto-restart-queued"})
_IN_USE: Final = re.compile(r"address already in use|address in use|EADDRINUSE|errno 98\b|\(98:", re.IGNORECASE)
_NAMED: Final = re.compile(r"(?<=[:\]])\s?(\d{2,5})\b(?![.:]\d)|\bports?\b\W{0,3}(\d{2,5})\b", re.IGNORECASE)


class Way:
    """Hears of units, and tells the listeners what to give up. `run` is its one task."""

    def __init__(self, units: Units, host: Host, listeners: Listeners) -> None:
        self._units, self._host, self._listeners = units, host, listeners
        self._asked: dict[str, str] = {}  # the last run of each unit that was asked about
        self._in_vain: set[str] = set()
        self._failed: asyncio.Queue[UnitFacts] = asyncio.Queue(QUESTIONS)
        self._stir = asyncio.Event()

    async def settled(self) -> None:
        """Return when systemd has started the host's units, or has taken too long for that."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, BOOT_SECONDS - self._host.uptime())):
                while self._units.system_state() in _STARTING:
                    self._stir.clear()
                    await self._stir.wait()

    def heard(self, names: frozenset[str]) -> None:
        """Units changed; without names any may have, of which those are told later that matter."""
        self._stir.set()
        facts = self._units.facts()
        for name in (names or {*self._asked, *self._in_vain}) - facts.keys():  # they are loaded no more
            self._asked.pop(name, None)
            self._in_vain.discard(name)
        for name in names:
            unit = facts.get(name)
            if unit is None or not _fails(unit) or self._asked.get(name) == unit.invocation:
                continue
            with suppress(asyncio.QueueFull):
                self._failed.put_nowait(unit)
                self._asked[name] = unit.invocation

    async def run(self) -> None:
        """Ask after each unit that failed, one after the other, until cancelled."""
        self._units.on_change(self.heard)
        while True:
            unit = await self._failed.get()
            held = self._listeners.held()
            scene = await self._units.scene(unit.name, unit.invocation)
            if scene is None or not scene.lines:
                continue
            words = [line.text for line in scene.lines]
            ports = wanted(words, held)
            if not held and any(map(_IN_USE.search, words)):
                self._in_vain.add(unit.name)  # it fails all the same when nothing is held: another one has its port
            if ports == held and not _ports(words) and unit.name in self._in_vain:
                continue
            for port in sorted(ports):
                self._listeners.give_up(port, unit.name)


def wanted(words: Sequence[str], held: frozenset[int]) -> frozenset[int]:
    """The held ports that a unit with these last words failed for."""
    complaints = [line for line in words if _IN_USE.search(line)]
    if not complaints:
        return frozenset()
    named = _ports(complaints)
    if named:
        return named & held
    # Some say in one line what is wrong, and in another where.
    beside = frozenset(port for port in held for line in words if re.search(rf"(?<![\d.]){port}(?![\d.])", line))
    return beside or (held if not _ports(words) else frozenset())


def _ports(lines: Iterable[str]) -> frozenset[int]:
    """The ports that are named in these lines: `:8080`, `[::]:8080`, `port 8080`."""
    return frozenset(int(next(filter(None, each.groups()))) for line in lines for each in _NAMED.finditer(line))


def _fails(unit: UnitFacts) -> bool:
    """Whether the unit has just failed, or waits for systemd to start it again after it did."""
    return unit.active == "failed" or (unit.active == "activating" and unit.sub in _AGAIN)
