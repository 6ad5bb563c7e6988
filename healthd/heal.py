"""Heal: carry an attempt out and report how its job ended. Whether it helped is the check's to say."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from healthd.config.chores import CHORES
from healthd.decide.happenings import Started
from healthd.errors import BusError, ReadError
from healthd.events import Event
from healthd.model import ActionKind, JobResult

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from healthd.decide.happenings import Happening
    from healthd.decide.state import Attempt, Key
    from healthd.ports import Log, Outputs, Units
    from healthd.registry import ActionSpec

_NAMING_SECONDS: Final = 0.5  # that a restart may wait until it is known what it takes along

JOB_SECONDS: Final = 180.0
"""How long a job is waited for. systemd's own default time limits for a stop and a start add up to this."""


class Healer:
    """Runs attempts as tasks of the daemon's group. The engine sees to it that a unit has one at a time."""

    def __init__(
        self,
        units: Units,
        actions: Mapping[ActionKind, ActionSpec],
        log: Log,
        group: asyncio.TaskGroup,
        report: Callable[[Key, JobResult], None],
        *,
        outputs: Outputs,
    ) -> None:
        self._units, self._actions, self._outputs = units, actions, outputs
        self._log, self._group, self._report = log, group, report
        self._running: set[asyncio.Task[None]] = set()
        self.before: Callable[[str], Awaitable[None]] | None = None
        """What is to be seen of a unit before an action is carried out on it; ends soon, and raises nothing."""

    async def along(self, happenings: Sequence[Happening]) -> Sequence[Happening]:
        """These, and of each restart which units it takes along: asked before it, for then they are still up."""
        told = list(happenings)
        for place, each in enumerate(told):
            if isinstance(each, Started) and each.attempt.action is ActionKind.RESTART_UNIT:
                with suppress(BusError, TimeoutError):  # it is not worth waiting for: the restart itself has time
                    async with asyncio.timeout(_NAMING_SECONDS):
                        told[place] = replace(each, along=await self._units.restarted_with(each.attempt.unit))
        return told

    def dispatch(self, key: Key, attempt: Attempt) -> None:
        """Start the attempt; `report` is called with the job's result, whatever happens."""
        task = self._group.create_task(self._run(key, attempt), name=f"heal {key}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def abandon(self) -> None:
        """Stop waiting for jobs: systemd finishes them, and the next healthd looks at what they did."""
        for task in self._running:
            task.cancel()

    async def rehearse(self, action: ActionKind) -> JobResult:
        """Have a chore said and not done; the result's text is what it would do. Raises `BusError`."""
        chore, spec = CHORES[action], self._actions[action]
        return self._told(spec, await self._units.start(chore.rehearsal, deadline=JOB_SECONDS), chore.rehearsal)

    async def _run(self, key: Key, attempt: Attempt) -> None:
        self._report(key, await self._act(key, attempt))

    async def _act(self, key: Key, attempt: Attempt) -> JobResult:
        if self.before is not None:
            await self.before(attempt.unit)
        spec = self._actions.get(attempt.action)
        if spec is None:
            return JobResult(result="not_supported", text=f"this healthd has no action {attempt.action}")
        try:
            async with asyncio.timeout(2 * JOB_SECONDS):
                target = attempt.runs or attempt.unit
                return self._told(spec, await spec.run(self._units, target, JOB_SECONDS), target)
        except TimeoutError:
            return JobResult(result="timeout", text=f"no end of it within {2 * JOB_SECONDS:g} s")
        except BusError as error:
            return JobResult(result="lost", text=str(error))
        except Exception as error:  # noqa: BLE001  the border of an action's run: the attempt failed, the daemon goes on
            self._log.exception(
                Event.CHECK_FAILED, f"the action {attempt.action} is broken", error, issue=str(key), unit=attempt.unit
            )
            return JobResult(result="broken", text=repr(error))

    def _told(self, spec: ActionSpec, result: JobResult, unit: str) -> JobResult:
        """The result, with what the unit that did it had to report."""
        if spec.told is None:
            return result
        try:
            printed = self._outputs.read(unit.removesuffix(".service"))
        except ReadError:
            printed = ""
        return spec.told(result, printed)
