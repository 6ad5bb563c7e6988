"""`python3 -m bench.fleet [--hosts N] [SCENE ...]`: the engine over a fleet, every action held against the limits."""

from __future__ import annotations

import argparse
import sys
import time
from random import Random
from typing import TYPE_CHECKING, Final

from bench.fleet.host import PretendHost
from bench.fleet.observer import Exceeded, Observer, Sums
from bench.fleet.scenes import END, HOURS, SCENES, settings

if TYPE_CHECKING:
    from collections.abc import Sequence

HOSTS: Final = 10_000


def main(argv: Sequence[str] | None = None) -> int:
    """Run them, and print a table. A limit that is exceeded is the end, and names host and scene."""
    parser = argparse.ArgumentParser(prog="python3 -m bench.fleet", description=__doc__)
    parser.add_argument("--hosts", type=int, default=HOSTS)
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help=f"any of: {', '.join(SCENES)}")
    arguments = parser.parse_args(argv)
    began, found = time.perf_counter(), {}
    try:
        for name in arguments.scenes or SCENES:
            found[name] = fleet(name, arguments.hosts)
    except Exceeded as error:
        print(f"a limit was exceeded: {error}", file=sys.stderr)
        return 1
    took = time.perf_counter() - began
    hours = arguments.hosts * HOURS * len(found)
    print("\n".join(table(found)))
    print(f"\nNo limit was exceeded. {arguments.hosts} hosts, {HOURS} h each: {hours} host-hours in {took:.0f} s.")
    return 0


def fleet(name: str, hosts: int) -> Sums:
    """What a fleet does in a scene. Raises `Exceeded`."""
    configuration, sums = settings(), Sums()
    for number in range(hosts):
        observer = Observer(configuration, sums)
        scene = SCENES[name](Random(f"{name}/{number}"))  # noqa: S311  # the same fleet each time
        host = PretendHost(configuration, scene, seed=number, seen=observer.seen, told=observer.told)
        try:
            host.run(END)
        except Exceeded as error:
            raise Exceeded(f"{name}, host {number}, second {host.now:.1f}: {error}") from error
    return sums


def table(found: dict[str, Sums]) -> list[str]:
    """A column a scene."""
    rows = [["", *found], ["---"] * (len(found) + 1)]
    columns = list(found.values())
    rows += _parts("opened: ", [each.opened for each in columns])
    rows += _parts("done: ", [each.actions for each in columns])
    rows += _parts("", [each.outcomes for each in columns])
    rows += _parts("held: ", [each.holds for each in columns])
    rows.append(["gave up", *(str(each.gave_up) for each in columns)])
    rows.append(["most actions on a host in 10 min (limit 10)", *(str(each.busiest) for each in columns)])
    rows.append(
        ["second attempts in the busiest second", *(str(max(each.retries.values(), default=0)) for each in columns)]
    )
    rows += _parts("told: ", [each.told for each in columns])
    rows.append(["most messages about a host in two hours", *(str(each.most_messages) for each in columns)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |" for row in rows]


def _parts(prefix: str, counters: Sequence[dict[str, int]]) -> list[list[str]]:
    names = sorted({name for each in counters for name in each})
    return [[f"{prefix}{name}", *(str(each.get(name, 0)) for each in counters)] for name in names]


if __name__ == "__main__":
    sys.exit(main())
