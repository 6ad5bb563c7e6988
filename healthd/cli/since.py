"""What people write for a time: how long ago, or a date."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from healthd.errors import RequestError

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_AGO: Final = re.compile(r"(\d+(?:\.\d+)?)(min|[smhdw])")
_HINT: Final = "90s, 5m, 2h, 7d, or a date: 2025-11-24, 2025-11-24T08:30"


def seconds(text: str) -> float | None:
    """The seconds of a span such as `90s`, `5m`, `1h30m`; None for what is none."""
    parts = _AGO.findall(text)
    if not text or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * _UNITS[unit[0]] for number, unit in parts)


def since(text: str, now: float, option: str = "--since") -> float:
    """The Unix time that is meant; RequestError for what is no time, or none that has passed."""
    ago = seconds(text)
    if ago is not None:
        return now - ago
    try:
        at = float(text) if text.replace(".", "", 1).isdigit() else datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise RequestError(400, f"{option} {text}: this is no time", hint=_HINT) from None
    if text.replace(".", "", 1).isdigit() and at < 100_000_000:
        at = now - at  # a bare number is seconds ago, unless it could only be Unix time
    if at >= now:
        raise RequestError(400, f"{option} {text}: this is not in the past", hint=_HINT)
    return at
