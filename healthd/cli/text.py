"""How things look: colours, signs, durations, moments and columns. Pure; the terminal is asked in one place only."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86400
_SIZES: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")

GREEN: Final = "32"
YELLOW: Final = "33"
RED: Final = "31"
BOLD: Final = "1"
DIM: Final = "2"

_STATUS: Final = {
    "healthy": ("✔", GREEN),
    "degraded": ("!", YELLOW),
    "unhealthy": ("✘", RED),
    "unknown": ("?", DIM),
}
# A name or message may come from a unit file or a program: it must not steer the terminal.
_CONTROLS: Final = {
    **dict.fromkeys((*range(32), *range(127, 160)), "\N{REPLACEMENT CHARACTER}"),
    **dict.fromkeys(map(ord, "\t\n\r"), " "),
}


class Style:
    """Colours, or none."""

    def __init__(self, *, coloured: bool) -> None:
        self._coloured = coloured

    def paint(self, text: str, colour: str) -> str:
        """The text in a colour, if there are any."""
        return f"\x1b[{colour}m{text}\x1b[0m" if self._coloured and text else text

    def sign(self, status: str) -> str:
        """One character for a status."""
        sign, colour = _STATUS.get(status, _STATUS["unknown"])
        return self.paint(sign, colour)

    def status(self, status: str, text: str = "") -> str:
        """A status word, or another text, in the colour of the status."""
        return self.paint(text or status, _STATUS.get(status, _STATUS["unknown"])[1])


def terminal_style() -> Style:
    """Colours only where a person looks, and not where NO_COLOR (no-color.org) or the terminal asks for none."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Style(coloured=sys.stdout.isatty() and wanted)


def plain(text: object) -> str:
    """Text from elsewhere, in one line and harmless to a terminal."""
    return str(text).translate(_CONTROLS)


def score(value: float) -> str:
    """A score with two digits, cut and not rounded: 0.899 must not read as the 0.90 that would be healthy."""
    return f"{int(value * 100 + 1e-9) / 100:.2f}"


def figure(name: str, value: float) -> str:
    """A number that was read, or its limit, in the unit that ends its name; an amount of memory in one that fits."""
    if not name.endswith("_bytes"):
        return f"{value:.15g}"
    steps = min(len(_SIZES) - 1, max(0, int(abs(value)).bit_length() - 1) // 10)
    return f"{value / 1024**steps:.{1 if steps else 0}f} {_SIZES[steps]}"


def duration(seconds: float) -> str:
    """`45 s`, `4 min`, `2 h 5 min`, `3 d 4 h`: two units at most, the nearest below."""
    whole = max(0, int(seconds))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    if whole < _DAY:
        return _two(whole // _HOUR, "h", whole % _HOUR // _MINUTE, "min")
    return _two(whole // _DAY, "d", whole % _DAY // _HOUR, "h")


def _two(big: int, big_unit: str, small: int, small_unit: str) -> str:
    return f"{big} {big_unit} {small} {small_unit}" if small else f"{big} {big_unit}"


def moment(at: float, now: float) -> str:
    """Local time: the time of day for today, else with its date."""
    then, today = time.localtime(at), time.localtime(now)
    return time.strftime("%H:%M:%S" if then[:3] == today[:3] else "%Y-%m-%d %H:%M", then)


def until(at: float, now: float) -> str:
    """`until 14:06:31 (in 4 min)`."""
    return f"until {ahead(at, now)}"


def ahead(at: float, now: float) -> str:
    """`14:06:31 (in 4 min)`."""
    return f"{moment(at, now)} (in {duration(at - now)})" if at > now else f"{moment(at, now)} (now)"


def since(at: float, now: float) -> str:
    """`since 14:02:11 (3 min ago)`."""
    return f"since {moment(at, now)} ({duration(now - at)} ago)"


def columns(rows: Iterable[Sequence[tuple[str, str]]], *, gap: str = "  ") -> list[str]:
    """Lines of aligned cells, each a text and how it is shown (the same, with colours). Rows have equal lengths."""
    kept = list(rows)
    widths = [max(len(row[index][0]) for row in kept) for index in range(len(kept[0]))] if kept else []
    lines = []
    for row in kept:
        cells = [shown + " " * (width - len(text)) for (text, shown), width in zip(row, widths, strict=True)]
        lines.append(gap.join(cells).rstrip())
    return lines
