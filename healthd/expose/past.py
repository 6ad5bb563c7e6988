"""Which history a request asks for: the parameters of its query, as people write them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Final

from healthd.answers import HistoryQuery
from healthd.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PARAMETERS: Final = ("component", "item", "name", "since", "until", "points")
MOST_POINTS: Final = 1000
POINTS: Final = 300

INCIDENT_PARAMETERS: Final = ("since", "most")
INCIDENTS: Final = 100

_SINCE: Final = "7200"
_NUMBER: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?")
_AGO: Final = 100_000_000  # three years: a larger number is a time, and no span
_LATEST: Final = 100_000_000_000.0
_TIME_HINT: Final = "seconds before now (7200), Unix seconds, or ISO 8601 with its zone (2025-11-24T08:30:00Z)"


def asked(query: Mapping[str, str], now: float) -> HistoryQuery:
    """The history that a query asks for at this time (Unix seconds); RequestError 400 for what cannot be meant."""
    _known(query, PARAMETERS)
    since = _time("since", query.get("since", _SINCE), now)
    until = _time("until", query.get("until", "0"), now)
    if since >= until:
        raise RequestError(400, "since is not before until", hint="without until, it is now")
    return HistoryQuery(
        since=since,
        until=until,
        component=query.get("component"),
        item=query.get("item"),
        name=query.get("name"),
        points=_count("points", query.get("points", str(POINTS))),
    )


def incidents_asked(query: Mapping[str, str], now: float) -> tuple[float, int]:
    """Since when (Unix seconds) incidents are asked for, and how many at most; RequestError 400 likewise."""
    _known(query, INCIDENT_PARAMETERS)
    most = query.get("most", str(INCIDENTS))
    return _time("since", query["since"], now) if "since" in query else 0.0, _count("most", most)


def _known(query: Mapping[str, str], parameters: Sequence[str]) -> None:
    for key in query:
        if key not in parameters:
            from difflib import get_close_matches  # noqa: PLC0415  # only a mistake needs it

            near = get_close_matches(key, parameters, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(parameters)}"
            raise RequestError(400, "the query has an unknown parameter", hint=hint)


def _time(parameter: str, text: str, now: float) -> float:
    try:
        number = float(text) if _NUMBER.fullmatch(text) else _instant(text)
    except (ValueError, OverflowError):
        raise RequestError(400, f"{parameter} is no time", hint=_TIME_HINT) from None
    if not 0 <= number <= _LATEST:
        raise RequestError(400, f"{parameter} is no time that can be looked up", hint=_TIME_HINT)
    return now - number if number < _AGO else number


def _instant(text: str) -> float:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(text)
    return instant.timestamp()


def _count(parameter: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MOST_POINTS):
        raise RequestError(400, f"{parameter} is no such number", hint=f"1 to {MOST_POINTS}")
    return int(text)
