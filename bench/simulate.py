"""`healthctl simulate` over a busy week: 60 services, 700 failures, a thousand actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.measured import Figure, Measured, series

if TYPE_CHECKING:
    from bench.stage import Stage

DAYS: Final = 7
FAILURES: Final = 700
RUNS: Final = 5
_FILE: Final = "/var/tmp/week.db"  # noqa: S108  # of a host of our own
_MB: Final = 1e6


def measure(stage: Stage) -> Measured:
    """As whole processes, interleaved: under the settings of the record, and under others."""
    found = stage.inside("week", _FILE, str(DAYS), str(FAILURES))
    asked = f"/usr/bin/healthctl simulate --history {_FILE} --since 2026-09-01 --json"
    labels = {
        asked: "the settings of the record",
        f"{asked} --set health.max_healing_attempts=5 --set auto_healing.host_budget_actions=4": "other limits",
    }
    took = stage.inside("time_program", str(RUNS), *labels)
    rows = [series(label, "s", [value / 1e3 for value in took[line]]) for line, label in labels.items()]
    return Measured(
        name=f"simulate: a week of 60 services, {FAILURES} failures, {found['actions']} actions",
        series=tuple(rows),
        figures=(
            *(Figure(name=f"median, {row.name}", value=row.median, unit="s", limit=10) for row in rows),
            Figure(name="tape a day", value=found["bytes"] / DAYS / _MB, unit="MB", limit=0.5),
            Figure(name="tape of a day without failures", value=found["quiet"] / _MB, unit="MB", limit=0.05),
        ),
        notes=(f"{found['frames']} frames, {found['bytes'] / FAILURES:.0f} bytes a failure",),
    )
