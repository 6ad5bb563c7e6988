"""`healthctl alert test`: whether what healthd has to say arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthd.cli.client import Client
from healthd.cli.status import show
from healthd.cli.text import GREEN, RED, columns, plain, terminal_style

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from healthd.cli.text import Style


def run(args: Namespace) -> int:
    """Have a test sent and print the answers; 1 if one did not take it."""
    value = Client(args.socket).post("/api/v1/alert", {"receiver": args.receiver})
    show(args, value, [] if args.json else page(value["tried"], terminal_style()))
    return 0 if all(each["ok"] for each in value["tried"]) else 1


def page(tries: Sequence[Mapping[str, Any]], style: Style) -> list[str]:
    """A line each."""
    rows = []
    for each in tries:
        name, text = plain(each["receiver"]), plain(each["text"])
        word, colour = ("ok", GREEN) if each["ok"] else ("failed", RED)
        rows.append([(name, name), (word, style.paint(word, colour)), (text, text)])
    return columns(rows)
