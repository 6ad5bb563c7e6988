"""Services that end, in every way in which one can, and what systemd or healthd makes of it."""

# ruff: noqa: E501 -- a script that is broken in two is harder to read

from __future__ import annotations

from typing import Final

from bench.accuracy.scene import Label, Scene
from bench.accuracy.scenes.shapes import NOTIFY, READY, START, first_fails, of_a_service, told

_FORKS: Final = '/bin/sh -c "sleep infinity &"'
_ENDS: Final = Label(issue="service_down", hold="clean_exit")
_GIVES_UP: Final = Label(issue="service_down", actions=(START,), then="healing_gave_up")

_SIGNALS: Final = (
    of_a_service("killed-simple", make="die KILL"),
    of_a_service("killed-exec", "Type=exec", "User=nobody", make="die KILL"),
    of_a_service("killed-forking", "Type=forking", command=_FORKS, make="die KILL"),
    of_a_service("killed-notify", *NOTIFY, command=READY, make="die KILL"),
    of_a_service("killed-idle", "Type=idle", make="die KILL"),
    of_a_service("killed-dynamic-user", "DynamicUser=yes", "StateDirectory={name}", make="die KILL"),
    of_a_service("killed-private", "PrivateTmp=yes", "ProtectSystem=strict", make="die KILL"),
    of_a_service("killed-whole-group", make="systemctl kill --signal=KILL $U"),
    of_a_service(
        "killed-on-failure-exhausted", "Restart=on-failure", "RestartPreventExitStatus=SIGKILL", make="die KILL"
    ),
    of_a_service("terminated-simple", make="die TERM"),
    of_a_service("terminated-notify", *NOTIFY, command=READY, make="die TERM"),
    of_a_service("terminated-forking", "Type=forking", command=_FORKS, make="die TERM"),
    of_a_service("terminated-on-failure", "Restart=on-failure", make="die TERM"),
    of_a_service("terminated-on-abnormal", "Restart=on-abnormal", make="die TERM"),
    of_a_service("hung-up", make="die HUP"),
    of_a_service("interrupted", "Type=exec", make="die INT"),
    of_a_service("broken-pipe", "IgnoreSIGPIPE=no", make="die PIPE"),
    of_a_service("user-signal", make="die USR1"),
    of_a_service("alarm", "Restart=on-watchdog", make="die ALRM"),
    of_a_service("segfault", "Type=exec", make="die SEGV"),
    of_a_service("aborted", "Restart=on-success", make="die ABRT"),
    of_a_service("quit-with-core", make="die QUIT"),
    of_a_service("illegal-instruction", "LimitCORE=0", make="die ILL"),
    of_a_service(
        "bad-system-call",
        "SystemCallFilter=~uname",
        command=first_fails("uname"),
        make="systemctl start $U || :",
        started=False,
    ),
    of_a_service("out-of-processor-time", make="die XCPU"),
)

_STATUSES: Final = (
    told("exit-1", make="exit 1"),
    told("exit-2-exec", "Type=exec", make="exit 2"),
    told("exit-3-nobody", make="exit 3"),
    told("exit-42-on-abnormal", "Restart=on-abnormal", make="exit 42"),
    told("exit-69-on-abort", "Restart=on-abort", make="exit 69"),
    told("exit-75-on-watchdog", "Restart=on-watchdog", make="exit 75"),
    told("exit-126-on-success", "Restart=on-success", make="exit 126"),
    told("exit-127", make="exec no-such-command"),
    told("exit-255", make="exit 255"),
    told("exit-9-prevented", "Restart=always", "RestartPreventExitStatus=9", make="exit 9"),
    told("exit-5-last-words", make="echo out of ideas >&2; exit 5"),
    told("exit-1-with-children", "KillMode=process", make="sleep 30 & exit 1"),
    told("exit-4-stop-post", "ExecStopPost=/bin/true", make="exit 4"),
    of_a_service("stop-post-fails", "ExecStopPost=/bin/false", make="die TERM"),
    told("crashes-in-python", make='exec /usr/bin/python3 -c "import ctypes; ctypes.string_at(0)"'),
    told("raises-in-python", make='exec /usr/bin/python3 -c "raise SystemError(7)"'),
    told("clean-exit", make="exit 0", label=_ENDS),
    told("clean-exit-exec", "Type=exec", "Restart=on-failure", make="exit 0", label=_ENDS),
    told("clean-exit-notify", "NotifyAccess=all", make="exit 0", label=_ENDS),
    told(
        "clean-exit-healed",
        make="exit 0",
        settings='[services."{name}.service"]\nclean_exit = "heal"\n',
    ),
    of_a_service("clean-exit-by-signal", "SuccessExitStatus=SIGUSR2", make="die USR2"),
)

_STARTS: Final = (
    of_a_service(
        "start-fails-once",
        *NOTIFY,
        command=first_fails("exit 1", READY[12:-1]),
        make="systemctl start $U || :",
        started=False,
    ),
    of_a_service(
        "start-times-out",
        *NOTIFY,
        "TimeoutStartSec=1",
        command=first_fails("exec sleep 60", READY[12:-1]),
        make="systemctl start $U || :",
        started=False,
    ),
    of_a_service(
        "start-pre-fails",
        f"ExecStartPre={first_fails('exit 1', 'exit 0')}",
        make="systemctl start $U || :",
        started=False,
    ),
    of_a_service(
        "start-pre-times-out",
        f"ExecStartPre={first_fails('exec sleep 60', 'exit 0')}",
        "TimeoutStartSec=1",
        make="systemctl start $U || :",
        started=False,
    ),
    of_a_service(
        "start-post-fails",
        f"ExecStartPost={first_fails('exit 3', 'exit 0')}",
        make="systemctl start $U || :",
        started=False,
    ),
    of_a_service(
        "never-says-ready",
        *NOTIFY,
        command=first_fails("exit 0", READY[12:-1]),
        make="systemctl start $U || :",
        started=False,
    ),
    of_a_service(
        "forks-never",
        "Type=forking",
        "TimeoutStartSec=1",
        command=first_fails("exec sleep 60", "sleep infinity &\n exit 0".replace("\n", "")),
        make="systemctl start $U || :",
        started=False,
    ),
    of_a_service(
        "condition-errs",
        f"ExecCondition={first_fails('exit 255', 'exit 0')}",
        make="systemctl start $U || :",
        started=False,
    ),
    of_a_service(
        "runs-too-long",
        "RuntimeMaxSec=3",
        command=first_fails("exec sleep 60"),
        make="systemctl start $U",
        started=False,
    ),
    of_a_service(
        "no-environment-file",
        "EnvironmentFile=/etc/default/{name}",
        make="systemctl start $U || :",
        started=False,
        label=_GIVES_UP,
    ),
    of_a_service("never-starts", command="/bin/false", make="systemctl start $U", started=False, label=_GIVES_UP),
    of_a_service(
        "never-ready-at-all",
        *NOTIFY,
        "TimeoutStartSec=1",
        make="systemctl start $U || :",
        started=False,
        label=_GIVES_UP,
    ),
    of_a_service(
        "one-attempt",
        command="/bin/false",
        make="systemctl start $U",
        started=False,
        label=_GIVES_UP,
        settings='[services."{name}.service"]\nmax_attempts = 1\n',
    ),
    of_a_service(
        "start-limit",
        *("Restart=on-failure", "RestartSec=10ms"),
        command='/bin/sh -c "echo >> /run/{name}.runs; [ $$(wc -l < /run/{name}.runs) -lt 3 ] || exec sleep infinity; exit 1"',
        unit=("StartLimitBurst=2", "StartLimitIntervalSec=1h"),
        make="systemctl start $U",
        started=False,
    ),
    of_a_service(
        "start-limit-always",
        *("Restart=always", "RestartSec=10ms"),
        command='/bin/sh -c "echo >> /run/{name}.runs; [ $$(wc -l < /run/{name}.runs) -lt 6 ] || exec sleep infinity; exit 0"',
        unit=("StartLimitBurst=5", "StartLimitIntervalSec=1h"),
        make="systemctl start $U",
        started=False,
        label=Label(issue="service_down", actions=(START,), also=("crash_loop",)),
    ),
    of_a_service(
        "killed-past-its-start-limit",
        unit=("StartLimitBurst=1", "StartLimitIntervalSec=1h"),
        make="die KILL",
    ),
)

_WATCHDOG: Final = "while systemd-notify WATCHDOG=1; do sleep 0.2; done"
_HANGS: Final = (
    of_a_service(
        "watchdog",
        *NOTIFY,
        *("WatchdogSec=2", "TimeoutAbortSec=1"),
        command=first_fails("systemd-notify --ready; exec sleep infinity", f"systemd-notify --ready; {_WATCHDOG}"),
        make="systemctl start $U",
        started=False,
    ),
    of_a_service(
        "watchdog-by-itself",
        *NOTIFY,
        "WatchdogSec=3",
        command=first_fails(
            "systemd-notify --ready; systemd-notify WATCHDOG=trigger; exec sleep infinity",
            f"systemd-notify --ready; {_WATCHDOG}",
        ),
        make="systemctl start $U",
        started=False,
    ),
)


def _loops(name: str, *settings: str, command: str) -> Scene:
    return of_a_service(
        name,
        *settings,
        command=command,
        unit=("StartLimitIntervalSec=0",),
        make="systemctl start --no-block $U",
        started=False,
        label=Label(issue="crash_loop", hold="starting"),
        unmake="systemctl stop $U",
    )


_LOOPS: Final = (
    _loops("crash-loop", "Restart=always", "RestartSec=100ms", command='/bin/sh -c "sleep 0.3; exit 1"'),
    _loops("crash-loop-slow", "Restart=on-failure", "RestartSec=1", command='/bin/sh -c "sleep 1; kill -SEGV $$$$"'),
    _loops("crash-loop-clean", "Restart=always", "RestartSec=500ms", command="/bin/true"),
    _loops("crash-loop-at-start", *NOTIFY, "Restart=on-failure", "RestartSec=300ms", command="/bin/false"),
)

SCENES: Final[tuple[Scene, ...]] = (*_SIGNALS, *_STATUSES, *_STARTS, *_HANGS, *_LOOPS)
