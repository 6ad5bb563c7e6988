"""`healthctl heal`: heal something now, through the same decision and limits as always."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from healthd.cli import story, words
from healthd.cli.client import Client
from healthd.cli.status import show
from healthd.cli.text import plain, terminal_style

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from healthd.cli.text import Style


def run(args: Namespace) -> int:
    """Wait for the outcome and print it. 0: healed, or would act in a dry run; 1: held, or it failed."""
    if sys.stderr.isatty() and not args.json and not args.dry_run:
        print(f"healing {plain(args.name)}, waiting for the outcome ...", file=sys.stderr)
    fields = {"name": args.name, "dry_run": args.dry_run}
    if args.action is not None:
        fields["action"] = args.action
    value = Client(args.socket).post("/api/v1/heal", fields)
    show(args, value, [] if args.json else page(args.name, value, time.time(), terminal_style(), dry_run=args.dry_run))
    acted = value["decision"] == "act"
    would = args.dry_run and value["outcome"] is None
    return 0 if acted and (would or value["outcome"] == "success") else 1


def page(name: str, value: Mapping[str, Any], now: float, style: Style, *, dry_run: bool) -> list[str]:
    """What was done and how it ended, or what holds it."""
    action = plain(words.action_words(value["action"])) if value["action"] else ""
    text = f": {plain(value['text'])}" if value["text"] else ""
    if value["decision"] != "act":
        lines = [f"{style.sign('degraded')} {plain(name)}: nothing was done"]
        if value["hold"] is not None:
            lines[0] = f"{lines[0]}: {story.held(value['hold'], value['text'], value['until'], now)}"
            lines.append(f"  you can: {plain(words.hold_advice(value['hold'], name=name, unit=None))}")
        else:
            lines[0] += text
        return lines
    nothing = value["outcome"] == "not_supported"
    if dry_run:
        return [f"{plain(name)}: would {'do nothing' if nothing else action}{text}"]
    outcomes = {"success": ("healthy", "healed"), "failed": ("unhealthy", "not healed")}
    sign, word = outcomes.get(value["outcome"], ("degraded", "there was nothing to be done"))
    how = f" ({action})" if action and not nothing else ""
    return [f"{style.sign(sign)} {plain(name)}: {word}{how}{text}"]
