"""What an operator does to services on purpose: none of it is a failure."""

# ruff: noqa: E501 -- a script that is broken in two is harder to read

from __future__ import annotations

from typing import Any, Final

from bench.accuracy.scene import Label, Scene
from bench.accuracy.scenes.shapes import (
    FIFO,
    HARMLESS,
    NOTIFY,
    OBEY,
    READY,
    STOPPED,
    of_a_service,
    service,
)


def _calm(name: str, *settings: str, make: str, label: Label = HARMLESS, **more: Any) -> Scene:
    return of_a_service(name, *settings, make=make, label=label, **more)


_STUBBORN: Final = """/bin/sh -c "trap '' TERM; exec sleep infinity" """
_DEAF: Final = """ExecStartPost=/bin/sh -c 'until grep -q sleep /proc/$MAINPID/comm; do sleep 0.05; done'"""
_POLITE: Final = """/bin/sh -c "trap 'exit 0' TERM; while :; do sleep 0.1; done" """
_SLOWLY: Final = """/bin/sh -c "trap 'sleep 2; exit 0' TERM; while :; do sleep 0.1; done" """
_RUDE: Final = """/bin/sh -c "trap 'exit 1' TERM; while :; do sleep 0.1; done" """

_STOPS: Final = (
    _calm("stopped", make="systemctl stop $U", label=STOPPED),
    _calm("stopped-no-block", "Type=exec", make="systemctl stop --no-block $U", label=STOPPED),
    _calm("stopped-with-restart-always", "Restart=always", "RestartSec=10ms", make="systemctl stop $U", label=STOPPED),
    _calm("stopped-politely", command=_POLITE, make="systemctl stop $U", label=STOPPED),
    _calm("stopped-slowly", command=_SLOWLY, make="systemctl stop $U", label=STOPPED),
    _calm("stopped-with-a-bad-status", command=_RUDE, make="systemctl stop $U", label=STOPPED),
    _calm("stopped-by-force", "TimeoutStopSec=1", _DEAF, command=_STUBBORN, make="systemctl stop $U", label=STOPPED),
    _calm("stopped-by-kill-signal", "KillSignal=SIGINT", make="systemctl stop $U", label=STOPPED),
    _calm("stopped-and-killed", "KillSignal=SIGKILL", make="systemctl stop $U", label=STOPPED),
    _calm("stopped-by-its-command", "ExecStop=/bin/kill -9 $MAINPID", make="systemctl stop $U", label=STOPPED),
    _calm("stop-command-fails", "ExecStop=/bin/false", make="systemctl stop $U", label=STOPPED),
    _calm("stopped-after-its-stop-post-failed", "ExecStopPost=/bin/false", make="systemctl stop $U", label=STOPPED),
    _calm("stopped-notify", *NOTIFY, command=READY, make="systemctl stop $U", label=STOPPED),
    _calm(
        "stopped-while-it-starts",
        *NOTIFY,
        started=False,
        make="systemctl start --no-block $U; sleep 1; systemctl stop $U",
        label=STOPPED,
    ),
    _calm(
        "stopped-between-restarts",
        "Restart=always",
        "RestartSec=30",
        make="die KILL; sleep 1; systemctl stop $U",
        label=STOPPED,
    ),
    _calm(
        "stopped-over-the-bus",
        make="busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager StopUnit ss $U replace > /dev/null",
        label=STOPPED,
    ),
    _calm("stopped-twice", make="systemctl stop $U; systemctl stop $U", label=STOPPED),
    _calm("stopped-and-reset", make="systemctl stop $U; systemctl reset-failed $U", label=STOPPED),
    _calm("stopped-then-units-reloaded", make="systemctl stop $U; systemctl daemon-reload", label=STOPPED),
    _calm("disabled-and-stopped", make="systemctl disable --quiet --now $U"),
    _calm("stopped-then-disabled", make="systemctl stop $U; sleep 1; systemctl disable --quiet $U"),
    _calm("masked-and-stopped", make="systemctl mask --quiet --runtime --now $U", label=STOPPED),
    _calm(
        "stopped-though-heal-is-on",
        make="systemctl stop $U",
        label=STOPPED,
        settings='[services."{name}.service"]\nheal = true\ncritical = true\n',
    ),
    _calm(
        "stopped-though-clean-exits-are-healed",
        command=_POLITE,
        make="systemctl stop $U",
        label=STOPPED,
        settings='[services."{name}.service"]\nclean_exit = "heal"\n',
    ),
    _calm(
        "stopped-by-a-conflicting-unit",
        unit=("Conflicts={name}_other.service",),
        units={"{name}_other.service": service(enabled=False)},
        make="systemctl start {name}_other.service",
        label=STOPPED,
    ),
    _calm(
        "stopped-with-what-it-is-part-of",
        unit=("PartOf={name}_root.service",),
        units={"{name}_root.service": service()},
        start=("{name}_root.service",),
        make="systemctl stop {name}_root.service",
    ),
    _calm(
        "stopped-with-what-it-requires",
        unit=("Requires={name}_root.service", "After={name}_root.service"),
        units={"{name}_root.service": service()},
        start=("{name}_root.service",),
        make="systemctl stop {name}_root.service",
    ),
    _calm(
        "stopped-with-its-socket",
        enabled=False,
        units={"{name}.socket": "[Socket]\nListenStream=/run/{name}.sock\n[Install]\nWantedBy=sockets.target\n"},
        make="systemctl stop {name}.socket $U",
    ),
    _calm(
        "stopped-with-its-target",
        unit=("PartOf={name}_all.target",),
        units={"{name}_all.target": "[Unit]\nWants={name}.service\n"},
        start=("{name}_all.target",),
        make="systemctl stop {name}_all.target",
    ),
    _calm("stopped-with-its-slice", "Slice={name}.slice", make="systemctl stop {name}.slice"),
    Scene(
        name="stopped-instances",
        component="services",
        label=HARMLESS,
        units={"{name}@.service": service()},
        before="systemctl enable --quiet {name}@1.service {name}@2.service {name}@3.service",
        start=("{name}@1.service", "{name}@2.service", "{name}@3.service"),
        make="systemctl stop '{name}@*.service'",
    ),
    _calm("stopped-while-healthd-is-asked", make="healthctl check services & systemctl stop $U; wait", label=STOPPED),
)

_CHANGES: Final = (
    _calm("restarted", make="systemctl restart $U"),
    _calm("restarted-often", make="for i in 1 2 3 4; do systemctl restart $U; sleep 0.3; done"),
    _calm("restarted-slowly", command=_SLOWLY, make="systemctl restart $U"),
    _calm("restarted-by-force", "TimeoutStopSec=1", _DEAF, command=_STUBBORN, make="systemctl restart $U"),
    _calm("restarted-if-it-runs", *NOTIFY, command=READY, make="systemctl try-restart $U"),
    _calm("restarted-slow-starter", "ExecStartPre=/bin/sleep 2", make="systemctl restart $U"),
    _calm(
        "restarted-with-its-root",
        unit=("BindsTo={name}_root.service", "After={name}_root.service"),
        units={"{name}_root.service": service()},
        start=("{name}_root.service",),
        make="systemctl restart {name}_root.service",
    ),
    _calm("stopped-and-started", make="systemctl stop $U; sleep 0.5; systemctl start $U"),
    _calm(
        "reloaded",
        "ExecReload=/bin/kill -HUP $MAINPID",
        command="""/bin/sh -c "trap : HUP; while :; do sleep 0.1; done" """,
        make="systemctl reload $U",
    ),
    _calm("reload-fails", "ExecReload=/bin/false", make="systemctl reload $U || :"),
    _calm("reloaded-or-restarted", make="systemctl reload-or-restart $U"),
    _calm("units-reloaded", make="systemctl daemon-reload; systemctl daemon-reload"),
    _calm("disabled-and-left-running", make="systemctl disable --quiet $U"),
    _calm("enabled-and-not-started", started=False, make="systemctl reenable --quiet $U"),
    _calm(
        "edited-and-restarted",
        make="mkdir -p /etc/systemd/system/$U.d; printf '[Service]\nNice=5\n' > /etc/systemd/system/$U.d/x.conf; systemctl daemon-reload; systemctl restart $U",
    ),
    _calm("edited-and-not-reloaded", make="echo '# a remark' >> /etc/systemd/system/$U"),
    _calm("properties-set", make="systemctl set-property --runtime $U CPUWeight=50"),
    _calm("removed", make="systemctl disable --quiet --now $U; rm /etc/systemd/system/$U; systemctl daemon-reload"),
    _calm("removed-while-it-runs", make="rm /etc/systemd/system/$U; systemctl daemon-reload"),
    _calm(
        "renamed",
        make="systemctl disable --quiet --now $U; cd /etc/systemd/system; mv $U {name}_new.service; systemctl daemon-reload; systemctl enable --quiet --now {name}_new.service",
    ),
    _calm("masked-while-it-runs", make="systemctl mask --quiet --runtime $U"),
    _calm("masked-and-unmasked", make="systemctl mask --quiet --runtime $U; systemctl unmask --quiet --runtime $U"),
    _calm(
        "signalled-to-rotate-logs",
        FIFO,
        command=OBEY,
        make="echo 'trap : USR1; while :; do sleep 0.1; done' | tell; sleep 0.3; systemctl kill --signal=USR1 $U",
    ),
    _calm(
        "hung-up-on-and-goes-on",
        FIFO,
        command=OBEY,
        make="echo 'trap : HUP; while :; do sleep 0.1; done' | tell; sleep 0.3; die HUP",
    ),
    _calm("frozen-and-thawed", make="die STOP; sleep 2; die CONT"),
    _calm("started-though-it-runs", make="systemctl start $U; systemctl start $U"),
    _calm("ignored-by-its-name", make="die KILL", settings='[services]\nignore = ["ignored-by-*"]\n'),
    _calm("transient-job-done", started=False, make="systemd-run --quiet --wait --unit={name}_job true"),
    _calm("transient-timer-done", started=False, make="systemd-run --quiet --unit={name}_job --on-active=0.5 true"),
    _calm("scope-ended", started=False, make="systemd-run --quiet --scope --unit={name}_scope sleep 1"),
    _calm(
        "scope-killed",
        started=False,
        make="(systemd-run --quiet --scope --unit={name}_scope sleep 60 &) > /dev/null 2>&1; sleep 1; systemctl kill --signal=KILL {name}_scope.scope",
    ),
    _calm("healed-by-an-operator", "Restart=always", "RestartSec=5", make="die KILL; systemctl restart $U"),
)

SCENES: Final[tuple[Scene, ...]] = (*_STOPS, *_CHANGES)
