"""`healthctl simulate`: what healthd would have done under another configuration, beside what it did."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from healthd.cli.config import EX_CONFIG
from healthd.cli.messages import told
from healthd.cli.since import since
from healthd.cli.status import show
from healthd.cli.text import BOLD, DIM, RED, YELLOW, columns, duration, moment, plain, terminal_style
from healthd.config.show import toml_value
from healthd.errors import ConfigError, RequestError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Mapping

    from healthd.cli.text import Style
    from healthd.config import Settings

    Data = Mapping[str, Any]

HISTORY: Final = Path("/var/lib/healthd/history.db")
_SHOWN: Final = 40
_WHY: Final = 70
_SETTINGS_SHOWN: Final = 12
_KEYS_SHOWN: Final = 5
_NOTICED: Final = 60.0


def run(args: Namespace) -> int:
    """Replay, and print both."""
    now = time.time()
    begin = since(args.since, now)
    end = since(args.until, now, "--until") if args.until else now
    if begin >= end:
        raise RequestError(400, "there is no time between --since and --until", hint="--since must be the earlier one")
    _must_be_readable(args.history)
    try:
        settings = _settings(args)
    except ConfigError as error:
        from healthd.cli.main import complain

        complain(error)
        return EX_CONFIG
    report = _replayed(args.history, settings, begin, end)
    show(args, report, [] if args.json else page(report, now, terminal_style()))
    return 0


def _settings(args: Namespace) -> Settings:
    from healthd.cli.as_daemon import as_daemon
    from healthd.config import load
    from healthd.config.assigned import assigned

    texts = assigned(args.set, "--set")
    with as_daemon(args.config):
        return load(args.config, texts=texts)


def _replayed(named: Path | None, settings: Settings, begin: float, end: float) -> Data:
    from healthd.cli.as_daemon import as_daemon
    from healthd.simulate.report import simulate

    # Not as root: SQLite may have to make files beside the database, and the daemon must be able to open those.
    with as_daemon(named):
        return simulate(named or HISTORY, settings, begin, end)


def _must_be_readable(named: Path | None) -> None:
    from healthd.cli.as_daemon import as_daemon

    path = named or HISTORY
    try:
        with as_daemon(named):
            os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
    except FileNotFoundError:
        hint = "has healthd ever run here? --history FILE reads that of another host"
        raise RequestError(0, f"{path}: there is no history", hint=hint) from None
    except PermissionError:
        hint = "" if named else "sudo healthctl simulate"
        raise RequestError(0, f"{path}: permission denied", hint=hint) from None
    except OSError as error:
        raise RequestError(0, f"{path}: it cannot be read: {error.strerror}") from None


# The page


def page(report: Data, now: float, style: Style) -> list[str]:
    """What differs first, then the sums, then what all of it rests on."""
    lines = [*_head(report, now), *_ran_away(report, now, style), "", *_differences(report, now, style), ""]
    lines += [*told(report, now, style), "", *_sums(report, style)]
    return [*lines, "", style.paint("What this rests on", BOLD), *(f"  {each}" for each in rests_on(report, now))]


def _head(report: Data, now: float) -> Iterator[str]:
    yield f"From {_when(report['since'], now)} to {_when(report['until'], now)}: what was done, and what would be with"
    yield f"  {', '.join(map(plain, report['files'])) or 'no files, so the defaults hold'}"
    changed = report["settings"]
    if not changed:
        yield "which says what was in force when this was recorded."
        return
    yield "which differs from what was in force:"
    for each in changed[:_SETTINGS_SHOWN]:
        yield f"  {plain(each['key'])}: {_value(each['recorded'])} -> {_value(each['simulated'])}"
    if len(changed) > _SETTINGS_SHOWN:
        yield f"  and {len(changed) - _SETTINGS_SHOWN} more keys (all of them: --json)"


def _ran_away(report: Data, now: float, style: Style) -> Iterator[str]:
    if not report["ran_away"]:
        return
    actions = _counted(sum(report["guesses"].values()), "action")
    yield style.paint(f"Nothing holds these settings back: broken off after {actions} that were never done,", RED)
    yield f"at {_when(report['until'], now)}; both are shown until then. See host_budget_actions and backoff_seconds."


def _value(value: object) -> str:
    if value in (None, "", []):
        return "not set"
    if isinstance(value, bool | list | dict):
        return plain(toml_value(value))
    return plain(value)


def _differences(report: Data, now: float, style: Style) -> Iterator[str]:
    different, same = report["differences"], report["actions"]
    if not different:
        yield f"No difference: {_counted(len(same), 'action')}, the same in both."
        return
    yield style.paint(f"{len(different)} of {_counted(len(different) + len(same), 'action')} differ", BOLD)
    head = ("", "about", "was done", "would be done", "because")
    rows = [tuple((cell, style.paint(cell, DIM)) for cell in head)]
    rows += [_row(each, now, style) for each in different[:_SHOWN]]
    yield from (f"  {line}" for line in columns(rows))
    if len(different) > _SHOWN:
        yield f"  and {len(different) - _SHOWN} more (all of them: --json)"


def _row(pair: Data, now: float, style: Style) -> tuple[tuple[str, str], ...]:
    why = plain(pair["why"])
    why = why if len(why) <= _WHY else f"{why[: _WHY - 1]}…"
    was, would = (_act(pair[world], pair["at"]) for world in ("was", "would"))
    cells = [(text, text) for text in (_when(pair["at"], now), plain(pair["subject"]), was)]
    colour = RED if pair["would"] is None else YELLOW
    return (*cells, (would, style.paint(would, colour)), (why, why))


def _act(act: Data | None, at: float) -> str:
    """`at`: the time at the beginning of the line."""
    if act is None:
        return "nothing"
    words = f"{act['action']}, {act['outcome'] or 'under way'}"
    if act.get("by"):
        words += f", ordered by {plain(act['by'])}"
    return f"{words}, {moment(act['at'], at)}" if act["at"] - at >= 1 else words


def _sums(report: Data, style: Style) -> list[str]:
    was, would = report["was"], report["would"]
    rows = [("", "was", "would be")]
    for title, parts in (("actions", ("actions", "outcomes")), ("holds", ("holds",)), ("issues opened", ("issues",))):
        rows.append((title, str(sum(was[parts[0]].values())), str(sum(would[parts[0]].values()))))
        for part in parts:
            rows += _parts(was[part], would[part])
    rows.append(("gave up", str(was["gave_up"]), str(would["gave_up"])))
    rows.append(("messages to people", str(sum(was["told"].values())), str(sum(would["told"].values()))))
    for part in ("told", "told_to"):
        rows += _parts(was[part], would[part], "to " if part == "told_to" else "")
    rows.append(("issues open, all together", duration(was["down"]), duration(would["down"])))
    head, *rest = rows
    return columns([[(cell, style.paint(cell, DIM)) for cell in head], *([(c, c) for c in row] for row in rest)])


def _parts(was: Mapping[str, int], would: Mapping[str, int], before: str = "") -> Iterator[tuple[str, str, str]]:
    for name in sorted({*was, *would}):
        yield f"  {before}{name}", str(was.get(name, 0)), str(would.get(name, 0))


_GUESSES: Final = {
    "attempt": "taken to end as the attempt on record at the same failure did that is nearest in time",
    "recovery": "taken to help, since what it is about came up later",
    "nothing": "taken not to help: nothing on record shows that it would",
}


def rests_on(report: Data, now: float) -> Iterator[str]:
    """What had to be assumed, and what is not known, a line each."""
    yield "What fails by itself, and what people did, is the same in both; only what healthd does differs."
    for how, words in _GUESSES.items():
        if number := report["guesses"].get(how, 0):
            yield f"{_counted(number, 'action')} that {'was' if number == 1 else 'were'} never done: {words}."
    unseen = [plain(each["key"]) for each in report["settings"] if not each["replayed"]]
    if unseen:
        more = f" and {len(unseen) - _KEYS_SHOWN} more" if len(unseen) > _KEYS_SHOWN else ""
        keys = ", ".join(unseen[:_KEYS_SHOWN]) + more
        yield f"Readings count as they were judged then, so this has no effect here: {keys}."
    if report["coarse"]:
        yield "Values are held against other limits as they are kept by now: older than two days, as means of minutes."
    if report["since"] > report["asked_since"]:
        yield f"Decisions are on record since {_when(report['recorded_since'], now)} only."
    elif report["since"] - report["replayed_since"] > _NOTICED:
        yield f"It was replayed from {_when(report['replayed_since'], now)} on; what is shown begins later."
    if changes := report["reconfigured"]:
        times = "once" if len(changes) == 1 else f"{len(changes)} times, last"
        at = _when(changes[-1], now)
        yield f"The configuration was changed {times} at {at}; the one that is tried holds all the time."
    for begin, end in report["gaps"]:
        yield f"Nothing is on record from {_when(begin, now)} to {_when(end, now)}; both begin anew after it."


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _when(at: float, now: float) -> str:
    return moment(at, now)
