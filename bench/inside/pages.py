"""Pages of metrics. Arguments: COUNT PAUSE PORT ...; prints {PORT: {"series": N, "ms": [...]}}.

Each port is asked COUNT times, PAUSE seconds apart, on a new connection, as Prometheus may; milliseconds from the
connect to the last byte.
"""

from __future__ import annotations

import json
import sys
import time
from http.client import HTTPConnection
from typing import Any


def _ask(port: str) -> tuple[int, float]:
    begun = time.perf_counter()
    connection = HTTPConnection("127.0.0.1", int(port), timeout=30)
    connection.request("GET", "/metrics")
    body = connection.getresponse().read()
    took = (time.perf_counter() - begun) * 1e3
    connection.close()
    return sum(not line.startswith(b"#") for line in body.splitlines()), took


def main() -> None:
    """Ask and print."""
    count, pause, ports = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    found: dict[str, Any] = {port: {"series": 0, "ms": []} for port in ports}
    for _ in range(count):
        for port in ports:
            found[port]["series"], took = _ask(port)
            found[port]["ms"].append(took)
        time.sleep(pause)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
