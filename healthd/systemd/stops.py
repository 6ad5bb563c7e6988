"""Units that went down while healthd was not listening: whether a stop job did it, as the journal tells.

systemd writes of no stop of a unit that had failed before, for it does nothing then. Whether an earlier run of healthd
heard of one is in healthd's own records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from healthd.aside import JOURNAL, JOURNAL_SECONDS, Aside
from healthd.model import HoldReason
from healthd.systemd.details import DEADLINE
from healthd.systemd.names import UNIT, UNKNOWN_NUMBER, get, unit_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from healthd.model import UnitFacts
    from healthd.ports import Clock
    from healthd.systemd.bus import Bus
    from healthd.systemd.facts import Ledger

_UNIT_STOPPED: Final = "9d1aaa27d60140bd96365438aad20286"
_UNIT_STARTED: Final = "39f53479d3a045ac8e11786248231fbf"

# Anybody can write the other fields, but not these.
_BY_SYSTEMD: Final = {"_PID": "1"}
_BY_HEALTHD: Final = {"_SYSTEMD_UNIT": "healthd.service"}


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
            if unit is None or not _went_down_unseen(unit):
                continue
            told = await self.on_purpose(bus, name)
            # What cannot be told is taken for the operator's wish: not to start is the error that does no harm. But of
            # a failure systemd itself keeps the cause, unless a stop took too long, which it takes for a failure too.
            if told or (told is None and (unit.active == "inactive" or unit.result == "timeout")):
                self._ledger.stopped(name, self._clock.boot())


def _went_down_unseen(unit: UnitFacts) -> bool:
    """Whether the unit went down before healthd was there to see what became of it."""
    if unit.seen_up or unit.stopped_by_job:
        return False
    if unit.active == "failed":
        return True
    done = unit.detail is not None and unit.detail.service_type == "oneshot"
    return unit.active == "inactive" and unit.code != 0 and not done


class StopRecords:
    """Asks the journal of this boot. `look` is the question itself, which blocks; tests have their own."""

    def __init__(
        self, look: Callable[[str, float], bool | None] | None = None, *, deadline: float = JOURNAL_SECONDS
    ) -> None:
        self._look = look or stopped_since
        self._aside, self._deadline = Aside(JOURNAL), deadline

    async def stopped(self, unit: str, since: float) -> bool | None:
        """Whether a stop job took the unit down after `since` (CLOCK_MONOTONIC seconds). None: it cannot be told."""
        return await self._aside.told(lambda: self._look(unit, since), deadline=self._deadline)


def stopped_since(unit: str, since: float) -> bool | None:
    """The question to the journal; blocks. None if there is no journal here, or none that may be read."""
    try:
        from healthd.systemd.records import Records  # noqa: PLC0415  needed only if this is asked
    except ImportError:
        return None
    try:
        with Records() as reader:
            by_systemd = _last(reader, _BY_SYSTEMD, MESSAGE_ID=_UNIT_STOPPED, UNIT=unit, JOB_TYPE="stop")
            if by_systemd is not None and by_systemd > since:
                return True
            by_healthd = _last(reader, _BY_HEALTHD, HEALTHD_UNIT=unit, HEALTHD_REASON=HoldReason.OPERATOR_STOPPED)
            if by_healthd is not None and by_healthd > since:
                return True
            if by_systemd is not None:
                return False
            # Who is not in the group systemd-journal sees an empty journal and no error. No boot is without a start.
            return None if _last(reader, _BY_SYSTEMD, MESSAGE_ID=_UNIT_STARTED) is None else False
    except OSError:
        return None


def _last(reader: Any, who: Mapping[str, str], **fields: str) -> float | None:
    """When (CLOCK_MONOTONIC seconds) somebody last wrote a record with these fields in this boot."""
    reader.flush_matches()
    reader.add_match(**_BY_SYSTEMD)
    reader.seek_tail()
    newest = reader.get_previous()
    if not newest:
        return None
    # Not `this_boot()`: in a container a service's sandbox may show the boot id of the machine around it.
    reader.flush_matches()
    reader.add_match(_BOOT_ID=newest["_BOOT_ID"], **who, **fields)
    reader.seek_tail()
    record = reader.get_previous()
    return record["__MONOTONIC_TIMESTAMP"] if record else None
