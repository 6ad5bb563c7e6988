"""`healthctl history`: how the scores, or the values of one thing, went, and what happened meanwhile."""

from __future__ import annotations

import os
import sys
import time
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from healthd.cli import plot
from healthd.cli.client import Client
from healthd.cli.since import since as since_when
from healthd.cli.status import show
from healthd.cli.text import BOLD, DIM, GREEN, RED, YELLOW, duration, moment, plain, terminal_style
from healthd.cli.text import score as score_text

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from healthd.cli.text import Style

    Data = Mapping[str, Any]

MOST_POINTS: Final = 1000
_WIDTH: Final = 80
_LEAST_WIDTH: Final = 48
_HEIGHT: Final = 8
_EVENTS_SHOWN: Final = 20
_LABEL: Final = 28
_TAIL: Final = 22
_LEAST_LINE: Final = 8
_SCORE: Final = "score"


class Screen:
    """What can be shown where this goes: so many columns, colours or none, more than ASCII or not."""

    def __init__(self, *, width: int, style: Style, ascii_only: bool) -> None:
        self.width, self.style, self.ascii_only = max(width, _LEAST_WIDTH), style, ascii_only


def run(args: Namespace) -> int:
    """Print what was."""
    now = time.time()
    client = Client(args.socket)
    query: dict[str, object] = {"since": since_when(args.since, now), "until": now}
    query["points"] = MOST_POINTS if args.csv else 300
    if args.value:
        query["name"] = args.value
    if args.name:
        query |= _named(client, args.name)
    history = client.get(f"/api/v1/history?{urlencode(query)}")
    if args.csv:
        _print_csv(history)
        return 0
    show(args, history, [] if args.json else page(history, args.name or "", now, _screen()))
    return 0


def _named(client: Client, name: str) -> dict[str, object]:
    """What the API calls it: a component, or an item of one. The suffix of a service may be left out."""
    components: Mapping[str, Data] = client.get("/api/v1/components")
    if name not in components:
        for component, health in components.items():
            for item in health["items"]:
                if item["name"] in (name, f"{name}.service"):
                    return {"component": component, "item": item["name"]}
    return {"component": name}


def _screen() -> Screen:
    try:
        width = os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        columns = os.environ.get("COLUMNS", "")
        width = int(columns) if columns.isdigit() else _WIDTH
    return Screen(width=width, style=terminal_style(), ascii_only=not _has_utf8())


def _has_utf8() -> bool:
    """Whether the terminal's locale has it. Python says that it has where it is C, and may have set LC_CTYPE itself."""
    names = [os.environ.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG")]
    if names[1] == "C.UTF-8" and names[2] in ("C", "POSIX"):
        names[1] = ""
    locale = next(filter(None, names), "C.UTF-8")
    return all("utf8" in name.lower().replace("-", "") for name in (locale, sys.stdout.encoding or ""))


def _print_csv(history: Data) -> None:
    """RFC 4180, with a header; times in ISO 8601, local, with their zone."""
    import csv
    from datetime import UTC, datetime

    writer = csv.writer(sys.stdout)
    writer.writerow(("time", "component", "item", "name", "min", "mean", "max"))
    for series in history["series"]:
        names = (series["component"], series["item"], series["name"])
        for at, *numbers in series["points"]:
            when = datetime.fromtimestamp(at, UTC).astimezone().isoformat()
            writer.writerow((when, *names, *numbers))


def page(history: Data, name: str, now: float, screen: Screen) -> list[str]:
    """The lines for a person; `name` is what was asked for, "" for the host."""
    span = duration(history["until"] - history["since"])
    what = plain(name) or "all scores"
    if not any(series["points"] for series in history["series"]):
        lines = [f"No readings of {what} were kept in the last {span}."]
        if not history["events"]:
            lines.append("healthd writes them down as it reads them: healthctl status NAME shows how it is now")
    else:
        lines = [screen.style.paint(f"{what}, the last {span}", BOLD), ""]
        lines += _rows(history, screen) if not name else _plots(history, screen)
    return lines + _events(history["events"], now, screen)


def _plots(history: Data, screen: Screen) -> list[str]:
    """The first of the series as a field, the others a line each."""
    series = sorted(history["series"], key=lambda each: (each["name"] != _SCORE, each["item"] != ""))
    lines = _field(series[0], history, screen)
    if len(series) > 1:
        lines += ["", *_rows({**history, "series": series[1:]}, screen)]
    return lines


def _field(series: Data, history: Data, screen: Screen) -> list[str]:
    label_width = 8
    width = screen.width - label_width - 2
    wide = width if screen.ascii_only else 2 * width
    seen = plot.columns(series["points"], history["since"], history["until"], wide)
    low, high = (0.0, 1.0) if series["name"] == _SCORE else plot.bounds(seen)
    drawn = plot.field(seen, low, high, height=_HEIGHT, plain=screen.ascii_only)
    labels = {0: high, (_HEIGHT - 1) // 2: (low + high) / 2, _HEIGHT - 1: low}
    edge = "|" if screen.ascii_only else "│"
    lines = [_label(series)]
    for row, line in enumerate(drawn):
        mark = plot.amount(labels[row]) if row in labels else ""
        lines.append(f"{mark:>{label_width}} {edge}{screen.style.paint(line.rstrip(), GREEN)}")
    corner = "+" + "-" * width if screen.ascii_only else "└" + "─" * width
    lines.append(f"{'':{label_width}} {corner}")
    lines.append(f"{'':{label_width}}  {plot.times(history['since'], history['until'], width)}")
    return lines


def _rows(history: Data, screen: Screen) -> list[str]:
    """A line a series: its name, how it went, how it is, and its worst."""
    series = [each for each in history["series"] if each["points"]]
    labels = [_label(each)[: screen.width // 3] for each in series]
    label_width = max(map(len, labels))
    width = max(_LEAST_LINE, screen.width - label_width - _TAIL - 2)
    lines = []
    for each, label in zip(series, labels, strict=True):
        seen = plot.columns(each["points"], history["since"], history["until"], width)
        last = each["points"][-1][2]
        if each["name"] == _SCORE:
            line = _sparkline([column and column.low for column in seen], (0.0, 1.0), screen, painted=True)
            least = min(point[1] for point in each["points"])
            tail = f"{score_text(last):>8}  min {score_text(least)}"
        else:
            line = _sparkline([column and column.mean for column in seen], plot.bounds(seen), screen, painted=False)
            most = max(point[3] for point in each["points"])
            tail = f"{plot.amount(last):>8}  max {plot.amount(most)}"
        lines.append(f"{label:<{label_width}}  {line}{tail}")
    lines.append(f"{'':{label_width}}  {plot.times(history['since'], history['until'], width)}")
    return lines


def _sparkline(values: Sequence[float | None], ends: tuple[float, float], screen: Screen, *, painted: bool) -> str:
    signs = zip(plot.sparkline(values, *ends, plain=screen.ascii_only), values, strict=True)
    if not painted:
        return "".join(sign for sign, _ in signs)
    runs = groupby(signs, key=lambda each: _colour(each[1]))
    return "".join(screen.style.paint("".join(sign for sign, _ in run), colour) for colour, run in runs)


def _colour(score: float | None) -> str:
    return DIM if score is None else GREEN if score >= 0.8 else YELLOW if score >= 0.5 else RED


def _label(series: Data) -> str:
    parts = (series["component"] or "host", series["item"], "" if series["name"] == _SCORE else series["name"])
    label = plain(" ".join(part for part in parts if part))
    return label if len(label) <= _LABEL else label[: _LABEL - 1] + "~"


def _events(events: Sequence[Data], now: float, screen: Screen) -> list[str]:
    """What happened, the newest last."""
    if not events:
        return []
    shown = events[-_EVENTS_SHOWN:]
    lines = [""]
    if len(shown) < len(events):
        lines.append(screen.style.paint(f"{len(events) - len(shown)} earlier events: --json has them", DIM))
    for event in shown:
        when = screen.style.paint(moment(event["at"], now), DIM)
        lines.append(f"{when}  {plain(event['message'] or event['event'])}")
    return lines
