"""Have a running unit read its configuration again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.model import ActionKind, JobResult
from healthd.registry import ActionSpec

if TYPE_CHECKING:
    from healthd.ports import Units


async def run(units: Units, unit: str, deadline: float) -> JobResult:
    """Reload it; systemd refuses for a unit that has no ExecReload=."""
    return await units.reload(unit, deadline=deadline)


ACTION = ActionSpec(kind=ActionKind.RELOAD_UNIT, disruptive=False, run=run)
