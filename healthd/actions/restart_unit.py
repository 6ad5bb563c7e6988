"""Restart a unit that runs but does not do its work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.model import ActionKind, JobResult
from healthd.registry import ActionSpec

if TYPE_CHECKING:
    from healthd.ports import Units


async def run(units: Units, unit: str, deadline: float) -> JobResult:
    """Restart it, its start counter cleared before.

    systemd counts a restart that is asked for against the unit's start limit, and stops the old process before it
    refuses the start: without the reset a restart could kill for good what only was slow.
    """
    await units.reset_failed(unit, deadline=deadline)
    return await units.restart(unit, deadline=deadline)


ACTION = ActionSpec(kind=ActionKind.RESTART_UNIT, disruptive=True, run=run)
