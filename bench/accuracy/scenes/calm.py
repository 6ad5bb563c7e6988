"""What looks like a failure of a service and is none: starts that take their time, ends that were due, noise."""

# ruff: noqa: E501 -- a script that is broken in two is harder to read

from __future__ import annotations

from typing import Any, Final

from bench.accuracy.scene import Label, Scene
from bench.accuracy.scenes.shapes import FIFO, HARMLESS, NOTIFY, OBEY, READY, UNIT, first_fails, of_a_service, service


def _calm(name: str, *settings: str, make: str, label: Label = HARMLESS, **more: Any) -> Scene:
    return of_a_service(name, *settings, make=make, label=label, **more)


def _starts(name: str, *settings: str, make: str = "systemctl start $U", **more: Any) -> Scene:
    return _calm(name, *settings, make=make, started=False, **more)


_SLOWLY_READY: Final = '/bin/sh -c "sleep 3; systemd-notify --ready; exec sleep infinity"'

_STARTS: Final = (
    _starts("slow-start", *NOTIFY, command=_SLOWLY_READY),
    _starts("slow-start-no-block", *NOTIFY, command=_SLOWLY_READY, make="systemctl start --no-block $U"),
    _starts("slow-start-pre", "ExecStartPre=/bin/sleep 3"),
    _starts("slow-start-post", "ExecStartPost=/bin/sleep 3"),
    _starts(
        "slow-start-extended",
        *NOTIFY,
        "TimeoutStartSec=2",
        command='/bin/sh -c "systemd-notify EXTEND_TIMEOUT_USEC=9000000; sleep 3; systemd-notify --ready; exec sleep infinity"',
    ),
    _starts("slow-forker", "Type=forking", command='/bin/sh -c "sleep 2; sleep infinity &"'),
    _starts("slow-job", "Type=oneshot", command="sleep 3"),
    _starts(
        "slow-reload", *NOTIFY, "ExecReload=/bin/sleep 2", command=READY, make="systemctl start $U; systemctl reload $U"
    ),
    _starts(
        "waits-for-a-slow-one",
        unit=("After={name}_slow.service", "Wants={name}_slow.service"),
        units={"{name}_slow.service": service("Type=oneshot", command="sleep 3", enabled=False)},
        make="systemctl start --no-block $U",
    ),
    _starts("optional-part-fails-to-start", "ExecStartPre=-/bin/false"),
    _starts("start-condition-not-met", unit=("ConditionPathExists=/no/such",)),
    _starts("exec-condition-not-met", "ExecCondition=/bin/false"),
    _starts(
        "within-its-grace",
        command='/bin/sh -c "sleep 0.5; exit 1"',
        settings='[services."{name}.service"]\ngrace_seconds = 60\n',
    ),
    _starts("idle-until-the-jobs-are-done", "Type=idle"),
    _starts(
        "status-in-words",
        *NOTIFY,
        command="/bin/sh -c \"systemd-notify --ready --status='FAILED to reach peer, retrying'; exec sleep infinity\"",
    ),
    _starts(
        "started-by-its-path",
        enabled=False,
        command="/bin/true",
        units={"{name}.path": "[Path]\nPathExists=/run/{name}.go\n[Install]\nWantedBy=paths.target\n"},
        make="systemctl start {name}.path; sleep 0.5; systemctl stop {name}.path",
    ),
)

_RESTARTS: Final = (
    _calm("restarted-by-systemd", "Restart=always", "RestartSec=200ms", make="die KILL"),
    _calm("restarted-by-systemd-at-once", "Restart=always", "RestartSec=0", make="die KILL"),
    _calm("restarted-by-systemd-later", "Restart=on-failure", "RestartSec=3", make="die SEGV"),
    _calm("restarted-by-systemd-after-a-pause", "Restart=on-abnormal", "RestartSec=2", make="die ABRT"),
    _calm(
        "restarted-by-systemd-after-success",
        "Restart=on-success",
        "RestartSec=500ms",
        FIFO,
        command=OBEY,
        make="echo exit 0 | tell",
    ),
    _calm("restarted-by-systemd-twice", "Restart=always", "RestartSec=300ms", make="die KILL; sleep 1; die KILL"),
    _calm(
        "restarted-by-systemd-notify", *NOTIFY, "Restart=on-failure", "RestartSec=200ms", command=READY, make="die KILL"
    ),
    _calm(
        "restarted-by-systemd-forced",
        "RestartForceExitStatus=7",
        "RestartSec=200ms",
        FIFO,
        command=OBEY,
        make="echo exit 7 | tell",
    ),
    _calm(
        "restarted-by-systemd-with-a-slow-start",
        "Restart=always",
        "RestartSec=200ms",
        "ExecStartPre=/bin/sleep 2",
        make="die KILL",
    ),
    _calm(
        "restarted-by-systemd-after-its-watchdog",
        *NOTIFY,
        "WatchdogSec=1",
        "TimeoutAbortSec=1",
        "Restart=on-watchdog",
        "RestartSec=200ms",
        command=first_fails(
            "systemd-notify --ready; exec sleep 60",
            "systemd-notify --ready; while systemd-notify WATCHDOG=1; do sleep 0.2; done",
        ),
        started=False,
        make="systemctl start $U",
        watch=6,
    ),
    _calm(
        "restarted-by-systemd-with-its-top",
        "Restart=always",
        "RestartSec=200ms",
        units={"{name}_top.service": service(unit=("BindsTo={name}.service", "After={name}.service"), enabled=False)},
        make="die KILL",
    ),
    _starts(
        "job-restarted-by-systemd",
        "Type=oneshot",
        "Restart=on-failure",
        "RestartSec=500ms",
        command=first_fails("exit 1", "exit 0"),
        make="systemctl start --no-block $U",
    ),
    _starts("ends-and-is-restarted", "Restart=always", "RestartSec=30", command="sleep 1", make="systemctl start $U"),
    _calm(
        "upheld-by-another",
        enabled=False,
        units={"{name}_holder.service": service(unit=("Upholds={name}.service",))},
        start=("{name}_holder.service",),
        make="systemctl stop {name}_holder.service; die TERM",
    ),
)

_OK: Final = '[services."{name}.service"]\nclean_exit = "ok"\n'
_ENDS: Final = (
    _starts("job-done", "Type=oneshot", command="/bin/true"),
    _starts("job-done-and-remains", "Type=oneshot", "RemainAfterExit=yes", command="/bin/true"),
    _starts(
        "job-done-again-and-again",
        "Type=oneshot",
        command="/bin/true",
        make="for i in 1 2 3 4 5; do systemctl start $U; done",
        unit=("StartLimitIntervalSec=0",),
    ),
    _starts("job-with-a-good-status", "Type=oneshot", "SuccessExitStatus=3", command='/bin/sh -c "exit 3"'),
    _starts("job-with-a-failing-step-that-may", "Type=oneshot", command="-/bin/false"),
    _starts(
        "job-stopped-by-an-operator",
        "Type=oneshot",
        command="sleep 60",
        make="systemctl start --no-block $U; sleep 1; systemctl stop $U",
    ),
    _starts("remains-after-its-exit", "RemainAfterExit=yes", command="/bin/true"),
    _calm("ends-when-it-is-done", FIFO, command=OBEY, make="echo exit 0 | tell", settings=_OK),
    _calm(
        "ends-with-a-good-status",
        FIFO,
        "SuccessExitStatus=42",
        command=OBEY,
        make="echo exit 42 | tell",
        label=Label(issue="service_down", hold="clean_exit"),
    ),
    _calm(
        "ends-by-a-polite-signal",
        command="""/bin/sh -c "trap 'exit 0' TERM; while :; do sleep 0.1; done" """,
        make="systemctl kill $U; sleep 1",
        settings=_OK,
    ),
    _calm(
        "socket-service-idles-out",
        enabled=False,
        units={"{name}.socket": "[Socket]\nListenStream=/run/{name}.sock\n[Install]\nWantedBy=sockets.target\n"},
        started=False,
        start=("{name}.socket",),
        command="/bin/sleep 1",
        make="systemctl start $U",
    ),
    Scene(
        name="idle-socket",
        component="services",
        label=HARMLESS,
        units={
            "{name}.socket": "[Socket]\nListenStream=/run/{name}.sock\nAccept=yes\n[Install]\nWantedBy=sockets.target\n",
            "{name}@.service": service("StandardInput=socket", command="/bin/cat", enabled=False),
        },
        start=("{name}.socket",),
        make='python3 -c \'import socket; s = socket.socket(socket.AF_UNIX); s.connect("/run/{name}.sock"); s.sendall(b"x"); s.recv(1); s.shutdown(1); s.recv(1)\'',
    ),
    Scene(
        name="stopped-socket",
        component="services",
        label=HARMLESS,
        units={
            "{name}.socket": "[Socket]\nListenStream=/run/{name}.sock\nAccept=yes\n[Install]\nWantedBy=sockets.target\n",
            "{name}@.service": service("StandardInput=socket", command="/bin/cat", enabled=False),
        },
        start=("{name}.socket",),
        make="systemctl stop {name}.socket",
    ),
    Scene(
        name="unmounted",
        component="services",
        label=HARMLESS,
        units={"mnt-unmounted.mount": "[Mount]\nWhat=tmpfs\nWhere=/mnt/unmounted\nType=tmpfs\n"},
        start=("mnt-unmounted.mount",),
        make="umount /mnt/unmounted",
        owns=("mnt-unmounted.mount",),
    ),
    _calm(
        "ended-worker",
        FIFO,
        command=OBEY,
        make='echo \'for i in 1 2 3; do sh -c "exit 1"; sh -c "kill -9 \\$\\$"; done; while :; do sleep 0.1; done\' | tell; sleep 1',
    ),
    _calm(
        "new-main-process",
        FIFO,
        *NOTIFY,
        command='/bin/sh -c "systemd-notify --ready; . /run/{name}.fifo"',
        make="echo 'sleep infinity & systemd-notify MAINPID=$!; sleep 0.5; exit 0' | tell; sleep 1",
    ),
    _calm("broken-pipe-ignored", make="die PIPE"),
    _calm(
        "log-noise",
        FIFO,
        command=OBEY,
        make="echo 'for i in 1 2 3; do echo ERROR: connection failed; echo \"<2>PANIC: out of memory, service failed\"; echo Traceback: segfault at 0; done; while :; do sleep 0.1; done' | tell; sleep 1",
    ),
    _calm(
        "log-flood",
        FIFO,
        command=OBEY,
        make="echo 'seq 1 20000 | sed s/^/failed:/; while :; do sleep 0.1; done' | tell; sleep 1",
    ),
    _calm(
        "noise-of-a-service-manager",
        make="logger --tag systemd '{name}.service: Failed with result exit-code.'; logger --tag kernel --priority kern.err 'Out of memory: Killed process 1 ({name}) total-vm:1kB'",
    ),
    _calm(
        "busy-for-a-moment",
        FIFO,
        command=OBEY,
        make="echo 'timeout 3 sh -c \"while :; do :; done\"; while :; do sleep 0.1; done' | tell; sleep 3",
    ),
    _calm("sleeps-forever", make="sleep 2"),
)


def _timer(
    name: str, timer: str, *, make: str, command: str = "/bin/true", label: Label = HARMLESS, **more: Any
) -> Scene:
    return Scene(
        name=name,
        component="timers",
        label=label,
        units={
            "{name}.timer": f"[Timer]\n{timer}\n[Install]\nWantedBy=timers.target\n",
            UNIT: service("Type=oneshot", command=command, enabled=False),
        },
        make=make,
        **more,
    )


_GO: Final = "systemctl start {name}.timer"
_TIMERS: Final = (
    _timer("timer-far-away", "OnCalendar=2040-01-01", make=_GO),
    _timer("timer-fires", "OnActiveSec=1\nOnUnitActiveSec=1h", make=_GO),
    _timer("timer-fires-often", "OnActiveSec=0\nOnUnitActiveSec=3\nAccuracySec=100ms", make=_GO),
    _timer("timer-fired-once", "OnActiveSec=1", make=_GO),
    _timer("timer-fired-and-remains", "OnActiveSec=1\nRemainAfterElapse=no", make=_GO),
    _timer("timer-stopped", "OnCalendar=daily", make=f"{_GO}; systemctl stop {{name}}.timer"),
    _timer("timer-disabled", "OnUnitActiveSec=1h", make="systemctl disable --quiet --now {name}.timer"),
    _timer("timer-of-a-long-job", "OnActiveSec=0\nOnUnitActiveSec=1s", command="sleep 5", make=_GO),
    _timer("timer-with-a-random-delay", "OnCalendar=minutely\nRandomizedDelaySec=1h", make=_GO),
    _timer(
        "timer-that-catches-up",
        "OnCalendar=daily\nPersistent=yes",
        before="touch -d '9 days ago' /var/lib/systemd/timers/stamp-{name}.timer",
        make=_GO,
    ),
    _timer("timer-masked", "OnUnitActiveSec=1h", make="systemctl mask --quiet --runtime {name}.timer"),
    _timer("timer-restarted", "OnActiveSec=1h", make=f"{_GO}; systemctl restart {{name}}.timer"),
    _timer("timer-whose-job-may-fail", "OnActiveSec=1\nOnCalendar=2040-01-01", command="-/bin/false", make=_GO),
    _timer(
        "timer-of-a-stopped-job",
        "OnActiveSec=0\nOnCalendar=2040-01-01",
        command="sleep 60",
        make=f"{_GO}; sleep 1; systemctl stop $U",
    ),
)

SCENES: Final[tuple[Scene, ...]] = (*_STARTS, *_RESTARTS, *_ENDS, *_TIMERS)
