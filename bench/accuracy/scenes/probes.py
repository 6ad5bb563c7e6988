"""Services that are asked by http, tcp, a Unix socket or DNS: those that do not answer, and those that only seem so."""

# ruff: noqa: E501 -- a script that is broken in two is harder to read

from __future__ import annotations

from typing import Any, Final

from bench.accuracy.scene import Label, Scene
from bench.accuracy.scenes.shapes import HARMLESS, RESTART, START, STOPPED, UNIT, order, reported, serves, service

_QUICK: Final = "interval_seconds = 1\ntimeout_seconds = 1\nfailures = 2\nsuccesses = 1\n"
_PATIENT: Final = "interval_seconds = 1\ntimeout_seconds = 2\nfailures = 3\nsuccesses = 1\n"
_WITH: Final = 'unit = "{name}.service"\n'
_HUNG: Final = Label(issue="probe_failed", component="{name}", actions=(RESTART,))
_TOLD: Final = reported("probe_failed", then="healing_finished")
"""Nothing can be done without a unit, which is said."""
_ASKS: Final = {
    "http": 'type = "http"\nurl = "http://127.0.0.1:{port}/"\n',
    "tcp": 'type = "tcp"\naddress = "127.0.0.1:{port}"\nexpect = "220"\n',
    "unix": 'type = "unix"\npath = "/run/{name}.sock"\nexpect = "220"\n',
    "dns": 'type = "dns"\nname = "example.org"\nserver = "127.0.0.1:{port}"\nexpect = "192.0.2.1"\n',
}
_WELL: Final = "rm -f /run/{name}.orders\n"


def _probed(
    kind: str,
    name: str,
    *,
    make: str,
    label: Label,
    table: str = "",
    how: str = _QUICK,
    settings: str = "",
    unit: str = "",
    start: bool = True,
    **more: Any,
) -> Scene:
    where = "/run/{name}.sock" if kind == "unix" else "{port}"
    ask = table or _ASKS[kind]
    return Scene(
        name=name,
        component=kind,
        label=label,
        units={UNIT: unit or serves(kind, where)} | more.pop("units", {}),
        start=(UNIT,) if start else (),
        settings=f"[component.{{name}}]\n{ask}{how}{settings}",
        make=make,
        **more,
    )


def _hung(kind: str, name: str, *, make: str, **more: Any) -> Scene:
    """It runs and does not answer; restarted, it does."""
    unit = more.pop("unit", "") or serves(
        kind, "/run/{name}.sock" if kind == "unix" else "{port}", "ExecStopPost=rm -f /run/{name}.orders"
    )
    label = more.pop("label", _HUNG)
    return _probed(kind, name, make=make, label=label, settings=_WITH + more.pop("settings", ""), unit=unit, **more)


def _calm(kind: str, name: str, *, make: str, **more: Any) -> Scene:
    label = more.pop("label", HARMLESS)
    return _probed(
        kind,
        name,
        make=make,
        label=label,
        how=more.pop("how", _PATIENT),
        settings=_WITH + more.pop("settings", ""),
        **more,
    )


_STUCK: Final = "die STOP"
_HTTP: Final = (
    _hung("http", "http-stuck", make=_STUCK),
    _hung("http", "http-hangs", make=order("hang")),
    _hung("http", "http-too-slow", make=order("slow 3")),
    _hung("http", "http-says-500", make=order("500 oops")),
    _hung("http", "http-says-503", make=order("503")),
    _hung("http", "http-says-404", make=order("404")),
    _hung("http", "http-closes", make=order("close")),
    _hung("http", "http-resets", make=order("reset")),
    _hung("http", "http-garbage", make=order("garbage")),
    _hung("http", "http-wrong-body", make=order("body maintenance"), settings='expect_body = "ok"\n'),
    _hung("http", "http-redirects-in-a-circle", make=order("redirect /")),
    _hung("http", "http-login-not-taken", make=order("key other"), settings='headers = { X-Key = "mine" }\n'),
    _hung(
        "http", "http-redirect-is-not-asked-for", make=order("redirect /good"), settings="follow_redirects = false\n"
    ),
    _hung("http", "http-stuck-critical", make=_STUCK, settings="critical = true\n"),
    _probed("http", "http-without-a-unit", make=order("500"), label=_TOLD),
    _probed("http", "http-down-without-a-unit", make="systemctl stop $U", label=_TOLD),
    _hung("http", "http-died", make="die KILL", label=Label(issue="service_down", actions=(START,))),
    _hung(
        "http",
        "http-suggested",
        make=_STUCK,
        label=reported("probe_failed", hold="suggest"),
        settings='[services."{name}.service"]\nheal = "suggest"\n',
    ),
    _hung(
        "http",
        "http-switched-off",
        make=_STUCK,
        label=reported("probe_failed", hold="disabled"),
        settings='[services."{name}.service"]\nheal = false\n',
    ),
    _hung(
        "http",
        "http-silenced",
        make="healthctl silence {name} --for 1h > /dev/null; die STOP",
        label=reported("probe_failed", hold="silenced"),
    ),
    _hung(
        "http",
        "http-reloaded-first",
        make=order("500"),
        unit=serves("http", "{port}", "ExecReload=/bin/rm -f /run/{name}.orders"),
        label=Label(issue="probe_failed", component="{name}", actions=("reload_unit {name}.service",)),
        settings='[services."{name}.service"]\nactions = ["reload_unit", "restart_unit"]\n',
    ),
    _hung(
        "http",
        "http-reload-does-not-help",
        make=order("500"),
        unit=serves("http", "{port}", "ExecReload=/bin/true", "ExecStopPost=rm -f /run/{name}.orders"),
        label=Label(
            issue="probe_failed",
            component="{name}",
            actions=("reload_unit {name}.service", RESTART),
            then="issue_resolved",
        ),
        settings='[services."{name}.service"]\nactions = ["reload_unit", "restart_unit"]\n',
        seconds=60,
    ),
    _hung(
        "http",
        "http-never-well-again",
        make=order("500"),
        unit=serves("http", "{port}"),
        label=Label(issue="probe_failed", component="{name}", actions=(RESTART,), then="healing_gave_up"),
        settings='[services."{name}.service"]\nmax_attempts = 1\n',
        seconds=60,
    ),
    _hung(
        "http",
        "http-behind-a-bad-one",
        make=_STUCK,
        label=Label(issue="probe_failed", component="{name}", hold="dependency", also=("probe_failed",)),
        settings='depends_on = ["{name}_database"]\n[component.{name}_database]\ntype = "tcp"\naddress = "127.0.0.1:1"\nfailures = 1\ninterval_seconds = 1\n',
    ),
    _hung(
        "http",
        "http-and-its-root-are-stuck",
        make="kill -STOP $(pid {name}_root.service) $(pid)",
        units={
            "{name}_root.service": serves("http", "{port}", "ExecStopPost=rm -f /run/{name}.orders").replace(
                "{port}", "{other_port}"
            )
        },
        unit=serves("http", "{port}", unit=("Requires={name}_root.service", "After={name}_root.service")),
        label=Label(
            issue="probe_failed",
            component="{name}",
            actions=("restart_unit {name}_root.service",),
            also=("probe_failed",),
        ),
        settings='[component.{name}_root]\ntype = "http"\nurl = "http://127.0.0.1:{other_port}/"\nunit = "{name}_root.service"\n'
        + _QUICK,
    ),
    _calm("http", "http-fails-once", make=order("fail 1")),
    _calm("http", "http-fails-twice", make=order("fail 2"), watch=6),
    _calm("http", "http-slow-but-in-time", make=order("slow 0.7")),
    _calm("http", "http-slow-once", make=order("slow 3") + "sleep 1\n" + _WELL),
    _calm("http", "http-stuck-for-a-moment", make="die STOP; sleep 1.5; die CONT"),
    _calm("http", "http-in-pieces", make=order("pieces")),
    _calm("http", "http-chunked", make=order("chunked"), settings='expect_body = "ok"\n'),
    _calm("http", "http-endless", make=order("endless"), settings='expect_body = "ok"\n'),
    _calm("http", "http-no-content", make=order("204")),
    _calm("http", "http-created", make=order("201 made")),
    _calm("http", "http-redirects-to-good", make=order("redirect /good")),
    _calm("http", "http-asks-for-a-login", make=order("401 login"), settings="expect_status = [200, 401]\n"),
    _calm("http", "http-with-its-key", make=order("key mine"), settings='headers = { X-Key = "mine" }\n'),
    _calm("http", "http-head", make="true", settings='method = "HEAD"\n'),
    _calm(
        "http",
        "http-body-says-error-but-ok",
        make=order("body ok, 0 errors, 0 failed"),
        settings='expect_body = "ok"\n',
    ),
    _calm("http", "http-stopped", make="systemctl stop $U", label=STOPPED),
    _calm("http", "http-restarted", make="systemctl restart $U"),
    _calm("http", "http-restarted-slow-starter", unit=serves("http", "{port}", delay=2), make="systemctl restart $U"),
    _calm(
        "http",
        "http-slow-to-listen",
        unit=service(
            command=f'/bin/sh -c "sleep 3; exec {serves("http", "{port}").split("ExecStart=")[1].splitlines()[0]}"'
        ),
        start=False,
        make="systemctl start $U",
        settings="grace_seconds = 30\n",
        watch=6,
    ),
    _calm("http", "http-disabled-and-stopped", make="systemctl disable --quiet --now $U"),
    _calm("http", "http-masked-and-stopped", make="systemctl mask --quiet --runtime --now $U"),
    _calm(
        "http",
        "http-restarted-by-systemd",
        unit=serves("http", "{port}", "Restart=always", "RestartSec=300ms"),
        make="die KILL",
    ),
    _calm(
        "http", "http-reloaded", unit=serves("http", "{port}", "ExecReload=/bin/sleep 1"), make="systemctl reload $U"
    ),
    _calm(
        "http",
        "http-under-load",
        make="for i in $(seq 1 40); do (python3 -c 'import urllib.request; urllib.request.urlopen(\"http://127.0.0.1:{port}/\").read()' &) ; [ $((i % 8)) != 0 ] || sleep 0.5; done > /dev/null 2>&1",
    ),
)


def _of_wires(kind: str, hangs: tuple[tuple[str, str], ...], calms: tuple[tuple[str, str], ...]) -> tuple[Scene, ...]:
    return (
        *(_hung(kind, f"{kind}-{name}", make=make) for name, make in hangs),
        _probed(kind, f"{kind}-down-without-a-unit", make="systemctl stop $U", label=_TOLD),
        *(_calm(kind, f"{kind}-{name}", make=make) for name, make in calms),
        _calm(kind, f"{kind}-stopped", make="systemctl stop $U", label=STOPPED),
    )


_TCP: Final = (
    *_of_wires(
        "tcp",
        (
            ("stuck", _STUCK),
            ("says-nothing", order("hang")),
            ("closes", order("close")),
            ("says-another-thing", order("text 554 busy")),
        ),
        (
            ("fails-once", order("fail 1")),
            ("slow-but-in-time", order("slow 0.7")),
            ("in-pieces", order("pieces")),
            ("restarted", "systemctl restart $U"),
            ("stuck-for-a-moment", "die STOP; sleep 1.5; die CONT"),
        ),
    ),
    _hung(
        "tcp",
        "tcp-no-pong",
        make=order("text -LOADING"),
        before=order("pong"),
        table='type = "tcp"\naddress = "127.0.0.1:{port}"\nsend = "PING\\r\\n"\nexpect = "+PONG"\n',
        unit=serves("tcp", "{port}", "ExecStopPost=/bin/sh -c 'echo pong > /run/{name}.orders'"),
    ),
    _calm(
        "tcp",
        "tcp-pong",
        make=order("pong"),
        before=order("pong"),
        table='type = "tcp"\naddress = "127.0.0.1:{port}"\nsend = "PING\\r\\n"\nexpect = "+PONG"\n',
    ),
    _calm("tcp", "tcp-talks-more-than-asked", make=order("text 220-hello; 550 error; 220 end")),
    _calm("tcp", "tcp-only-connects", make=order("close"), table='type = "tcp"\naddress = "127.0.0.1:{port}"\n'),
)
_UNIX: Final = (
    *_of_wires(
        "unix",
        (
            ("stuck", _STUCK),
            ("socket-removed", "rm /run/{name}.sock"),
            ("closes", order("close")),
            ("says-nothing", order("hang")),
        ),
        (
            ("fails-once", order("fail 1")),
            ("fails-twice", order("fail 2")),
            ("slow-but-in-time", order("slow 0.7")),
            ("in-pieces", order("pieces")),
            ("restarted", "systemctl restart $U"),
        ),
    ),
    _calm("unix", "unix-not-permitted", make="chmod 600 /run/{name}.sock", watch=6),
)
_DNS: Final = (
    *_of_wires(
        "dns",
        (
            ("stuck", _STUCK),
            ("servfail", order("servfail")),
            ("refused", order("refused")),
            ("nxdomain", order("nxdomain")),
            ("wrong-address", order("wrong")),
            ("empty", order("empty")),
        ),
        (
            ("loses-a-question", order("fail 1")),
            ("slow-but-in-time", order("slow 0.5")),
            ("more-addresses", order("many")),
            ("restarted", "systemctl restart $U"),
            ("stuck-for-a-moment", "die STOP; sleep 1.5; die CONT"),
        ),
    ),
)

SCENES: Final[tuple[Scene, ...]] = (*_HTTP, *_TCP, *_UNIX, *_DNS)
