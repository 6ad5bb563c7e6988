"""From kill -STOP of a service to active again, healed by a probe every 0.5 s that waits for 0.5 s."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from bench.measured import Figure, Measured, series
from bench.stage import LIMITS_LIFTED

if TYPE_CHECKING:
    from bench.stage import Stage

HITS: Final = 25

_SERVER: Final = r"""
import os, socket, sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
    manager.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
while True:
    connection, _ = server.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
"""
_SERVICE: Final = """[Unit]
StartLimitIntervalSec=0
[Service]
Type=notify
ExecStart=/usr/bin/python3 /opt/server.py 8101
[Install]
WantedBy=multi-user.target
"""
_UNIT: Final = "bench-hung.service"
_PROBE: Final = f"""
[component.hung]
type = "http"
url = "http://127.0.0.1:8101/"
unit = "{_UNIT}"
interval_seconds = 0.5
timeout_seconds = 0.5
failures = 1
"""


def measure(stage: Stage) -> Measured:
    """Stop it again and again, at any point of the probe's interval."""
    stage.host.write("/opt/server.py", _SERVER)
    stage.unit(_UNIT, _SERVICE)
    stage.host.run(["systemctl", "start", _UNIT])
    stage.configure(LIMITS_LIFTED + _PROBE)
    time.sleep(3)  # for start-up to be over
    found = stage.inside("hits", "--hang", f"{_UNIT}={HITS}")
    healed = series("healthd, probe of 0.5 s", "s", [hit["active"] - hit["kill"] for hit in found[_UNIT]])
    return Measured(
        name="hung: kill -STOP until active again",
        series=(healed,),
        figures=(Figure(name="median", value=healed.median, unit="s", limit=1.3),),
    )
