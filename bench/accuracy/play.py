"""Scenes played on a host: set up, made to happen, watched, judged by what healthd wrote to the journal."""

from __future__ import annotations

import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Semaphore
from typing import TYPE_CHECKING, Any, Final

from bench.accuracy.judge import MARK, Found, Judgement, judge
from bench.accuracy.programs import PROGRAMS
from bench.accuracy.scene import FIRST_PORT, Kind
from bench.accuracy.watch import Watch
from tools.throwaway import CommandFailed, Release, boot, boot_vm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from bench.accuracy.scene import Place, Scene
    from tools.throwaway import Machine

LIMITS_LIFTED: Final = """
[health]
check_interval_seconds = 1
max_healing_attempts = 3
[auto_healing]
backoff_seconds = 0.2
backoff_max_seconds = 1
settle_seconds = 0.5
verify_seconds = 15
host_budget_actions = 0
cascade_units = 0
"""
"""Scenes that share a host do not wait for one another."""

AROUND: Final = frozenset({"cpu", "memory", "pressure", "temperature"})
"""What a container shows of the machine around it, which may well be busy."""

_PRELUDE: Final = f"""
U={{name}}.service
now() {{ printf 'MESSAGE=it happens\\n{MARK}={{name}}\\n' | logger --journald; }}
pid() {{ systemctl show --property=MainPID --value "${{1:-$U}}"; }}
die() {{ victim=$(pid "${{2:-$U}}"); [ "$victim" != 0 ] && kill "-$1" "$victim"; }}
tell() {{ timeout 10 sh -c 'cat > /run/{{name}}.fifo'; }}
"""
"""What every script has: `now` marks the instant at which it happens, `die SIGNAL [UNIT]` hits a main process.

It never hits 0, which is the process group of the script: that of the bench itself, outside of the host.
"""

_SETTINGS: Final = "/etc/healthd/conf.d/60-scenes.toml"
_ATTEMPT_SECONDS: Final = 150.0
_WATCHED: Final = 32
_MADE: Final = 4
"""So many are watched at once, and so many made to happen in the same instant: a burst would be one more scene."""

_CLOSING: Final = 2.5
_CLEARED: Final = 60.0
_WRITE: Final = """
import os
for path, text in {files!r}.items():
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
"""
_DURATIONS: Final = """
import json, re, urllib.request
page = urllib.request.urlopen("http://127.0.0.1:9090/metrics").read().decode()
wanted = r'health_check_duration_seconds_(sum|count)[{]component="([^"]*)"[}] ([0-9.e+-]+)'
print(json.dumps(re.findall(wanted, page)))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What a host saw: the judgements, what was said of no scene, and how long checks took (seconds and how often)."""

    judgements: tuple[Judgement, ...]
    strays: tuple[str, ...]
    durations: Mapping[str, tuple[float, int]]


def play(
    place: Place,
    scenes: Sequence[Scene],
    *,
    release: Release,
    deb: Path,
    judged: Callable[[Judgement], None] = lambda _judgement: None,
) -> Played:
    """Play them on a fresh host of that sort. `judged` is told of each as soon as it is."""
    filled = [scene.filled(FIRST_PORT + number) for number, scene in enumerate(scenes)]
    with _booted(place, release, deb) as host:
        host.write("/etc/healthd/conf.d/50-accuracy.toml", LIMITS_LIFTED)
        _write(host, PROGRAMS)
        watch = Watch(host)
        judgements: list[Judgement] = []
        for group in [filled] if place.together else [[scene] for scene in filled]:
            found = _play_group(host, watch, place, group)
            judgements += found
            for each in found:
                judged(each)
        around = AROUND if place.kind is Kind.CONTAINER else frozenset[str]()
        return Played(
            judgements=tuple(judgements), strays=tuple(watch.strays(around=around)), durations=_durations(host)
        )


@contextmanager
def _booted(place: Place, release: Release, deb: Path) -> Iterator[Machine]:
    if place.kind is Kind.CONTAINER:
        with boot(release, deb=deb, extra=place.extra) as host:
            yield host
    else:
        with boot_vm(release, deb=deb, extra=place.extra) as machine:
            yield machine


def _play_group(host: Machine, watch: Watch, place: Place, scenes: Sequence[Scene]) -> list[Judgement]:
    watch.expect(scenes)
    _set_up(host, place, scenes)
    door = Semaphore(_MADE)
    with ThreadPoolExecutor(_WATCHED) as pool:
        failed = dict(pool.map(lambda scene: _make(host, watch, scene, door), scenes))
    host.run(["healthctl", "check"], check=False)
    time.sleep(_CLOSING)
    judgements = [_judged(watch, scene, failed[scene.name]) for scene in scenes]
    if not place.together:
        _clear(host, scenes)
    return judgements


def _set_up(host: Machine, place: Place, scenes: Sequence[Scene]) -> None:
    """Units first, then healthd's settings about them; so that nothing is judged before it is there."""
    files: dict[str, str] = {}
    for scene in scenes:
        files |= scene.files
        files |= {f"/etc/systemd/system/{name}": text for name, text in scene.units.items()}
    _write(host, files)
    for scene in scenes:
        if scene.before:
            host.sh(_script(scene, scene.before), seconds=_ATTEMPT_SECONDS)
    enabled = [
        name for scene in scenes for name, text in scene.units.items() if "[Install]" in text and "@." not in name
    ]
    host.run(["systemctl", "daemon-reload"])
    if enabled:
        host.run(["systemctl", "enable", "--quiet", *enabled])
    if started := [name for scene in scenes for name in scene.start]:
        host.run(["systemctl", "start", *started], seconds=_ATTEMPT_SECONDS)
    settings = "\n".join([place.settings, *(scene.settings for scene in scenes)])
    if host.run(["cat", _SETTINGS], check=False).stdout != settings:
        host.write(_SETTINGS, settings)
        host.run(["systemctl", "restart", "healthd.service"], seconds=_ATTEMPT_SECONDS)
    for _ in range(2):
        host.run(["healthctl", "check"], check=False)


def _make(host: Machine, watch: Watch, scene: Scene, door: Semaphore) -> tuple[str, str]:
    """Makes it happen and waits for what should be seen of it. Gives its name, and why it could not be made."""
    try:
        with door:
            host.run(["sh", "-euc", _script(scene, f"now\n{scene.make}")], seconds=_ATTEMPT_SECONDS)
    except (CommandFailed, subprocess.TimeoutExpired) as error:
        return scene.name, f"the scene could not be made: {error}"
    if scene.harmless:
        time.sleep(scene.watch)
    else:
        watch.until(lambda: judge(scene, watch.of(scene)).found is Found.RIGHT, seconds=scene.seconds)
    return scene.name, ""


def _judged(watch: Watch, scene: Scene, failed: str) -> Judgement:
    if failed:
        return Judgement(scene=scene, found=Found.MISSED, text=failed)
    return judge(scene, watch.of(scene))


def _clear(host: Machine, scenes: Sequence[Scene]) -> None:
    """Leaves the host as the next scene should find it."""
    for scene in scenes:
        if scene.unmake:
            host.run(["sh", "-uc", _script(scene, scene.unmake)], check=False, seconds=_ATTEMPT_SECONDS)
        if scene.units:
            host.run(["systemctl", "disable", "--now", "--quiet", *scene.units], check=False)
            host.run(["systemctl", "reset-failed", *scene.units], check=False)
    end = time.monotonic() + _CLEARED
    while _open(host, scenes) and time.monotonic() < end:
        host.run(["healthctl", "check"], check=False)
        time.sleep(0.5)


def _open(host: Machine, scenes: Sequence[Scene]) -> bool:
    answer = host.run(["healthctl", "issues", "--json"], check=False).stdout
    issues: list[dict[str, Any]] = json.loads(answer or "[]")
    return any(scene.has(issue["component"]) or scene.has(issue["item"] or "") for issue in issues for scene in scenes)


def _script(scene: Scene, text: str) -> str:
    return _PRELUDE.replace("{name}", scene.name) + text


def _write(host: Machine, files: Mapping[str, str]) -> None:
    host.python(_WRITE.format(files=dict(files)))


def _durations(host: Machine) -> dict[str, tuple[float, int]]:
    found: dict[str, dict[str, float]] = {}
    for what, component, number in json.loads(host.python(_DURATIONS)):
        found.setdefault(component, {})[what] = float(number)
    return {component: (each.get("sum", 0.0), int(each.get("count", 0))) for component, each in found.items()}
