"""`healthctl config`: check the files, or show what they come to."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final

from healthd.cli.client import Client, Unreachable
from healthd.cli.status import show
from healthd.errors import ConfigError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from pathlib import Path

EX_CONFIG: Final = 78


def run(args: Namespace) -> int:
    """Carry out `config check` or `config show`."""
    return _check(args) if args.part == "check" else _show(args)


def _check(args: Namespace) -> int:
    from healthd.cli.as_daemon import as_daemon
    from healthd.config import load

    try:
        with as_daemon(args.config):
            settings = load(args.config)
    except ConfigError as error:
        lines = [str(problem) for problem in error.problems]
        if args.json:
            print(json.dumps({"valid": False, "problems": lines}, ensure_ascii=False))
        for line in lines:
            print(line, file=sys.stderr)
        return EX_CONFIG
    for warning in settings.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    value = {"valid": True, "files": list(settings.files), "warnings": [str(one) for one in settings.warnings]}
    files = ", ".join(settings.files) or "none, so the defaults hold"
    show(args, value, [f"configuration is valid (files: {files})"])
    return 0


def _show(args: Namespace) -> int:
    origin = "in force in the running healthd"
    if args.config is not None:
        tables, origin = _from_files(args.config), "from the files; the running healthd was not asked"
    else:
        try:
            tables = Client(args.socket).get("/api/v1/config")
        except Unreachable:
            tables, origin = _from_files(None), "from the files; no healthd answers"
    show(args, tables, [] if args.json else [f"# {origin}", "", _toml(tables)])
    return 0


def _from_files(path: Path | None) -> Mapping[str, Any]:
    from healthd.cli.as_daemon import as_daemon
    from healthd.config import load
    from healthd.config.show import tables

    with as_daemon(path):
        shown: Mapping[str, Any] = tables(load(path))
    return shown


def _toml(tables: Mapping[str, Any]) -> str:
    from healthd.config.show import text

    return text(tables).rstrip()
