"""Services that stand on one another: which one is the root, and what must come back with it."""

# ruff: noqa: E501 -- a script that is broken in two is harder to read

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.accuracy.scene import Label, Scene
from bench.accuracy.scenes.shapes import UNIT, first_fails, reported, service

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROOT: Final = "{name}_root.service"
_START_ROOT: Final = f"start_unit {_ROOT}"
_START_TOP: Final = "start_unit {name}.service"


def _on(relation: str, root: str = _ROOT, *, after: bool = True) -> tuple[str, ...]:
    return (f"{relation}={root}", *((f"After={root}",) if after else ()))


def _of_two(
    name: str,
    relation: str,
    *actions: str,
    make: str,
    after: bool = True,
    root: str = "",
    units: Mapping[str, str] | None = None,
    label: Label | None = None,
) -> Scene:
    """The unit of the scene stands on a root of its own."""
    top = service(unit=_on(relation, after=after))
    return Scene(
        name=name,
        component="services",
        label=label or Label(issue="service_down", actions=actions),
        units={_ROOT: root or service(), UNIT: top} | dict(units or {}),
        start=(_ROOT, UNIT, *(units or {})),
        make=make,
    )


_BOTH: Final = "kill -KILL $(pid {name}_root.service) $(pid)"
_TOP: Final = "{name}_top.service"
_CHAIN: Final = {_TOP: service(unit=_on("BindsTo", UNIT))}

SCENES: Final[tuple[Scene, ...]] = (
    _of_two("bound-root-killed", "BindsTo", _START_ROOT, _START_TOP, make="die KILL {name}_root.service"),
    _of_two("bound-root-terminated", "BindsTo", _START_ROOT, _START_TOP, make="die TERM {name}_root.service"),
    _of_two(
        "bound-without-order", "BindsTo", _START_ROOT, _START_TOP, make="die KILL {name}_root.service", after=False
    ),
    _of_two("bound-top-killed", "BindsTo", _START_TOP, make="die KILL"),
    _of_two("required-root-killed", "Requires", _START_ROOT, make="die KILL {name}_root.service"),
    _of_two("required-both-killed", "Requires", _START_ROOT, _START_TOP, make=_BOTH),
    _of_two("required-top-killed", "Requires", _START_TOP, make="die SEGV"),
    _of_two("requisite-both-killed", "Requisite", _START_ROOT, _START_TOP, make=_BOTH),
    _of_two("wanted-root-killed", "Wants", _START_ROOT, make="die KILL {name}_root.service"),
    _of_two("wanted-both-killed", "Wants", _START_ROOT, _START_TOP, make=_BOTH),
    _of_two("part-of-killed-root", "PartOf", _START_ROOT, make="die KILL {name}_root.service"),
    _of_two("upheld-by-nobody", "After", _START_ROOT, _START_TOP, make=_BOTH, after=False),
    _of_two(
        "static-root-killed", "Requires", _START_ROOT, make="die KILL {name}_root.service", root=service(enabled=False)
    ),
    _of_two(
        "chain-of-three",
        "BindsTo",
        *(_START_ROOT, _START_TOP, f"start_unit {_TOP}"),
        make="die KILL {name}_root.service",
        units=_CHAIN,
    ),
    _of_two("middle-of-three", "BindsTo", *(_START_TOP, f"start_unit {_TOP}"), make="die KILL", units=_CHAIN),
    _of_two(
        "two-on-one-root",
        "BindsTo",
        *(_START_ROOT, _START_TOP, f"start_unit {_TOP}"),
        make="die KILL {name}_root.service",
        units={_TOP: service(unit=_on("BindsTo"))},
    ),
    _of_two(
        "root-stopped-by-somebody",
        "BindsTo",
        make="systemctl stop {name}_root.service",
        label=Label(),
    ),
    _of_two(
        "top-on-a-stopped-root",
        "Wants",
        make="systemctl stop {name}_root.service\n"
        "mkdir -p /run/systemd/system/$U.d; printf '[Unit]\nRequires={name}_root.service\n' > /run/systemd/system/$U.d/x.conf\n"
        "systemctl daemon-reload; now; die KILL",
        label=reported("service_down", component="services", hold="dependency"),
    ),
    Scene(
        name="root-fails-at-the-start",
        component="services",
        label=Label(issue="service_down", actions=(_START_ROOT, _START_TOP)),
        units={
            _ROOT: service("Type=exec", f"ExecStartPre={first_fails('exit 1', 'exit 0')}"),
            UNIT: service(unit=_on("Requires")),
        },
        make="systemctl start $U || :",
    ),
    Scene(
        name="root-cannot-start",
        component="services",
        label=Label(issue="service_down", hold="dependency"),
        units={_ROOT: service("Type=exec", command="/no/such/program"), UNIT: service(unit=_on("Requires"))},
        make="systemctl start $U || :",
    ),
    Scene(
        name="instance-killed",
        component="services",
        label=Label(issue="service_down", actions=("start_unit {name}@1.service",)),
        units={"{name}@.service": service()},
        before="systemctl enable --quiet {name}@1.service {name}@2.service",
        start=("{name}@1.service", "{name}@2.service"),
        make="die KILL {name}@1.service",
    ),
    Scene(
        name="instance-with-escapes",
        component="services",
        label=Label(issue="service_down", actions=("start_unit {name}@a\\x20b-c.service",)),
        units={"{name}@.service": service()},
        before="systemctl enable --quiet '{name}@a\\x20b-c.service'",
        start=("{name}@a\\x20b-c.service",),
        make="die KILL '{name}@a\\x20b-c.service'",
    ),
    Scene(
        name="alias-killed",
        component="services",
        label=Label(issue="service_down", actions=(_START_TOP,)),
        units={UNIT: service() + "Alias={name}_alias.service\n"},
        start=(UNIT,),
        make="die KILL {name}_alias.service",
    ),
    Scene(
        name="enabled-at-run-time",
        component="services",
        label=Label(issue="service_down", actions=(_START_TOP,)),
        files={"/run/systemd/system/{name}.service": service()},
        before="systemctl daemon-reload; systemctl enable --quiet --runtime {name}.service",
        start=(UNIT,),
        make="die KILL",
    ),
    Scene(
        name="linked-from-elsewhere",
        component="services",
        label=Label(issue="service_down", actions=(_START_TOP,)),
        files={"/opt/{name}.service": service()},
        before="systemctl enable --quiet /opt/{name}.service",
        start=(UNIT,),
        make="die KILL",
    ),
    Scene(
        name="changed-by-a-drop-in",
        component="services",
        label=Label(issue="service_down", actions=(_START_TOP,)),
        units={UNIT: service()},
        files={
            "/etc/systemd/system/{name}.service.d/x.conf": "[Service]\nExecStart=\nExecStart=sleep 86400\nRestart=no\n"
        },
        start=(UNIT,),
        make="die KILL",
    ),
    Scene(
        name="in-a-slice-of-its-own",
        component="services",
        label=Label(issue="service_down", actions=(_START_TOP,)),
        units={UNIT: service("Slice={name}.slice")},
        start=(UNIT,),
        make="die KILL",
    ),
    Scene(
        name="killed-twice",
        component="services",
        label=Label(issue="service_down", actions=(_START_TOP,)),
        units={UNIT: service()},
        start=(UNIT,),
        make='die KILL; until [ "$(pid)" != 0 ]; do sleep 0.1; done; sleep 2; now; die KILL',
    ),
    Scene(
        name="stopped-started-and-killed",
        component="services",
        label=Label(issue="service_down", actions=(_START_TOP,)),
        units={UNIT: service()},
        start=(UNIT,),
        make="systemctl stop $U; systemctl start $U; now; die KILL",
    ),
    Scene(
        name="killed-during-a-reload-of-units",
        component="services",
        label=Label(issue="service_down", actions=(_START_TOP,)),
        units={UNIT: service()},
        start=(UNIT,),
        make="systemctl daemon-reload & die KILL; wait",
    ),
)
