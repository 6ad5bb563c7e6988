"""`healthctl issues`: what is wrong, worst first, and what healthd does about each."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from healthd.cli import story
from healthd.cli.client import Client
from healthd.cli.status import show
from healthd.cli.text import BOLD, DIM, RED, YELLOW, plain, terminal_style

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from healthd.cli.text import Style

_COLOURS: Final = {"critical": RED, "high": RED, "medium": YELLOW, "low": DIM}


def run(args: Namespace) -> int:
    """Print the open issues."""
    value = Client(args.socket).get("/api/v1/issues")
    show(args, value, [] if args.json else page(value, time.time(), terminal_style()))
    return 0


def page(issues: Sequence[Mapping[str, Any]], now: float, style: Style) -> list[str]:
    """A paragraph an issue."""
    if not issues:
        return ["No open issues."]
    lines: list[str] = []
    for issue in issues:
        name = plain(issue["item"] or issue["component"])
        mark = style.paint("●", _COLOURS.get(issue["severity"], DIM))
        if lines:
            lines.append("")
        lines.append(f"{mark} {style.paint(name, BOLD)} ({plain(issue['component'])}): {plain(issue['message'])}")
        lines.append(f"  {story.summary(issue, now)}")
        lines.append(f"  healthd: {story.doing(issue, now, style)}")
        if advice := story.advice(issue):
            lines.append(f"  you can: {advice}")
    return lines
