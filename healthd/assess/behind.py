"""The unit behind a component: what of a probe's reading counts while that unit is down, starting or just started."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from healthd.model import Assessment, Finding, IssueType, Item, Status

if TYPE_CHECKING:
    from healthd.model import UnitFacts

UNIT_DOWN: Final = "unit_down"
"""The cause of a finding that says of the unit behind a component that it is down; nobody was asked."""


def instead_of_asking(unit: UnitFacts | None, name: str) -> Assessment | None:
    """What holds for a component whose unit does not run, so that there is nobody to ask. None: ask.

    A unit that systemd has not loaded is not on this host, and one that nothing ever started is not in use (another
    version of the same service is, or a condition of it is not met): the component is left out until it is. `name` is
    the unit's.
    """
    if unit is None or unit.load == "not-found":
        return Assessment(usable=False, absent=True, reason=f"systemd has no unit {name} loaded")
    if unit.running:
        return None
    if unit.stopped_by_job or unit.load == "masked":
        return _one(Status.HEALTHY, 1.0, f"{name} was stopped on purpose", name, stopped=True)
    if unit.active not in ("failed", "inactive") or unit.job:
        return _one(Status.UNKNOWN, 1.0, f"{name} is {unit.active} ({unit.sub})", name, settled=False)
    if unit.active == "inactive" and unit.code == 0 and not unit.dependency_failed:
        return Assessment(usable=False, absent=True, reason=f"{name} has not been started since the boot")
    message = f"{name} is down"
    finding = Finding(type=IssueType.PROBE_FAILED, message=message, unit=name, cause=UNIT_DOWN)
    return _one(Status.UNHEALTHY, 0.0, message, name, finding)


def belonging(assessment: Assessment, unit: UnitFacts | None, name: str, *, grace: float, at: float) -> Assessment:
    """The assessment with the unit in it. What is bad within `grace` seconds of the unit's start is not judged yet."""
    fresh = unit is not None and at < unit.active_since + grace
    return replace(assessment, items=tuple(_belonging(item, name, fresh=fresh) for item in assessment.items))


def _belonging(item: Item, name: str, *, fresh: bool) -> Item:
    bad = bool(item.findings) or item.status in (Status.DEGRADED, Status.UNHEALTHY)
    message = f"{item.message} (within its grace_seconds)" if bad and fresh else item.message
    findings = tuple(replace(finding, unit=name) for finding in item.findings)
    settled = item.settled and not (bad and fresh)
    return replace(item, unit=name, message=message, findings=findings, settled=settled)


def _one(
    status: Status,
    score: float,
    message: str,
    unit: str,
    *findings: Finding,
    settled: bool = True,
    stopped: bool = False,
) -> Assessment:
    item = Item(
        name="",
        status=status,
        score=score,
        message=message,
        findings=findings,
        settled=settled,
        stopped=stopped,
        unit=unit,
    )
    return Assessment(items=(item,))
