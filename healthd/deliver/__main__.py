"""`python3 -m healthd.deliver`: what healthd-deliver.service runs."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from healthd.clock import SystemClock
from healthd.deliver.folder import Folder
from healthd.deliver.office import IDLE_SECONDS, Office
from healthd.deliver.ways import Wires
from healthd.errors import HealthdError
from healthd.net import Network
from healthd.places import state_directory
from healthd.systemd.journal import open_log

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthd.systemd.journal import Journal


def main(arguments: Sequence[str] | None = None) -> int:
    """Deliver what there is. Options: `--config FILE`, `--idle SECONDS`; the folders are in the state directory."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = dict(zip(given[::2], given[1::2], strict=False))
    clock = SystemClock()
    log = open_log(False, clock)
    try:
        asyncio.run(_deliver(options, clock, log))
    except HealthdError as error:
        sys.stderr.write(f"healthd-deliver: {error}\n")
        return 1
    finally:
        log.close()
    return 0


async def _deliver(options: dict[str, str], clock: SystemClock, log: Journal) -> None:
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    office = Office(
        folder=Folder(state_directory()),
        clock=clock,
        log=log,
        ways=Wires(Network(), clock),
        config=Path(options["--config"]) if "--config" in options else None,
        credentials=Path(credentials) if credentials else None,
        idle=float(options.get("--idle", IDLE_SECONDS)),
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, office.stop)
    await office.run()


if __name__ == "__main__":
    sys.exit(main())
