"""`healthctl incidents`: what went wrong lately, the newest first, what had changed before, and how it ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from healthd.cli.client import Client
from healthd.cli.incident import before, ended
from healthd.cli.since import since
from healthd.cli.status import show
from healthd.cli.text import BOLD, DIM, RED, YELLOW, moment, plain, terminal_style

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from healthd.cli.text import Style

_COLOURS: Final = {"critical": RED, "high": RED, "medium": YELLOW}


def run(args: Namespace) -> int:
    """Print the incidents."""
    now = time.time()
    asked = f"?since={since(args.since, now):.3f}" if args.since else ""
    value = Client(args.socket).get(f"/api/v1/incidents{asked}")
    show(args, value, [] if args.json else page(value, now, terminal_style()))
    return 0


def page(incidents: Sequence[Mapping[str, Any]], now: float, style: Style) -> list[str]:
    """A paragraph an incident."""
    if not incidents:
        return ["No incidents."]
    width = max(len(str(incident["id"])) for incident in incidents)
    lines: list[str] = []
    for incident in incidents:
        going = incident["ended_at"] is None
        mark = style.paint("●", _COLOURS.get(incident["severity"], DIM) if going else DIM)
        number = style.paint(f"{incident['id']:>{width}}", BOLD)
        lines.append(f"{mark} {number}  {moment(incident['opened_at'], now)}  {plain(incident['title'])}")
        indent = " " * (width + 4)
        lines.append(f"{indent}{ended(incident, now)}")
        if incident["changes"]:
            lines.append(f"{indent}changed before: {before(incident)}")
    lines += ["", "All that is known of one: healthctl incident NUMBER (or: last)"]
    return lines
