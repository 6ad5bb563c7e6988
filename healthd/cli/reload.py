"""`healthctl reload`: have the configuration read again. systemd does it, so that the polkit rule follows."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from healthd.cli.client import Client, Refused
from healthd.cli.status import show
from healthd.cli.text import plain

if TYPE_CHECKING:
    from argparse import Namespace


def run(args: Namespace) -> int:
    """Wait until the new configuration is in force; 1 and every problem on stderr if it is refused.

    With --apply, which is for ExecReload of the unit, the daemon reads it right here and now.
    """
    try:
        value = Client(args.socket).post("/api/v1/apply" if args.apply else "/api/v1/reload", {})
    except Refused as refusal:
        if args.apply and refusal.problems:
            return 1  # the daemon has said them in the journal, where this would go too
        hint = () if refusal.problems else (refusal.hint,)
        for line in (*refusal.problems, *str(refusal).splitlines(), *hint):
            if line:
                print(f"healthctl: {plain(line)}", file=sys.stderr)
        return 1
    if args.apply:
        return 0
    for warning in value.get("warnings", ()):
        print(f"healthctl: warning: {plain(warning)}", file=sys.stderr)
    show(args, value, ["The configuration was read again and is in force."])
    return 0
