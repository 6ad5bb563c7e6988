"""`healthctl check`: run one check now, or all of them, and print how things stand then."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from healthd.cli.client import Client
from healthd.cli.status import detail, page, pick, show
from healthd.cli.text import terminal_style

if TYPE_CHECKING:
    from argparse import Namespace


def run(args: Namespace) -> int:
    """Wait for the check and print its result; 0 whatever that is."""
    value = Client(args.socket).post("/api/v1/check", {} if args.name is None else {"name": args.name})
    lines: list[str] = []
    if not args.json:
        named = None if args.name is None else pick(value["health_checks"], args.name)
        now, style = time.time(), terminal_style()
        lines = page(value, now, style, settings=None) if named is None else detail(args.name, named, now, style)
    show(args, value, lines)
    return 0
