"""How long each built-in check takes of a round. Arguments: HOT COLD; prints {KIND: {PART: [ms, ...]}} and more.

The installed package is measured: its own doors, checks and judge, over the host's systemd and kernel. A round is what
the daemon does in one, all checks side by side (`together`) and one by one, to time each. `services` has nothing to
look at while no signal came, and asks systemd once a minute for failed units. HOT rounds follow each other at once;
before each of COLD rounds the process sleeps for a second, as the daemon does at that interval. For what is foretold
the rounds are 30 s apart, so that the past of each value is as long as it is at the default interval. A check that the
host has nothing for is not in the answer.

Beside them `rare`, what a round takes longer every ten minutes
(`compared`: systemd lists all units) and after a start or a reload (`looked at`: `services` judges each unit).
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from contextlib import suppress
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from healthd.assess.judge import judge
from healthd.clock import SystemClock
from healthd.config import load_texts
from healthd.host import LinuxHost
from healthd.net import Network
from healthd.pipeline import FAILED_SECONDS
from healthd.registry import Ports, find_checks
from healthd.sample import Bound, Due, Sampler, bind
from healthd.systemd.units import SystemdUnits

if TYPE_CHECKING:
    from healthd.assess.judge import Memory
    from healthd.model import Assessment

_SETTLED: Final = 2.0
"""Seconds until systemd's units are known and each check has had the first reading that it compares with."""

_PAUSE: Final = 1.0
_APART: Final = 30.0
_RARE: Final = 50

_Times = dict[str, list[float]]


class _Silent:
    """Nobody reads a log here."""

    def event(self, *_: object, **__: object) -> None:
        return

    debug = exception = event


class _Rounds:
    """The checks, and what the judge remembers of each."""

    def __init__(self, units: SystemdUnits, clock: SystemClock) -> None:
        known: dict[str, Any] = {"units": units, "host": LinuxHost(), "net": Network(), "clock": clock}
        given: dict[str, Any] = {field.name: known.get(field.name) for field in fields(Ports)}
        self._units, self._clock, self._sampler = units, clock, Sampler(Ports(**given), _Silent())
        self._memories: dict[str, Memory] = {}
        self._count, self._asked_at = 0, clock.boot()
        self.checks = bind(load_texts(), find_checks())

    async def run(self) -> dict[str, float]:
        """One round; milliseconds by check."""
        self._count += 1
        return {check.name: await self._one(check) for check in self.checks}

    async def together(self) -> float:
        """One round, all checks side by side; milliseconds."""
        begun = time.perf_counter()
        self._count += 1
        for sampled in await self._sampler.run([self._due(check, whole=False) for check in self.checks]):
            self._take(sampled.check, sampled.assessment)
        return (time.perf_counter() - begun) * 1e3

    async def rare(self) -> dict[str, float]:
        """What is not done in each round, in milliseconds."""
        begun = time.perf_counter()
        await self._units.reconcile()
        compared = time.perf_counter()
        for check in self.checks:
            if check.spec.immediate:
                await self._judged(check, whole=True)
        return {"compared": (compared - begun) * 1e3, "looked at": (time.perf_counter() - compared) * 1e3}

    async def usable(self) -> None:
        """Keep the checks that have something to say here; the others are told on stderr."""
        for check in tuple(self.checks):
            assessment = await self._look(check, whole=True)
            if not assessment.usable:
                print(f"{check.name}: {assessment.reason}", file=sys.stderr)
                self.checks.remove(check)

    async def _one(self, check: Bound) -> float:
        begun = time.perf_counter()
        if check.spec.immediate and self._clock.boot() >= self._asked_at + FAILED_SECONDS:
            self._asked_at = self._clock.boot()
            await self._units.check_failed()
        await self._judged(check, whole=False)
        return (time.perf_counter() - begun) * 1e3

    async def _judged(self, check: Bound, *, whole: bool) -> None:
        self._take(check, await self._look(check, whole=whole))

    def _take(self, check: Bound, assessment: Assessment) -> None:
        memory = self._memories.get(check.name, {})
        self._memories[check.name], _ = judge(memory, assessment, check.rules, self._count * _APART)

    async def _look(self, check: Bound, *, whole: bool) -> Assessment:
        (sampled,) = await self._sampler.run([self._due(check, whole=whole)])
        return sampled.assessment

    def _due(self, check: Bound, *, whole: bool) -> Due:
        return Due(check=check, names=frozenset() if check.spec.immediate and not whole else None)


async def _one_by_one(rounds: _Rounds, count: int, pause: float) -> _Times:
    """So many rounds; milliseconds by check."""
    times: _Times = {check.name: [] for check in rounds.checks}
    for _ in range(count):
        await asyncio.sleep(pause)
        for name, took in (await rounds.run()).items():
            times[name].append(took)
    return times


async def _together(rounds: _Rounds, count: int, pause: float) -> _Times:
    """So many rounds; milliseconds of wall clock and of processors."""
    times: _Times = {"wall": [], "cpu": []}
    for _ in range(count):
        await asyncio.sleep(pause)
        before = time.process_time()
        times["wall"].append(await rounds.together())
        times["cpu"].append((time.process_time() - before) * 1e3)
    return times


def _first() -> None:
    """Have a processor whenever it is wanted, threads too: the round is measured, not who else uses the machine."""
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))


async def _measure(hot: int, cold: int) -> dict[str, Any]:
    clock = SystemClock()
    units = SystemdUnits(clock, _Silent())
    units.on_change(lambda _: None)
    async with asyncio.TaskGroup() as group:
        hearing = group.create_task(units.run())
        rounds = _Rounds(units, clock)
        await rounds.run()
        await asyncio.sleep(_SETTLED)
        await rounds.usable()
        gc.collect()
        gc.freeze()  # as the daemon does once it is ready
        found: dict[str, Any] = {"together": {}}
        for kind, count, pause in (("hot", hot, 0.0), ("cold", cold, _PAUSE)):
            found["together"][kind] = await _together(rounds, count, pause)
            found[kind] = await _one_by_one(rounds, count, pause)
        rare = [await rounds.rare() for _ in range(_RARE)]
        found["rare"] = {name: [each[name] for each in rare] for name in rare[0]}
        hearing.cancel()
    return found


def main() -> None:
    """Measure and print."""
    _first()
    print(json.dumps(asyncio.run(_measure(int(sys.argv[1]), int(sys.argv[2])))))


if __name__ == "__main__":
    main()
