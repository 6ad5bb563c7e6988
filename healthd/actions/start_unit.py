"""Start a unit that is down. It disturbs nothing that came back meanwhile, and no healthy dependent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.model import ActionKind, JobResult
from healthd.registry import ActionSpec

if TYPE_CHECKING:
    from healthd.model import UnitFacts
    from healthd.ports import Units


async def run(units: Units, unit: str, deadline: float) -> JobResult:
    """Start it; where systemd refuses because it was started too often, clear its counter and ask again.

    Who has a Restart= of its own is down because systemd gave up on it, so its counter is cleared at once. All others
    are simply started, which saves a way through polkit. A start that systemd refused leaves no new invocation; the
    result does not tell, since systemd keeps that of the last run.
    """
    before = units.facts().get(unit)
    if before is None or not _gave_up(before):
        result = await units.start(unit, deadline=deadline)
        after = units.facts().get(unit)
        if result.result != "failed" or before is None or after is None or after.invocation != before.invocation:
            return result
    await units.reset_failed(unit, deadline=deadline)
    return await units.start(unit, deadline=deadline)


def _gave_up(unit: UnitFacts) -> bool:
    """Whether systemd itself would not start it again."""
    restarts = unit.detail is not None and unit.detail.restart not in ("", "no")
    return unit.active == "failed" and (restarts or unit.result == "start-limit-hit")


ACTION = ActionSpec(kind=ActionKind.START_UNIT, disruptive=False, run=run)
