"""Restart whatever runs the host's network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.formats.report import told
from healthd.model import ActionKind, JobResult
from healthd.registry import ActionSpec

if TYPE_CHECKING:
    from healthd.ports import Units


async def run(units: Units, unit: str, deadline: float) -> JobResult:
    """Start the unit that does it, and finds out what that is."""
    return await units.start(unit, deadline=deadline)


ACTION = ActionSpec(kind=ActionKind.NETWORK_RESTART, disruptive=True, run=run, told=told)
