"""`python3 -m bench.accuracy [--release R] [--deb FILE] [--page FILE] [PATTERN ...]`; needs root."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.accuracy import report
from bench.accuracy.judge import Found, Judgement
from bench.accuracy.play import Played, play
from bench.accuracy.scenes import SCENES
from tools.throwaway import Release
from tools.throwaway.errors import ThrowawayError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.accuracy.scene import Place, Scene

_ON_A_HOST: Final = 50
_BEGIN, _END = "<!-- the table -->", "<!-- its end -->"


def main() -> int:
    """Plays them, prints the table, and gives 1 if healthd was not right as often as is demanded."""
    arguments = _parser().parse_args()
    if os.geteuid() != 0:
        print("bench: needs root to boot hosts; try again with sudo", file=sys.stderr)
        return 1
    scenes = [each for each in SCENES if any(fnmatchcase(each.name, one) for one in arguments.names or ["*"])]
    try:
        played = _play_all(scenes, arguments.release, arguments.deb or _newest())
    except ThrowawayError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    table = report.rows(played)
    print(report.plain(table))
    if arguments.page:
        _put(arguments.page, report.markdown(table))
    met = report.met(played)
    print("the demand is met" if met else f"under the demand: {report.DEMANDED:.1%} right, nothing done in vain")
    return 0 if met else 1


def _play_all(scenes: Sequence[Scene], release: Release, deb: Path) -> list[Played]:
    """Three hosts at a time, and beside them each place where one scene comes after the other, which takes long."""
    lanes: dict[str, list[tuple[Place, Sequence[Scene]]]] = {}
    for number, (place, some) in enumerate(_groups(scenes)):
        lanes.setdefault(f"{number % 3}" if place.together else place.name, []).append((place, some))

    def one_by_one(groups: Sequence[tuple[Place, Sequence[Scene]]]) -> list[Played]:
        return [_play(place, some, release, deb) for place, some in groups]

    with ThreadPoolExecutor(len(lanes)) as pool:
        return [each for part in pool.map(one_by_one, lanes.values()) for each in part]


def _groups(scenes: Sequence[Scene]) -> Iterator[tuple[Place, Sequence[Scene]]]:
    for place in dict.fromkeys(scene.place for scene in scenes):
        there = [scene for scene in scenes if scene.place == place]
        for first in range(0, len(there), _ON_A_HOST):
            yield place, there[first : first + _ON_A_HOST]


def _play(place: Place, scenes: Sequence[Scene], release: Release, deb: Path) -> Played:
    try:
        played = play(place, scenes, release=release, deb=deb, judged=_say)
    except (ThrowawayError, subprocess.TimeoutExpired) as error:
        lost = [Judgement(scene=scene, found=Found.MISSED, text=f"its host failed: {error}") for scene in scenes]
        played = Played(judgements=tuple(lost), strays=(), durations={})
        print(f"  {error}", flush=True)
    right = sum(each.found is Found.RIGHT for each in played.judgements)
    print(f"{place.name}: {right} of {len(scenes)} right", flush=True)
    for stray in played.strays:
        print(f"  of no scene: {stray}", flush=True)
    return played


def _say(judgement: Judgement) -> None:
    if judgement.found is not Found.RIGHT:
        print(f"  {judgement.scene.name}: {judgement.found}: {judgement.text}", flush=True)
    elif not judgement.scene.place.together:
        print(f"  {judgement.scene.name}: right", flush=True)


def _put(page: Path, table: str) -> None:
    before, _, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    page.write_text(f"{before}{_BEGIN}\n\n{table}\n\n{_END}{after}", encoding="utf-8")


def _newest() -> Path:
    built = sorted(Path("dist").glob("healthd_*.deb"), key=lambda path: path.stat().st_mtime)
    if not built:
        raise ThrowawayError("there is no package in dist (make one with: make deb)")
    return built[-1]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m bench.accuracy", description="Measure how often healthd is right."
    )
    parser.add_argument("names", nargs="*", metavar="PATTERN", help="only scenes whose names are like this")
    parser.add_argument("--release", type=Release, choices=list(Release), default=Release.BOOKWORM)
    default = os.environ.get("HEALTHD_DEB")
    parser.add_argument("--deb", type=Path, metavar="FILE", default=Path(default) if default else None)
    parser.add_argument(
        "--page", type=Path, metavar="FILE", help="also put the table into this page, between its marks"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
