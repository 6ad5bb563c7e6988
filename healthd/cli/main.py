"""healthctl: reads the command line, runs one verb, and turns every operator's mistake into one line with a hint."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from healthd import __version__
from healthd.cli.text import plain
from healthd.errors import ConfigError, HealthdError, RequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

SOCKET: Final = Path("/run/healthd/healthd.sock")
EX_USAGE: Final = 64
_BAD_REQUEST: Final = 400  # it makes no sense, to healthctl itself or to the daemon
_PIPE_CLOSED: Final = 141  # as a shell shows a program that SIGPIPE ended
_INTERRUPTED: Final = 130
_OUTPUT_FAILS: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})

_EXAMPLES: Final = """\
examples:
  healthctl status                     how is the host, and what is healthd doing about it?
  healthctl watch                      the same, live
  healthctl explain nginx.service      why is it like that, and what would healing do?
  healthctl history --since 7d         how did the scores go, and what happened?
  healthctl incident last              what went wrong, what changed before, and how did it end?
  healthctl heal nginx.service         heal it now, within the limits
  healthctl ledger                     how often did which action help?
  healthctl reset nginx.service        forget the attempts so far, after you mended the cause
  healthctl silence web.service --for 2h --reason "new disk"
  healthctl config check && sudo healthctl reload
  sudo healthctl simulate --set health.max_healing_attempts=5
  sudo healthctl recipe enable nginx   have healthd ask nginx itself whether it serves
  healthctl alert test                 do alerts arrive?
  healthctl doctor                     does everything that healthd needs work here?

exit codes of status: 0 healthy, 1 degraded, 2 unhealthy, 3 unknown or no daemon
"""
_ACTIONS: Final = (
    "restart_unit",
    "start_unit",
    "reload_unit",
    "reset_failed",
    "memory_cleanup",
    "network_restart",
    "disk_cleanup",
    "run_unit",
)


class Parser(argparse.ArgumentParser):
    """argparse, but a mistake is one line and a hint, and leaves with a code that no verb uses for anything else."""

    usage_exit = EX_USAGE

    def error(self, message: str) -> NoReturn:
        """Leave with what was wrong and where help is."""
        self.exit(self.usage_exit, f"healthctl: {plain(message)}; see {self.prog} --help\n")


def parser() -> Parser:
    """Everything that the command line can say."""
    top = Parser(
        prog="healthctl",
        description="Ask healthd how this host is, and tell it what to do.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"healthctl {__version__}")
    top.add_argument("--complete", choices=("names",), help=argparse.SUPPRESS)
    top.set_defaults(socket=SOCKET, json=False, parser=top)
    _add_common(top)
    verbs = top.add_subparsers(dest="verb", metavar="VERB", title="verbs")
    _add_reading_verbs(verbs)
    _add_ordering_verbs(verbs)
    _add_config(verbs)
    _add_simulate(verbs)
    _add_recipe(verbs)
    _add_key(verbs)
    _add_alert(verbs)
    return top


def _add_reading_verbs(verbs: argparse._SubParsersAction[Parser]) -> None:
    status = _verb(verbs, "status", "how the host is, or one component or item")
    status.usage_exit = 3  # to a monitoring system, 2 and more would say something about the host
    status.add_argument("name", metavar="NAME", nargs="?", help="a component, an item or a unit")
    history = _verb(verbs, "history", "how the scores, or the values of one thing, went, and what happened")
    history.add_argument("name", metavar="NAME", nargs="?", help="a component, an item or a unit")
    history.add_argument("--since", metavar="WHEN", default="2h", help="90s, 5m, 2h, 7d or a date; by default 2h")
    history.add_argument("--value", metavar="VALUE", help="only the values of this name")
    history.add_argument("--csv", action="store_true", help="the readings as comma-separated values")
    _verb(verbs, "watch", "how the host is, live, until Ctrl-C")
    _verb(verbs, "issues", "what is wrong, and what healthd does about it")
    incidents = _verb(verbs, "incidents", "what went wrong lately, what had changed before, and how it ended")
    incidents.add_argument("--since", metavar="WHEN", help="90s, 5m, 2h, 7d or a date; by default the newest hundred")
    incident = _verb(verbs, "incident", "one incident: what happened, the evidence, and what had changed before")
    incident.add_argument("number", metavar="NUMBER", help="its number, or: last")
    explain = _verb(verbs, "explain", "why it is so, and what healing would do now")
    explain.add_argument("name", metavar="NAME", help="a component, an item or a unit")
    ledger = _verb(verbs, "ledger", "how often which action helped, and which are only suggested")
    ledger.add_argument("name", metavar="NAME", nargs="?", help="a unit, or a part of a component")
    _verb(verbs, "doctor", "whether all that healthd needs works here")


def _add_ordering_verbs(verbs: argparse._SubParsersAction[Parser]) -> None:
    heal = _verb(verbs, "heal", "heal something now, within the limits")
    heal.add_argument("name", metavar="NAME", help="a component, an item or a unit")
    heal.add_argument("--action", choices=_ACTIONS, metavar="ACTION", help=f"what to do: {', '.join(_ACTIONS)}")
    heal.add_argument("--dry-run", action="store_true", help="only say what would be done")
    check = _verb(verbs, "check", "run a check now, or all of them")
    check.add_argument("name", metavar="NAME", nargs="?", help="a component, an item or a unit")
    reset = _verb(verbs, "reset", "forget attempts, waits and giving up")
    reset.add_argument("name", metavar="NAME", help="a component, an item or a unit")
    _add_silences(verbs)
    heartbeat = _verb(verbs, "heartbeat", "report in for a job")
    heartbeat.add_argument("name", metavar="NAME", help="a component of type heartbeat")
    reload = _verb(verbs, "reload", "have the configuration read again")
    reload.add_argument("--apply", action="store_true", help=argparse.SUPPRESS)


def _add_silences(verbs: argparse._SubParsersAction[Parser]) -> None:
    silence = _verb(verbs, "silence", "leave something alone for a while; without a name, what is silenced")
    silence.add_argument("name", metavar="NAME", nargs="?", help="a component, an item, a unit or a pattern of units")
    silence.add_argument("--all", action="store_true", help="everything")
    silence.add_argument("--for", dest="span", metavar="SPAN", help="90s, 30m, 2h, 1d; by default 1h")
    silence.add_argument("--while", dest="unit", metavar="UNIT", help="for as long as this unit runs")
    silence.add_argument("--calendar", metavar="SPEC", help="again and again, from each such time on: 'Sun 02:00'")
    silence.add_argument("--reason", metavar="REASON", help="why, for others to read")
    resume = _verb(verbs, "resume", "end silences")
    resume.add_argument("name", metavar="NAME", nargs="?", help="the id of a silence, or what is silenced")
    resume.add_argument("--all", action="store_true", help="all of them")


def _add_config(verbs: argparse._SubParsersAction[Parser]) -> None:
    config = verbs.add_parser("config", help="check or show the configuration", description="The configuration.")
    parts = config.add_subparsers(dest="part", metavar="check|show", title="verbs", required=True)
    for name, text in (
        ("check", "whether the configuration files are valid"),
        ("show", "the configuration in force, every default included, secrets as ***"),
    ):
        part = _verb(parts, name, text)
        part.add_argument("--config", type=Path, metavar="FILE", help="this file and the conf.d beside it")


def _add_simulate(verbs: argparse._SubParsersAction[Parser]) -> None:
    simulate = _verb(verbs, "simulate", "what would have been done under another configuration")
    simulate.add_argument("--since", metavar="WHEN", default="7d", help="90s, 5m, 2h, 7d or a date; by default 7d")
    simulate.add_argument("--until", metavar="WHEN", help="likewise; by default now")
    simulate.add_argument("--config", type=Path, metavar="FILE", help="this file and the conf.d beside it")
    simulate.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="with this value of it")
    simulate.add_argument("--history", type=Path, metavar="FILE", help="another history.db, as that of another host")


def _add_recipe(verbs: argparse._SubParsersAction[Parser]) -> None:
    text = "checks of usual services that come with healthd"
    recipe = verbs.add_parser("recipe", help=text, description=f"{text[0].upper()}{text[1:]}.")
    parts = recipe.add_subparsers(dest="part", metavar="list|show|enable|disable", title="verbs", required=True)
    _verb(parts, "list", "which there are, which are on, and which fit what is installed here")
    _verb(parts, "show", "print a recipe").add_argument("name", metavar="NAME", help="a recipe")
    for name, doing in (
        ("enable", "turn recipes on, if the configuration stays valid"),
        ("disable", "turn recipes off"),
    ):
        _verb(parts, name, doing).add_argument("names", metavar="NAME", nargs="+", help="a recipe")


def _add_key(verbs: argparse._SubParsersAction[Parser]) -> None:
    key = verbs.add_parser("key", help="make, list or revoke keys of the API", description="Keys of the API.")
    parts = key.add_subparsers(dest="part", metavar="add|list|revoke", title="verbs", required=True)
    add = _verb(parts, "add", "make a key; it is printed once, as the last word")
    add.add_argument("name", metavar="NAME", help="what it is called in the journal and in the list")
    scopes = ("read", "control", "heartbeat")
    add.add_argument("--scope", choices=scopes, default="read", help="what it is good for (%(default)s)")
    _verb(parts, "list", "the names, scopes and dates of all keys")
    revoke = _verb(parts, "revoke", "take a key back")
    revoke.add_argument("name", metavar="NAME", help="the name of the key")


def _add_alert(verbs: argparse._SubParsersAction[Parser]) -> None:
    text = "whether those who are to be told can be told"
    alert = verbs.add_parser("alert", help=text, description=f"{text[0].upper()}{text[1:]}.")
    parts = alert.add_subparsers(dest="part", metavar="test", title="verbs", required=True)
    test = _verb(parts, "test", "send a test to a receiver, or to all, and say what they answered")
    test.add_argument("receiver", metavar="RECEIVER", nargs="?", help="as slack, email, webhook")


def _verb(verbs: argparse._SubParsersAction[Parser], name: str, text: str) -> Parser:
    verb = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", allow_abbrev=False)
    verb.set_defaults(parser=verb)
    _add_common(verb)
    return verb


def _add_common(target: Parser) -> None:
    """What may stand before the verb and after it; where it is left out after, what stood before holds."""
    socket = f"the daemon's socket; by default {SOCKET}"
    target.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="the API's answer as JSON")
    target.add_argument("--socket", type=Path, metavar="PATH", default=argparse.SUPPRESS, help=socket)


def main(argv: Sequence[str] | None = None) -> int:
    """Run healthctl with these arguments (by default the process's own) and return its exit code."""
    top = parser()
    args, surplus = top.parse_known_args(argv)
    if surplus:
        args.parser.error(f"unrecognized arguments: {' '.join(surplus)}")
    if args.complete:
        args.verb = "complete"
    if args.verb is None:
        top.print_help()
        return 0
    _prepare_streams()
    try:
        code = int(import_module(f"healthd.cli.{args.verb}").run(args))
        sys.stdout.flush()
    except BrokenPipeError:  # who read us is gone
        _write_no_more()
        return _PIPE_CLOSED
    except OSError as error:
        if error.errno not in _OUTPUT_FAILS or error.filename is not None:
            raise
        _write_no_more()
        print(f"healthctl: the output cannot be written: {error.strerror}", file=sys.stderr)
        return _failure(args)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except HealthdError as error:
        complain(error)
        mistaken = isinstance(error, RequestError) and error.status == _BAD_REQUEST and args.verb != "status"
        return EX_USAGE if mistaken else _failure(args)
    return code


def _failure(args: argparse.Namespace) -> int:
    """To a monitoring system, 1 and 2 would say something about the host."""
    return 3 if args.verb == "status" else 1


def _prepare_streams() -> None:
    """A terminal without UTF-8 gets "?" and no traceback; one that is closed (`>&-`) takes everything and keeps it."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
        getattr(sys, name).reconfigure(errors="replace")


def _write_no_more() -> None:
    """Python would flush again at exit, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(error: HealthdError) -> None:
    """Say what was wrong, a line each."""
    lines = [str(error)]
    if isinstance(error, ConfigError):
        lines = [str(problem) for problem in error.problems]
    elif isinstance(error, RequestError) and error.hint:
        lines = [f"{error} ({error.hint})"]
    for line in lines:
        print(f"healthctl: {plain(line)}", file=sys.stderr)
