"""`healthd`, also `python3 -m healthd`: reads the options and the configuration, then runs the daemon."""

from __future__ import annotations

import faulthandler
import gc
import os
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

from healthd import __version__, lean

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from healthd.config import Settings
    from healthd.errors import ConfigError

EX_CONFIG: Final = 78


class Options(NamedTuple):
    """What the command line says."""

    config: str = ""
    check: bool = False
    foreground_log: bool = False
    host_root: str = "/"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; returns the exit status: 0 for a stop that was asked for, 78 for a configuration that is wrong."""
    gc.disable()  # imports make much and drop nothing; the daemon turns it on again when it is ready
    lean.slim()
    options = _options(sys.argv[1:] if arguments is None else arguments)
    faulthandler.enable()  # SIGABRT is how systemd's watchdog ends a stuck daemon: the stacks go to the journal
    from pathlib import Path

    from healthd.config import load, needs_tls
    from healthd.errors import ConfigError

    config = Path(options.config) if options.config else None
    try:
        settings = load(config)
    except ConfigError as error:
        return _refuse(error, record=not (options.check or options.foreground_log))
    if options.check:
        for problem in settings.warnings:
            print(f"warning: {problem}", file=sys.stderr)
        print(f"configuration is valid (files: {', '.join(settings.files) or 'none, so the defaults hold'})")
        return 0

    if needs_tls(settings):
        lean.let_in("ssl")  # now, since asyncio looks for it once
    return _serve(settings, config, foreground=options.foreground_log, root=Path(options.host_root))


def _serve(settings: Settings, config: Path | None, *, foreground: bool, root: Path) -> int:
    import asyncio

    from healthd.clock import SystemClock
    from healthd.daemon import Daemon
    from healthd.errors import HealthdError
    from healthd.systemd.journal import open_log

    clock = SystemClock()
    log = open_log(foreground, clock)
    status = 0
    try:
        asyncio.run(Daemon(settings, config, clock, log, root).run())
    except* HealthdError as group:
        status = 1
        for each in group.exceptions:
            print(f"healthd: {each}", file=sys.stderr)
    finally:
        lost = log.close()
        if lost:
            print(f"healthd: the journal did not take {lost} records in time", file=sys.stderr)
    return status


def _refuse(error: ConfigError, *, record: bool) -> int:
    """Say everything that is wrong with the configuration: once, as a record where there is a journal for it."""
    from healthd.clock import SystemClock
    from healthd.events import Event
    from healthd.model import Severity
    from healthd.systemd.journal import leads_to_journal, open_log

    if not (record and leads_to_journal(2, os.environ)):
        print(error, file=sys.stderr)
        return EX_CONFIG
    log = open_log(False, SystemClock())
    message = f"the configuration cannot be used, healthd does not start:\n{error}"
    log.event(Event.CONFIG_REJECTED, message, severity=Severity.CRITICAL, reason="invalid")
    if log.close():  # the journal did not take it in time
        print(error, file=sys.stderr)
    return EX_CONFIG


def _options(arguments: Sequence[str]) -> Options:
    if not arguments:  # the way systemd starts it: argparse would weigh 1 MiB for nothing
        return Options()
    return Options(**vars(_parser().parse_args(arguments)))


def _parser() -> argparse.ArgumentParser:
    import argparse

    parser = argparse.ArgumentParser(
        prog="healthd", description="Watches the services of this host and heals those that fail."
    )
    where = "the configuration, with conf.d beside it (default: /etc/healthd/healthd.toml)"
    parser.add_argument("--config", metavar="FILE", default="", help=where)
    parser.add_argument("--check", action="store_true", help="say whether the configuration is valid, and end")
    parser.add_argument("--foreground-log", action="store_true", help="log to standard error, not to the journal")
    root = "where the root directory of the host is mounted, for a healthd in a container (default: /)"
    parser.add_argument("--host-root", metavar="DIR", default="/", help=root)
    parser.add_argument("--version", action="version", version=f"healthd {__version__}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
