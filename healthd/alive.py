"""Tells a dead man's switch that healthd lives, and people that it does so again where they heard of its end."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from healthd.errors import StorageError
from healthd.letters import FAILED_KEY, Letter, Why
from healthd.model import Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthd.config import AlertingSettings
    from healthd.ports import Clock, Outbox

    class Fallen(Outbox, Protocol):
        """The outbox, and beside it the mark that people were told of the daemon's failure."""

        async def fallen_at(self) -> float | None:
            """When they were told, in Unix seconds; None: they were not. Raises `StorageError`."""

        async def forget_fall(self) -> None:
            """Take the mark away. Raises `StorageError`."""


LOOK_SECONDS: Final = 30.0
"""So often it is looked whether there is something to be told; where there is a switch, as often as that wants it."""


class Alive:
    """Writes the two kinds of letters that the engine does not decide on. `lives`: whether rounds get done."""

    def __init__(
        self, box: Fallen, clock: Clock, *, settings: Callable[[], AlertingSettings], lives: Callable[[], bool]
    ) -> None:
        self._box, self._clock, self._settings, self._lives = box, clock, settings, lives
        self._anew = asyncio.Event()

    def reconfigured(self) -> None:
        """The settings are others: go by them at once."""
        self._anew.set()

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            self._anew.clear()
            try:
                if self._settings().receivers:
                    await self._rise()
                beats = bool(self._settings().heartbeat_url) and self._lives()
                if beats:
                    letter = self._letter(Why.BEAT, key="heartbeat", to="heartbeat", title="healthd lives")
                    await self._box.put({"heartbeat.json": letter.to_json()})
            except StorageError:  # what cannot be written is no sign of life
                pass
            pause = self._settings().heartbeat_seconds if self._settings().heartbeat_url else LOOK_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._anew.wait()

    async def _rise(self) -> None:
        """Tell that the failure is over, if it was told."""
        fallen_at = await self._box.fallen_at()
        if fallen_at is not None:
            title = "over: healthd itself had failed, and watches and heals again"
            letter = self._letter(Why.RESOLVED, key=FAILED_KEY, title=title, opened_at=fallen_at)
            await self._box.put({"risen.json": letter.to_json()})
            await self._box.forget_fall()

    def _letter(self, why: Why, *, key: str, title: str, to: str = "", opened_at: float | None = None) -> Letter:
        now, host = self._clock.wall(), os.uname().nodename
        return Letter(
            id=f"{key}-{host}-{now:.0f}-{why}",
            key=f"{key}-{host}",
            number=int(now),
            why=why,
            host=host,
            at=now,
            opened_at=now if opened_at is None else opened_at,
            severity=Severity.CRITICAL,
            routed=Severity.CRITICAL,
            title=title,
            to=to,
        )
