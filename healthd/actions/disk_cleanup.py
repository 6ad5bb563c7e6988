"""Remove old journal, packages, temporary and log files from the file systems that are full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.formats.report import told
from healthd.model import ActionKind, JobResult
from healthd.registry import ActionSpec

if TYPE_CHECKING:
    from healthd.ports import Units


async def run(units: Units, unit: str, deadline: float) -> JobResult:
    """Start the unit that does it; it judges by the limits of the configuration which file systems are full."""
    return await units.start(unit, deadline=deadline)


ACTION = ActionSpec(kind=ActionKind.DISK_CLEANUP, disruptive=False, run=run, told=told)
