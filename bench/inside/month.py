"""A month of history: how large it gets, how long commits and questions take. Arguments: FILE DAYS; prints JSON.

Prints {"series": how many, "sizes": [bytes of the empty file, and after each day], "commits": [ms],
"questions": {NAME: [ms]}}.
"""

from __future__ import annotations

import json
import math
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from healthd.answers import HistoryQuery, Note, Series
from healthd.record.database import Database
from healthd.record.lookup import look_up
from healthd.record.readings import Readings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthd.record.readings import Batch

START: Final = 1_760_000_400
DAY: Final = 86_400
INTERVAL: Final = 30
ROUNDS: Final = 2  # a commit, at that interval
ASKED: Final = 100
COMPONENTS: Final = (
    *("services", "network", "memory", "storage", "cpu", "pressure", "kernel", "processes"),
    *("clock", "temperature", "timers", "updates"),
)
SERIES: Final = (
    Series("", "", "score"),
    *(Series(component, "", "score") for component in COMPONENTS),
    *(Series(component, item, f"value_{n}") for component in COMPONENTS for item in ("", "a") for n in range(3)),
)


def main() -> None:
    """Let the days pass, then ask."""
    file, days = Path(sys.argv[1]), int(sys.argv[2])
    database = Database(file)
    database.load()
    sizes, commits = [file.stat().st_size], []
    for day in range(days):
        for batch in _batches(START + day * DAY):
            begin = time.perf_counter()
            database.keep(batch, 30.0)
            commits.append((time.perf_counter() - begin) * 1e3)
        database.sync()
        sizes.append(file.stat().st_size)
    end = START + days * DAY
    questions = {
        "all scores": HistoryQuery(since=end - days * DAY, until=end),
        "one component": HistoryQuery(since=end - days * DAY, until=end, component="storage"),
        "all scores, 1000 points": HistoryQuery(since=end - days * DAY, until=end, points=1000),
        "all scores of a day": HistoryQuery(since=end - DAY, until=end),
    }
    answers = _asked(file, questions)
    print(json.dumps({"series": len(SERIES), "sizes": sizes, "commits": commits, "questions": answers}))


def _batches(start: int) -> Iterator[Batch]:
    readings = Readings()
    for number, at in enumerate(range(start, start + DAY, INTERVAL)):
        readings.remember(at, {each: _value(at, place) for place, each in enumerate(SERIES)})
        if number % 100 == 0:
            readings.note(Note(at=at, event="component_changed", component="cpu", message="cpu is well again: 12 %"))
        if number % ROUNDS == ROUNDS - 1:
            yield readings.take()
            readings.written()


def _value(at: int, place: int) -> float:
    return 0.5 + 0.5 * math.sin(at / 997 + place)


def _asked(file: Path, questions: dict[str, HistoryQuery]) -> dict[str, list[float]]:
    """Each in turn, so that all of them meet the same moods of the machine."""
    nothing = Readings().look()
    found: dict[str, list[float]] = {name: [] for name in questions}
    for _ in range(ASKED):
        for name, query in questions.items():
            begin = time.perf_counter()
            look_up(file, query, nothing)
            found[name].append((time.perf_counter() - begin) * 1e3)
    return found


if __name__ == "__main__":
    main()
