"""A server that writes down when each of its paths is asked for. Arguments: QUIET SECONDS INTERVAL.

What begins with /hang is never answered. Prints {"probes": N, "late": [...]}: how many paths were answered in SECONDS,
the first QUIET seconds left out, and by how many seconds each request came later than INTERVAL after the one before.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import defaultdict
from itertools import pairwise

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

_asked: dict[bytes, list[float]] = defaultdict(list)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    now = time.monotonic()
    try:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1]
        if path.startswith(b"/hang"):
            await reader.read()  # until whoever asks gives up
        else:
            _asked[path].append(now)
            writer.write(_ANSWER)
            await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def _measure(quiet: float, seconds: float, interval: float) -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 8200, backlog=1000)
    await asyncio.sleep(quiet)
    _asked.clear()
    await asyncio.sleep(seconds)
    server.close()
    late = [later - sooner - interval for times in _asked.values() for sooner, later in pairwise(times)]
    print(json.dumps({"probes": len(_asked), "late": late}))


if __name__ == "__main__":
    asyncio.run(_measure(*map(float, sys.argv[1:])))
