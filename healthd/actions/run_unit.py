"""Run a oneshot unit of the operator's own, which knows how to repair another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.model import ActionKind, JobResult
from healthd.registry import ActionSpec

if TYPE_CHECKING:
    from healthd.ports import Units


async def run(units: Units, unit: str, deadline: float) -> JobResult:
    """Start it and wait for its end. What it does, and whether it interrupts anybody, is the operator's to know."""
    return await units.start(unit, deadline=deadline)


ACTION = ActionSpec(kind=ActionKind.RUN_UNIT, disruptive=True, run=run)
