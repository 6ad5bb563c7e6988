"""Requests of /health/ready at a rate, and the rounds meanwhile. Arguments: RATE SECONDS.

Prints {"answered": N, "ms": [...], "rounds": N, "late": [...]}: milliseconds of each request, and by how many seconds
each round came after its time. When `memory` was looked at says when a round was: the daemon's own socket is asked.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from itertools import pairwise

_CONNECTIONS = 20
_TICK = 0.02
_INTERVAL = 1.0
_READY = b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n"
_MEMORY = b"GET /api/v1/components/memory HTTP/1.1\r\nHost: localhost\r\n\r\n"
_SOCKET = "/run/healthd/healthd.sock"


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
    return await reader.readexactly(int(fields[b"content-length"]))


async def _client(rate: float, until: float, took: list[float]) -> None:
    """Its share of the rate, in bursts of a tick; one request after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", 8080)
    begun, asked = time.monotonic(), 0
    while (now := time.monotonic()) < until:
        while asked < (now - begun) * rate:
            sent = time.perf_counter()
            writer.write(_READY)
            await _answer(reader)
            took.append((time.perf_counter() - sent) * 1e3)
            asked += 1
        await asyncio.sleep(_TICK)
    writer.close()


async def _rounds(until: float, seen: list[float]) -> None:
    reader, writer = await asyncio.open_unix_connection(_SOCKET)
    while time.monotonic() < until:
        writer.write(_MEMORY)
        at = json.loads(await _answer(reader))["last_check"]
        if not seen or at != seen[-1]:
            seen.append(at)
        await asyncio.sleep(0.1)
    writer.close()


async def _measure(rate: int, seconds: float) -> None:
    took: list[float] = []
    seen: list[float] = []
    until = time.monotonic() + seconds
    clients = [_client(rate / _CONNECTIONS, until, took) for _ in range(_CONNECTIONS if rate else 0)]
    await asyncio.gather(_rounds(until, seen), *clients)
    late = [at - before - _INTERVAL for before, at in pairwise(seen)]
    print(json.dumps({"answered": len(took), "ms": took, "rounds": len(seen), "late": late}))


if __name__ == "__main__":
    asyncio.run(_measure(int(sys.argv[1]), float(sys.argv[2])))
