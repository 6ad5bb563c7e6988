"""The component `memory`: how much of it is used, and whether it runs out.

Used is what could not be had without swapping, not what fills caches. Swap is shown and not judged: full swap beside
memory to spare is no fault, and when memory is short too, that and the component `pressure` say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from healthd.assess.score import worst
from healthd.model import Assessment, IssueType, Item, Measure, Status
from healthd.registry import CheckSpec, Ports

if TYPE_CHECKING:
    from healthd.config import Settings
    from healthd.figures import Memory

_GIB: Final = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Limits of used memory. Those in GiB, where there are any, beat those in percent of all memory."""

    warning_percent: float = 85.0
    critical_percent: float = 95.0
    warning_gb: float | None = None
    critical_gb: float | None = None


def options(settings: Settings, _name: str) -> Options:
    """The limits of [thresholds]."""
    limits = settings.thresholds
    return Options(
        warning_percent=limits["memory_warning_percent"],
        critical_percent=limits["memory_critical_percent"],
        warning_gb=limits.get("memory_warning_gb"),
        critical_gb=limits.get("memory_critical_gb"),
    )


def sample(ports: Ports, _options: Options, _names: frozenset[str] | None) -> Memory:
    """Ask the kernel."""
    return ports.host.memory()


def assess(reading: Memory, before: Memory | None, options: Options) -> Assessment:
    """One item; pure."""
    percent = 100 * reading.used / reading.total
    used, total, available = (f"{each / _GIB:.1f}" for each in (reading.used, reading.total, reading.available))
    message = f"{used} of {total} GiB used ({percent:.0f} %), {available} GiB available"
    swap = 100 * reading.swap_used / reading.swap_total if reading.swap_total else None
    if swap is not None and round(swap):
        message += f"; {swap:.0f} % of swap used"
    measures = [*_used(reading, percent, options)]
    if swap is not None:
        measures.append(Measure(name="swap_used_percent", value=round(swap, 2)))
    if reading.oom_kills is not None and before is not None and before.oom_kills is not None:
        measures.append(Measure(name="oom_kills", value=max(0, reading.oom_kills - before.oom_kills)))
    item = Item(name="", status=Status.HEALTHY, score=1.0, message=message, measures=tuple(measures))
    return Assessment(items=(item,))


def _used(reading: Memory, percent: float, options: Options) -> tuple[Measure, Measure]:
    """Used memory in percent and in bytes, one of them with limits."""
    in_percent = Measure(name="used_percent", value=round(percent, 2), limit=100.0)
    in_bytes = Measure(name="used_bytes", value=reading.used, limit=reading.total)
    if options.warning_gb is None and options.critical_gb is None:
        warning, critical = options.warning_percent, options.critical_percent
        limit = critical if percent > critical else warning
        text = f"used memory is {percent:.0f} % (limit {limit:g} %)"
        return _limited(in_percent, warning, critical, text), in_bytes
    critical = _bytes(options.critical_gb, options.critical_percent, reading.total)
    warning = _bytes(options.warning_gb, options.warning_percent, reading.total)
    limit = critical if reading.used > critical else warning
    text = f"used memory is {reading.used / _GIB:.2f} GiB (limit {limit / _GIB:.2f} GiB)"
    return in_percent, _limited(in_bytes, warning, critical, text)


def _bytes(gigabytes: float | None, percent: float, total: int) -> float:
    return gigabytes * _GIB if gigabytes is not None else percent / 100 * total


def _limited(measure: Measure, warning: float, critical: float, text: str) -> Measure:
    # Of limits that come from different keys, the warning may be the higher one: it has no say then.
    return Measure(
        name=measure.name,
        value=measure.value,
        warning=min(warning, critical),
        critical=critical,
        limit=measure.limit,
        issue=IssueType.HIGH_MEMORY,
        text=text,
        forecast=True,
    )


CHECK = CheckSpec(type="memory", options=options, sample=sample, assess=assess, score=worst)
