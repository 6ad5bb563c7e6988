"""Where the time of a heal goes, told by the bus's own monitor. It slows the bus: no figure is made of these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.measured import Series, series

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.stage import Stage

HITS: Final = 30

_STEPS: Final = (
    ("systemd has marked it failed", "down"),
    ("StartUnit on the bus", "StartUnit"),
    ("polkit is asked", "CheckAuthorization"),
    ("systemd has queued the job", "JobNew"),
    ("active", "active"),
    ("its job is over", "JobRemoved"),
)


def measure(stage: Stage, unit: str) -> list[Series]:
    """Milliseconds from the kill to each step."""
    record = "--unit=bench-monitor --property=StandardOutput=truncate:/run/monitor dbus-monitor --system --profile"
    stage.host.sh(f"systemd-run --quiet {record}; sleep 1")
    hits = stage.inside("hits", f"{unit}={HITS}")[unit]
    offset = float(stage.host.python("import time; print(time.time() - time.monotonic())"))
    stage.host.run(["systemctl", "stop", "bench-monitor.service"])
    told = [(at - offset, member) for at, member in _told(stage.host.read("/run/monitor").splitlines())]
    return [series(f"  {label}", "ms", values) for label, step in _STEPS if (values := _after(hits, told, step))]


def _told(lines: Iterable[str]) -> Iterable[tuple[float, str]]:
    """When which member was called or signalled; wall-clock seconds."""
    for line in lines:
        fields = line.split("\t")
        if fields[0] in ("mc", "sig"):
            yield float(fields[1]), fields[-1]


def _after(hits: list[dict[str, float]], told: list[tuple[float, str]], step: str) -> list[float]:
    if step in ("down", "active"):
        return [(hit[step] - hit["kill"]) * 1e3 for hit in hits]
    firsts = (next((at for at, member in told if member == step and at > hit["kill"]), None) for hit in hits)
    return [(at - hit["kill"]) * 1e3 for at, hit in zip(firsts, hits, strict=True) if at is not None]
