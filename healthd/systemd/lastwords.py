"""What a run of a unit wrote last, and what systemd wrote about it: why it failed, in its own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from healthd.systemd.asking import Asking

if TYPE_CHECKING:
    from collections.abc import Callable

LINES: Final = 30
_LINE_CHARS: Final = 1000

if TYPE_CHECKING:
    Look = Callable[[str, str], tuple[str, ...] | None]


class LastWords:
    """Asks the journal of this host. `look` is the question itself, which blocks; tests have their own."""

    def __init__(self, look: Look | None = None) -> None:
        self._look = look or last_lines
        self._asking = Asking[tuple[str, ...]]()

    async def of(self, unit: str, invocation: str) -> tuple[str, ...] | None:
        """The last lines of this run, oldest first. None: it cannot be told."""
        return await self._asking.ask(lambda: self._look(unit, invocation)) if invocation else None


def last_lines(unit: str, invocation: str) -> tuple[str, ...] | None:
    """The question to the journal; blocks. None if there is no journal here, or none that may be read."""
    try:
        from healthd.systemd.records import Records  # noqa: PLC0415  needed only if this is asked
    except ImportError:
        return None
    try:
        with Records() as reader:
            reader.add_match(_SYSTEMD_INVOCATION_ID=invocation)
            reader.add_disjunction()
            reader.add_match(_PID="1", UNIT=unit, INVOCATION_ID=invocation)
            reader.seek_tail()
            return _backwards(reader)
    except OSError:
        return None


def _backwards(reader: Any) -> tuple[str, ...]:
    lines: list[str] = []
    while len(lines) < LINES and (record := reader.get_previous()):
        message = record.get("MESSAGE", "")
        text = message if isinstance(message, str) else bytes(message).decode(errors="replace")
        lines += [line[:_LINE_CHARS] for line in reversed(text.splitlines())]
    return tuple(reversed(lines[:LINES]))
