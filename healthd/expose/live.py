"""The status as it changes: server-sent events for pages and programs that stay connected."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from healthd.expose import render
from healthd.expose.message import Stream, as_json

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from healthd.expose.routes import Ask
    from healthd.ports import Control

PAUSE_SECONDS: Final = 1.0  # between two events, however fast things change
HEARTBEAT_SECONDS: Final = 15.0
STREAM_SECONDS: Final = 900.0  # then the client asks again: a key that was revoked does not read on for ever
_HEARTBEAT: Final = b": nothing new\n\n"
_CLOCKS: Final = frozenset({"timestamp", "uptime_seconds"})  # what goes on by itself is no change


@dataclass(slots=True)
class _Newest:
    """The newest status, rendered once for all who follow: the kernel takes milliseconds to count peers."""

    control: Control | None = None
    revision: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    chunk: bytes = b""

    def take(self, control: Control) -> int:
        """Have what the last turn led to; returns its revision."""
        revision = control.revision()
        if self.control is not control or self.revision != revision:
            status = render.status(control.status())
            self.control, self.revision = control, revision
            self.facts = {name: value for name, value in status.items() if name not in _CLOCKS}
            self.chunk = b"event: status\ndata: " + as_json(status).body + b"\n"
        return revision


_NEWEST: Final = _Newest()


async def events(control: Control, _ask: Ask) -> Stream:
    """The health status now, and again whenever it is another one. Which host it is stands in the header."""
    return Stream(chunks=changes(control), headers={"Healthd-Host": os.uname().nodename})


async def changes(
    control: Control,
    *,
    pause: float = PAUSE_SECONDS,
    heartbeat: float = HEARTBEAT_SECONDS,
    lasts: float = STREAM_SECONDS,
) -> AsyncGenerator[bytes, None]:
    """An event `status` at once and for each change, at least `pause` seconds apart.

    A comment comes where nothing else has come for `heartbeat` seconds. After about `lasts` seconds it ends.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + lasts
    told: dict[str, Any] = {}
    spoke = loop.time()
    while loop.time() < end:
        revision = _NEWEST.take(control)
        if _NEWEST.facts != told:
            told, spoke = _NEWEST.facts, loop.time()
            yield _NEWEST.chunk
        elif loop.time() >= spoke + heartbeat:
            spoke = loop.time()
            yield _HEARTBEAT
        await asyncio.sleep(pause)
        await _changed(control, revision, spoke + heartbeat - loop.time())


async def _changed(control: Control, revision: int, within: float) -> None:
    """Return when the revision is another one, at the latest after so many seconds."""
    try:
        async with asyncio.timeout(within):
            await control.changed(revision)
    except TimeoutError:
        return
