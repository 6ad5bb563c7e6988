"""`healthctl watch`: the status page, live and in place; where nobody looks on, a page for each change."""

from __future__ import annotations

import json
import shutil
import sys
import time
from typing import TYPE_CHECKING, Any, Final, NoReturn

from healthd.cli.client import Client, Unreachable
from healthd.cli.status import page
from healthd.cli.text import DIM, plain, terminal_style

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Mapping

EVERY_SECONDS: Final = 1.0

_HOME: Final = "\x1b[H"
_TO_LINE_END: Final = "\x1b[K"
_TO_SCREEN_END: Final = "\x1b[J"
_OTHER_SCREEN: Final = "\x1b[?1049h\x1b[?25l"
_OWN_SCREEN: Final = "\x1b[?25h\x1b[?1049l"
_PASSING: Final = ("timestamp", "uptime_seconds", "memory_mb", "active_peers", "last_check")


def run(args: Namespace) -> int:
    """Show how the host is until Ctrl-C; ends with 0 then. What cannot be reached is waited for."""
    client = Client(args.socket)
    live = sys.stdout.isatty() and not args.json
    if live:
        sys.stdout.write(_OTHER_SCREEN)
    try:
        _watch(client, live=live, as_json=args.json)
    except KeyboardInterrupt:
        return 0
    finally:
        if live:
            sys.stdout.write(_OWN_SCREEN)
            sys.stdout.flush()


def _watch(client: Client, *, live: bool, as_json: bool) -> NoReturn:
    style, shown = terminal_style(), ""
    while True:
        now = time.time()
        try:
            status = client.get("/api/v1/status")
            settings = None if client.outline_only or as_json else client.get("/api/v1/config")
            lines = [json.dumps(status, ensure_ascii=False)] if as_json else page(status, now, style, settings=settings)
            state = json.dumps(lasting(status))
        except Unreachable as error:
            lines = [json.dumps({"error": str(error)})] if as_json else [f"healthctl: {plain(error)}; waiting for it"]
            state = lines[0]
        if live:
            stamp = style.paint(f"{time.strftime('%H:%M:%S')} · Ctrl-C ends", DIM)
            sys.stdout.write(in_place([*lines, "", stamp], shutil.get_terminal_size().lines))
        elif state != shown:
            print("\n".join(lines) if as_json else "\n".join([time.strftime("%Y-%m-%d %H:%M:%S"), *lines, ""]))
        shown = state
        sys.stdout.flush()
        time.sleep(EVERY_SECONDS)


def in_place(lines: Iterable[str], height: int) -> str:
    """What to write so that these lines stand where the last ones stood, as many as the terminal has."""
    kept = list(lines)
    if len(kept) > height:
        kept = [*kept[: height - 2], "...", kept[-1]]
    return _HOME + f"{_TO_LINE_END}\n".join(kept) + _TO_LINE_END + _TO_SCREEN_END


def lasting(value: Any) -> Any:
    """The status without what passes from look to look: what is left changes only when something happened."""
    if isinstance(value, dict):
        return _without(value)
    return [lasting(one) for one in value] if isinstance(value, list) else value


def _without(table: Mapping[str, Any]) -> dict[str, Any]:
    passing = {*_PASSING, *(("message", "values", "score") if table.get("status") == "healthy" else ())}
    return {name: lasting(one) for name, one in table.items() if name not in passing}
