"""A healthd for which more time has passed, or passes faster, than for its host: what takes hours is seen in moments.

Nothing else of it changes, nor of its host: what is slow to happen is slow to happen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.system.ward import Ward

_SCRIPT: Final = """
import sys, time
older, pace = map(float, sys.argv[1:])
kernels, walls, began = time.clock_gettime, time.time, time.clock_gettime(time.CLOCK_BOOTTIME)

def gained():
    return (pace - 1) * (kernels(time.CLOCK_BOOTTIME) - began)

time.clock_gettime = lambda clock: kernels(clock) + older + gained()
time.time = lambda: walls() + gained()
sys.argv[1:] = []
from healthd.__main__ import main
from healthd.pipeline import Pipeline
woken = Pipeline._woken
Pipeline._woken = lambda self, seconds: woken(self, seconds / pace)
sys.exit(main())
"""
"""Its pauses between two turns are as much shorter; limits of time go by the clock of the event loop, and stay."""

_UNIT: Final = """
[Service]
WatchdogSec=0
ExecStart=
ExecStart=/usr/bin/python3 /usr/local/lib/later.py {older} {pace}
ExecPaths=/usr/local/lib/later.py
"""
_DROP_IN: Final = "/run/systemd/system/healthd.service.d/later.conf"


def restart_later(ward: Ward, *, older: float = 0, pace: float = 1) -> None:
    """Restarts healthd in a time when the host has been up for `older` seconds more: so long ago is all that happened.

    From there on, `pace` seconds pass for it in one: so its intervals should be many times as long as usual.
    """
    cursor = ward.host.cursor()
    ward.host.write("/usr/local/lib/later.py", _SCRIPT)
    ward.host.write(_DROP_IN, _UNIT.format(older=older, pace=pace))
    ward.host.sh("systemctl daemon-reload; systemctl restart healthd.service", seconds=120)
    ward.await_event(cursor, "daemon_ready", seconds=60)
