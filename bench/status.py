"""`healthctl status` as a whole process, with a bare interpreter for scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.measured import Figure, Measured, series

if TYPE_CHECKING:
    from bench.stage import Stage

RUNS: Final = 30


def measure(stage: Stage) -> Measured:
    """Interleaved."""
    labels = {"/usr/bin/healthctl status": "healthctl status", "/usr/bin/python3 -I -c pass": "a bare python3"}
    found = stage.inside("time_program", str(RUNS), *labels)
    rows = [series(label, "ms", found[line]) for line, label in labels.items()]
    return Measured(
        name="status: healthctl status as a whole process",
        series=tuple(rows),
        figures=(Figure(name="median", value=rows[0].median, unit="ms", limit=150),),
    )
