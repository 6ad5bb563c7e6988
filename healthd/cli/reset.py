"""`healthctl reset`: let healthd begin anew with something, after its cause was mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.cli.client import Client
from healthd.cli.status import show
from healthd.cli.text import plain

if TYPE_CHECKING:
    from argparse import Namespace


def run(args: Namespace) -> int:
    """Print which issues were reset."""
    value = Client(args.socket).post("/api/v1/reset", {"name": args.name})
    lines = [f"reset: {plain(issue)}" for issue in value["reset"]]
    show(args, value, lines or [f"There was nothing to forget about {plain(args.name)}."])
    return 0
