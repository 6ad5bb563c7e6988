"""What healthd tells of and leaves alone: what no start can mend, and what it may not or should not touch."""

# ruff: noqa: E501 -- a script that is broken in two is harder to read

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from bench.accuracy.scene import Label, Place, Scene
from bench.accuracy.scenes.shapes import DOWN, START, UNIT, of_a_service, reported, service

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONFIG: Final = reported("service_down", component="services", hold="config_error")
_NOT_ALLOWED: Final = reported("service_down", component="services", hold="not_allowed")
_JOB: Final = reported("job_failed", component="services", hold="oneshot")


def _cannot(name: str, *settings: str, **more: Any) -> Scene:
    return of_a_service(name, *settings, started=False, make="systemctl start $U || :", label=_CONFIG, **more)


_CONFIGURATIONS: Final = (
    _cannot("program-missing", command="/usr/bin/no-such-program"),
    _cannot("program-not-executable", command="/etc/hostname"),
    _cannot(
        "program-for-another-machine",
        "Type=exec",
        command="/opt/{name}",
        before="printf junk > /opt/{name}; chmod 755 /opt/{name}",
    ),
    _cannot(
        "interpreter-missing",
        "Type=exec",
        command="/opt/{name}",
        before="echo '#!/no/such' > /opt/{name}; chmod 755 /opt/{name}",
    ),
    _cannot("start-asserted-in-vain", unit=("AssertPathExists=/no/such",)),
    _cannot("directory-missing", "WorkingDirectory=/no/such"),
    _cannot("user-missing", "User=nosuchuser"),
    _cannot("group-missing", "Group=nosuchgroup"),
    _cannot("sandbox-path-missing", "ReadWritePaths=/no/such/path"),
    _cannot("bind-path-missing", "Type=exec", "BindPaths=/no/such/path"),
    _cannot("root-directory-missing", "RootDirectory=/no/such"),
    _cannot("says-configuration-is-wrong", command='/bin/sh -c "exit 78"'),
    _cannot("says-so-in-vain", "Restart=on-failure", "RestartPreventExitStatus=78", command='/bin/sh -c "exit 78"'),
    _cannot("output-file-impossible", "StandardOutput=file:/no/such/file"),
    _cannot("credential-missing", "LoadCredential=key:/no/such/key"),
    _cannot("state-directory-in-the-way", "StateDirectory={name}", before="echo x > /var/lib/{name}"),
    _cannot("runtime-directory-in-the-way", "RuntimeDirectory={name}", before="echo x > /run/{name}"),
    # Alone: a daemon-reload of others in the very instant of its failure has systemd forget which command it was.
    replace(_cannot("start-pre-program-missing", "ExecStartPre=/no/such/program"), place=Place(name="start-pre")),
    of_a_service(
        "program-missing-again-and-again",
        *("Restart=always", "RestartSec=10ms"),
        command="/no/such/program",
        unit=("StartLimitBurst=3", "StartLimitIntervalSec=1h"),
        started=False,
        make="systemctl start --no-block $U",
        label=Label(issue="service_down", hold="config_error", also=("crash_loop",)),
    ),
    of_a_service(
        "edited-to-nonsense",
        make="echo '[Service]' > /etc/systemd/system/$U; echo '[Install]\nWantedBy=multi-user.target' >> /etc/systemd/system/$U\n"
        "systemctl daemon-reload; die KILL",
        label=_CONFIG,
    ),
)


def _table(name: str, line: str, label: Label, *, make: str = "die KILL") -> Scene:
    return of_a_service(name, make=make, label=label, settings=f'[services."{{name}}.service"]\n{line}\n')


def _held(hold: str) -> Label:
    return reported("service_down", component="services", hold=hold)


_PERMISSIONS: Final = (
    of_a_service("not-enabled", enabled=False, make="die KILL", label=_NOT_ALLOWED),
    of_a_service(
        "not-enabled-exit",
        "Type=exec",
        enabled=False,
        command='/bin/sh -c "sleep 1; exit 3"',
        started=False,
        make="systemctl start $U",
        label=_NOT_ALLOWED,
    ),
    Scene(
        name="transient",
        component="services",
        label=_NOT_ALLOWED,
        make="systemd-run --quiet --unit=$U sleep infinity; die KILL",
    ),
    Scene(
        name="transient-exit",
        component="services",
        label=_NOT_ALLOWED,
        make="systemd-run --quiet --unit=$U --property=Restart=no sh -c 'exit 9'",
    ),
    of_a_service("disabled-while-it-ran", make="systemctl disable --quiet $U; die KILL", label=_NOT_ALLOWED),
    of_a_service(
        "socket-activated",
        enabled=False,
        command="sleep infinity",
        make="die KILL",
        label=_NOT_ALLOWED,
        units={"{name}.socket": "[Socket]\nListenStream=/run/{name}.sock\n[Install]\nWantedBy=sockets.target\n"},
    ),
    Scene(
        name="getty@accuracy",
        component="services",
        label=_held("protected"),
        units={UNIT: service()},
        start=(UNIT,),
        make="die KILL",
    ),
    Scene(
        name="systemd-accuracy",
        component="services",
        label=_held("protected"),
        units={UNIT: service("Type=exec")},
        start=(UNIT,),
        make="die SEGV",
    ),
    _table("switched-off", "heal = false", _held("disabled")),
    _table("switched-off-exit", "heal = false\ncritical = true", _held("disabled"), make="die ABRT"),
    _table("suggested", 'heal = "suggest"', _held("suggest")),
    _table("critical-unit", "critical = true", DOWN),
    _table("with-a-ladder", 'actions = ["reload_unit", "restart_unit"]', DOWN),
    of_a_service(
        "healed-though-not-enabled",
        enabled=False,
        make="die KILL",
        settings='[services."{name}.service"]\nheal = true\n',
    ),
    of_a_service(
        "only-reset",
        make="die KILL",
        settings='[services."{name}.service"]\nactions = ["reset_failed", "start_unit"]\nmax_attempts = 5\n',
        label=Label(issue="service_down", actions=("reset_failed {name}.service", START), then="issue_resolved"),
    ),
    of_a_service(
        "silenced-unit",
        make="healthctl silence $U --for 1h --reason work > /dev/null; die KILL",
        label=_held("silenced"),
    ),
    of_a_service(
        "silenced-by-pattern",
        make="healthctl silence 'silenced-by-p*' --for 1h > /dev/null; die TERM",
        label=_held("silenced"),
    ),
    of_a_service(
        "silenced-and-resumed",
        make="healthctl silence $U --for 1h > /dev/null; healthctl resume $U > /dev/null; now; die KILL",
    ),
    of_a_service(
        "silence-that-ends",
        make="healthctl silence $U --for 4s > /dev/null; die KILL",
        label=Label(issue="service_down", actions=(START,), hold="silenced", then="issue_resolved"),
    ),
    of_a_service(
        "masked-after-its-failure",
        command="/bin/false",
        started=False,
        make="systemctl start $U; until healthctl issues | grep -q $U; do :; done; systemctl mask --runtime --quiet $U",
        label=Label(issue="service_down", actions=(START,), then="healing_gave_up"),
    ),
)


def _other(
    name: str,
    unit: str,
    text: str,
    *,
    label: Label,
    before: str = "",
    make: str = "",
    files: Mapping[str, str] | None = None,
) -> Scene:
    return Scene(
        name=name,
        component="services",
        label=label,
        units={unit: text},
        before=before,
        make=make or f"systemctl start {unit} || :",
        owns=(unit,),
        files=files or {},
    )


_OTHER_TYPES: Final = (
    _other(
        "badmount",
        "mnt-badmount.mount",
        "[Mount]\nWhat=nothing\nWhere=/mnt/badmount\nType=nosuchfs\n",
        label=_NOT_ALLOWED,
    ),
    _other(
        "goneshare",
        "mnt-goneshare.mount",
        "[Mount]\nWhat=/no/such/device\nWhere=/mnt/goneshare\nType=ext4\n",
        label=_NOT_ALLOWED,
    ),
    _other(
        "socket-taken",
        "{name}.socket",
        "[Socket]\nListenStream=127.0.0.1:{port}\nAccept=yes\n",
        label=_NOT_ALLOWED,
        make="python3 -c 'import socket, time; s = socket.create_server((\"127.0.0.1\", {port})); time.sleep(20)' > /dev/null 2>&1 & sleep 1; now\n"
        "systemctl start {name}.socket || :",
        files={"/etc/systemd/system/{name}@.service": service(enabled=False)},
    ),
    _other(
        "socket-nowhere",
        "{name}.socket",
        "[Socket]\nListenStream=/proc/{name}\nAccept=yes\n",
        label=_NOT_ALLOWED,
        files={"/etc/systemd/system/{name}@.service": service(enabled=False)},
    ),
)


def _job(name: str, *settings: str, command: str, label: Label = _JOB, **more: Any) -> Scene:
    return of_a_service(
        name,
        "Type=oneshot",
        *settings,
        command=command,
        label=label,
        started=False,
        make="systemctl start $U || :",
        **more,
    )


_JOBS: Final = (
    _job("job-fails", command="/bin/false"),
    _job("job-fails-2", "User=nobody", command='/bin/sh -c "echo disk not found >&2; exit 2"'),
    _job("job-killed", command='/bin/sh -c "kill -KILL $$$$"'),
    _job("job-crashes", command='/bin/sh -c "kill -SEGV $$$$"'),
    _job("job-times-out", "TimeoutStartSec=1", command="sleep 60"),
    _job("job-remains-not", "RemainAfterExit=yes", command="/bin/false"),
    _job("job-second-step-fails", "ExecStart=/bin/false", command="/bin/true"),
    _job("job-pre-fails", "ExecStartPre=/bin/false", command="/bin/true"),
    _job("job-post-fails", "ExecStartPost=/bin/false", command="/bin/true"),
    _job("job-fails-of-memory-limit", "LimitAS=200M", command='/usr/bin/python3 -c "bytearray(400 << 20)"'),
    _job(
        "job-healed",
        command='/bin/sh -c "[ -e /run/{name}.ran ] || { touch /run/{name}.ran; exit 1; }"',
        label=Label(issue="job_failed", actions=(START,)),
        settings='[services."{name}.service"]\nheal = true\n',
    ),
    of_a_service(
        "job-of-a-timer",
        "Type=oneshot",
        command="/bin/false",
        enabled=False,
        started=False,
        units={"{name}.timer": "[Timer]\nOnActiveSec=1\nOnCalendar=2040-01-01\n[Install]\nWantedBy=timers.target\n"},
        make="systemctl start {name}.timer",
        label=_JOB,
        component="timers",
    ),
    of_a_service(
        "job-of-a-daily-timer",
        "Type=oneshot",
        "User=nobody",
        command='/bin/sh -c "cp /etc/shadow /tmp/"',
        enabled=False,
        started=False,
        units={"{name}.timer": "[Timer]\nOnCalendar=daily\nPersistent=yes\n[Install]\nWantedBy=timers.target\n"},
        before="touch -d '3 days ago' /var/lib/systemd/timers/stamp-{name}.timer",
        make="systemctl start {name}.timer; systemctl start $U || :",
        label=_JOB,
        component="timers",
    ),
    of_a_service(
        "long-job-of-a-timer-fails",
        command='/bin/sh -c "sleep 1; exit 4"',
        enabled=False,
        started=False,
        units={"{name}.timer": "[Timer]\nOnActiveSec=0\nOnCalendar=2040-01-01\n"},
        make="systemctl start {name}.timer",
        label=_NOT_ALLOWED,
        component="timers",
    ),
    Scene(
        name="timer-without-a-time",
        component="timers",
        label=reported("job_failed", component="timers"),
        units={
            "{name}.timer": "[Timer]\nOnUnitActiveSec=1h\n[Install]\nWantedBy=timers.target\n",
            UNIT: service("Type=oneshot", command="/bin/true", enabled=False),
        },
        make="systemctl start {name}.timer",
    ),
    Scene(
        name="timer-of-a-past-day",
        component="timers",
        label=reported("job_failed", component="timers"),
        units={
            "{name}.timer": "[Timer]\nOnCalendar=2020-01-01\n[Install]\nWantedBy=timers.target\n",
            UNIT: service("Type=oneshot", command="/bin/true", enabled=False),
        },
        make="systemctl start {name}.timer",
    ),
    Scene(
        name="timer-after-its-unit-stopped",
        component="timers",
        label=reported("job_failed", component="timers"),
        units={
            "{name}.timer": "[Timer]\nOnUnitInactiveSec=1h\n[Install]\nWantedBy=timers.target\n",
            UNIT: service("Type=oneshot", command="/bin/true", enabled=False),
        },
        make="systemctl start {name}.timer",
    ),
)

SCENES: Final[tuple[Scene, ...]] = (*_CONFIGURATIONS, *_PERMISSIONS, *_OTHER_TYPES, *_JOBS)
