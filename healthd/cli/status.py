"""`healthctl status`: a headline, a line a component, and more only of what is not well."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from healthd.cli import story
from healthd.cli.client import Client, Refused
from healthd.cli.text import BOLD, DIM, YELLOW, columns, duration, figure, moment, plain, score, terminal_style
from healthd.errors import RequestError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from healthd.cli.text import Style

    Data = Mapping[str, Any]

EXIT_CODES: Final = {"healthy": 0, "degraded": 1, "unhealthy": 2}
UNKNOWN_EXIT: Final = 3
_ITEMS_SHOWN: Final = 8
_WORST_FIRST: Final = ("unhealthy", "degraded", "unknown", "healthy")


def run(args: Namespace) -> int:
    """Print how the host, or one thing on it, is; the exit code says it too."""
    client = Client(args.socket)
    if args.name is None:
        value = client.get("/api/v1/status")
        lines = [] if args.json else page(value, time.time(), terminal_style(), settings=_settings(client))
    else:
        value = _find(client, args.name)
        lines = [] if args.json else detail(args.name, value, time.time(), terminal_style())
    show(args, value, lines, outline_only=client.outline_only)
    return EXIT_CODES.get(value["status"], UNKNOWN_EXIT)


def show(args: Namespace, value: object, lines: list[str], *, outline_only: bool = False) -> None:
    """Print the API's answer, or what was made of it for people."""
    if args.json:
        print(json.dumps(value, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))
        return
    print("\n".join(lines))
    if outline_only:
        print("\nThis is the outline that everybody may see. For the rest use sudo, or be in the group healthd.")


def page(status: Data, now: float, style: Style, *, settings: Data | None) -> list[str]:
    """The whole host."""
    checks = sorted(status["health_checks"].items(), key=lambda entry: _WORST_FIRST.index(entry[1]["status"]))
    lines = [_headline(status, style, settings), *_silenced(status.get("silences", ()), now, style)]
    if not checks:
        return [*lines, "", "Nothing has been judged yet."]
    rows = columns([_row(name, health, style) for name, health in checks])
    lines.append("")
    for (_, health), row in zip(checks, rows, strict=True):
        lines.append(row)
        lines += _trouble(health, now, style)
    return lines


def _silenced(silences: Sequence[Data], now: float, style: Style) -> list[str]:
    """What is silenced at this moment."""
    from healthd.cli.silence import how_long

    in_force = [one for one in silences if one["in_force"]]
    texts = [f"{plain(one['scope'])} is silenced {how_long(one, now)} ({plain(one['id'])})" for one in in_force]
    return [style.paint(f"  {text}", YELLOW) for text in texts]


def detail(name: str, value: Data, now: float, style: Style) -> list[str]:
    """One component or item."""
    lines = columns([_row(value.get("name", name), value, style)])
    if "items" not in value:
        lines += _values(value, style)
        asks = f"  what healthd does about it: healthctl explain {plain(value['name'])}"
        return lines if value["status"] == "healthy" else [*lines, asks]
    well = sum(item["status"] == "healthy" for item in value["items"])
    looked = f"last looked at {moment(value['last_check'], now)}" if value["last_check"] else "not looked at yet"
    about = [looked, value["trend"], f"weight {value['weight']:g}"]
    if value["items"]:
        about.insert(0, f"{well} of {len(value['items'])} well")
    lines += ["  " + style.paint(", ".join(about), DIM), *_values(value, style)]
    return [*lines, *_trouble(value, now, style, most=len(value["items"])), *_well(value, style)]


def _well(component: Data, style: Style) -> list[str]:
    """The items of a component in which nothing is wrong, a line each."""
    named = {issue["item"] for issue in component["issues"]}
    well = [item for item in component["items"] if item["status"] == "healthy" and item["name"] not in named]
    rows = [
        [("  ", "  "), ("✔", style.sign("healthy")), *((plain(item[key]),) * 2 for key in ("name", "message"))]
        for item in sorted(well, key=lambda item: item["name"])
    ]
    return columns(rows)


def _values(value: Data, style: Style) -> list[str]:
    """The numbers that were read, with their limits, and when they will be critical."""
    rows = []
    for one in value.get("values", ()):
        name = one["name"]
        limits = [f"{word} {figure(name, one[word])}" for word in ("warning", "critical") if one[word] is not None]
        ahead = one["seconds_to_critical"]
        foretold = style.paint(f"critical in {duration(ahead)} at this pace", YELLOW) if ahead is not None else ""
        cells = (f"  {plain(name)}", figure(name, one["value"]), ", ".join(limits))
        rows.append([*((cell, cell) for cell in cells), (foretold, foretold)])
    return columns(rows)


def _headline(status: Data, style: Style, settings: Data | None) -> str:
    word = style.status(status["status"], style.paint(status["status"], BOLD))
    parts = [f"score {score(status['overall_score'])}", f"up {duration(status['uptime_seconds'])}"]
    if status["state"] == "auto_healing":
        parts.append(style.paint("healing now", YELLOW))
    elif settings is not None:
        parts.append(_healing_words(settings, style))
    return f"{style.sign(status['status'])} {word} · {' · '.join(parts)}"


def _healing_words(settings: Data, style: Style) -> str:
    if not settings["health"]["auto_healing_enabled"]:
        return style.paint("healing is switched off", YELLOW)
    if settings["auto_healing"]["dry_run"]:
        return style.paint("dry run: healing only says what it would do", YELLOW)
    return "healing is on"


def _row(name: str, health: Data, style: Style) -> list[tuple[str, str]]:
    status, digits = health["status"], score(health["score"]) if health["status"] != "unknown" else "-"
    return [
        (" ", style.sign(status)),
        (plain(name), plain(name)),
        (status, style.status(status)),
        (digits, digits),
        ("", plain(health["message"])),
    ]


def _trouble(health: Data, now: float, style: Style, *, most: int = _ITEMS_SHOWN) -> list[str]:
    """What is not well in a component: its items, each with its issues and what is done about them."""
    issues: dict[str, list[Data]] = {}
    for issue in health["issues"]:
        issues.setdefault(issue["item"], []).append(issue)
    bad = [item for item in health["items"] if item["status"] != "healthy" or item["name"] in issues]
    bad.sort(key=lambda item: (item["name"] not in issues, _WORST_FIRST.index(item["status"])))
    named = {item["name"] for item in health["items"]}
    lines = [line for name in issues if name not in named for line in _issue_lines(issues[name], now, style, "    ")]
    for item in bad[:most]:
        lines.append(f"    {style.sign(item['status'])} {plain(item['name'])}: {plain(item['message'])}")
        lines += _issue_lines(issues.get(item["name"], []), now, style, "      ")
    if len(bad) > most:
        lines.append(f"    and {len(bad) - most} more: healthctl issues")
    return lines


def _issue_lines(issues: list[Data], now: float, style: Style, indent: str) -> list[str]:
    lines = []
    for issue in issues:
        lines.append(f"{indent}{story.summary(issue, now)}")
        lines.append(f"{indent}healthd: {story.doing(issue, now, style)}")
    return lines


def _settings(client: Client) -> Data | None:
    """The settings in force, which only full access shows."""
    if client.outline_only:
        return None
    try:
        value: Data = client.get("/api/v1/config")
    except RequestError:
        return None  # the headline says less then, but how the host is must be seen
    return value


def _find(client: Client, name: str) -> Data:
    """A component of this name, or else an item; the suffix of a service may be left out."""
    try:
        found: Data = client.get(f"/api/v1/components/{quote(name, safe='')}")
    except Refused as refusal:
        if refusal.status != 404:
            raise
        item = pick(client.get("/api/v1/components"), name)
        if item is None:
            raise
        return item
    return found


def pick(components: Mapping[str, Data], name: str) -> Data | None:
    """The component of this name, or else an item; the suffix of a service may be left out."""
    if name in components:
        return components[name]
    items = (item for health in components.values() for item in health["items"])
    return next((item for item in items if item["name"] in (name, f"{name}.service")), None)
