"""`healthctl heartbeat`: a job reports in. Silent when that works: cron mails whatever a job prints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

from healthd.cli.client import Client

if TYPE_CHECKING:
    from argparse import Namespace


def run(args: Namespace) -> int:
    """Report in for the component of this name; any user may."""
    value = Client(args.socket).post(f"/api/v1/heartbeat/{quote(args.name, safe='')}", {}, for_all=True)
    if args.json:
        print(json.dumps(value))
    return 0
