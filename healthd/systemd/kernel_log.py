"""What the kernel complains of, as the journal of this boot has it: its records of priority err and worse.

It is read when somebody asks, in a thread, for libsystemd blocks while a disk does. Not by the journal's descriptor:
that wakes whoever listens for each record that anybody writes, and nothing is in such a hurry here. But it does say
whether anything was written at all since the last look, and while nothing was there is nothing to be read. What is only
information, such as the lines of a packet filter, is passed over by the journal's index and costs nothing.
"""

from __future__ import annotations

import select
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from healthd.aside import JOURNAL, JOURNAL_SECONDS, Aside
from healthd.errors import Absent, HealthdError, ReadError
from healthd.figures import FaultKind, KernelFault
from healthd.systemd.kernel_text import complaint_in, unit_of_victim

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthd.ports import Clock
    from healthd.soon import Soon
    from healthd.systemd.kernel_text import Complaint

HOUR: Final = 3600.0

MOST_AT_ONCE: Final = 500
"""Records that are read at one look. Of a flood that brings more, the rest is passed over."""

MOST_LOOKUPS: Final = 20
"""Victims of the OOM killer whose units are looked for at one look; of each, within so many records before its own."""

MOST_FAULTS: Final = 50

_KEPT: Final = 1000  # instants of one fault
_GRAVE: Final = ("0", "1", "2", "3")  # emerg, alert, crit, err


@dataclass(slots=True)
class _Seen:
    """One kind of fault of one subject."""

    text: str = ""
    instants: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT))


class KernelLog:
    """Keeps what was read within the last hour and reads on from there. `reader` opens the journal."""

    def __init__(self, clock: Clock, reader: Callable[[], Any] | None = None) -> None:
        self._clock = clock
        self._new_reader = reader or _journal
        self._aside = Aside(JOURNAL)
        self._reader: Any = None
        self._written: select.poll | None = None
        self._boot_id = ""
        self._seen: dict[tuple[FaultKind, str], _Seen] = {}

    def faults(self) -> Soon[tuple[KernelFault, ...]]:
        """The faults of the last hour, the newest first. `Absent`: no journal can be read; `ReadError`: not now."""
        if self._nothing_new():
            return self._newest(self._clock.boot())
        return self._aside.ask(self._look, deadline=JOURNAL_SECONDS)

    def _nothing_new(self) -> bool:
        """Whether the journal was read to its end and nobody has written to it since."""
        if self._reader is None or self._written is None or self._aside.busy:
            return False
        return not self._written.poll(0)

    # In the thread

    def _look(self) -> tuple[KernelFault, ...]:
        try:
            if self._reader is None:
                self._open()
            self._reader.process()
            self._read_on()
        except ImportError:
            raise Absent("there is no systemd-python to read the journal with") from None
        except OSError as error:
            self._reader = None
            raise ReadError(f"the journal cannot be read: {error}") from error
        except HealthdError:
            self._reader = None
            raise
        return self._newest(self._clock.boot())

    def _open(self) -> None:
        reader = self._new_reader()
        reader.seek_tail()
        newest = reader.get_previous()
        if not newest:  # who may not read it sees an empty journal and no error
            raise Absent("no journal can be read (is healthd's user in the group systemd-journal?)")
        # Not `this_boot()`: in a container a service's sandbox may show the boot id of the machine around it.
        self._boot_id = newest["_BOOT_ID"]
        reader.add_match(_BOOT_ID=self._boot_id, _TRANSPORT="kernel")
        for priority in _GRAVE:
            reader.add_match(PRIORITY=priority)
        written = select.poll()
        written.register(reader.fileno(), reader.get_events())  # from now on `process` hears of new files
        self._written = written if reader.reliable_fd() else None  # not so on a remote file system
        reader.seek_realtime(self._clock.wall() - HOUR)
        self._seen.clear()
        self._reader = reader

    def _read_on(self) -> None:
        boot, monotonic, lookups = self._clock.boot(), self._clock.monotonic(), 0
        for _ in range(MOST_AT_ONCE):
            record = self._reader.get_next()
            if not record:
                return
            complaint = complaint_in(_text(record))
            if complaint is None:
                continue
            subject = complaint.subject
            if complaint.pid and lookups < MOST_LOOKUPS:
                lookups += 1
                subject = self._unit(complaint, record["__CURSOR"]) or subject
            ago = monotonic - record["__MONOTONIC_TIMESTAMP"]
            self._take(complaint, subject, boot - ago)
        self._reader.seek_tail()
        self._reader.get_previous()

    def _take(self, complaint: Complaint, subject: str, at: float) -> None:
        key = complaint.kind, subject
        if key not in self._seen and len(self._seen) >= MOST_FAULTS:
            return
        seen = self._seen.setdefault(key, _Seen())
        of = f" of {subject}" if subject != complaint.subject else ""
        seen.text = complaint.text.replace(" for want", f"{of} for want") if of else complaint.text
        seen.instants.append(at)

    def _unit(self, complaint: Complaint, cursor: str) -> str:
        """The unit of a process that was killed, as a line shortly before says; "" if it cannot be told."""
        with self._new_reader() as reader:
            reader.add_match(_BOOT_ID=self._boot_id, _TRANSPORT="kernel")
            reader.seek_cursor(cursor)
            for _ in range(MOST_LOOKUPS):
                record = reader.get_previous()
                if not record:
                    break
                if (unit := unit_of_victim(_text(record), complaint.pid)) is not None:
                    return unit
        return ""

    def _newest(self, now: float) -> tuple[KernelFault, ...]:
        for key, seen in list(self._seen.items()):
            while seen.instants and seen.instants[0] < now - HOUR:
                seen.instants.popleft()
            if not seen.instants:
                del self._seen[key]
        found = [
            KernelFault(kind=kind, subject=subject, text=seen.text, at=seen.instants[-1], count=len(seen.instants))
            for (kind, subject), seen in self._seen.items()
        ]
        return tuple(sorted(found, key=lambda fault: -fault.at))


def _journal() -> Any:
    from healthd.systemd.records import Records  # noqa: PLC0415  no start needs to wait for it

    return Records()


def _text(record: Any) -> str:
    message = record.get("MESSAGE", "")
    return message if isinstance(message, str) else bytes(message).decode(errors="replace")
