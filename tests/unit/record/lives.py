"""What lives of healthd leave behind on the disk, and what the next one finds."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

from healthd.record.store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path


TICKET = {"attempts": 3, "gave_up_at": 12.25, "text": "nicht möglich ✗", "attempt": None}

LIFE = """
import asyncio, os, signal, sys
from pathlib import Path
from healthd.record.store import SqliteStore

async def live():
    store = SqliteStore(Path(sys.argv[1]))
    await store.load()
    for number in range(int(sys.argv[2])):
        await store.save({"number": number, f"ticket/{number}": "x" * 500}, [f"ticket/{number - 1}"])
        os.write(1, b"%d\\n" % number)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(live())
"""


@asynccontextmanager
async def opened(file: Path) -> AsyncIterator[SqliteStore]:
    """A store that was loaded, and is closed at the end."""
    store = SqliteStore(file)
    try:
        await store.load()
        yield store
    finally:
        await store.close()


def saved(file: Path, entries: Mapping[str, Any], removed: Sequence[str] = ()) -> None:
    """What one life of healthd leaves behind."""

    async def life() -> None:
        async with opened(file) as store:
            await store.save(entries, removed)

    asyncio.run(life())


def found(file: Path) -> Mapping[str, Any] | None:
    """What the next life of healthd finds."""

    async def life() -> Mapping[str, Any] | None:
        store = SqliteStore(file)
        try:
            return await store.load()
        finally:
            await store.close()

    return asyncio.run(life())


def rows_of(file: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(query).fetchall()


def spoil(file: Path, *statements: str) -> None:
    """Do to the file what no healthd does."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


def fill(file: Path) -> Path:
    """Somebody takes all the room there is, to the last byte."""
    ballast = file.with_name("ballast")
    with ballast.open("ab", buffering=0) as stream:
        for size in (65536, 4096, 1):
            try:
                while stream.write(bytes(size)) == size:
                    pass
            except OSError:
                continue
    return ballast


def many(number: int) -> dict[str, Any]:
    return {f"ticket/{each}": {**TICKET, "number": number, "text": "x" * 400} for each in range(100)}
