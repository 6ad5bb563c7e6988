"""Components of type `unit`: memory, processor time, tasks and automatic restarts of one unit against limits.

Whether it runs is the business of `services`. Its memory is foretold: a leak is seen before the kernel ends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from healthd.assess.score import status_of, worst
from healthd.errors import ReadError
from healthd.figures import GroupUsage
from healthd.model import Assessment, IssueType, Item, Measure
from healthd.registry import CheckSpec, Ports

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from healthd.config import Settings

RESTARTS_SECONDS: Final = 3600.0
"""Restarts by systemd itself count for so long."""

_MIB, _GIB = 2.0**20, 2.0**30
_SECOND: Final = 1.0
"""Seconds until a second look shows how much processor time it takes."""

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The unit, its limits by the keys of the configuration, and whether a leak alone is an issue."""

    unit: str
    limits: Mapping[str, float]
    act_on_leak: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the unit uses at this instant (boot seconds), and in which of its runs."""

    at: float
    invocation: str
    usage: GroupUsage
    restarts: int


def options(settings: Settings, name: str) -> Options:
    """The component's own table."""
    component = settings.component.get(name)
    return Options(
        unit=(component.unit if component is not None else None) or "",
        limits=component.options if component is not None else _NOTHING,
        act_on_leak=settings.auto_healing.restart_on_leak,
    )


async def sample(ports: Ports, options: Options, _names: frozenset[str] | None) -> Reading:
    """Ask systemd where the unit's control group is, and the kernel what it uses."""
    unit = ports.units.facts().get(options.unit)
    if unit is None:
        raise ReadError(f"systemd has no unit {options.unit} loaded")
    path = await ports.units.control_group(options.unit)
    if not path:
        raise ReadError(f"{options.unit} has no processes")
    at = ports.clock.boot()
    return Reading(
        at=at,
        invocation=unit.invocation,
        usage=ports.host.group_usage(path),
        restarts=sum(at - instant < RESTARTS_SECONDS for instant in unit.auto_restarts),
    )


def assess(reading: Reading, before: Reading | None, options: Options) -> Assessment:
    """One item with what could be read; what a limit asks for and cannot be had is said."""
    cpu = _cpu_percent(reading, before)
    measures = tuple(_measures(reading, cpu, options))
    missing = _missing(reading.usage, options.limits)
    if not measures or (missing and all(measure.warning is None and measure.critical is None for measure in measures)):
        return Assessment(usable=False, reason=f"not to be had on this host: {', '.join(missing) or 'any figure'}")
    message = "; ".join([_words(reading, cpu), *(f"{what} not to be had on this host" for what in missing)])
    item = Item(name="", status=status_of(1.0), score=1.0, message=message, measures=measures, unit=options.unit)
    again_at = reading.at + _SECOND if cpu is None and reading.usage.cpu_seconds is not None else None
    return Assessment(items=(item,), again_at=again_at)


def _cpu_percent(reading: Reading, before: Reading | None) -> float | None:
    """Percent of one core since the last look, within the same run of the unit."""
    if before is None or before.invocation != reading.invocation or reading.at <= before.at:
        return None
    now, then = reading.usage.cpu_seconds, before.usage.cpu_seconds
    if now is None or then is None or now < then:
        return None
    return 100.0 * (now - then) / (reading.at - before.at)


def _measures(reading: Reading, cpu: float | None, options: Options) -> Iterator[Measure]:
    usage, limits = reading.usage, options.limits
    if usage.memory is not None:
        yield _memory(usage.memory, usage.memory_max, options)
    if cpu is not None:
        warning, critical = limits.get("cpu_warning_percent"), limits.get("cpu_critical_percent")
        text = f"uses {cpu:.0f} % of a core (limit {_limit(cpu, warning, critical):g} %)"
        yield _measure("cpu_percent", cpu, warning, critical, IssueType.HIGH_CPU, text)
    if usage.tasks is not None:
        warning, critical = _ordered(*(_tasks(limits, level, usage.tasks_max) for level in ("warning", "critical")))
        text = f"has {usage.tasks} tasks (limit {_limit(usage.tasks, warning, critical):g})"
        yield _measure("tasks", usage.tasks, warning, critical, IssueType.PRESSURE, text)
    warning, critical = limits.get("restarts_warning"), limits.get("restarts_critical")
    text = f"systemd restarted it {reading.restarts} times in the last hour"
    yield _measure("restarts", reading.restarts, warning, critical, IssueType.CRASH_LOOP, text)


def _memory(used: int, most: int | None, options: Options) -> Measure:
    """Memory is foretold towards its critical limit or, without one, towards MemoryMax=, where the kernel ends it."""
    warning, critical = _ordered(*(_bytes(options.limits, level, most) for level in ("warning", "critical")))
    end = critical
    if end is None and most is not None and (warning is None or warning < most):
        end = float(most)
    return Measure(
        name="memory_bytes",
        value=float(used),
        warning=warning,
        critical=end,
        limit=None if most is None or any(each > most for each in (warning, end) if each is not None) else float(most),
        issue=IssueType.HIGH_MEMORY,
        text=f"uses {_size(used)} of memory (limit {_size(_limit(used, warning, critical))})",
        forecast=True,
        act_on_forecast=options.act_on_leak,
    )


def _measure(  # noqa: PLR0917
    name: str, value: float, warning: float | None, critical: float | None, issue: IssueType, text: str
) -> Measure:
    limited = warning is not None or critical is not None
    return Measure(
        name=name,
        value=float(value),
        warning=warning,
        critical=critical,
        issue=issue if limited else None,
        text=text if limited else "",
    )


def _ordered(warning: float | None, critical: float | None) -> tuple[float | None, float | None]:
    """The limits with no warning beyond the critical one, as it may be where they are said in different units."""
    if warning is not None and critical is not None:
        warning = min(warning, critical)
    return warning, critical


def _bytes(limits: Mapping[str, float], level: str, most: int | None) -> float | None:
    """A limit of memory in bytes: what is said in GiB or MiB beats what is said in percent of MemoryMax=."""
    for unit, size in (("gb", _GIB), ("mb", _MIB)):
        if (said := limits.get(f"memory_{level}_{unit}")) is not None:
            return said * size
    percent = limits.get(f"memory_{level}_percent")
    return None if percent is None or most is None else percent / 100 * most


def _tasks(limits: Mapping[str, float], level: str, most: int | None) -> float | None:
    if (said := limits.get(f"tasks_{level}")) is not None:
        return float(said)
    percent = limits.get(f"tasks_{level}_percent")
    return None if percent is None or most is None else percent / 100 * most


def _missing(usage: GroupUsage, limits: Mapping[str, float]) -> Sequence[str]:
    """What the limits ask for and neither the kernel nor the unit has."""

    def asked(what: str, end: str = "") -> bool:
        return any(key.startswith(what) and key.endswith(end) for key in limits)

    lacking = {
        "memory": asked("memory_") and usage.memory is None,
        "processor time": asked("cpu_") and usage.cpu_seconds is None,
        "tasks": asked("tasks_") and usage.tasks is None,
        "MemoryMax=": asked("memory_", "percent") and usage.memory is not None and usage.memory_max is None,
        "TasksMax=": asked("tasks_", "percent") and usage.tasks is not None and usage.tasks_max is None,
    }
    return [what for what, lacks in lacking.items() if lacks]


def _limit(value: float, warning: float | None, critical: float | None) -> float:
    """The limit that is spoken of: the highest that was passed, else the first one."""
    if critical is not None and (value > critical or warning is None):
        return critical
    return warning if warning is not None else 0.0


def _words(reading: Reading, cpu: float | None) -> str:
    usage = reading.usage
    said = []
    if usage.memory is not None:
        said.append(f"{_size(usage.memory)} of memory")
    if cpu is not None:
        said.append(f"{cpu:.0f} % of a core")
    if usage.tasks is not None:
        said.append("1 task" if usage.tasks == 1 else f"{usage.tasks} tasks")
    return ", ".join(said) or "running"


def _size(size: float) -> str:
    return f"{size / _GIB:.1f} GiB" if size >= _GIB else f"{size / _MIB:.1f} MiB"


CHECK = CheckSpec(type="unit", options=options, sample=sample, assess=assess, score=worst, asks_unit=True)
