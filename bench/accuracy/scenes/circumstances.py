"""What else goes on at that moment: packages that are installed, what healthd stands on restarting, settings of a host."""

# ruff: noqa: E501 -- a script that is broken in two is harder to read

from __future__ import annotations

from typing import Any, Final

from bench.accuracy.scene import Label, Place, Scene
from bench.accuracy.scenes.shapes import DOWN, HARMLESS, START, of_a_service, reported, service

_PACKAGES: Final = Place(name="packages", together=False)
_BUILD: Final = (
    "mkdir -p /root/{name}/DEBIAN\n"
    "printf 'Package: {name}\\nVersion: 1\\nArchitecture: all\\nMaintainer: nobody <nobody@example.org>\\nDescription: none\\n' > /root/{name}/DEBIAN/control\n"
    "printf '#!/bin/sh\\nset -e\\n%s\\n' > /root/{name}/DEBIAN/postinst; chmod 755 /root/{name}/DEBIAN/postinst\n"
    "printf '#!/bin/sh\\nset -e\\n%s\\n' > /root/{name}/DEBIAN/prerm; chmod 755 /root/{name}/DEBIAN/prerm\n"
    "dpkg-deb --root-owner-group --build /root/{name} /root/{name}.deb > /dev/null\n"
)
_INSTALL: Final = "dpkg --install /root/{name}.deb > /dev/null"
_KILL: Final = "p=$(systemctl show --property=MainPID --value {name}.service); [ $p = 0 ] || kill -KILL $p"


def _package(
    name: str,
    make: str,
    *,
    postinst: str = "true",
    prerm: str = "true",
    label: Label = HARMLESS,
    installed: bool = False,
    **more: Any,
) -> Scene:
    before = _BUILD % (postinst, prerm) + (_INSTALL if installed else "")
    return of_a_service(
        name,
        make=make,
        label=label,
        before=before,
        place=_PACKAGES,
        watch=9,
        unmake="dpkg --purge {name} > /dev/null",
        **more,
    )


_HELD: Final = Label(issue="service_down", actions=(START,), hold="package_upgrade", then="issue_resolved")
_INSTALLS: Final = (
    _package("package-kills-a-service", _INSTALL, postinst=f"{_KILL}\\nsleep 3", label=_HELD),
    _package(
        "package-fails-and-kills-a-service",
        f"{_INSTALL} || dpkg --configure -a > /dev/null || :",
        postinst=f"{_KILL}\\nsleep 2\\nexit 1",
        label=_HELD,
    ),
    _package(
        "killed-while-packages-are-installed",
        f"{_INSTALL} & sleep 1; now; die KILL; wait",
        postinst="sleep 4",
        label=_HELD,
    ),
    _package(
        "package-kills-and-starts-a-service",
        _INSTALL,
        postinst=f"{_KILL}\\nsleep 2\\nsystemctl start {{name}}.service",
        label=Label(issue="service_down", hold="package_upgrade", then="issue_resolved"),
    ),
    _package("killed-with-a-stale-lock", "touch /var/lib/dpkg/lock-frontend; die KILL", label=DOWN),
    _package("killed-after-packages-were-installed", f"{_INSTALL}; sleep 9; now; die KILL", label=DOWN),
    _package("package-restarts-a-service", _INSTALL, postinst="systemctl restart {name}.service"),
    _package(
        "package-stops-and-starts-a-service",
        _INSTALL,
        installed=True,
        prerm="systemctl stop {name}.service\\nsleep 1",
        postinst="sleep 2\\nsystemctl start {name}.service",
    ),
    _package(
        "package-reloads-units", _INSTALL, postinst="systemctl daemon-reload\\nsystemctl try-restart {name}.service"
    ),
    _package(
        "package-removed",
        "dpkg --remove {name} > /dev/null",
        installed=True,
        prerm="systemctl disable --quiet --now {name}.service",
    ),
    _package("package-masks-its-service", _INSTALL, postinst="systemctl mask --quiet --runtime --now {name}.service"),
    _package("packages-installed-and-nothing-else", f"{_INSTALL}; {_INSTALL}"),
)

_BENEATH: Final = Place(name="beneath", together=False)


def _disturbed(name: str, make: str, *, label: Label = HARMLESS, **more: Any) -> Scene:
    return of_a_service(name, make=make, label=label, place=_BENEATH, watch=6, **more)


_DISTURBANCES: Final = (
    _disturbed("systemd-re-executed", "systemctl daemon-reexec"),
    _disturbed("bus-restarted", "systemctl restart dbus.socket dbus.service"),
    _disturbed("journal-restarted", "systemctl restart systemd-journald"),
    _disturbed("healthd-restarted", "systemctl restart healthd"),
    _disturbed("healthd-killed", "systemctl kill --signal=KILL healthd"),
    _disturbed("healthd-reloaded", "systemctl reload healthd; systemctl reload healthd"),
    _disturbed("stopped-while-healthd-was-down", "systemctl stop healthd; systemctl stop $U; systemctl start healthd"),
    _disturbed(
        "restarted-while-healthd-was-down", "systemctl stop healthd; systemctl restart $U; systemctl start healthd"
    ),
    _disturbed(
        "disabled-while-healthd-was-down",
        "systemctl stop healthd; systemctl disable --quiet --now $U; systemctl start healthd",
    ),
    _disturbed(
        "killed-while-systemd-re-executes",
        "victim=$(pid); systemctl daemon-reexec & kill -KILL $victim; wait",
        label=DOWN,
    ),
    _disturbed("killed-with-the-bus", "kill -KILL $(pid dbus.service); die KILL", label=DOWN),
    _disturbed(
        "killed-while-healthd-was-down",
        "systemctl stop healthd; die KILL; sleep 1; now; systemctl start healthd",
        label=DOWN,
    ),
    _disturbed(
        "terminated-while-healthd-was-down",
        "systemctl stop healthd; die TERM; sleep 1; now; systemctl start healthd",
        label=DOWN,
    ),
    _disturbed("killed-with-healthd", "kill -KILL $(pid healthd.service) $(pid)", label=DOWN),
    _disturbed(
        "killed-without-polkit",
        "systemctl kill --signal=KILL polkit.service; die KILL",
        label=DOWN,
        owns=("polkit.service",),
    ),
)

_HANGING: Final = '[component.{name}]\ntype = "tcp"\naddress = "127.0.0.1:1"\nunit = "{name}.service"\ninterval_seconds = 1\nfailures = 2\n'


def _under(name: str, host: str, hold: str, make: str = "die KILL", **more: Any) -> Scene:
    return of_a_service(
        name,
        make=make,
        label=more.pop("label", reported("service_down", component="services", hold=hold)),
        place=Place(name=name, settings=host),
        **more,
    )


_FOUR: Final = tuple(f"{{name}}_{number}.service" for number in range(1, 5))
_HOSTWIDE: Final = (
    _under("dry-run", "[auto_healing]\ndry_run = true\n", "dry_run"),
    _under(
        "dry-run-of-a-hung-one",
        "[auto_healing]\ndry_run = true\n",
        "dry_run",
        make="true",
        settings=_HANGING,
        label=reported("probe_failed", hold="dry_run"),
    ),
    _under("healing-switched-off", "[health]\nauto_healing_enabled = false\n", "disabled"),
    _under("restarts-switched-off", "[auto_healing]\nservice_restart_enabled = false\n", "disabled", make="die SEGV"),
    _under("not-on-the-list", '[auto_healing]\nallow = ["other-*.service"]\n', "not_allowed"),
    _under("on-the-list-of-the-protected", '[auto_healing]\nprotect = ["on-the-list-*"]\n', "protected"),
    _under("everything-silenced", "", "silenced", make="healthctl silence --all --for 1h > /dev/null; die KILL"),
    _under(
        "budget-of-the-host-used-up",
        "[auto_healing]\nhost_budget_actions = 1\n",
        "",
        make="die KILL; sleep 3; now; die KILL {name}_other.service",
        units={"{name}_other.service": service()},
        start=("{name}_other.service",),
        label=Label(issue="service_down", actions=(START,), hold="host_budget", then="issue_resolved"),
    ),
    _under(
        "budget-of-a-unit-used-up",
        "[auto_healing]\nbackoff_seconds = 0\n",
        "",
        make='for i in 1 2 3 4; do until [ "$(pid)" != 0 ]; do sleep 0.1; done; sleep 2; die KILL; sleep 0.5; done',
        label=Label(issue="service_down", actions=(START,), hold="unit_budget", then="issue_resolved"),
    ),
    Scene(
        name="many-at-once",
        component="services",
        label=Label(
            issue="service_down",
            actions=tuple(f"start_unit {name}" for name in _FOUR),
            hold="cascade",
            then="cascade_ended",
        ),
        units={name: service() for name in _FOUR},
        start=_FOUR,
        make="kill -KILL $(for i in 1 2 3 4; do pid {name}_$i.service; done)",
        seconds=240,  # a host under pressure waits between them
        place=Place(name="many-at-once", settings="[auto_healing]\ncascade_units = 3\n"),
    ),
    Scene(
        name="many-stopped-at-once",
        component="services",
        label=HARMLESS,
        units={name: service() for name in _FOUR},
        start=_FOUR,
        make="systemctl stop {name}_1.service {name}_2.service {name}_3.service {name}_4.service",
        place=Place(name="many-stopped-at-once", settings="[auto_healing]\ncascade_units = 3\n"),
    ),
)

SCENES: Final[tuple[Scene, ...]] = (*_INSTALLS, *_DISTURBANCES, *_HOSTWIDE)
