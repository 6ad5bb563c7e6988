"""`healthctl ledger`: how often which action helped against which failure, and which are only suggested now."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from healthd.cli.client import Client
from healthd.cli.status import show
from healthd.cli.text import BOLD, YELLOW, ahead, columns, moment, plain, terminal_style

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from healthd.cli.text import Style


def run(args: Namespace) -> int:
    """Print the ledger, or what it says of one thing."""
    value = Client(args.socket).get("/api/v1/ledger")
    if args.name is not None:
        value = [each for each in value if args.name in _names(each["subject"])]
    show(args, value, [] if args.json else page(value, time.time(), terminal_style()))
    return 0


def _names(subject: str) -> tuple[str, ...]:
    """What somebody may call it: a service without its type, a part without its component."""
    return subject, subject.removesuffix(".service"), subject.partition(" ")[2] or subject


def page(ledger: Sequence[Mapping[str, Any]], now: float, style: Style) -> list[str]:
    """A line an action."""
    if not ledger:
        return ["Nothing has been tried yet."]
    rows = [[(title, style.paint(title, BOLD)) for title in ("WHAT", "FAILURE", "ACTION", "HELPED", "LAST", "NOW")]]
    for entry in ledger:
        helped = f"{entry['helped']} of {entry['helped'] + entry['failed']}"
        cells = (entry["subject"], entry["failure"], entry["action"], helped, moment(entry["last_at"], now))
        state = _state(entry, now)
        paint = state if entry["trusted"] else style.paint(state, YELLOW)
        rows.append([*((plain(cell),) * 2 for cell in cells), (state, paint)])
    return columns(rows)


def _state(entry: Mapping[str, Any], now: float) -> str:
    row = entry["failed_in_a_row"]
    failed = f"did not help the last {row} times" if row > 1 else "did not help the last time"
    if entry["trusted"]:
        return f"trusted, but {failed}" if row else "trusted"
    retry = "" if entry["retry_at"] is None else f"; tried once more at {ahead(entry['retry_at'], now)}"
    return f"only suggested, since it {failed}{retry}"
