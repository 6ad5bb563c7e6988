"""Numbers that programs give, plugins, jobs that report in, certificates, and what single units use."""

# ruff: noqa: E501 -- a script that is broken in two is harder to read

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from bench.accuracy.scene import Label, Scene
from bench.accuracy.scenes.shapes import FIFO, HARMLESS, OBEY, RESTART, STOPPED, UNIT, order, reported, serves, service

_EVERY: Final = "interval_seconds = 1\nfailures = 2\nsuccesses = 1\n"
_PATIENT: Final = "interval_seconds = 1\nfailures = 3\nsuccesses = 1\n"
_WITH: Final = 'unit = "{name}.service"\n'


def page(*lines: str) -> str:
    """The script that has a program show these numbers from now on; each page is there as a whole."""
    text = "\\n".join(lines)
    return f"printf '{text}\\n' > /run/{{name}}.new; mv /run/{{name}}.new /run/{{name}}.page\n"


_SHOWS: Final = "echo 'page /run/{name}.page' > /run/{name}.orders\n"
_LIMITS: Final = (
    'values = { errors = { metric = "shop_errors_total", per_interval = true }, queue = { metric = "shop_queue" } }\n'
    "warning = { errors = 3, queue = 100 }\ncritical = { errors = 10, queue = 1000 }\n"
)
_GOOD: Final = page("shop_errors_total 5", "shop_queue 3")


def _metrics(
    name: str,
    *,
    make: str,
    label: Label = HARMLESS,
    values: str = _LIMITS,
    how: str = _PATIENT,
    settings: str = "",
    first: str = _GOOD,
    **more: Any,
) -> Scene:
    return Scene(
        name=name,
        component="metrics",
        label=label,
        units={UNIT: serves("http", "{port}")},
        start=(UNIT,),
        before=_SHOWS + first,
        settings=f'[component.{{name}}]\ntype = "metrics"\nurl = "http://127.0.0.1:{{port}}/metrics"\n{values}{how}{settings}',
        make=make,
        **more,
    )


_RATE: Final = reported("error_rate", then="healing_finished")
_GROWS: Final = (
    "for i in 20 40 60 80 100 120 140 160; do "
    + page("shop_errors_total $i", "shop_queue 3").replace("'", '"').replace("\n", "; ")
    + " sleep 0.5; done"
)
_TABLE: Final = (
    'values = { peers = { metric = "peers" } }\n'
    "score = [ { when = { peers = { max = 0 } }, score = 0.0 }, { when = { peers = { min = 1, max = 2 } }, score = 0.6 } ]\n"
)

_METRICS: Final = (
    _metrics("numbers-queue-too-long", make=page("shop_errors_total 5", "shop_queue 500"), label=_RATE, how=_EVERY),
    _metrics("numbers-queue-far-too-long", make=page("shop_errors_total 5", "shop_queue 5000"), label=_RATE),
    _metrics("numbers-many-errors", make=_GROWS, label=_RATE, how=_EVERY),
    _metrics("numbers-summed-up", make=page('shop_queue{queue="a"} 60', 'shop_queue{queue="b"} 60'), label=_RATE),
    _metrics(
        "numbers-labelled",
        make=page('hits{code="500"} 9', 'hits{code="200"} 1'),
        label=_RATE,
        values="values = { bad = { metric = \"hits{code='500'}\" } }\nwarning = { bad = 3 }\n",
        first=page('hits{code="500"} 0'),
    ),
    _metrics("numbers-scored-by-a-table", make=page("peers 0"), label=_RATE, values=_TABLE, first=page("peers 5")),
    _metrics("numbers-scored-low-by-a-table", make=page("peers 2"), label=_RATE, values=_TABLE, first=page("peers 5")),
    _metrics("numbers-page-gone", make=order("404"), label=reported("probe_failed", then="healing_finished")),
    _metrics(
        "numbers-page-hangs",
        make="die STOP",
        label=Label(issue="probe_failed", component="{name}", actions=(RESTART,)),
        settings=_WITH + "timeout_seconds = 1\n",
    ),
    _metrics(
        "numbers-server-stopped", make="systemctl stop $U", label=reported("probe_failed", then="healing_finished")
    ),
    _metrics("numbers-at-the-limit", make=page("shop_errors_total 5", "shop_queue 100")),
    _metrics("numbers-spike", make=page("shop_errors_total 5", "shop_queue 5000") + "sleep 1\n" + _GOOD),
    _metrics("numbers-counter-reset", make=page("shop_errors_total 0", "shop_queue 3")),
    _metrics("numbers-counter-jumps-once", make=page("shop_errors_total 500", "shop_queue 3")),
    _metrics(
        "numbers-few-errors",
        make="for i in 6 7 8 9; do "
        + page("shop_errors_total $i", "shop_queue 3").replace("'", '"').replace("\n", "; ")
        + " sleep 1.1; done",
    ),
    _metrics(
        "numbers-of-others",
        make=page("shop_errors_total 5", "shop_queue 3", "other_errors_total 99999", "shop_queue_max 99999"),
    ),
    _metrics("numbers-missing", make=page("nothing_known 1")),
    _metrics("numbers-not-a-number", make=page("shop_errors_total 5", "shop_queue NaN")),
    _metrics("numbers-many-good-peers", make=page("peers 40"), values=_TABLE, first=page("peers 5")),
    _metrics("numbers-server-restarts", make="systemctl restart $U", settings=_WITH),
    _metrics("numbers-server-stopped-by-somebody", make="systemctl stop $U", settings=_WITH, label=STOPPED),
    _metrics("numbers-page-fails-once", make="echo 'fail 1' > /run/{name}.orders; sleep 1.2\n" + _SHOWS),
)


def _exec(
    name: str,
    script: str,
    *,
    label: Label = HARMLESS,
    settings: str = "",
    failures: int = 1,
    then: str = "",
    **more: Any,
) -> Scene:
    """A plugin that runs what is in a file, at most every 10 s; `script` comes into it."""
    return Scene(
        name=name,
        component="exec",
        label=label,
        files={"/opt/{name}": "#!/bin/sh\necho well\n"},
        before="chmod 755 /opt/{name}",
        settings='[component.{name}]\ntype = "exec"\ncommand = ["/opt/{name}"]\ninterval_seconds = 10\n'
        f"failures = {failures}\nsuccesses = 1\n{settings}",
        make=f"printf '#!/bin/sh\\n{script}\\n' > /opt/{{name}}; now; healthctl check {{name}} > /dev/null || :\n{then}",
        watch=11,
        owns=("healthd-check@{name}.service",),
        **more,
    )


_PLUGIN: Final = reported("probe_failed", then="healing_finished")
_EXEC: Final = (
    _exec("plugin-critical", "echo CRITICAL - all is lost; exit 2", label=_PLUGIN),
    _exec("plugin-critical-with-numbers", 'echo "CRITICAL|load=9;4;8"; exit 2', label=_PLUGIN),
    _exec("plugin-hangs", "sleep 60", label=_PLUGIN, settings="timeout_seconds = 1\n"),
    _exec("plugin-deaf", "trap true TERM; while :; do sleep 1; done", label=_PLUGIN, settings="timeout_seconds = 1\n"),
    _exec(
        "plugin-of-a-unit",
        "[ -e /run/{name}.healed ] || exit 2",
        label=Label(issue="probe_failed", component="{name}", actions=(RESTART,)),
        settings=_WITH,
        units={UNIT: service("ExecStopPost=/bin/touch /run/{name}.healed")},
        start=(UNIT,),
        seconds=60,
    ),
    _exec("plugin-warning", "echo WARNING - it is getting late; exit 1"),
    _exec("plugin-unknown", "echo UNKNOWN - no idea; exit 3"),
    _exec("plugin-broken", "no-such-program"),
    _exec("plugin-killed", "kill -9 $$"),
    _exec("plugin-exits-4", "exit 4"),
    _exec("plugin-floods", "yes"),
    _exec("plugin-slow-but-in-time", "sleep 1; echo well", settings="timeout_seconds = 5\n"),
    _exec("plugin-noisy", "echo ERROR FATAL PANIC >&2; echo CRITICAL in words only; exit 0"),
    _exec("plugin-critical-once", "exit 2", failures=5, then="sleep 1; printf '#!/bin/sh\necho well\n' > /opt/{name}"),
    _exec("plugin-strange-numbers", 'echo "OK|x=U;;; =1 y=1e999 z=abc"'),
    _exec("plugin-removed", "true", then="rm /opt/{name}; healthctl check {name} > /dev/null || :"),
)


def _beats(name: str, every: float, make: str, *, label: Label = HARMLESS, settings: str = "", **more: Any) -> Scene:
    return Scene(
        name=name,
        component="heartbeat",
        label=label,
        settings=f'[component.{{name}}]\ntype = "heartbeat"\nevery_seconds = {every}\n{settings}',
        make=make,
        **more,
    )


_MISSED: Final = reported("heartbeat_missed", then="healing_finished")
_BEAT: Final = "healthctl heartbeat {name}"
_LOOP: Final = f"systemd-run --quiet --unit={{name}}_job sh -c 'while :; do {_BEAT}; sleep %s; done'\n"
_HEARTBEATS: Final = (
    _beats("beat-never-came", 6, "true", label=_MISSED),
    _beats("beat-stopped-coming", 3, f"{_BEAT}; sleep 2; {_BEAT}; now", label=_MISSED),
    _beats("beat-too-slow", 2, f"{_BEAT}; sleep 3", label=_MISSED),
    _beats(
        "beat-of-a-unit-missed",
        3,
        _BEAT,
        label=Label(issue="heartbeat_missed", component="{name}", actions=(RESTART,), then="healing_finished"),
        settings=_WITH,
        units={UNIT: service("ExecStartPost=-/bin/sh -c 'sleep 0.5; exec healthctl heartbeat {name}'")},
        start=(UNIT,),
        seconds=60,
    ),
    _beats("beat-regular", 6, "sleep 10", before=_LOOP % 3),
    _beats("beat-a-little-late", 60, "sleep 64", before=_LOOP % 61),
    _beats("beat-daily", 86400, _BEAT),
    _beats("beat-daily-not-due", 86400, "true"),
    _beats("beat-twice-at-once", 3600, f"{_BEAT} & {_BEAT}; wait"),
    _beats("beat-by-anybody", 3600, "setpriv --reuid=nobody --clear-groups " + _BEAT),
)

_MAKE: Final = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN={name} -keyout /run/{name}.key"
    " -addext subjectAltName=IP:127.0.0.1 -out /run/{name}.new -days %s 2> /dev/null; chmod 644 /run/{name}.new; %s\n"
)


def _lasts(days: int, then: str = "mv /run/{name}.new /run/{name}.crt") -> str:
    return _MAKE % (days, then)


_DATED: Final = (
    "cd $(mktemp -d); : > index; echo 01 > serial\n"
    "printf '[ca]\ndefault_ca=x\n[x]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n"
    "[p]\ncommonName=supplied\n' > conf\n"
    "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN={name} -keyout key -out request 2> /dev/null\n"
    "openssl ca -batch -selfsign -notext -config conf -keyfile key -in request -startdate %sZ -enddate %sZ -out made 2> /dev/null\n"
    "chmod 644 made; mv made /run/{name}.crt\n"
)
_PATH: Final = 'path = "/run/{name}.crt"\n'


def _paper(
    name: str,
    make: str,
    *,
    label: Label = HARMLESS,
    where: str = _PATH,
    before: str = _lasts(90),
    settings: str = "",
    **more: Any,
) -> Scene:
    return Scene(
        name=name,
        component="certificate",
        label=label,
        before=before,
        settings=f'[component.{{name}}]\ntype = "certificate"\n{where}interval_seconds = 1\nsuccesses = 1\n{settings}',
        make=make,
        **more,
    )


_EXPIRES: Final = reported("certificate", then="healing_finished")
_SHOWN: Final = "cat /run/{name}.key /run/{name}.crt > /run/{name}.pem\n"
_BOTH: Final = "mkdir -p /run/{name}.d; cp /run/{name}.crt /run/{name}.d/a.pem\n"
_PAPERS: Final = (
    _paper("paper-3-days-left", _lasts(3), label=_EXPIRES),
    _paper("paper-12-days-left", _lasts(12), label=_EXPIRES),
    _paper("paper-limits-of-its-own", _lasts(60), label=_EXPIRES, settings="warning_days = 70\ncritical_days = 30\n"),
    _paper("paper-expired", _DATED % ("20200101000000", "20210101000000"), label=_EXPIRES),
    _paper("paper-of-the-future", _DATED % ("20480101000000", "20490101000000"), label=_EXPIRES),
    _paper(
        "paper-one-of-many",
        _lasts(2, "mv /run/{name}.new /run/{name}.d/b.pem"),
        label=_EXPIRES,
        where='path = "/run/{name}.d"\n',
        before=_lasts(90) + _BOTH,
    ),
    _paper("paper-second-in-its-file", _lasts(4, "cat /run/{name}.new >> /run/{name}.crt"), label=_EXPIRES),
    _paper(
        "paper-shown-by-a-server",
        _lasts(5) + _SHOWN + "systemctl restart $U",
        label=replace(_EXPIRES, also=("probe_failed",)),
        where='address = "127.0.0.1:{port}"\n',
        before=_lasts(90) + _SHOWN,
        units={UNIT: serves("https", "{port}")},
        start=(UNIT,),
    ),
    _paper(
        "paper-server-down",
        "systemctl stop $U",
        label=reported("probe_failed", then="healing_finished"),
        where='address = "127.0.0.1:{port}"\n',
        before=_lasts(90) + _SHOWN,
        units={UNIT: serves("https", "{port}")},
        start=(UNIT,),
    ),
    _paper("paper-renewed", _lasts(90)),
    _paper("paper-renewed-in-time", _lasts(365), before=_lasts(22)),
    _paper("paper-with-a-chain", _lasts(80, "cat /run/{name}.new >> /run/{name}.crt")),
    _paper(
        "paper-with-its-key",
        _lasts(
            80,
            "cat /run/{name}.key /run/{name}.new > /run/{name}.both; chmod 644 /run/{name}.both; mv /run/{name}.both /run/{name}.crt",
        ),
    ),
    _paper(
        "paper-lies-beside-junk",
        "echo junk > /run/{name}.d/README; echo junk > /run/{name}.d/old.pem~",
        where='path = "/run/{name}.d"\n',
        before=_lasts(90) + _BOTH,
    ),
    _paper("paper-not-readable", "chmod 600 /run/{name}.crt"),
    _paper(
        "paper-gone-for-a-moment", "mv /run/{name}.crt /run/{name}.away; sleep 1.5; mv /run/{name}.away /run/{name}.crt"
    ),
    _paper("paper-days-touched", "touch -d '1 year ago' /run/{name}.crt"),
)


def _uses(name: str, limits: str, make: str, *settings: str, label: Label = HARMLESS, **more: Any) -> Scene:
    return Scene(
        name=name,
        component="unit",
        label=label,
        units={UNIT: service(FIFO, *settings, command=OBEY)},
        start=(UNIT,),
        settings=f'[component.{{name}}]\ntype = "unit"\nunit = "{{name}}.service"\n{limits}{more.pop("how", _PATIENT)}',
        make=make,
        **more,
    )


def _tells(script: str) -> str:
    return f"echo '{script}' | tell\n"


_SPINS: Final = _tells("while :; do :; done")
_RESTARTS: Final = "for i in 1 2 3; do die KILL; sleep 1; done"
_UNITS: Final = (
    _uses("unit-busy", "cpu_warning_percent = 10\n", _SPINS, label=reported("high_cpu")),
    _uses(
        "unit-busy-beyond", "cpu_warning_percent = 2\ncpu_critical_percent = 8\n", _SPINS, label=reported("high_cpu")
    ),
    _uses(
        "unit-restarted-often",
        "restarts_warning = 1\n",
        _RESTARTS,
        "Restart=always",
        "RestartSec=100ms",
        label=Label(issue="crash_loop", component="{name}", also=("crash_loop",)),
    ),
    _uses("unit-quiet", "cpu_warning_percent = 50\n", _tells("sleep 60")),
    _uses(
        "unit-busy-for-a-moment",
        "cpu_warning_percent = 50\n",
        _tells('timeout 0.8 sh -c "while :; do :; done"; sleep 60') + "sleep 2",
    ),
    _uses(
        "unit-restarted-by-an-operator",
        "restarts_warning = 1\n",
        "for i in 1 2 3; do systemctl restart $U; sleep 0.5; done",
    ),
    _uses("unit-stopped", "cpu_warning_percent = 10\n", "systemctl stop $U", label=STOPPED),
    _uses(
        "unit-ended-its-burst",
        "cpu_warning_percent = 60\n",
        _tells('for i in 1 2 3; do timeout 0.3 sh -c "while :; do :; done"; sleep 1; done; sleep 60') + "sleep 4",
    ),
)

SCENES: Final[tuple[Scene, ...]] = (*_METRICS, *_EXEC, *_HEARTBEATS, *_PAPERS, *_UNITS)
