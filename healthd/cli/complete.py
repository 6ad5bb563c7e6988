"""What the shell completes NAME with. It never complains: a completion that prints an error spoils the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from healthd.cli.client import Client
from healthd.errors import RequestError

if TYPE_CHECKING:
    from argparse import Namespace

_SECONDS: Final = 1.0


def run(args: Namespace) -> int:
    """Print the name of each component and item, one a line."""
    try:
        components = Client(args.socket).get("/api/v1/components", seconds=_SECONDS)
    except RequestError:
        return 1
    for name, health in components.items():
        for known in (name, *(item["name"] for item in health["items"])):
            print(known)
    return 0
