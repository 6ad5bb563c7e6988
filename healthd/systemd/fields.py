"""An event as journal fields: names, urgency, and values as text. Pure; `render` turns the fields into bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from healthd.events import MESSAGE_IDS, Event
from healthd.model import OutcomeKind, Severity

CRITICAL: Final = 2
ERROR: Final = 3
WARNING: Final = 4
NOTICE: Final = 5
INFO: Final = 6
DEBUG: Final = 7

_LIMIT: Final = 64 * 1024  # bytes of one value; a record then fits a datagram in all but the wildest cases
_NAME_LIMIT: Final = 64  # journald drops fields with longer names

_BY_SEVERITY: Final = {
    Severity.LOW: NOTICE,
    Severity.MEDIUM: WARNING,
    Severity.HIGH: ERROR,
    Severity.CRITICAL: CRITICAL,
}
# At least this urgent, whatever severity comes along. Without one the others are INFO: nothing is wrong.
_AT_LEAST: Final = {
    Event.HEALING_GAVE_UP: CRITICAL,  # nobody but a person can help now
    Event.CONFIG_REJECTED: ERROR,
    Event.ALERT_FAILED: WARNING,
    Event.LOG_DROPPED: WARNING,
    Event.BUS_CHANGED: NOTICE,
    Event.CHANGES_FOUND: NOTICE,
    Event.CONFIG_RELOADED: NOTICE,
    Event.FEATURE_OFF: NOTICE,
    Event.HEALING_FINISHED: NOTICE,
    Event.HEALING_STARTED: NOTICE,
    Event.ISSUE_RESOLVED: NOTICE,
    Event.LISTENER_CHANGED: NOTICE,
    Event.STATE_CHANGED: NOTICE,
}

# C0, DEL and C1: a unit's name or a program's words must not move the cursor or forge a line.
_ESCAPES: Final = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))} | {9: " ", 10: "\\n"}


def priority(event: Event, severity: Severity | None, *, good: bool = False, bug: bool = False) -> int:
    """The syslog priority of a record; the lower, the more urgent.

    It follows the severity of what is wrong. `good`: that is over, so it is no more than a notice. `bug`: the record
    carries a traceback.
    """
    least = ERROR if bug else INFO
    if severity is not None and not good:
        least = min(least, _BY_SEVERITY[severity])
    return min(least, _AT_LEAST.get(event, INFO))


def escape(line: str) -> str:
    """The text as one line without control characters."""
    return line.translate(_ESCAPES)


def escape_lines(text: str) -> str:
    """The text without control characters, its lines kept: every reader of ours shows later ones below the first."""
    return "\n".join(map(escape, text.rstrip("\n").split("\n")))


def text(value: object) -> str:
    """A field's value as people and `journalctl` filters expect it: 0.6, nginx.service, "a, b", yes."""
    match value:  # the frequent kinds first: asking for the abstract ones is slow
        case str():
            return str(value)  # of a StrEnum, its value
        case bool():
            return "yes" if value else "no"
        case int():
            return str(value)
        case float():
            return repr(round(value, 3)).removesuffix(".0")
        case bytes():
            return value.decode("utf-8", "backslashreplace")
        case Mapping():
            return ", ".join(f"{text(key)}={text(entry)}" for key, entry in value.items())
        case set() | frozenset():
            return ", ".join(sorted(map(text, value)))
        case Iterable():
            return ", ".join(map(text, value))
        case _:
            return str(value)


@lru_cache(maxsize=128)
def name(field: str) -> str:
    """The journal's name of a field: `duration_ms` is HEALTHD_DURATION_MS."""
    letters = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in field.upper())
    return f"HEALTHD_{letters}"[:_NAME_LIMIT]


def cut(value: str, limit: int = _LIMIT) -> str:
    """The value, or as much of it as fits `limit` bytes and a mark that says how much is missing."""
    if len(value) * 4 <= limit:
        return value
    data = value.encode("utf-8", "backslashreplace")
    if len(data) <= limit:
        return value
    kept = data[:limit].decode("utf-8", "ignore")
    return f"{kept} [{len(data) - limit} more bytes cut off]"


def record(
    event: Event,
    message: str,
    *,
    severity: Severity | None = None,
    traceback: str | None = None,
    fields: Mapping[str, object] | None = None,
) -> dict[str, str]:
    """The whole record of an event: journal field names and their values, the most telling first."""
    fields = fields or {}
    good = event is Event.ISSUE_RESOLVED or fields.get("outcome") == OutcomeKind.SUCCESS
    found = {
        "MESSAGE": escape_lines(message if traceback is None else f"{message}\n{traceback}"),
        "PRIORITY": str(priority(event, severity, good=good, bug=traceback is not None)),
        "SYSLOG_IDENTIFIER": "healthd",
        "MESSAGE_ID": MESSAGE_IDS[event],
        "HEALTHD_EVENT": event.value,
    }
    if severity is not None:
        found["HEALTHD_SEVERITY"] = severity.value
    found |= plain(fields)
    return {key: cut(value) for key, value in found.items()}


def remark(message: str, fields: Mapping[str, object]) -> dict[str, str]:
    """A line for developers: no event and no MESSAGE_ID."""
    head = {"MESSAGE": escape_lines(message), "PRIORITY": str(DEBUG), "SYSLOG_IDENTIFIER": "healthd"}
    return {key: cut(value) for key, value in (head | plain(fields)).items()}


def plain(fields: Mapping[str, object]) -> dict[str, str]:
    """Named fields as the journal's; None is left out."""
    return {name(field): text(value) for field, value in fields.items() if value is not None}
