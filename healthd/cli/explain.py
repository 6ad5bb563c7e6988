"""`healthctl explain`: the reading, the limit, the decision, what holds it and until when."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from healthd.cli import story, words
from healthd.cli.client import Client
from healthd.cli.status import show
from healthd.cli.text import ahead, columns, duration, plain, score, terminal_style, until

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from healthd.cli.text import Style

    Data = Mapping[str, Any]


def run(args: Namespace) -> int:
    """Print why something stands as it does."""
    value = Client(args.socket).get(f"/api/v1/explain/{quote(args.name, safe='')}")
    show(args, value, [] if args.json else page(value, time.time(), terminal_style()))
    return 0


def page(value: Data, now: float, style: Style) -> list[str]:
    """The headline, then a labelled line for each thing that counts."""
    status = value["status"]
    where = "" if value["component"] in ("", value["name"]) else f" ({plain(value['component'])})"
    number = "" if status == "unknown" else f", score {score(value['score'])}"
    head = f"{style.sign(status)} {plain(value['name'])}{where}: {style.status(status)}{number}"
    rows = [("Reading", plain(value["message"]))]
    rows += [(f"  {plain(name)}", plain(fact)) for name, fact in value["facts"].items()]
    rows.append(("Limit", plain(value["limit"])))
    if (issue := value["issue"]) is not None:
        of = issue["item"] if issue["component"] == value["component"] else issue["component"]
        whose = "" if of in ("", value["name"]) else f"{plain(of)}: "
        rows.append(("Issue", whose + story.summary(issue, now)))
    rows += _decision(value, now)
    rows.append(("Host budget", _budget(value["budget"], now)))
    lines = columns([((label, label), ("", text)) for label, text in rows if text])
    return [head, "", *(f"  {line}" for line in lines)]


def _decision(value: Data, now: float) -> list[tuple[str, str]]:
    action = words.action_words(value["action"]) if value["action"] else ""
    rows: list[tuple[str, str]] = []
    match value["decision"]:
        case "act":
            rows.append(("Decision", f"act: {plain(action)}"))
        case "running":
            rows.append(("Decision", f"healing it now: {plain(action)}"))
        case "hold":
            held = story.held(value["hold"], value["hold_text"], value["until"], now)
            unit = value["issue"]["unit"] if value["issue"] else None
            advice = words.hold_advice(value["hold"], name=value["name"], unit=unit)
            rows.append(("Decision", f"hold: {held}"))
            if value["hold_text"]:
                rows.append(("Which means", plain(words.hold_meaning(value["hold"]))))
            rows += [("You can", plain(advice)), ("Would do", plain(action))]
        case _:
            why = plain(value["hold_text"]) if value["issue"] is not None else ""
            again = "" if value["until"] is None else f"; next try at {ahead(value['until'], now)}"
            rows.append(("Decision", ": ".join(filter(None, ("nothing is to be done", why))) + again))
    if value["also_restarts"]:
        rows.append(("Restarts too", plain(", ".join(value["also_restarts"]))))
    if (issue := value["issue"]) is not None:
        limit = f"of {issue['max_attempts']}" if issue["max_attempts"] else "so far (no limit)"
        rows.append(("Attempts", f"{issue['attempts']} {limit}"))
    return rows


def _budget(budget: Data, now: float) -> str:
    if not budget["limit"]:
        return "no limit"
    text = f"{budget['remaining']} of {budget['limit']} actions left in any {duration(budget['window_seconds'])}"
    if not budget["remaining"] and budget["next_at"] is not None:
        text += f"; none {until(budget['next_at'], now)}"
    return text
