"""`python3 -m bench [--release R] [--deb FILE] [--json FILE] [NAME ...]`; needs root."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench import (
    alerts,
    capacity,
    heal,
    history,
    hung,
    load,
    often,
    probes,
    rest,
    scrape,
    simulate,
    size,
    start,
    status,
    storm,
)
from bench import round as one_round
from bench.stage import Stage, stage
from bench.table import as_json, show
from tools.throwaway import Release
from tools.throwaway.errors import ThrowawayError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.measured import Measured

BENCHES: dict[str, Callable[[Stage], Measured]] = {
    "start": start.measure,
    "status": status.measure,
    "heal": heal.measure,
    "hung": hung.measure,
    "storm": storm.measure,
    "rest": rest.measure,
    "history": history.measure,
    "round": one_round.measure,
    "often": often.measure,
    "size": size.measure,
    "scrape": scrape.measure,
    "load": load.measure,
    "alerts": alerts.measure,
    "probes": probes.measure,
    "capacity": capacity.measure,
    "simulate": simulate.measure,
}


def main() -> int:
    """Run them, each on a host of its own, and print what they found. A missed target is no failure of the program."""
    arguments = _parser().parse_args()
    if os.geteuid() != 0:
        print("bench: needs root to boot hosts; try again with sudo", file=sys.stderr)
        return 1
    results = []
    try:
        for name in arguments.names or BENCHES:
            with stage(arguments.release, arguments.deb or _newest()) as place:
                results.append(BENCHES[name](place))
            print(show(results[-1]), flush=True)
    except ThrowawayError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    if arguments.json:
        arguments.json.write_text(as_json(results))
    missed = sum(not figure.met for result in results for figure in result.figures)
    print(f"{missed} missed" if missed else "all targets met")
    return 0


def _newest() -> Path:
    built = sorted(Path("dist").glob("healthd_*.deb"), key=lambda path: path.stat().st_mtime)
    if not built:
        raise ThrowawayError("there is no package in dist (make one with: make deb)")
    return built[-1]


def _known(name: str) -> str:
    if name not in BENCHES:
        raise argparse.ArgumentTypeError(f"{name}: there are {', '.join(BENCHES)}")
    return name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m bench", description="Measure healthd beside its peers.")
    known = ", ".join(BENCHES)
    parser.add_argument("names", nargs="*", type=_known, metavar="NAME", help=f"any of: {known}")
    parser.add_argument("--release", type=Release, choices=list(Release), default=Release.BOOKWORM)
    default = os.environ.get("HEALTHD_DEB")
    parser.add_argument("--deb", type=Path, metavar="FILE", default=Path(default) if default else None)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every measured value to FILE")
    return parser


if __name__ == "__main__":
    sys.exit(main())
