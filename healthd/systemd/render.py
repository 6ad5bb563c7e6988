"""A record's fields as bytes: for journald, for a collector of JSON lines, or for a person at a terminal."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Final

from healthd.systemd.fields import CRITICAL, DEBUG, ERROR, INFO, NOTICE, WARNING, cut, escape

if TYPE_CHECKING:
    from collections.abc import Mapping

_LEVELS: Final = {
    CRITICAL: "critical",
    ERROR: "error",
    WARNING: "warning",
    NOTICE: "notice",
    INFO: "info",
    DEBUG: "debug",
}
_COLOURS: Final = {CRITICAL: "1;97;41", ERROR: "1;31", WARNING: "33", NOTICE: "1", INFO: "0", DEBUG: "2"}
_DIM: Final = "2"
_NOT_SHOWN: Final = frozenset(
    {"MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "MESSAGE_ID", "HEALTHD_EVENT", "HEALTHD_SEVERITY", "HEALTHD_ISSUE"}
)


def native(fields: Mapping[str, str], *, limit: int | None = None) -> bytes:
    """The datagram that journald takes (systemd.io/JOURNAL_NATIVE_PROTOCOL); `limit` bytes are kept of each value."""
    return b"".join(_pair(name, value if limit is None else cut(value, limit)) for name, value in fields.items())


def json_line(fields: Mapping[str, str], wall: float) -> bytes:
    """One object a line: the journal's own field names, with `time` and `level` where collectors look for them."""
    level = _LEVELS[int(fields["PRIORITY"])]
    return json.dumps({"time": utc(wall), "level": level} | dict(fields)).encode("ascii") + b"\n"


def line(fields: Mapping[str, str], wall: float, *, colour: bool) -> bytes:
    """One line for a person: local time, level, event, message, and the fields that the message does not say."""
    urgency = int(fields["PRIORITY"])
    first, *more = fields["MESSAGE"].split("\n")
    rest = " ".join(
        f"{name.removeprefix('HEALTHD_').lower()}={escape(value)}"
        for name, value in fields.items()
        if name not in _NOT_SHOWN and value not in first
    )
    parts = (
        _paint(time.strftime("%H:%M:%S", time.localtime(wall)), _DIM, colour),
        _paint(f"{_LEVELS[urgency]:<8}", _COLOURS[urgency], colour),
        _paint(f"{fields.get('HEALTHD_EVENT', '-'):<16}", _DIM, colour),
        _paint(first, _COLOURS[urgency], colour),
        _paint(rest, _DIM, colour),
    )
    lines = (" ".join(part for part in parts if part), *(f"    {line}" for line in more))
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")


def utc(wall: float) -> str:
    """Unix seconds as ISO 8601 with milliseconds, in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(wall)) + f".{int(wall % 1 * 1000):03d}Z"


def _pair(name: str, value: str) -> bytes:
    key, data = name.encode("ascii"), value.encode("utf-8", "backslashreplace")
    if b"\n" in data:
        return b"%b\n%b%b\n" % (key, len(data).to_bytes(8, "little"), data)
    return b"%b=%b\n" % (key, data)


def _paint(text: str, style: str, colour: bool) -> str:  # noqa: FBT001 - three arguments, one purpose, one file
    return f"\033[{style}m{text}\033[0m" if colour and text else text
