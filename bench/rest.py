"""At rest: CPU, wake-ups and memory with 100 and with 1,000 units watched, node_exporter's memory beside it."""

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
_EXPORTER: Final = "prometheus-node-exporter.service"
_SCRAPE: Final = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9100/metrics').read()"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rest:
    """Of one number of units: CPU in per cent of a core, wake-ups a minute, PSS in KiB."""

    cpu: tuple[float, ...]
    wakes: tuple[float, ...]
    pss: float


def measure(stage: Stage) -> Measured:
    """First with few units, then with many."""
    few, exporter = _at_rest(stage, 0, FEW), _exporter_pss(stage)
    many = _at_rest(stage, FEW, MANY)
    rows = (
        series(f"CPU, {FEW} units", "% of a core", few.cpu),
        series(f"CPU, {MANY} units", "% of a core", many.cpu),
        series(f"wake-ups a minute, {FEW} units", "", few.wakes),
        series(f"wake-ups a minute, {MANY} units", "", many.wakes),
        series(f"PSS, {FEW} units", "KiB", [few.pss]),
        series(f"PSS, {MANY} units", "KiB", [many.pss]),
        series(f"PSS of node_exporter, {FEW} units, 10 scrapes", "KiB", [exporter]),
    )
    cpu, more_cpu, wakes, more_wakes = (row.median for row in rows[:4])
    return Measured(
        name="rest: nothing happens",
        series=rows,
        figures=(
            Figure(name=f"CPU, {FEW} units", value=cpu, unit="%", limit=0.02),
            Figure(name=f"wake-ups a minute, {FEW} units", value=wakes, unit="", limit=10),
            ratio(f"CPU, {MANY} / {FEW} units", more_cpu, cpu, 1.5),
            ratio(f"wake-ups, {MANY} / {FEW} units", more_wakes, wakes, 1.5),
            Figure(name=f"PSS, {FEW} units", value=few.pss / 1024, unit="MiB", limit=24),
            ratio("PSS, healthd / node_exporter", few.pss, exporter, 1.25),
            Figure(name="PSS for each further unit", value=(many.pss - few.pss) / (MANY - FEW), unit="KiB", limit=2),
        ),
    )


def _at_rest(stage: Stage, first: int, units: int) -> _Rest:
    """With instances from `first` added, so that there are `units` of them."""
    names = [_TEMPLATE.format(number) for number in range(first, units)]
    stage.unit(_TEMPLATE.format(""), _SERVICE, instances=names)
    stage.host.run(["systemctl", "start", *names], seconds=300)
    stage.host.run(["systemctl", "restart", "healthd.service"])
    stage.host.run(["healthctl", "status"], check=False)  # what is loaded for clients weighs as well
    time.sleep(QUIET_SECONDS)
    pid = stage.host.show("healthd.service", "MainPID")["MainPID"]
    cpu, wakes = [], []
    for _ in range(WINDOWS):
        before = _spent(stage, pid)
        time.sleep(WINDOW_SECONDS)
        after = _spent(stage, pid)
        cpu.append((after[0] - before[0]) / 1e6 / WINDOW_SECONDS * 100)
        wakes.append((after[1] - before[1]) / WINDOW_SECONDS * 60)
    return _Rest(cpu=tuple(cpu), wakes=tuple(wakes), pss=_pss(stage, pid))


def _spent(stage: Stage, pid: str) -> tuple[int, int]:
    """Microseconds of CPU, and switches to and from its threads, since it started."""
    group = stage.host.show("healthd.service", "ControlGroup")["ControlGroup"]
    usage = stage.host.read(f"/sys/fs/cgroup{group}/cpu.stat").split()[1]
    switches = stage.host.sh(f"cat /proc/{pid}/task/*/status | grep ctxt_switches")
    return int(usage), sum(int(line.split()[1]) for line in switches.splitlines())


def _pss(stage: Stage, pid: str) -> float:
    """KiB, read by a program that shares nothing with the measured one but the C library."""
    return float(stage.host.sh(f"grep ^Pss: /proc/{pid}/smaps_rollup").split()[1])


def _exporter_pss(stage: Stage) -> float:
    stage.host.run(["systemctl", "start", _EXPORTER])
    time.sleep(1)
    for _ in range(10):
        stage.host.python(_SCRAPE)
    pss = _pss(stage, stage.host.show(_EXPORTER, "MainPID")["MainPID"])
    stage.host.run(["systemctl", "stop", _EXPORTER])
    return pss
