"""`healthctl incident`: what happened from the first sign to the recovery, what changed before, and the evidence."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from healthd.cli.client import Client
from healthd.cli.status import show
from healthd.cli.text import BOLD, GREEN, RED, columns, duration, moment, plain, since, terminal_style

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Mapping

    from healthd.cli.text import Style

    Data = Mapping[str, Any]

_GIB: Final = 2**30
_MIB: Final = 2**20
_CHANGES_SHOWN: Final = 12


def run(args: Namespace) -> int:
    """Print all that is known of an incident."""
    if args.number != "last" and not args.number.isdecimal():
        args.parser.error(f"{args.number} is no incident: they have numbers, and the newest one is 'last'")
    value = Client(args.socket).get(f"/api/v1/incidents/{quote(args.number, safe='')}")
    show(args, value, [] if args.json else page(value, time.time(), terminal_style()))
    return 0


def page(value: Data, now: float, style: Style) -> list[str]:
    """What matters most in the first lines, then each kind of evidence under a title of its own."""
    going = value["ended_at"] is None
    mark = style.paint("●", RED if going else GREEN)
    lines = [f"{mark} {style.paint('Incident ' + str(value['id']), BOLD)}: {plain(value['title'])}"]
    lines.append(f"  {ended(value, now)}")
    lines.append(f"  changed before: {before(value) if value['changes'] else _nothing_changed(value)}")
    if value["follows"]:
        lines.append(f"  it was the same shortly before: healthctl incident {value['follows']}")
    if value["part_of"]:
        lines.append(f"  it goes on as: healthctl incident {value['part_of']}")
    sections = [
        ("What changed in the hour before", _changes(value, now)),
        ("What happened", _events(value, now)),
        *((_run_title(run), _run(run, now)) for run in value["runs"]),
        ("How things stood", _surroundings(value["surroundings"])),
        ("What could not be looked at", [plain(each) for each in value["missed"]]),
    ]
    for title, content in sections:
        if content:
            lines += ["", f"  {style.paint(title, BOLD)}", *(f"    {line}" for line in content)]
    return lines


def ended(value: Data, now: float) -> str:
    """`over, high: healed by start_unit of web.service, after 1.2 s`, or since when it goes on."""
    result = plain(value["result"])
    if value["ended_at"] is not None:
        return f"over, {plain(value['severity'])}, {moment(value['opened_at'], now)}: {result}"
    return f"going on, {plain(value['severity'])}, {since(value['opened_at'], now)}: {result}"


def before(value: Data) -> str:
    """The change that is nearest, and how many there are beside it."""
    first, more = value["changes"][0], len(value["changes"]) - 1
    others = f" (and {more} more)" if more else ""
    return f"{_change(first, value['opened_at'])}{others}"


def _change(change: Data, opened_at: float) -> str:
    ago = duration(opened_at - change["at"])
    return f"{plain(change['what'])} {plain(change['text'])} {ago} before"


def _nothing_changed(value: Data) -> str:
    return "nothing that healthd knows of" if value["looked"] else "not known (yet)"


def _changes(value: Data, now: float) -> list[str]:
    shown = value["changes"][:_CHANGES_SHOWN]
    rows = [(moment(each["at"], now), _change(each, value["opened_at"])) for each in shown]
    lines = columns([((at, at), (text, text)) for at, text in rows])
    left = len(value["changes"]) - len(shown)
    return [*lines, f"and {left} more: --json has all"] if left else lines


def _events(value: Data, now: float) -> list[str]:
    rows = [(_instant(each["at"], now), plain(each["message"])) for each in value["events"]]
    return columns([((at, at), (text, text)) for at, text in rows])


def _instant(at: float, now: float) -> str:
    """To the millisecond where it was today: healing is quick."""
    text = moment(at, now)
    return text if "-" in text else f"{text}.{int(at * 1000) % 1000:03d}"


def _run_title(run: Data) -> str:
    return f"What {plain(run['unit'])} left ({plain(run['text'])})"


def _run(run: Data, now: float) -> list[str]:
    lines = []
    used = [f"{run['memory'] / _MIB:.1f} MiB of memory" if run["memory"] is not None else ""]
    used.append(f"{run['tasks']} tasks" if run["tasks"] is not None else "")
    if any(used):
        lines.append(f"it used {' and '.join(filter(None, used))} before the action")
    if (core := run["core"]) is not None:
        where = f"coredumpctl info {core['pid']}" if core["file"] else "the core was not kept"
        lines.append(f"core dump: {plain(core['signal'])} in {plain(core['program'])} ({where})")
    lines += [f"{moment(each['at'], now)} {plain(each['source'])}: {plain(each['text'])}" for each in run["lines"]]
    if run["invocation"]:
        lines.append(f"all of it: journalctl _SYSTEMD_INVOCATION_ID={plain(run['invocation'])}")
    return lines


def _surroundings(value: Data | None) -> list[str]:
    if value is None:
        return []
    rows: list[tuple[str, str]] = []
    if value["memory_total"] is not None:
        free, whole = (value[name] / _GIB for name in ("memory_available", "memory_total"))
        rows.append(("memory", f"{free:.1f} of {whole:.1f} GiB available"))
    if value["load"] is not None:
        rows.append(("load", f"{value['load']:.2f}"))
    if value["pressure"]:
        rows.append(("pressure", _numbers(value["pressure"].items(), " %")))
    if value["trend"] is not None and value["score"] is not None:
        rows.append(("component", f"score {value['score']:.2f}, {plain(value['trend'])}"))
    if value["values"]:
        rows.append(("values", _numbers(value["values"].items(), "")))
    if value["seconds_to_critical"] is not None:
        rows.append(("foretold", f"critical in {duration(value['seconds_to_critical'])}"))
    rows += [("also wrong", plain(each)) for each in value["beside"]]
    return columns([((label, label), (text, text)) for label, text in rows])


def _numbers(items: Iterable[tuple[str, float]], unit: str) -> str:
    return ", ".join(f"{plain(name)} {number:.6g}{unit}" for name, number in items)
