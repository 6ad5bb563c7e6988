"""What the journal has of one run of a unit: what it wrote last, what systemd wrote about it, and its core dump."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from healthd.aside import JOURNAL, JOURNAL_SECONDS, Aside
from healthd.evidence import CoreDump, Line, Scene

if TYPE_CHECKING:
    from collections.abc import Callable

LINES: Final = 40
LINE_CHARS: Final = 500

_CORE_DUMP: Final = "fc2e22bc6ee647b6b90729ab34a250b1"  # MESSAGE_ID of systemd-coredump
_MOST_CORES: Final = 20  # newer dumps of the unit that are looked at for that of the run
_MOST_FORGED: Final = 500  # records of others that look like dumps and are passed over on the way
_LATE_SECONDS: Final = 2.0  # after the end of a run, for which a line may be its own that does not say so
_MOST_NAMELESS: Final = 500  # records of the unit that are looked at for such lines


class Scenes:
    """Asks the journal of this host; `reader` opens it."""

    def __init__(self, reader: Callable[[], Any] | None = None) -> None:
        self._reader = reader or _journal
        self._aside = Aside(JOURNAL)

    async def of(self, unit: str, invocation: str) -> Scene | None:
        """The scene of this run. None: it cannot be told."""
        if not invocation:
            return None
        return await self._aside.told(lambda: self._look(unit, invocation), deadline=JOURNAL_SECONDS)

    # In the thread

    def _look(self, unit: str, invocation: str) -> Scene | None:
        try:
            with self._reader() as reader:
                reader.add_match(_SYSTEMD_INVOCATION_ID=invocation)
                reader.add_disjunction()
                reader.add_match(_PID="1", UNIT=unit, INVOCATION_ID=invocation)
                reader.seek_tail()
                lines = _last_lines(reader)
            if lines:
                with self._reader() as reader:
                    reader.add_match(_SYSTEMD_UNIT=unit)
                    reader.add_disjunction()
                    reader.add_match(_PID="1", UNIT=unit)
                    reader.seek_realtime(lines[-1].at + _LATE_SECONDS)
                    nameless = _nameless_lines(reader, invocation, lines[0].at)
                lines = tuple(sorted((*lines, *nameless), key=lambda line: line.at)[-LINES:])
            with self._reader() as reader:
                reader.add_match(MESSAGE_ID=_CORE_DUMP, COREDUMP_UNIT=unit)
                reader.seek_tail()
                return Scene(lines=lines, core=_core_dump(reader, invocation))
        except (ImportError, OSError):
            return None


def _last_lines(reader: Any) -> tuple[Line, ...]:
    lines: list[Line] = []
    while len(lines) < LINES and (record := reader.get_previous()):
        lines += _backwards(record)
    return tuple(reversed(lines[:LINES]))


def _nameless_lines(reader: Any, invocation: str, since: float) -> tuple[Line, ...]:
    """The last lines that tell their unit and not their run, up to the next run, to which the later ones are put.

    On a busy machine journald gets to a process that ended at once when there is no control group left to say more.
    """
    lines: list[Line] = []
    for _ in range(_MOST_NAMELESS):
        record = reader.get_previous()
        if not record or _instant(record) < since:
            break
        if record.get("_PID") == "1":
            if record.get("INVOCATION_ID", invocation) != invocation:
                lines.clear()
        elif "_SYSTEMD_INVOCATION_ID" not in record:
            lines += _backwards(record)
    return tuple(reversed(lines[:LINES]))


def _backwards(record: Any) -> list[Line]:
    """The lines of a record, the last one first."""
    at, source = _instant(record), str(record.get("SYSLOG_IDENTIFIER") or record.get("_COMM") or "")
    texts = _text(record.get("MESSAGE", "")).splitlines()
    return [Line(at=at, source=source, text=text[:LINE_CHARS]) for text in reversed(texts)]


def _core_dump(reader: Any, invocation: str) -> CoreDump | None:
    """The newest dump of this run."""
    cores = forged = 0
    while cores < _MOST_CORES and forged < _MOST_FORGED and (record := reader.get_previous()):
        if not _by_systemd(record):
            forged += 1
            continue
        cores += 1
        if f"INVOCATION_ID={invocation}" in _text(record.get("COREDUMP_ENVIRON", "")).splitlines():
            return CoreDump(
                at=_instant(record),
                pid=int(pid) if (pid := str(record.get("COREDUMP_PID", ""))).isdecimal() else 0,
                signal=_text(record.get("COREDUMP_SIGNAL_NAME", "")),
                program=_text(record.get("COREDUMP_EXE") or record.get("COREDUMP_COMM", "")),
                file=_text(record.get("COREDUMP_FILENAME", "")),
            )
    return None


def _by_systemd(record: Any) -> bool:
    """Whether systemd-coredump or root wrote it: anybody may send fields of these names, but not those with a "_"."""
    unit = _text(record.get("_SYSTEMD_UNIT", ""))
    return unit.startswith("systemd-coredump@") or str(record.get("_UID", "")) == "0"


def _instant(record: Any) -> float:
    return float(record["__REALTIME_TIMESTAMP"])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else bytes(value).decode(errors="replace")


def _journal() -> Any:
    from healthd.systemd.records import Records  # noqa: PLC0415  no start needs to wait for it

    return Records()
