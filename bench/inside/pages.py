"""Pages of metrics. Arguments: COUNT PAUSE PORT ...; prints {PORT: {"series": N, "ms": [...]}}.

Each port is asked COUNT times, every PAUSE seconds, with what Prometheus sends, on a connection that stays as long as
the server lets it; milliseconds from the request to the last byte.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from http.client import HTTPConnection
from typing import Any, Final

_HEADERS: Final = {
    "User-Agent": "Prometheus/2.42.0",
    "Accept": "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "Accept-Encoding": "gzip",
    "X-Prometheus-Scrape-Timeout-Seconds": "10",
}


def _ask(connection: HTTPConnection) -> tuple[int, float]:
    """The number of series, and how long it took."""
    begun = time.perf_counter()
    connection.request("GET", "/metrics", headers=_HEADERS)
    answer = connection.getresponse()
    body = answer.read()
    took = (time.perf_counter() - begun) * 1e3
    if answer.getheader("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    return sum(not line.startswith(b"#") for line in body.splitlines()), took


def main() -> None:
    """Ask and print."""
    count, pause, ports = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    found: dict[str, Any] = {port: {"series": 0, "ms": []} for port in ports}
    connections = {port: HTTPConnection("127.0.0.1", int(port), timeout=30) for port in ports}
    begun = time.monotonic()
    for number in range(1, count + 1):
        for port, connection in connections.items():
            found[port]["series"], took = _ask(connection)
            found[port]["ms"].append(took)
        time.sleep(max(0.0, begun + number * pause - time.monotonic()))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
