"""Takes the messages that the engine decided on to the outbox. Sends nothing: that is the delivery process's."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

from healthd.decide.happenings import Spooled
from healthd.errors import StorageError
from healthd.events import Event
from healthd.model import Severity
from healthd.record.letter import file_name, letter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from healthd.decide.happenings import Happening
    from healthd.evidence import Incident
    from healthd.pipeline import Pipeline
    from healthd.ports import Log, Outbox

AGAIN_SECONDS: Final = 5.0
"""So long after the outbox could not be written it is tried again."""


class Notifying:
    """Follows a pipeline. `known` tells what is known of an incident by its number; `written` hears of letters.

    A message is in the saved state before it comes here, and stays there until it is in the outbox: none is lost, and
    one that is written twice has the same name and the same id.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        outbox: Outbox,
        log: Log,
        *,
        known: Callable[[int], Incident | None],
        written: Callable[[], None] = lambda: None,
        again: float = AGAIN_SECONDS,
    ) -> None:
        self._pipeline, self._outbox, self._log = pipeline, outbox, log
        self._known, self._written, self._again = known, written, again
        self._news = asyncio.Event()
        self._failed = False
        pipeline.watch(self._heard)

    async def run(self) -> None:
        """Write what there is to be sent, until cancelled."""
        self._heard(())
        while True:
            await self._news.wait()
            self._news.clear()
            if not await self._write():
                await asyncio.sleep(self._again)
                self._news.set()

    def _heard(self, _happenings: Sequence[Happening]) -> None:
        if any(alert.unsent for alert in self._pipeline.state.alerts):
            self._news.set()

    async def _write(self) -> bool:
        """Whether there is nothing left to be written."""
        state = self._pipeline.state
        words = [(alert, word) for alert in state.alerts for word in alert.unsent]
        if not words:
            return True
        letters = {
            file_name(alert, word): letter(
                alert, word, state, self._known(alert.incident), host=os.uname().nodename
            ).to_json()
            for alert, word in words
        }
        try:
            await self._outbox.put(letters)
        except StorageError as error:
            if not self._failed:
                message = f"alerts cannot be put into the outbox: {error}; healthd keeps them and tries again"
                self._log.event(Event.STORAGE_FAILED, message, severity=Severity.HIGH, reason="cannot_write")
            self._failed = True
            return False
        if self._failed:
            self._failed = False
            self._log.event(Event.STORAGE_FAILED, "alerts reach the outbox again", reason="recovered")
        self._written()
        await self._pipeline.order(Spooled(words=frozenset((alert.id, word.number) for alert, word in words)))
        return True
