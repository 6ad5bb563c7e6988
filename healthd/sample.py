"""Sample: run the checks that are due, each within its time limit, none disturbing another."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from healthd.errors import BusError
from healthd.events import Event
from healthd.model import Assessment, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthd.ports import Log, Ports
    from healthd.registry import CheckSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A check under the name of its component, with its options."""

    name: str
    spec: CheckSpec
    options: Any
    weight: float
    critical: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A check that is to run now: for these items, or (None) for all."""

    check: Bound
    names: frozenset[str] | None


class Sampler:
    """Runs checks. One that fails or takes too long gives an unusable assessment with the reason.

    That is said once, until the check works again.
    """

    def __init__(self, ports: Ports, log: Log) -> None:
        self._ports, self._log = ports, log
        self._failing: set[str] = set()
        self._broken: set[str] = set()

    async def run(self, due: Iterable[Due], limit: float) -> list[tuple[Bound, Assessment]]:
        """Run these checks side by side, each for at most `limit` seconds."""
        checks = tuple(due)
        if len(checks) == 1:  # the common case, on the way of every signal
            return [(checks[0].check, await self._one(checks[0], limit))]
        async with asyncio.TaskGroup() as group:
            tasks = [(one.check, group.create_task(self._one(one, limit))) for one in checks]
        return [(check, task.result()) for check, task in tasks]

    async def _one(self, due: Due, limit: float) -> Assessment:
        check = due.check
        try:
            async with asyncio.timeout(limit):
                reading = await check.spec.sample(self._ports, check.options, due.names)
            assessment = check.spec.assess(reading, check.options)
        except TimeoutError:
            return self._failed(check, f"no reading within {limit:g} s")
        except BusError as error:
            return self._failed(check, str(error))
        except Exception as error:  # noqa: BLE001  the border of a check's run: a bug in one check is that check's trouble alone
            if check.name not in self._broken:  # a traceback is said although a time-out was said before
                self._log.exception(
                    Event.CHECK_FAILED, f"the check of {check.name} is broken", error, component=check.name
                )
            self._broken.add(check.name)
            return Assessment(usable=False, reason=f"the check is broken: {error!r}")
        self._failing.discard(check.name)
        self._broken.discard(check.name)
        return assessment

    def _failed(self, check: Bound, reason: str) -> Assessment:
        if check.name not in self._failing:
            self._failing.add(check.name)
            self._log.event(
                Event.CHECK_FAILED,
                f"{check.name} cannot be judged: {reason}",
                severity=Severity.MEDIUM,
                component=check.name,
                reason=reason,
            )
        return Assessment(usable=False, reason=reason)
