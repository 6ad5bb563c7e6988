"""`healthctl doctor`: what the daemon finds when it tries each thing it needs; without one, what shows from outside."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from healthd.cli.client import Client, Unreachable
from healthd.cli.status import show
from healthd.cli.text import DIM, GREEN, RED, plain, terminal_style

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from healthd.cli.text import Style

_SECONDS: Final = 60.0  # it asks polkit about each unit
_SIGNS: Final = {True: ("✔", GREEN), False: ("✘", RED), None: ("–", DIM)}


def run(args: Namespace) -> int:
    """Print a line for each thing, with a remedy where it does not work; 1 if something is broken."""
    started = time.monotonic()
    try:
        lines = Client(args.socket).get("/api/v1/doctor", seconds=_SECONDS)
        took = (time.monotonic() - started) * 1000
        if not args.json:
            lines = [_line("daemon", ok=True, text=f"answers at {args.socket} ({took:.0f} ms for all of this)"), *lines]
    except Unreachable as error:
        from healthd.cli.outside import look

        lines = [_line("daemon", ok=False, text=str(error), remedy=error.hint), *look(args.socket)]
    show(args, lines, page(lines, terminal_style()))
    return 1 if any(line["ok"] is False for line in lines) else 0


def page(lines: Sequence[Mapping[str, Any]], style: Style) -> list[str]:
    """What is broken comes last, where the eye is when the list has scrolled by."""
    shown = []
    for line in sorted(lines, key=lambda one: one["ok"] is False):
        sign, colour = _SIGNS[line["ok"]]
        first, *more = line["text"].splitlines() or [""]
        shown.append(f"{style.paint(sign, colour)} {plain(line['name'])}: {plain(first)}")
        shown += [f"    {plain(text)}" for text in more]
        if line["remedy"] and line["ok"] is not True:
            shown.append(f"    {plain(line['remedy'])}")
    broken = sum(line["ok"] is False for line in lines)
    verdict = style.paint(f"{broken} broken", RED) if broken else style.paint("nothing is broken", GREEN)
    off = sum(line["ok"] is None for line in lines)
    return [*shown, "", f"{len(lines) - broken - off} fine, {off} not needed here, {verdict}"]


def _line(name: str, *, ok: bool, text: str, remedy: str = "") -> Mapping[str, Any]:
    return {"name": name, "ok": ok, "text": text, "remedy": remedy}
