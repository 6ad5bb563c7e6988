"""What of the engine's state is not on the disk yet: written before anything is dispatched, or kept until it can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.errors import StorageError
from healthd.events import Event
from healthd.model import Severity
from healthd.record.saved import entries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthd.decide.engine import Step
    from healthd.decide.state import EngineClock, EngineState, Key
    from healthd.ports import Log, Store


class Saving:
    """Remembers what changed since it was last written."""

    def __init__(self, store: Store, log: Log) -> None:
        self._store, self._log = store, log
        self._changed: set[Key] = set()
        self._removed: set[Key] = set()
        self._wanted = self._failed = False

    def want(self, changed: Iterable[Key] = ()) -> None:
        """Have these issues, and all that is no issue, written at the next opportunity."""
        self._changed.update(changed)
        self._wanted = True

    def take(self, before: EngineState, step: Step) -> None:
        """Note what a step of the engine changed in the state `before` it."""
        after = step.state
        self._wanted |= bool(step.happenings) or after.fresh is not before.fresh or after.stopped != before.stopped
        self._wanted |= (after.upgrade is None) is not (before.upgrade is None)
        self._wanted |= after.silences != before.silences or after.alerts != before.alerts
        self._changed |= step.changed
        self._removed |= step.removed

    async def save(self, state: EngineState, clock: EngineClock, boot: float) -> None:
        """Write down what changed, if anything did; if the disk fails, say so and go on from memory."""
        if not (self._changed or self._removed or self._wanted):
            return
        # Taken out before the wait: what an operator resets meanwhile is for the next turn to write.
        changed, self._changed = self._changed, set()
        removed, self._removed = self._removed, set()
        self._wanted = False
        try:
            await self._store.save(*entries(state, clock, boot, changed, removed))
        except StorageError as error:
            self._removed |= removed
            self.want(changed)
            self._cannot_save(error)
            return
        if self._failed:
            self._failed = False
            self._log.event(Event.STORAGE_FAILED, "the state can be written again", reason="recovered")

    def _cannot_save(self, error: StorageError) -> None:
        if not self._failed:
            message = f"cannot write the state: {error}; limits are kept in memory until it can be written again"
            self._log.event(Event.STORAGE_FAILED, message, severity=Severity.HIGH, reason="cannot_write")
        self._failed = True
