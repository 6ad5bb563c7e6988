"""Kills main processes with SIGKILL and waits until their units are active again, by systemd's own stamp.

Arguments: [--hang] UNIT=COUNT ... With --hang they are stopped by SIGSTOP and not killed. The hits come in random order
and with random gaps, so that no phase of anybody's cycle is preferred. Prints {UNIT: [{"kill": s, "down": s, "active":
s}, ...]}, instants of CLOCK_MONOTONIC.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time

from bench.inside.systemd import Systemd

_PATIENCE = 20.0
_LOOK_AFTER = 0.06  # looking earlier would give systemd work in the very moment that is measured
_LOOK_EVERY = 0.03
_GAP = (0.3, 0.8)
_HANG_GAP = (1.5, 2.5)  # a unit that hangs again before its recovery was seen is given the whole time to recover


def main() -> None:
    """Hit all units as often as they are to be hit."""
    hang = sys.argv[1] == "--hang"
    counts = {unit: int(count) for unit, count in (each.rsplit("=", 1) for each in sys.argv[1 + hang :])}
    order = [unit for unit, count in counts.items() for _ in range(count)]
    random.Random(1).shuffle(order)  # noqa: S311  the same order each time
    systemd = Systemd()
    found: dict[str, list[dict[str, float]]] = {unit: [] for unit in counts}
    for unit in order:
        found[unit].append(_hit(systemd, unit, signal.SIGSTOP if hang else signal.SIGKILL))
    print(json.dumps(found))


def _hit(systemd: Systemd, unit: str, number: signal.Signals) -> dict[str, float]:
    pid = systemd.main_pid(unit)
    gap = _HANG_GAP if number is signal.SIGSTOP else _GAP
    time.sleep(random.uniform(*gap))  # noqa: S311
    kill = time.monotonic()
    os.kill(pid, number)
    time.sleep(_LOOK_AFTER)
    active = systemd.await_active(unit, after=kill, deadline=kill + _PATIENCE, every=_LOOK_EVERY)
    return {"kill": kill, "down": systemd.down_since(unit), "active": active}


if __name__ == "__main__":
    main()
