"""How long each built-in check takes to look and to be judged. Arguments: HOT COLD; prints {KIND: {CHECK: [ms, ...]}}.

The installed package is measured: its own doors, checks and judge, over the host's systemd and kernel. HOT rounds
follow each other at once; before each of COLD rounds the process sleeps for a second, as the daemon does at that
interval. A check that the host has nothing for is not in the answer.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from healthd.assess.judge import judge
from healthd.clock import SystemClock
from healthd.config import load_texts
from healthd.host import LinuxHost
from healthd.ports import Ports
from healthd.registry import find_checks
from healthd.sample import Bound, Due, Sampler, bind
from healthd.systemd.units import SystemdUnits

if TYPE_CHECKING:
    from healthd.assess.judge import Memory
    from healthd.model import Assessment

_SETTLED = 2.0
"""Seconds until systemd's units are known and each check has had the first reading that it compares with."""

_PAUSE = 1.0


class _Silent:
    """Nobody reads a log here."""

    def event(self, *_: object, **__: object) -> None:
        return

    debug = exception = event


class _Rounds:
    """The checks, and what the judge remembers of each."""

    def __init__(self, units: SystemdUnits, clock: SystemClock) -> None:
        known: dict[str, Any] = {"units": units, "host": LinuxHost(), "clock": clock}
        given: dict[str, Any] = {field.name: known.get(field.name) for field in fields(Ports)}
        self._clock, self._sampler = clock, Sampler(Ports(**given), _Silent())
        self._memories: dict[str, Memory] = {}
        self.checks = bind(load_texts(), find_checks())

    async def run(self) -> dict[str, float]:
        """One round; milliseconds by check."""
        return {check.name: await self._one(check) for check in self.checks}

    async def usable(self) -> None:
        """Keep the checks that have something to say here; the others are told on stderr."""
        for check in tuple(self.checks):
            assessment = await self._look(check)
            if not assessment.usable:
                print(f"{check.name}: {assessment.reason}", file=sys.stderr)
                self.checks.remove(check)

    async def _one(self, check: Bound) -> float:
        begun = time.perf_counter()
        assessment = await self._look(check)
        memory = self._memories.get(check.name, {})
        self._memories[check.name], _ = judge(memory, assessment, check.rules, self._clock.boot())
        return (time.perf_counter() - begun) * 1e3

    async def _look(self, check: Bound) -> Assessment:
        (sampled,) = await self._sampler.run([Due(check=check, names=None)])
        return sampled.assessment


async def _measure(hot: int, cold: int) -> dict[str, dict[str, list[float]]]:
    clock = SystemClock()
    units = SystemdUnits(clock, _Silent())
    units.on_change(lambda _: None)
    async with asyncio.TaskGroup() as group:
        hearing = group.create_task(units.run())
        rounds = _Rounds(units, clock)
        await rounds.run()
        await asyncio.sleep(_SETTLED)
        await rounds.usable()
        found: dict[str, dict[str, list[float]]] = {}
        for kind, count, pause in (("hot", hot, 0.0), ("cold", cold, _PAUSE)):
            times: dict[str, list[float]] = {check.name: [] for check in rounds.checks}
            for _ in range(count):
                await asyncio.sleep(pause)
                for name, took in (await rounds.run()).items():
                    times[name].append(took)
            found[kind] = times
        hearing.cancel()
    return found


def main() -> None:
    """Measure and print."""
    print(json.dumps(asyncio.run(_measure(int(sys.argv[1]), int(sys.argv[2])))))


if __name__ == "__main__":
    main()
