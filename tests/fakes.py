"""What tests hand to the code in place of the doors: a clock that stands still, a log that remembers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from healthd.errors import ReadError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from healthd.events import Event
    from healthd.model import Severity


class FakeClock:
    """Time that passes only when told to; fulfils `ports.Clock`."""

    def __init__(self, boot: float = 1000.0, wall: float = 1_700_000_000.0) -> None:
        self._boot = boot
        self._wall = wall

    def boot(self) -> float:
        return self._boot

    def monotonic(self) -> float:
        return self._boot

    def wall(self) -> float:
        return self._wall

    def zone(self, name: str) -> tzinfo:
        if name == "Nowhere/Land":
            raise ReadError("there is no time zone 'Nowhere/Land'")
        return ZoneInfo(name or "UTC")

    def advance(self, seconds: float) -> None:
        """Let time pass, on both clocks."""
        self._boot += seconds
        self._wall += seconds

    def set_wall(self, wall: float) -> None:
        """Set the wall clock, as an operator or NTP does; the other one does not notice."""
        self._wall = wall


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """One record: `event` None is a line for developers."""

    event: Event | None
    message: str
    severity: Severity | None = None
    error: BaseException | None = None
    fields: Mapping[str, object] = field(default_factory=dict)


class FakeLog:
    """Keeps every record in order; fulfils `ports.Log`."""

    def __init__(self) -> None:
        self.records: list[Logged] = []

    def event(self, event: Event, message: str, *, severity: Severity | None = None, **fields: object) -> None:
        self.records.append(Logged(event=event, message=message, severity=severity, fields=fields))

    def debug(self, message: str, **fields: object) -> None:
        self.records.append(Logged(event=None, message=message, fields=fields))

    def exception(self, event: Event, message: str, error: BaseException, **fields: object) -> None:
        self.records.append(Logged(event=event, message=message, error=error, fields=fields))

    def of(self, *events: Event) -> list[Logged]:
        """The records of these events."""
        return [record for record in self.records if record.event in events]

    def events(self) -> list[Event]:
        """The events in the order in which they were recorded."""
        return [record.event for record in self.records if record.event is not None]


def no_thread(*_: object) -> None:
    """Takes the place of whatever starts a thread, where the system lets nobody start one."""
    raise RuntimeError("can't start new thread")
