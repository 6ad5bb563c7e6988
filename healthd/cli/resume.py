"""`healthctl resume`: end silences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.cli.client import Client
from healthd.cli.status import show
from healthd.cli.text import plain

if TYPE_CHECKING:
    from argparse import Namespace


def run(args: Namespace) -> int:
    """Print what is silenced no more."""
    value = Client(args.socket).post("/api/v1/resume", {"name": args.name, "all": args.all})
    lines = [f"{plain(one['id'])}: {plain(one['scope'])} is silenced no more." for one in value["resumed"]]
    show(args, value, lines)
    return 0
