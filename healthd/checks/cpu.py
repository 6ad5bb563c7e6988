"""The component `cpu`: how busy the processors are, what is taken from them, and how long the queue before them is.

A processor that is busy does what it is there for: a host that computes all night is at worst degraded for it. What is
bad is time that the machine around this one takes away, and a queue that does not end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from healthd.assess.score import worst
from healthd.model import Assessment, IssueType, Item, Measure, Status
from healthd.registry import CheckSpec, Ports

if TYPE_CHECKING:
    from healthd.config import Settings
    from healthd.figures import Cpu

BOOT_SECONDS: Final = 300.0
"""So long after boot the load average, which looks back as far, says how the boot went."""

SECOND_LOOK: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Limits: percent of the time of all processors, and the load average over five minutes for each of them."""

    busy_warning_percent: float = 95.0
    steal_warning_percent: float = 20.0
    steal_critical_percent: float = 50.0
    load_warning: float = 4.0
    load_critical: float = 16.0


def options(_settings: Settings, _name: str) -> Options:
    """The limits are fixed."""
    return Options()


def sample(ports: Ports, _options: Options, _names: frozenset[str] | None) -> Cpu:
    """Ask the kernel."""
    return ports.host.cpu()


def assess(reading: Cpu, before: Cpu | None, options: Options) -> Assessment:
    """One item, of the time since the reading before; pure."""
    if before is None or reading.all <= before.all:
        return Assessment(usable=False, reason="measured between two readings", again_at=reading.at + SECOND_LOOK)
    spent = reading.all - before.all
    busy, waiting, stolen = (
        round(100 * max(0.0, now - then) / spent, 2)
        for now, then in (
            (reading.busy, before.busy),
            (reading.waiting, before.waiting),
            (reading.stolen, before.stolen),
        )
    )
    load = round(reading.load / reading.cpus, 3)
    message = f"{busy:.0f} % of {reading.cpus} CPU{'s' if reading.cpus > 1 else ''} busy, load {load:.2f} a CPU"
    if round(stolen):
        message += f", {stolen:.0f} % stolen"
    measures = (
        _busy(busy, options),
        _stolen(stolen, options),
        Measure(name="iowait_percent", value=waiting),
        _load(load, options, judged=reading.booted_for >= BOOT_SECONDS),
    )
    return Assessment(items=(Item(name="", status=Status.HEALTHY, score=1.0, message=message, measures=measures),))


def _busy(value: float, options: Options) -> Measure:
    limit = options.busy_warning_percent
    return Measure(
        name="busy_percent",
        value=value,
        warning=limit,
        limit=100.0,
        issue=IssueType.HIGH_CPU,
        text=f"the processors are {value:.0f} % busy (limit {limit:g} %)",
    )


def _stolen(value: float, options: Options) -> Measure:
    warning, critical = options.steal_warning_percent, options.steal_critical_percent
    limit = critical if value > critical else warning
    return Measure(
        name="steal_percent",
        value=value,
        warning=warning,
        critical=critical,
        limit=100.0,
        issue=IssueType.HIGH_CPU,
        text=f"the machine around this one takes {value:.0f} % of the processors' time (limit {limit:g} %)",
    )


def _load(value: float, options: Options, *, judged: bool) -> Measure:
    if not judged:
        return Measure(name="load_per_cpu", value=value)
    warning, critical = options.load_warning, options.load_critical
    limit = critical if value > critical else warning
    return Measure(
        name="load_per_cpu",
        value=value,
        warning=warning,
        critical=critical,
        issue=IssueType.HIGH_CPU,
        text=f"the load average is {value:.1f} a processor (limit {limit:g})",
    )


CHECK = CheckSpec(type="cpu", options=options, sample=sample, assess=assess, score=worst)
