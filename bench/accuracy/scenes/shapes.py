"""The shapes of scenes: unit files, and the labels that most of them have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bench.accuracy.programs import SERVER
from bench.accuracy.scene import Label, Scene

UNIT: Final = "{name}.service"
START: Final = "start_unit {name}.service"
RESTART: Final = "restart_unit {name}.service"
DOWN: Final = Label(issue="service_down", actions=(START,))
HARMLESS: Final = Label()
STOPPED: Final = Label(hold="operator_stopped")
"""Not an issue, and healthd says that it leaves it alone."""

SLEEP: Final = "sleep infinity"
OBEY: Final = '/bin/sh -c "while :; do . /run/{name}.fifo; done"'
"""A service that runs the script which `tell` gives it, and waits for the next where that does not end it."""
FIFO: Final = 'ExecStartPre=/bin/sh -c "[ -p /run/{name}.fifo ] || mkfifo /run/{name}.fifo"'
READY: Final = '/bin/sh -c "systemd-notify --ready; exec sleep infinity"'
NOTIFY: Final = ("Type=notify", "NotifyAccess=all")


def service(*settings: str, command: str = SLEEP, unit: Sequence[str] = (), enabled: bool = True) -> str:
    """A unit file; `settings` go into [Service], `unit` into [Unit]."""
    lines = ["[Unit]", *unit, "[Service]", f"ExecStart={command}", *settings]
    return "\n".join([*lines, "[Install]", "WantedBy=multi-user.target"] if enabled else lines) + "\n"


def first_fails(how: str, then: str = "exec sleep infinity") -> str:
    """The command of a service whose first run ends in some way, and whose later ones are well."""
    return f'/bin/sh -c "if [ -e /run/{{name}}.ran ]; then {then}; fi; touch /run/{{name}}.ran; {how}"'


def of_a_service(
    name: str,
    *settings: str,
    make: str,
    label: Label = DOWN,
    command: str = SLEEP,
    unit: Sequence[str] = (),
    enabled: bool = True,
    started: bool = True,
    **more: Any,
) -> Scene:
    """A scene of one service, which runs before it unless it is not `started`."""
    return Scene(
        name=name,
        component=more.pop("component", "services"),
        label=label,
        make=make,
        units={UNIT: service(*settings, command=command, unit=unit, enabled=enabled)} | more.pop("units", {}),
        start=((UNIT,) if started else ()) + more.pop("start", ()),
        **more,
    )


def told(name: str, *settings: str, make: str, label: Label = DOWN, **more: Any) -> Scene:
    """A scene of an obedient service: `make` is what it is told to do."""
    return of_a_service(name, FIFO, *settings, make=f"echo '{make}' | tell", label=label, command=OBEY, **more)


def serves(kind: str, where: str, *settings: str, delay: float = 0, unit: Sequence[str] = ()) -> str:
    """The unit file of a server; /run/{name}.orders says what it does."""
    return service(
        "Type=notify",
        *settings,
        command=f"/usr/bin/python3 {SERVER} {kind} {where} /run/{{name}}.orders {delay}",
        unit=unit,
    )


def order(word: str) -> str:
    """The script that has a server do this from now on."""
    return f"echo '{word}' > /run/{{name}}.orders\n"


def reported(issue: str, *, component: str = "{name}", **more: Any) -> Label:
    """An issue that is told of, and nothing is done."""
    return Label(issue=issue, component=component, **more)
