"""How soon a person hears of an issue: from its opening to the receiver's socket. Argument: N; prints JSON.

A webhook of this program is told N times of a unit whose program does not exist, once with the delivery process stopped
before, and once with it running. Prints {"cold": [ms], "warm": [ms]}.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

PORT: Final = 5080
_DELIVER: Final = "healthd-deliver.service"
_SECONDS: Final = 30.0

_told: queue.Queue[tuple[float, dict[str, Any]]] = queue.Queue()


class _Webhook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Take a message."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        at = time.time()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        _told.put((at, json.loads(body)))

    def log_message(self, *_: object) -> None:
        """Say nothing: what is printed is the result."""


def main() -> None:
    """First the cold ones."""
    times = int(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", PORT), _Webhook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    cold = [_heard_of(f"bench-alert@{number}.service", stop=True) for number in range(times)]
    warm = [_heard_of(f"bench-alert@{number}.service", stop=False) for number in range(times, 2 * times)]
    print(json.dumps({"cold": cold, "warm": warm}))


def _heard_of(unit: str, *, stop: bool) -> float:
    if stop:
        _systemctl("stop", _DELIVER)
    time.sleep(2)  # for what the one before has left to do
    _systemctl("start", unit)
    deadline = time.monotonic() + _SECONDS
    while True:
        at, letter = _told.get(timeout=max(0.0, deadline - time.monotonic()))
        if letter["status"] == "firing" and letter["issues"][0]["unit"] == unit:
            return (at - float(letter["opened_at"])) * 1e3


def _systemctl(*words: str) -> None:
    subprocess.run(["systemctl", *words], check=False, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
