"""`healthctl silence`: leave something alone for a while; without a name, what is silenced."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from healthd.cli.client import Client
from healthd.cli.since import seconds
from healthd.cli.status import show
from healthd.cli.text import DIM, columns, duration, moment, plain, terminal_style, until
from healthd.errors import RequestError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from healthd.cli.text import Style

    Data = Mapping[str, Any]

_SPANS = "90s, 30m, 2h, 1d, 1h30m"


def run(args: Namespace) -> int:
    """Set a silence and print it, or print those that are set."""
    client, now, style = Client(args.socket), time.time(), terminal_style()
    if args.name is None and not args.all:
        if args.span or args.unit or args.calendar or args.reason:
            args.parser.error("what is to be silenced? Give a NAME, or --all")
        value = client.get("/api/v1/silences")
        show(args, value, [] if args.json else page(value, now, style))
        return 0
    value = client.post("/api/v1/silence", _wish(args))
    show(args, value, [] if args.json else _set(value, now))
    return 0


def _wish(args: Namespace) -> dict[str, object]:
    wish: dict[str, object] = {"name": args.name, "all": args.all, "while": args.unit, "calendar": args.calendar}
    if args.span is not None:
        wish["for_seconds"] = seconds(args.span)
        if wish["for_seconds"] is None:
            raise RequestError(400, f"--for {args.span}: this is no span of time", hint=_SPANS)
    if args.reason:
        wish["reason"] = args.reason
    return wish


def page(silences: Sequence[Data], now: float, style: Style) -> list[str]:
    """A line each."""
    if not silences:
        return ["Nothing is silenced."]
    rows = []
    for one in silences:
        who = f"{one['by']}, {moment(one['set_at'], now)}" + (f": {one['reason']}" if one["reason"] else "")
        cells = (plain(one["id"]), plain(one["scope"]), how_long(one, now))
        rows.append([*((cell, cell) for cell in cells), (plain(who), style.paint(plain(who), DIM))])
    return [*columns(rows), "", "What ends one: healthctl resume ID"]


def how_long(one: Data, now: float) -> str:
    """Until when it is silenced, or when that begins."""
    parts = []
    if one["while"]:
        parts.append(f"while {plain(one['while'])} runs")
    if one["until"] is not None:
        parts.append(until(one["until"], now) + (" at most" if one["while"] else ""))
    if one["calendar"]:
        if one["begins"] is not None:
            parts.append(f"not now; again from {moment(one['begins'], now)} on")
        parts.append(f"by '{plain(one['calendar'])}' for {duration(one['for_seconds'])}")
    return ", ".join(parts)


def _set(one: Data, now: float) -> list[str]:
    return [
        f"{plain(one['id'])}: {plain(one['scope'])} is silenced, {how_long(one, now)}.",
        f"It is watched as before. What ends this: healthctl resume {plain(one['id'])}",
    ]
