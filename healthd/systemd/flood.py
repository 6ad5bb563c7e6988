"""Keeps repetition from flooding the log: a subject says the same event a few times a minute, the rest is counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from healthd.events import Event

if TYPE_CHECKING:
    from collections.abc import Mapping

PASS: Final = 10
WINDOW_SECONDS: Final = 60.0

# What a unit, a network or a disk can repeat without end. Everything else always goes out: actions are bounded by the
# budgets, requests by their own limit and audit, and the daemon's own steps by the operator.
_REPEATS: Final = frozenset(
    {
        Event.COMPONENT_CHANGED,
        Event.STATE_CHANGED,
        Event.ISSUE_OPENED,
        Event.ISSUE_RESOLVED,
        Event.HEALING_HELD,
        Event.ALERT_FAILED,
        Event.CHECK_FAILED,
        Event.STORAGE_FAILED,
        Event.BUS_CHANGED,
        Event.LISTENER_CHANGED,
        Event.CHANGES_FOUND,
    }
)
_SUBJECTS: Final = ("unit", "component", "item", "receiver", "address")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppressed:
    """`count` records of `event` about `subject` (fields by name) that were not written."""

    event: Event
    subject: Mapping[str, str]
    count: int


@dataclass(slots=True)
class _Window:
    ends: float
    said: int = 0


_Key = tuple[Event, tuple[tuple[str, str], ...]]


class FloodGate:
    """Lets the first `PASS` records of an event about one subject through in a window; exact about the others.

    Times are boot seconds. What was held back is told once, by `due` after its window or by `all_due` at the end.
    """

    def __init__(self) -> None:
        self._windows: dict[_Key, _Window] = {}  # in the order in which they end, as all last equally long

    def admits(self, event: Event, fields: Mapping[str, object], now: float) -> bool:
        """Whether this record may go out; if not, it has been counted. Ask `due` first: it closes old windows."""
        if event not in _REPEATS:
            return True
        key = (event, tuple((name, str(fields[name])) for name in _SUBJECTS if fields.get(name) is not None))
        window = self._windows.setdefault(key, _Window(now + WINDOW_SECONDS))
        window.said += 1
        return window.said <= PASS

    def due(self, now: float) -> tuple[Suppressed, ...]:
        """What was held back in the windows that have ended by now."""
        told = []
        while self._windows:
            key, window = next(iter(self._windows.items()))
            if window.ends > now:
                break
            del self._windows[key]
            told.append((key, window))
        return _counted(told)

    def all_due(self) -> tuple[Suppressed, ...]:
        """What has been held back so far, in every window."""
        told = list(self._windows.items())
        self._windows.clear()
        return _counted(told)


def _counted(windows: list[tuple[_Key, _Window]]) -> tuple[Suppressed, ...]:
    return tuple(
        Suppressed(event=event, subject=dict(subject), count=window.said - PASS)
        for (event, subject), window in windows
        if window.said > PASS
    )
