"""The component `kernel`: what the kernel complains of, by its log of this boot.

A fault is open until nothing of its kind came for ten minutes: the kernel says when something went wrong, and never
that it is well again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from healthd.assess.score import status_of, worst
from healthd.figures import FaultKind
from healthd.model import Assessment, Finding, IssueType, Item, Measure
from healthd.registry import CheckSpec, Ports
from healthd.soon import then

if TYPE_CHECKING:
    from healthd.config import Settings
    from healthd.figures import KernelFault
    from healthd.soon import Soon

_SCORES: Final = {
    FaultKind.OOM_KILL: 0.6,
    FaultKind.HUNG_TASK: 0.4,
    FaultKind.IO_ERROR: 0.3,
    FaultKind.FILE_SYSTEM: 0.2,
    FaultKind.MACHINE_CHECK: 0.3,
    FaultKind.LOCKUP: 0.3,
    FaultKind.KERNEL_BUG: 0.3,
}
"""An OOM kill is over when it is told of; the others mostly go on."""

_WELL: Final = "no complaints of the kernel in the last hour"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """After `quiet_seconds` without another one, a fault is over."""

    quiet_seconds: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The faults of the last hour. `at` in boot seconds."""

    at: float
    faults: tuple[KernelFault, ...]


def options(_settings: Settings, _name: str) -> Options:
    """Nothing is to be set."""
    return Options()


def sample(ports: Ports, _options: Options, _names: frozenset[str] | None) -> Soon[Reading]:
    """Ask the journal."""
    return then(ports.units.kernel_faults(), lambda faults: Reading(at=ports.clock.boot(), faults=faults))


def assess(reading: Reading, _before: Reading | None, options: Options) -> Assessment:
    """An item for each fault of the last hour, or one for the log itself where there is none; pure."""
    if not reading.faults:
        return Assessment(items=(Item(name="", status=status_of(1.0), score=1.0, message=_WELL),))
    ends = [fault.at + options.quiet_seconds for fault in reading.faults]
    items = [_item(fault, over=reading.at >= end) for fault, end in zip(reading.faults, ends, strict=True)]
    again = min((end for end in ends if end > reading.at), default=None)
    return Assessment(items=tuple(items), again_at=again)


def _item(fault: KernelFault, *, over: bool) -> Item:
    name = f"{fault.kind} {fault.subject}".strip()
    score = 1.0 if over else _SCORES[fault.kind]
    finding = Finding(type=IssueType.KERNEL_FAULT, message=fault.text, cause=str(fault.kind))
    more = f" ({fault.count} in the last hour)" if fault.count > 1 else ""
    return Item(
        name=name,
        status=status_of(score),
        score=score,
        message=f"quiet again; last: {fault.text}" if over else f"{fault.text}{more}",
        findings=() if over else (finding,),
        measures=(Measure(name="faults_per_hour", value=fault.count),),
    )


CHECK = CheckSpec(type="kernel", options=options, sample=sample, assess=assess, score=worst, noun="fault")
