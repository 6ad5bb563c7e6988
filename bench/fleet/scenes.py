"""What befalls a whole fleet: a bad release, a network split, a full disk everywhere, and what breaks every day."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from bench.fleet.host import Scene, unit
from healthd.config import load_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from healthd.config import Settings

HOURS: Final = 2
END: Final = HOURS * 3600.0

_APP, _WORKER, _API, _DATABASE = "app.service", "worker.service", "api.service", "database.service"
_OTHERS: Final = tuple(f"other-{number}.service" for number in range(4))
_CONFIGURATION: Final = f"""
[component.probe-{_API.removesuffix(".service")}]
type = "tcp"
address = "127.0.0.1:8000"
unit = "{_API}"
[alerting]
email_notifications = ["ops@example.org"]
"""


def settings() -> Settings:
    """The defaults, a probe, and somebody who is told."""
    return load_texts({"fleet.toml": _CONFIGURATION})


def _host() -> Scene:
    units = [unit(_DATABASE), unit(_APP, requires=(_DATABASE,)), unit(_WORKER, requires=(_APP,)), unit(_API)]
    return Scene(units=[*units, *map(unit, _OTHERS)], probed=(_API,))


def bad_release(random: Random) -> Scene:
    """Within ten minutes every host gets a release of the app that ends at once; after an hour it is taken back."""
    scene, comes, goes = _host(), random.uniform(60, 660), random.uniform(3600, 3900)
    scene.starts = lambda name, now: name not in (_APP, _WORKER) or not comes <= now < goes
    scene.events = [(comes, "fails", (_APP, _WORKER))]
    return scene


def network_split(random: Random) -> Scene:
    """For twenty minutes half of the hosts do not reach the rest: probes fail, and what needs the network ends."""
    scene, cut = _host(), random.random() < 0.5
    begins, ends = 600.0 + random.random(), 1800.0 + random.random()
    if not cut:
        return scene
    scene.starts = lambda name, now: name != _WORKER or not begins <= now < ends
    scene.answers = lambda _name, now: not begins <= now < ends
    scene.events = [(begins, "fails", _WORKER), (ends, "probe", None)]
    return scene


def full_disk(random: Random) -> Scene:
    """Within a minute the disks of all hosts are full, and what writes ends. On a third there is something to clean."""
    scene, full, cleanable = _host(), random.uniform(60, 120), random.random() < 0.34
    emptied = random.uniform(1800, 3600)  # by somebody
    room = [full, emptied]

    def cleans(now: float) -> bool:
        if cleanable:
            room[1] = min(room[1], now)
        return cleanable or now >= emptied

    scene.cleans = cleans
    scene.starts = lambda _name, now: not room[0] <= now < room[1]
    down = (_DATABASE, _APP, _WORKER, *_OTHERS)
    scene.events = [(full, "disk", True), *((full + random.uniform(0, 8), "fails", name) for name in down)]
    scene.events.append((emptied, "disk", False))
    return scene


def every_day(random: Random) -> Scene:
    """What always breaks somewhere: a unit on every third host is killed, and some units fail again and again."""
    scene = _host()
    names = [each.name for each in scene.units]
    hopeless = random.choice(_OTHERS) if random.random() < 0.05 else ""
    scene.starts = lambda name, _now: name != hopeless
    if random.random() < 0.34:
        scene.events.append((random.uniform(0, END), "fails", random.choice(names)))
    if hopeless:
        scene.events.append((random.uniform(0, END / 2), "fails", hopeless))
    return scene


SCENES: Final[Mapping[str, Callable[[Random], Scene]]] = {
    "a bad release": bad_release,
    "a network split": network_split,
    "a full disk everywhere": full_disk,
    "every day": every_day,
}
