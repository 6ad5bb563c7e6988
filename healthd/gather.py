"""Gather evidence: what an action would destroy before it, everything else right after, in threads with time limits.

Healing waits for nothing here but, where the unit still runs, for a few files of its control group. What cannot be read
is said in the incident, and never raised.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from healthd.decide.happenings import Opened, Started
from healthd.errors import BusError, HealthdError
from healthd.evidence import Run, Scene, Surroundings, UnitFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from healthd.assess.picture import Picture
    from healthd.decide.happenings import Happening
    from healthd.decide.state import Key, Ticket
    from healthd.evidence import Changes
    from healthd.figures import GroupUsage
    from healthd.model import Item, UnitFacts
    from healthd.ports import Clock, Host, Units

HOUR: Final = 3600.0
"""Seconds before an incident for which it is looked what changed."""

MOST_RUNS: Final = 5
"""Runs of one incident that are looked at: the first ones."""

MOST_WAITING: Final = 100
"""Runs that may wait to be looked at. In a storm, the others are left out."""

SETTLE_SECONDS: Final = 0.5
"""What a unit wrote last takes its time into the journal; and healing goes first."""

LATER_SECONDS: Final = (1.0, 5.0, 10.0)
"""After each of these it is looked again at a run that left no words of its own, or no core dump though it dumped one.

On a busy machine the journal is behind, and a dump is in it when all of it has been packed and written. The first is
soon enough for a message that waits for `group_seconds`, as long as that is by default.
"""

_BEFORE_SECONDS: Final = 0.5
_MOST_INCIDENTS: Final = 200
_DUMPED: Final = 3
_PATIENCE: Final = 20  # times SETTLE_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """A run to be looked at, not before `due` (boot seconds).

    `again`: what changed is known already. `looks`: how often it was looked at before.
    """

    incident: int
    run: Run
    loaded: bool
    opened_at: float
    due: float
    again: bool = False
    looks: int = 0


class Gatherer:
    """Hears what happened, and hands over what it finds: `found` takes an incident and what there is of it.

    `surroundings`, `run`, `changes` and `missed` are its keywords. A run may be handed over again, with what came late:
    its core dump, or its last words.
    """

    def __init__(
        self,
        *,
        units: Units,
        host: Host,
        clock: Clock,
        picture: Picture,
        tickets: Callable[[], Mapping[Key, Ticket]],
        found: Callable[..., None],
        settle: float = SETTLE_SECONDS,
    ) -> None:
        self._units, self._host, self._clock, self._picture = units, host, clock, picture
        self._tickets, self._found, self._settle = tickets, found, settle
        self._seen: dict[int, set[tuple[str, str]]] = {}
        self._usage: dict[tuple[str, str], GroupUsage] = {}
        self._jobs: asyncio.Queue[_Job] = asyncio.Queue(MOST_WAITING)

    async def before(self, name: str) -> None:
        """An action is about to be carried out on this unit: note what it uses, if it still runs."""
        unit = self._units.facts().get(name)
        if unit is None or not unit.running:
            return
        with suppress(HealthdError, OSError, ValueError, TimeoutError):
            async with asyncio.timeout(_BEFORE_SECONDS):
                path = await self._units.control_group(name)
            if path:
                self._usage[name, unit.invocation] = self._host.group_usage(path)
        while len(self._usage) > MOST_WAITING:
            del self._usage[next(iter(self._usage))]

    def hear(self, happenings: Iterable[Happening]) -> None:
        """Note what is to be looked at."""
        for happening in happenings:
            match happening:
                case Opened(ticket=ticket, unit=unit):
                    self.look_at(ticket, unit)
                case Started(ticket=ticket, unit=unit):
                    self._look_at_run(ticket, unit)
                case _:
                    pass

    def look_at(self, ticket: Ticket, unit: UnitFacts | None) -> None:
        """An issue has opened, or its incident has not been looked at yet. `unit`: how the one behind it was."""
        if ticket.incident and ticket.incident not in self._seen:
            self._seen[ticket.incident] = set()
            while len(self._seen) > _MOST_INCIDENTS:
                del self._seen[min(self._seen)]
            self._found(ticket.incident, surroundings=self._surroundings(ticket))
        self._look_at_run(ticket, unit)

    async def run(self) -> None:
        """Look at one run after the other, until cancelled."""
        while True:
            job = await self._jobs.get()
            await asyncio.sleep(max(0.0, job.due - self._clock.boot()))
            await self._until_quiet()
            await self._look(job)

    async def _until_quiet(self) -> None:
        """Let healing go first, for a while: in a storm there is more to be started than to be looked at."""
        for _ in range(_PATIENCE):
            tried = (ticket.attempt for ticket in self._tickets().values())
            if all(attempt is None or attempt.ended_at is not None for attempt in tried):
                return
            await asyncio.sleep(self._settle)

    def _look_at_run(self, ticket: Ticket, unit: UnitFacts | None) -> None:
        seen = self._seen.get(ticket.incident)
        key = (ticket.unit or "", unit.invocation if unit is not None else "")
        if seen is None or key in seen or len(seen) >= MOST_RUNS:
            return
        again = any(unit == key[0] for unit, _ in seen)
        seen.add(key)
        now, wall = self._clock.boot(), self._clock.wall()
        run = Run(unit=key[0], invocation=key[1], at=wall, text=ticket.message)
        if unit is not None and not unit.running:  # of one that runs, systemd says how the run before it ended
            run = replace(run, code=unit.code, exit_status=unit.exit_status, result=unit.result)
        loaded, opened_at = unit is not None, ticket.opened_wall
        due = now + self._settle
        self._queue(_Job(incident=ticket.incident, run=run, loaded=loaded, opened_at=opened_at, due=due, again=again))

    def _queue(self, job: _Job) -> None:
        try:
            self._jobs.put_nowait(job)
        except asyncio.QueueFull:
            self._found(job.incident, missed=("too much failed at once for all of it to be looked at",))

    async def _look(self, job: _Job) -> None:
        run, missed = job.run, []
        scene = await self._units.scene(run.unit, run.invocation) if run.invocation else Scene()
        if job.looks and scene in (None, Scene(lines=run.lines, core=run.core)):
            self._look_again(job)
            return
        if scene is None:
            missed.append(f"what {run.unit} wrote last cannot be read from the journal")
        else:
            run = replace(run, lines=scene.lines, core=scene.core)
        usage = self._usage.pop((run.unit, run.invocation), None)
        if usage is not None:
            run = replace(run, memory=usage.memory, tasks=usage.tasks)
        changes = None if job.again else await self._changes(job, missed)
        self._found(
            job.incident,
            run=run if run.unit else None,
            changes=changes.found if changes is not None else None,
            missed=(*missed, *(changes.missed if changes is not None else ())),
        )
        if scene is not None and run.invocation:
            self._look_again(replace(job, run=run, again=True))

    def _look_again(self, job: _Job) -> None:
        """A while later, if something may have come too late. In a storm what is new goes first."""
        run = job.run
        awaits_core = run.code == _DUMPED and run.core is None
        if (awaits_core or not run.spoke) and job.looks < len(LATER_SECONDS):
            later = replace(job, looks=job.looks + 1)
            asyncio.get_running_loop().call_later(LATER_SECONDS[job.looks], self._queue_again, later)

    def _queue_again(self, job: _Job) -> None:
        with suppress(asyncio.QueueFull):
            self._jobs.put_nowait(job)

    async def _changes(self, job: _Job, missed: list[str]) -> Changes | None:
        units: list[UnitFiles] = []
        if job.loaded:
            try:
                units.append(await self._units.unit_files(job.run.unit))
            except BusError as error:
                missed.append(f"systemd does not say which files {job.run.unit} is made of: {error}")
        try:
            return await self._host.changes(units, job.opened_at - HOUR, job.opened_at + 1.0)
        except HealthdError as error:
            missed.append(str(error))
            return None

    # How things stood

    def _surroundings(self, ticket: Ticket) -> Surroundings:
        known: dict[str, Any] = {}
        with suppress(HealthdError):
            memory = self._host.memory()
            known |= {"memory_total": memory.total, "memory_available": memory.available}
        with suppress(HealthdError):
            known["load"] = self._host.cpu().load
        pressure: dict[str, float] = {}
        with suppress(HealthdError):
            pressure = {name: stalls.some_10s for name, stalls in self._host.pressure().stalls.items()}
        component = self._picture.components.get(ticket.key.component)
        values: dict[str, float] = {}
        if component is not None:
            known |= {"score": component.score, "trend": str(component.trend)}
            item = component.items.get(ticket.key.item) or component.items.get("")
            values = _values(item)
            known["seconds_to_critical"] = _soonest(item)
        beside = [
            f"{each.key.subject}: {each.message}"
            for each in self._tickets().values()
            if each.open and each.incident != ticket.incident
        ]
        return Surroundings(pressure=pressure, values=values, beside=tuple(beside[:10]), **known)


def _values(item: Item | None) -> dict[str, float]:
    return {measure.name: measure.value for measure in item.measures} if item is not None else {}


def _soonest(item: Item | None) -> float | None:
    soon = [each.seconds_to_critical for each in item.measures] if item is not None else []
    return min((seconds for seconds in soon if seconds is not None), default=None)
