"""Kills the main processes of many units at once. Arguments: UNIT ...

Prints {"back": how many came back, "seconds": from the first kill to the last unit active}.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time

from bench.inside.systemd import Systemd

_PATIENCE = 60.0
_SETTLE = 1.5  # seconds without a look at systemd: it has enough to do


def main() -> None:
    """Kill, wait, count."""
    units, systemd = sys.argv[1:], Systemd()
    pids = [systemd.main_pid(unit) for unit in units]
    time.sleep(1.0)
    start = time.monotonic()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    time.sleep(_SETTLE)
    back = []
    for unit in units:
        try:
            back.append(systemd.await_active(unit, after=start, deadline=start + _PATIENCE, every=0.2))
        except TimeoutError:
            continue
    print(json.dumps({"back": len(back), "seconds": max(back, default=start) - start}))


if __name__ == "__main__":
    main()
