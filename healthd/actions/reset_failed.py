"""Forget that a unit failed, and how often it was started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.model import ActionKind, JobResult
from healthd.registry import ActionSpec

if TYPE_CHECKING:
    from healthd.ports import Units


async def run(units: Units, unit: str, deadline: float) -> JobResult:
    """Reset it; the unit is then inactive and its start counter is zero."""
    return await units.reset_failed(unit, deadline=deadline)


ACTION = ActionSpec(kind=ActionKind.RESET_FAILED, disruptive=False, run=run)
