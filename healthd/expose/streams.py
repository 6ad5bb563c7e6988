"""Answers that go on: how many at once, and how one ends when its client goes."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

STREAMS: Final = 16
_DISCARD_BYTES: Final = 4096


class Streams:
    """The places for streams, shared by all listening sockets: each one holds memory and is fed with every change."""

    def __init__(self, limit: int = STREAMS) -> None:
        self.limit = limit
        self.open = 0

    def take(self) -> bool:
        """Take a place; False if there is none left."""
        if self.open >= self.limit:
            return False
        self.open += 1
        return True

    def give_back(self) -> None:
        """Give a place back that was taken."""
        self.open -= 1


async def pump(
    chunks: AsyncGenerator[bytes, None],
    write: Callable[[bytes], Awaitable[None]],
    reader: asyncio.StreamReader,
) -> bool:
    """Write every chunk until there are no more (True) or until the client closes its side (False).

    However it ends, by a cancellation too, the generator has been closed then. What the client sends is thrown away:
    nothing can be answered before the stream ends. What `write` and the generator raise is passed on.
    """
    feeding = asyncio.create_task(_feed(chunks, write))
    leaving = asyncio.create_task(_until_gone(reader))
    try:
        await asyncio.wait((feeding, leaving), return_when=asyncio.FIRST_COMPLETED)
        if leaving.done():
            return False
        feeding.result()
        return True
    finally:
        for task in (feeding, leaving):
            task.cancel()
        await asyncio.gather(feeding, leaving, return_exceptions=True)


async def _feed(chunks: AsyncGenerator[bytes, None], write: Callable[[bytes], Awaitable[None]]) -> None:
    async with aclosing(chunks):
        async for chunk in chunks:
            if chunk:  # an empty chunk would mean the end
                await write(chunk)


async def _until_gone(reader: asyncio.StreamReader) -> None:
    try:
        while await reader.read(_DISCARD_BYTES):
            pass
    except ConnectionError:
        return
