"""The log: events into the journal's fields, or, where there is no journal, as lines on stderr.

A record goes through a few steps, in this order: keep floods out, put a traceback into words, name the fields, render
them. The sink at their end neither blocks nor raises.
"""

from __future__ import annotations

import os
import threading
from traceback import format_exception
from typing import TYPE_CHECKING, Final

from healthd.events import Event
from healthd.systemd.fields import record, remark
from healthd.systemd.flood import WINDOW_SECONDS, FloodGate, Suppressed
from healthd.systemd.render import json_line, line, native, utc
from healthd.systemd.sink import JournalOutlet, Outlet, Sink, StreamOutlet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from healthd.model import Severity
    from healthd.ports import Clock

    Render = Callable[[Mapping[str, str], float], bytes]

_STDERR: Final = 2
_FLUSH_SECONDS: Final = 2.0
_DATAGRAM: Final = 128 * 1024  # what the kernel's default send buffer (208 KiB) takes for sure
_SHORT: Final = 2048


class Journal:
    """Fulfils `ports.Log`. Safe to use from any thread; nothing runs and nothing wakes up while the log is taken.

    `render` makes bytes of a record's fields and its time (Unix seconds); `late` makes what a record that had to wait
    is marked with. With `debug` the lines for developers are written too.
    """

    def __init__(
        self,
        clock: Clock,
        outlet: Outlet,
        render: Render,
        *,
        late: Callable[[float], bytes] = lambda _wall: b"",
        debug: bool = False,
        limit: int = 2000,
    ) -> None:
        self._clock = clock
        self._render = render
        self._late = late
        self._gate = FloodGate()
        self._gate_lock = threading.Lock()
        self._debug = debug
        self._sink = Sink(outlet, self._lost, limit=limit)

    def event(self, event: Event, message: str, *, severity: Severity | None = None, **fields: object) -> None:
        """Record an event. `severity` None: nothing is wrong; `fields` become HEALTHD_<NAME> (None is left out).

        Never blocks and never raises. A subject that repeats an event too often is cut short, counted and told.
        """
        self.settle()
        self._take(event, message, severity, fields)

    def debug(self, message: str, **fields: object) -> None:
        """A line for developers, without an event."""
        if self._debug:
            self._put(remark(message, fields))

    def exception(self, event: Event, message: str, error: BaseException, **fields: object) -> None:
        """An event with the traceback of `error`."""
        self.settle()
        fields = {"error": f"{type(error).__name__}: {error}"} | fields
        self._take(event, message, None, fields, error)

    def settle(self) -> None:
        """Tell what was held back in windows that have ended. Each event does so too; a round may, lest it wait."""
        with self._gate_lock:
            due = self._gate.due(self._clock.boot())
        self._tell(due)

    def close(self) -> int:
        """Tell what was held back, and deliver what still waits, within 2 s. Returns how many records could not be."""
        with self._gate_lock:
            due = self._gate.all_due()
        self._tell(due)
        return self._sink.close(deadline=_FLUSH_SECONDS)

    def _tell(self, suppressed: Iterable[Suppressed]) -> None:
        for entry in suppressed:
            about = " ".join(entry.subject.values()) or "healthd"
            self._take(
                Event.LOG_DROPPED,
                f"{_records(entry.count, f'more {entry.event} ')} about {about} within {WINDOW_SECONDS:.0f} s left out",
                None,
                {**entry.subject, "dropped": entry.count, "dropped_event": entry.event, "reason": "repeated"},
            )

    def _lost(self, count: int) -> bytes:
        """The record that stands for `count` records which found no room."""
        fields = record(
            Event.LOG_DROPPED,
            f"{_records(count)} missing here: nothing took them, and no more could be kept",
            fields={"dropped": count, "reason": "queue_full"},
        )
        return self._render(fields, self._clock.wall())

    def _take(
        self,
        event: Event,
        message: str,
        severity: Severity | None,
        fields: Mapping[str, object],
        error: BaseException | None = None,
    ) -> None:
        """One record, unless its subject floods the log."""
        with self._gate_lock:
            admitted = self._gate.admits(event, fields, self._clock.boot())
        if admitted:
            said = None if error is None else "".join(format_exception(error)).removesuffix("\n")
            self._put(record(event, message, severity=severity, traceback=said, fields=fields))

    def _put(self, fields: Mapping[str, str]) -> None:
        wall = self._clock.wall()
        self._sink.put(self._render(fields, wall), late=self._late(wall))


def _records(count: int, kind: str = "") -> str:
    return f"{count} {kind}record{'s' if count != 1 else ''}"


def open_log(foreground: bool, clock: Clock) -> Journal:  # noqa: FBT001 - the daemon's --foreground-log as it stands
    """The log that fits where stderr goes: the journal, coloured lines on a terminal, else JSON lines.

    `foreground` keeps it out of the journal. HEALTHD_DEBUG=1 adds the lines for developers, NO_COLOR takes the colours.
    """
    debug = os.environ.get("HEALTHD_DEBUG", "") not in {"", "0"}
    if not foreground and leads_to_journal(_STDERR, os.environ):
        return Journal(clock, JournalOutlet(), to_journal, late=delayed, debug=debug)
    if os.isatty(_STDERR):
        colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        return Journal(
            clock, StreamOutlet(_STDERR), lambda fields, wall: line(fields, wall, colour=colour), debug=debug
        )
    return Journal(clock, StreamOutlet(_STDERR), json_line, debug=debug)


def leads_to_journal(fd: int, environ: Mapping[str, str]) -> bool:
    """Whether systemd connected `fd` to the journal and nobody redirected it since (systemd.exec(5)).

    JOURNAL_STREAM in `environ` names the device and inode of the stream that systemd made.
    """
    device, _, inode = environ.get("JOURNAL_STREAM", "").partition(":")
    if not (device.isdecimal() and inode.isdecimal()):
        return False
    there = os.fstat(fd)
    return (there.st_dev, there.st_ino) == (int(device), int(inode))


def to_journal(fields: Mapping[str, str], _wall: float) -> bytes:
    """A datagram for journald, which gives it its time; cut short where it would not fit one."""
    data = native(fields)
    return data if len(data) <= _DATAGRAM else native(fields, limit=_SHORT)


def delayed(wall: float) -> bytes:
    """What tells the true time of a record that reaches the journal late."""
    return native({"HEALTHD_TIME": utc(wall)})
