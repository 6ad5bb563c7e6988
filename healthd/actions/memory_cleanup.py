"""Have the kernel give up the clean caches that it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.formats.report import told
from healthd.model import ActionKind, JobResult
from healthd.registry import ActionSpec

if TYPE_CHECKING:
    from healthd.ports import Units


async def run(units: Units, unit: str, deadline: float) -> JobResult:
    """Start the unit that does it.

    The kernel gives clean caches up by itself when memory is short: this seldom helps, and costs I/O afterwards.
    """
    return await units.start(unit, deadline=deadline)


ACTION = ActionSpec(kind=ActionKind.MEMORY_CLEANUP, disruptive=False, run=run, told=told)
