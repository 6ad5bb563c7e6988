"""The tables [component.NAME]: built-in components, the keys that all types have, and those of each type."""

# ruff: noqa: D102 -- what `allowed` and `read` promise is said once, by the protocol Kind

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from healthd.config.forms import AbsolutePath, Address, ComponentName, UnitName, Url
from healthd.config.kinds import ENDLESS, YEAR, Choice, Count, Either, Kind, Many, Number, Switch, Text, refuse
from healthd.config.settings import Declaration
from healthd.config.tables import REQUIRED, Named, Table
from healthd.config.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Mapping

BUILT_IN: Final[Mapping[str, float]] = {
    "services": 0.35,
    "network": 0.15,
    "memory": 0.15,
    "storage": 0.10,
    "cpu": 0.05,
    "pressure": 0.05,
    "kernel": 0.05,
    "processes": 0.03,
    "clock": 0.02,
    "temperature": 0.02,
    "timers": 0.02,
    "updates": 0.01,
}
"""The components that are there without being configured, with their weights."""

CERTAIN: Final = frozenset({"services", "storage", "kernel", "clock", "timers", "updates", "heartbeat", "certificate"})
"""The types whose first reading is certain: what they read is so, and does not pass by itself in the next second."""

FAILURES: Final[Mapping[str, int]] = {"cpu": 12}
"""The types that need more bad readings than others until judged bad: processors are busy now and then, and that is
well. A reading every 5 s makes it a minute."""

WEIGHT: Final = 0.1
"""The weight of any other component that does not say its own."""

EXEC_INTERVAL_MIN: Final = 10.0
"""A probe program costs a process and a start of a unit each time: not oftener than this (seconds)."""

_LABEL: Final = r'\s*[A-Za-z_][A-Za-z0-9_]*\s*=\s*(?:"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\')\s*'
_METRIC: Final = re.compile(rf"[A-Za-z_:][A-Za-z0-9_:]*(?:\{{(?:{_LABEL}(?:,{_LABEL})*,?)?\s*\}})?")
_USER: Final = re.compile(r"[a-z_][a-z0-9_-]{0,30}\$?")
_WORD: Final = re.compile(r"[!-~]{1,253}")
_ANY: Final = Number(-ENDLESS, ENDLESS)


class Form(NamedTuple):
    """A text of a given form."""

    allowed: str
    form: re.Pattern[str]

    def read(self, raw: object) -> str:
        return raw if isinstance(raw, str) and self.form.fullmatch(raw) else refuse(raw, self.allowed)


class Command:
    """A program and its arguments: an array, or one text that is split at blanks, with quotes as in a shell."""

    allowed = 'a program by its full path with its arguments, such as ["/usr/lib/nagios/plugins/check_load", "-w", "5"]'

    def read(self, raw: object) -> tuple[str, ...]:
        words = _split(raw) if isinstance(raw, str) else raw
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            refuse(raw, self.allowed)
        if not words or not words[0].startswith("/") or any(letter < " " for word in words for letter in word):
            refuse(raw, self.allowed)
        return tuple(words)


def _split(line: str) -> list[str] | None:
    from shlex import split  # noqa: PLC0415  # only such a command needs it

    try:
        return split(line)
    except ValueError:
        return None


def _required(kind: Kind, text: str, example: str) -> Declaration:
    return Declaration(kind=kind, help=text, example=example, required=True)


_SEND: Final = Declaration(kind=Wire(), default="", help="what to send once connected")
_EXPECT: Final = Declaration(kind=Wire(), default="", help="what the answer must hold")
_NUMBERS: Final = Named("a table of numbers by the names of `values`", _ANY)
_BOUNDS: Final = Table("a table with min, max or both", {"min": (_ANY, None), "max": (_ANY, None)})
_ROW: Final = Table(
    "a table with `when` (bounds by the names of `values`) and `score`",
    {"when": (Named("a table of bounds by the names of `values`", _BOUNDS), {}), "score": (Number(0, 1), REQUIRED)},
)
_VALUE: Final = Table(
    "a table with `metric` and, where it is a counter, `per_interval = true`",
    {"metric": (Form("the name of a metric", _METRIC), REQUIRED), "per_interval": (Switch(), False)},
)
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "OPTIONS")
_RECORDS: Final = ("A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT")
_STATUS: Final = Count(100, 599)


def _limits() -> dict[str, Declaration]:
    """What a component of type `unit` can be held against."""
    measures: dict[str, tuple[Kind, str]] = {
        "memory_{}_mb": (Number(0, 1e9), "memory of the unit in MiB"),
        "memory_{}_gb": (Number(0, 1e6), "the same in GiB"),
        "memory_{}_percent": (Number(0, 100), "the same in percent of its MemoryMax="),
        "cpu_{}_percent": (Number(0, 1e6), "processor time in percent of one core"),
        "tasks_{}": (Count(0, 10_000_000), "tasks of the unit"),
        "tasks_{}_percent": (Number(0, 100), "the same in percent of its TasksMax="),
    }
    restarts = {
        f"restarts_{level}": Declaration(
            kind=Count(0, 10), help=f"restarts by systemd itself in the last hour: {level}", example="3"
        )
        for level in ("warning", "critical")
    }
    return restarts | {
        name.format(level): Declaration(
            kind=kind, help=f"{text}: {level}", example="80" if "percent" in name else "500"
        )
        for name, (kind, text) in measures.items()
        for level in ("warning", "critical")
    }


TYPES: Final[Mapping[str, Mapping[str, Declaration]]] = {
    "http": {
        "url": _required(Url(empty=False), "what to ask for", '"http://127.0.0.1:8000/healthz"'),
        "method": Declaration(kind=Choice(_METHODS), default="GET", help="the method of the request"),
        "headers": Declaration(
            kind=Named("a table of texts", Text()),
            default={},
            help="headers to send",
            example='{ Accept = "text/plain" }',
            secret=True,
        ),
        "body": Declaration(kind=Text(lines=True), default="", help="the body to send"),
        "expect_status": Declaration(
            kind=Either(_STATUS, Many(_STATUS)),
            default=(),
            help="the status it must have; not said: 200 to 299",
            example="200",
        ),
        "expect_body": Declaration(kind=Text(lines=True), default="", help="what the body must hold"),
        "follow_redirects": Declaration(kind=Switch(), default=True, help="follow redirects"),
        "verify_tls": Declaration(kind=Switch(), default=True, help="refuse a certificate that does not verify"),
    },
    "tcp": {
        "address": _required(Address(), "where to connect to", '"127.0.0.1:5432"'),
        "send": _SEND,
        "expect": _EXPECT,
    },
    "unix": {
        "path": _required(AbsolutePath(empty=False), "the socket to connect to", '"/run/web/web.sock"'),
        "send": _SEND,
        "expect": _EXPECT,
    },
    "dns": {
        "name": _required(Form("the name of a host", _WORD), "the name to look up", '"example.org"'),
        "record": Declaration(kind=Choice(_RECORDS), default="A", help="the kind of record"),
        "server": Declaration(
            kind=Text(), default="", help='the server to ask; "": that of the host', example='"9.9.9.9"'
        ),
        "expect": Declaration(kind=Text(), default="", help="what the answer must hold"),
    },
    "certificate": {
        "path": Declaration(
            kind=AbsolutePath(empty=False), help="a file of PEM; either this or address", example='"/etc/ssl/web.pem"'
        ),
        "address": Declaration(kind=Address(), help="a server that shows it", example='"example.org:443"'),
        "warning_days": Declaration(kind=Number(0, 3650), default=21.0, help="days left: warning"),
        "critical_days": Declaration(kind=Number(0, 3650), default=7.0, help="days left: critical"),
    },
    "exec": {
        "command": _required(
            Command(),
            "a program with a monitoring plugin's exit codes",
            '["/usr/lib/nagios/plugins/check_load", "-w", "5"]',
        ),
        "user": Declaration(kind=Form("the name of a user", _USER), default="nobody", help="the user it runs as"),
    },
    "metrics": {
        "url": _required(Url(empty=False), "a Prometheus page", '"http://127.0.0.1:9100/metrics"'),
        "values": _required(
            Named("a table of values by name, each { metric = ..., per_interval = ... }", _VALUE, least=1),
            "names for what is read from it; per_interval: by how much it grew",
            '{ errors = { metric = "web_errors_total", per_interval = true } }',
        ),
        "warning": Declaration(kind=_NUMBERS, default={}, help="limits by value", example="{ errors = 3 }"),
        # The one key with two meanings: true is what it is for every component.
        "critical": Declaration(
            kind=Either(_NUMBERS, Switch()),
            default={},
            help="limits by value; or true: while it is unhealthy, the host is unhealthy",
            example="{ errors = 10 }",
        ),
        "score": Declaration(
            kind=Many(_ROW),
            default=(),
            help="or a table of scores: the first row that matches wins",
            example="[ { when = { errors = { min = 11 } }, score = 0.3 } ]",
        ),
    },
    "heartbeat": {
        "every_seconds": _required(Number(1, YEAR), "how often a beat is due", "3600"),
    },
    "unit": _limits(),
    **{name: {} for name in BUILT_IN},
}
"""The keys of each type, beside the common ones."""

COMMON: Final[Mapping[str, Declaration]] = {
    "type": Declaration(
        kind=Choice(tuple(TYPES)), help="what kind of check it is; a built-in component has its own", example='"http"'
    ),
    "unit": Declaration(kind=UnitName(), help="what healing acts on", example='"web.service"'),
    "weight": Declaration(
        kind=Number(0, 100),
        help=f"its share in the overall score; not said: {WEIGHT}, built-in ones have their own",
        example="0.15",
    ),
    "critical": Declaration(kind=Switch(), default=False, help="while it is unhealthy, the host is unhealthy"),
    "interval_seconds": Declaration(
        kind=Number(0.1, 86_400), help="not said: check_interval_seconds; exec at least 10", example="5"
    ),
    "timeout_seconds": Declaration(kind=Number(0.1, 3_600), help="not said: health_timeout_seconds", example="2"),
    "failures": Declaration(
        kind=Count(1),
        default=3,
        help="consecutive bad readings until judged bad; 12 for cpu, which is a minute; 1 for storage, kernel, clock, "
        "timers, updates, heartbeat and certificate, whose readings are certain",
    ),
    "successes": Declaration(kind=Count(1), default=2, help="consecutive good ones until judged good"),
    "grace_seconds": Declaration(
        kind=Number(0, 86_400), default=0.0, help="not judged this long after its unit's start"
    ),
    "depends_on": Declaration(
        kind=Many(ComponentName()),
        default=(),
        help="while one of these is bad, this one is not healed and does not alert",
        example='["network"]',
    ),
}
"""The keys that components of every type have."""
