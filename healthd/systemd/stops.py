"""Units that went down while healthd was not listening: whether a stop job did it, as the journal tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from healthd.systemd.asking import Asking
from healthd.systemd.details import DEADLINE
from healthd.systemd.names import UNIT, UNKNOWN_NUMBER, get, unit_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from healthd.model import UnitFacts
    from healthd.ports import Clock
    from healthd.systemd.bus import Bus
    from healthd.systemd.facts import Ledger

_UNIT_STOPPED: Final = "9d1aaa27d60140bd96365438aad20286"
_UNIT_STARTED: Final = "39f53479d3a045ac8e11786248231fbf"


class Stops:
    """Judges, for the ledger, the units that went down unheard. Coroutines raise `BusError`."""

    def __init__(self, ledger: Ledger, clock: Clock, records: StopRecords) -> None:
        self._ledger = ledger
        self._clock = clock
        self._records = records

    async def on_purpose(self, bus: Bus, name: str) -> bool | None:
        """Whether a stop job last took the unit down, in this boot. None: it cannot be told."""
        request = get(unit_path(name), UNIT, "InactiveExitTimestampMonotonic")
        ((_, since),) = await bus.call(request, deadline=DEADLINE)
        return await self._records.stopped(name, 0.0 if since == UNKNOWN_NUMBER else since / 1e6)

    async def judge_missed(self, bus: Bus) -> None:
        """Those that a listing showed down: nobody is woken for them before they are judged."""
        for name in sorted(self._ledger.missed):
            if await self.on_purpose(bus, name):
                self._ledger.stopped(name, self._clock.boot())
            self._ledger.missed.discard(name)

    async def judge_unseen(self, bus: Bus, names: Iterable[str]) -> None:
        """Those of these units that were down already when healthd began to listen."""
        for name in names:
            unit = self._ledger.units.get(name)
            if unit is not None and _went_down_unseen(unit) and await self.on_purpose(bus, name) is not False:
                # What cannot be told is taken for the operator's wish: not to start is the error that does no harm.
                self._ledger.stopped(name, self._clock.boot())


def _went_down_unseen(unit: UnitFacts) -> bool:
    """Whether the unit ran before healthd was there to see what became of it.

    Of a failure systemd itself keeps the cause, but for a stop that took too long, which it takes for a failure too.
    """
    if unit.seen_up or unit.stopped_by_job or not unit.code:
        return False
    if unit.detail is not None and unit.detail.service_type == "oneshot":
        return False  # it is down when it is done
    return unit.active == "inactive" or (unit.active == "failed" and unit.result == "timeout")


class StopRecords:
    """Asks the journal of this boot. `look` is the question itself, which blocks; tests have their own."""

    def __init__(self, look: Callable[[str, float], bool | None] | None = None, *, deadline: float = 2.0) -> None:
        self._look = look or stopped_since
        self._asking = Asking[bool](deadline=deadline)

    async def stopped(self, unit: str, since: float) -> bool | None:
        """Whether a stop job took the unit down after `since` (CLOCK_MONOTONIC seconds). None: it cannot be told."""
        return await self._asking.ask(lambda: self._look(unit, since))


def stopped_since(unit: str, since: float) -> bool | None:
    """The question to the journal; blocks. None if there is no journal here, or none that may be read."""
    try:
        from healthd.systemd.records import Records  # noqa: PLC0415  needed only if this is asked
    except ImportError:
        return None
    try:
        with Records() as reader:
            if (stopped_at := _last(reader, MESSAGE_ID=_UNIT_STOPPED, UNIT=unit, JOB_TYPE="stop")) is not None:
                return stopped_at > since
            # Who is not in the group systemd-journal sees an empty journal and no error. No boot is without a start.
            return None if _last(reader, MESSAGE_ID=_UNIT_STARTED) is None else False
    except OSError:
        return None


def _last(reader: Any, **fields: str) -> float | None:
    """When (CLOCK_MONOTONIC seconds) PID 1 last wrote a record with these fields in this boot."""
    reader.flush_matches()
    reader.add_match(_PID="1")  # anybody can write the other fields, but not this one
    reader.seek_tail()
    newest = reader.get_previous()
    if not newest:
        return None
    # Not `this_boot()`: in a container a service's sandbox may show the boot id of the machine around it.
    reader.add_match(_BOOT_ID=newest["_BOOT_ID"], **fields)
    reader.seek_tail()
    record = reader.get_previous()
    return record["__MONOTONIC_TIMESTAMP"] if record else None
