"""One round of all built-in components, and what each of them takes of it: at once after each other, and 1 s apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.measured import Figure, Measured, Series, series

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.stage import Stage

HOT: Final = 500
COLD: Final = 120
UNITS: Final = 100

_KINDS: Final = (("1 s apart", "cold"), ("hot", "hot"))

_SERVICE: Final = "[Service]\nExecStart=/usr/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
_TEMPLATE: Final = "bench-round@{}.service"


def measure(stage: Stage) -> Measured:
    """With a hundred units watched, as on a host that does something. healthd itself is stopped meanwhile."""
    names = [_TEMPLATE.format(number) for number in range(UNITS)]
    stage.unit(_TEMPLATE.format(""), _SERVICE, instances=names)
    stage.host.run(["systemctl", "start", *names], seconds=300)
    stage.host.run(["systemctl", "stop", "healthd.service", "healthd.socket"])
    found = stage.inside("rounds", str(HOT), str(COLD))
    both = found["together"]
    cold, hot = (series(f"one round, {name}", "ms", both[kind]["wall"]) for name, kind in _KINDS)
    cpu = [series(f"processor time of a round, {name}", "ms", both[kind]["cpu"]) for name, kind in _KINDS]
    return Measured(
        name=f"round: one round of {len(found['cold'])} built-in components",
        series=(cold, *_each(found["cold"]), hot, *_each(found["hot"]), *cpu, *_each(found["rare"])),
        figures=(
            Figure(name="median, 1 s apart", value=cold.median, unit="ms", limit=5),
            Figure(name="p99, 1 s apart", value=cold.percentile(99), unit="ms", limit=10),
            Figure(name="median, hot", value=hot.median, unit="ms", limit=5),
            Figure(name="p99, hot", value=hot.percentile(99), unit="ms", limit=10),
        ),
    )


def _each(times: Mapping[str, Sequence[float]]) -> list[Series]:
    rows = [series(f"  {name}", "ms", values) for name, values in times.items()]
    return sorted(rows, key=lambda row: -row.median)
