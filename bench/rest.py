"""At rest: CPU, wake-ups and memory with 100 and with 1,000 units watched, with the defaults.

These are every built-in component, healing, history, the record for `simulate` and the HTTP interface, a round every
30 s. A wake-up is a switch to a thread that had been waiting. Their bound is what Monit, as Debian ships it, takes in a
minute (61).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.measured import Figure, Measured, ratio, series

if TYPE_CHECKING:
    from bench.stage import Stage

FEW: Final = 100
MANY: Final = 1000
QUIET_SECONDS: Final = 120
"""How long nobody touches the host before anything is read: the start is over then."""
WINDOW_SECONDS: Final = 120
WINDOWS: Final = 2

_SERVICE: Final = "[Service]\nExecStart=/usr/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
_TEMPLATE: Final = "bench-rest@{}.service"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rest:
    """Of one number of units: CPU in per cent of a core, wake-ups a minute, PSS in KiB."""

    cpu: tuple[float, ...]
    wakes: tuple[float, ...]
    pss: float


def measure(stage: Stage) -> Measured:
    """First with few units, then with many."""
    few = _at_rest(stage, 0, FEW)
    many = _at_rest(stage, FEW, MANY)
    rows = (
        series(f"CPU, {FEW} units", "% of a core", few.cpu),
        series(f"CPU, {MANY} units", "% of a core", many.cpu),
        series(f"wake-ups a minute, {FEW} units", "", few.wakes),
        series(f"wake-ups a minute, {MANY} units", "", many.wakes),
        series(f"PSS, {FEW} units", "KiB", [few.pss]),
        series(f"PSS, {MANY} units", "KiB", [many.pss]),
    )
    cpu, more_cpu, wakes, more_wakes = (row.median for row in rows[:4])
    return Measured(
        name="rest: nothing happens, a round every 30 s",
        series=rows,
        figures=(
            Figure(name=f"CPU, {FEW} units", value=cpu, unit="%", limit=0.05),
            Figure(name=f"wake-ups a minute, {FEW} units", value=wakes, unit="", limit=60),
            ratio(f"CPU, {MANY} / {FEW} units", more_cpu, cpu, 1.5),
            ratio(f"wake-ups, {MANY} / {FEW} units", more_wakes, wakes, 1.5),
            Figure(name=f"PSS, {FEW} units", value=few.pss / 1024, unit="MiB", limit=27),
            Figure(name="PSS for each further unit", value=(many.pss - few.pss) / (MANY - FEW), unit="KiB", limit=2),
        ),
        notes=(
            "on: every built-in component, healing, history, the record for simulate, the HTTP interface",
            "not on: probes, receivers of alerts",
            "a wake-up is a switch to a thread that had waited; 60 a minute is what Monit takes",
        ),
    )


def _at_rest(stage: Stage, first: int, units: int) -> _Rest:
    """With instances from `first` added, so that there are `units` of them."""
    watched(stage, first, units)
    stage.host.run(["systemctl", "restart", "healthd.service"])
    stage.host.run(["healthctl", "status"], check=False)  # what is loaded for clients weighs as well
    time.sleep(QUIET_SECONDS)
    found = [cpu_and_wakes(stage, WINDOW_SECONDS) for _ in range(WINDOWS)]
    cpu, wakes = zip(*found, strict=True)
    return _Rest(cpu=cpu, wakes=wakes, pss=weight(stage, "healthd.service"))


def watched(stage: Stage, first: int, units: int) -> None:
    """Have instances from `first` on, so that there are `units` of them, enabled and running."""
    names = [_TEMPLATE.format(number) for number in range(first, units)]
    stage.unit(_TEMPLATE.format(""), _SERVICE, instances=names)
    stage.host.run(["systemctl", "start", *names], seconds=300)


def cpu_and_wakes(stage: Stage, seconds: float) -> tuple[float, float]:
    """Of the next seconds: healthd's CPU in per cent of a core, and its wake-ups a minute, all threads."""
    before = usage(stage), _switches(stage)
    time.sleep(seconds)
    after = usage(stage), _switches(stage)
    return (after[0] - before[0]) / seconds / 1e4, (after[1] - before[1]) / seconds * 60


def usage(stage: Stage, unit: str = "healthd.service") -> int:
    """Microseconds of CPU since the unit started."""
    group = stage.host.show(unit, "ControlGroup")["ControlGroup"]
    return int(stage.host.read(f"/sys/fs/cgroup{group}/cpu.stat").split()[1])


def weight(stage: Stage, unit: str) -> float:
    """KiB: see `bench.inside.weight`."""
    return float(stage.inside("weight", stage.host.show(unit, "MainPID")["MainPID"])["alone"])


def _switches(stage: Stage) -> int:
    """How often the threads that live now have waited for something. Where others took the processor does not count."""
    pid = stage.host.show("healthd.service", "MainPID")["MainPID"]
    switches = stage.host.sh(f"cat /proc/{pid}/task/*/status | grep ^voluntary_ctxt_switches")
    return sum(int(line.split()[1]) for line in switches.splitlines())
