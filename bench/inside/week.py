"""A busy week of a host with 60 services, on tape. Arguments: FILE DAYS FAILURES; prints JSON.

Prints {"frames", "actions", "failures", "bytes": what of the file is tape, "quiet": bytes of a day without failures}.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

from bench.fleet.host import WALL, PretendHost, Scene, unit
from healthd.answers import Series
from healthd.config import load_texts
from healthd.decide.happenings import Started
from healthd.record.database import Database
from healthd.record.readings import Readings
from healthd.record.tape import Tape

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthd.answers import Frame

DAY: Final = 86_400.0
_SETTINGS: Final = """
[auto_healing]
host_budget_actions = 10
[alerting]
alertmanager_url = "http://localhost:9093"
email_notifications = ["ops@example.org"]
"""
_NAMES: Final = tuple(f"service-{number:02}.service" for number in range(60))


def main() -> None:
    """Let the week pass, and one without failures."""
    file, days, failures = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    quiet = file.with_name(f"{file.name}.quiet")
    _record(quiet, _week(days, 0), days)
    found = _record(file, _week(days, failures), days)
    found |= {"failures": failures, "quiet": _size(quiet) / days, "bytes": _size(file)}
    print(json.dumps(found))


def _week(days: float, failures: int) -> Scene:
    """Most failures are mended by a start, some only by the second, and some units are hopeless for two hours."""
    random = Random(failures)  # noqa: S311  # the same week each time
    bad_until: dict[str, float] = dict.fromkeys(_NAMES, 0.0)
    scene = Scene(
        units=[unit(name, requires=_NAMES[:1] if place % 10 == 9 else ()) for place, name in enumerate(_NAMES)]
    )
    scene.starts = lambda name, now: now >= bad_until[name]
    plan = sorted((random.uniform(0, days * DAY), random.choice(_NAMES), random.random()) for _ in range(failures))
    for at, name, luck in plan:
        lasts = 0.0 if luck < 0.75 else 5.0 if luck < 0.9 else 7200.0
        scene.events.append((at, "breaks", _breaking(bad_until, name, at + lasts)))
        scene.events.append((at, "fails", name))
    return scene


def _breaking(bad_until: dict[str, float], name: str, until: float) -> Callable[[], None]:
    return lambda: bad_until.update({name: until})


def _record(file: Path, scene: Scene, days: float) -> dict[str, Any]:
    """The tape as the daemon writes it: what came in a minute together."""
    database, readings = Database(file), Readings()
    database.load()
    frames = actions = 0

    def keep(frame: Frame) -> None:
        nonlocal frames
        frames += 1
        newest = readings.look().frames
        if newest and frame.at - newest[0].at > 1.0:
            write()
        readings.tape(frame)

    def write() -> None:
        database.keep(readings.take(), 30.0)
        readings.written()

    def seen(_now: float, happening: object) -> None:
        nonlocal actions
        actions += isinstance(happening, Started)

    settings = load_texts({"week.toml": _SETTINGS})
    host = PretendHost(settings, scene, seed=1, seen=seen, tape=Tape(keep, boot_id="boot"))
    host.run(days * DAY)
    readings.remember(WALL + days * DAY, {Series("", "", "score"): 1.0})
    write()
    database.close()
    return {"frames": frames, "actions": actions}


def _size(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        (size,) = connection.execute("SELECT ifnull(sum(length(data) + 30), 0) FROM tape").fetchone()
    return int(size)


if __name__ == "__main__":
    main()
