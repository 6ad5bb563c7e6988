"""`healthctl reload`: have the configuration read again. systemd does it, so that the polkit rule follows."""

from __future__ import annotations

import os
import select
import sys
import threading
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
    if args.apply and (daemon := os.environ.get("MAINPID")):
        threading.Thread(target=_end_with, args=(int(daemon),), daemon=True).start()
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


def _end_with(daemon: int) -> None:
    """End this process with the daemon's.

    systemd holds the sockets. There the order would wait for the next daemon, which systemd does not start before the
    order is answered.
    """
    try:
        process = os.pidfd_open(daemon)
    except ProcessLookupError:
        pass
    else:
        select.select([process], [], [])
    print("healthctl: healthd ended before it had read its configuration", file=sys.stderr, flush=True)
    os._exit(1)
