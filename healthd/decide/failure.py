"""What systemd's Result and exit status mean, or that a probe fails: the class of a failure, and what it calls for.

`CLASSES` is the one table of it. What is done, `explain`, the journal and the manual all go by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from signal import Signals
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from healthd.model import IssueType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthd.model import UnitFacts

_EXITED, _KILLED, _DUMPED = 1, 2, 3  # CLD_* of waitid(2), as in ExecMainCode
_EX_CONFIG = 78  # sysexits.h: a program says of itself that its configuration is wrong


class Cause(StrEnum):
    """Why a unit is down, or what else is wrong with it."""

    SIGNAL = "signal"
    CORE_DUMP = "core_dump"
    EXIT_CODE = "exit_code"
    TIMEOUT = "timeout"
    WATCHDOG = "watchdog"
    OOM = "oom"
    START_LIMIT = "start_limit"
    CONFIG = "config"
    RESOURCES = "resources"
    PROTOCOL = "protocol"
    DEPENDENCY = "dependency"
    CLEAN_EXIT = "clean_exit"
    UNKNOWN = "unknown"
    HUNG = "hung"
    LEAK = "leak"
    CRASH_LOOP = "crash_loop"


class Remedy(StrEnum):
    """What a class of failures calls for, before anything else is asked."""

    START = "start"
    RESTART = "restart"
    ROOT = "heal what it requires"
    SYSTEM = "leave it to systemd"
    REPORT = "report it"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureClass:
    """What a class of failures calls for, and `why`, in a clause for people."""

    remedy: Remedy
    why: str


CLASSES: Final[Mapping[Cause, FailureClass]] = MappingProxyType(
    {
        Cause.SIGNAL: FailureClass(remedy=Remedy.START, why="it did not end by itself, so a start brings it back"),
        Cause.CORE_DUMP: FailureClass(
            remedy=Remedy.START, why="a fault of the program; a start brings it back until it meets that again"
        ),
        Cause.EXIT_CODE: FailureClass(remedy=Remedy.START, why="what made it end may have passed; a start tries again"),
        Cause.TIMEOUT: FailureClass(remedy=Remedy.START, why="it may be slow this once; a start tries again"),
        Cause.WATCHDOG: FailureClass(
            remedy=Remedy.START, why="systemd ended the run that hung; a start begins a new one"
        ),
        Cause.OOM: FailureClass(
            remedy=Remedy.START,
            why="its end freed the memory, so a start brings it back; only more memory keeps it up",
        ),
        Cause.START_LIMIT: FailureClass(
            remedy=Remedy.START, why="systemd has counted too many starts; the count is reset before the next one"
        ),
        Cause.RESOURCES: FailureClass(remedy=Remedy.START, why="what was lacking may be there again"),
        Cause.PROTOCOL: FailureClass(remedy=Remedy.START, why="its start may go well this time"),
        Cause.UNKNOWN: FailureClass(remedy=Remedy.START, why="nothing speaks against a start"),
        Cause.DEPENDENCY: FailureClass(
            remedy=Remedy.ROOT, why="what it requires is healed first; then it is started again"
        ),
        Cause.CONFIG: FailureClass(
            remedy=Remedy.REPORT, why="no restart can mend that; its configuration must be mended"
        ),
        Cause.CLEAN_EXIT: FailureClass(
            remedy=Remedy.REPORT, why='it may be meant to end (clean_exit = "heal" starts such a unit again)'
        ),
        Cause.HUNG: FailureClass(
            remedy=Remedy.RESTART, why="it runs and does not do its work; a restart ends that run"
        ),
        Cause.LEAK: FailureClass(remedy=Remedy.RESTART, why="its memory runs to the limit; a restart gives it back"),
        Cause.CRASH_LOOP: FailureClass(
            remedy=Remedy.SYSTEM, why="systemd restarts it by itself (Restart=); healthd acts when systemd gives up"
        ),
    }
)
"""Every class of failures of a unit. Whether the remedy may be carried out is the policy's business."""

OF_A_UNIT: Final = frozenset(
    {
        IssueType.SERVICE_DOWN,
        IssueType.SERVICE_HUNG,
        IssueType.PROBE_FAILED,
        IssueType.JOB_FAILED,
        IssueType.HEARTBEAT_MISSED,
    }
)
"""The issues that an action on a unit may mend."""


# systemd.exec(5), "Process Exit Codes": what systemd could not set up before the program ran. 204 (no memory) is left
# out on purpose: that one passes, and a later start may well succeed.
SETUP_EXITS: Final = {
    200: "working directory (CHDIR)",
    201: "nice level (NICE)",
    202: "file descriptors (FDS)",
    203: "the program cannot be executed: missing, or not executable (EXEC)",
    205: "resource limits (LIMITS)",
    206: "OOM score (OOM_ADJUST)",
    207: "signal mask (SIGNAL_MASK)",
    208: "standard input (STDIN)",
    209: "standard output (STDOUT)",
    210: "root directory (CHROOT)",
    211: "I/O priority (IOPRIO)",
    212: "timer slack (TIMERSLACK)",
    213: "secure bits (SECUREBITS)",
    214: "CPU scheduling (SETSCHEDULER)",
    215: "CPU affinity (CPUAFFINITY)",
    216: "group does not exist (GROUP)",
    217: "user does not exist (USER)",
    218: "capabilities (CAPABILITIES)",
    219: "control group (CGROUP)",
    220: "session (SETSID)",
    221: "confirmation (CONFIRM)",
    222: "standard error (STDERR)",
    224: "PAM session (PAM)",
    225: "network namespace (NETWORK)",
    226: "mount namespace: a path of the sandbox is missing (NAMESPACE)",
    227: "no new privileges (NO_NEW_PRIVILEGES)",
    228: "system call filter (SECCOMP)",
    229: "SELinux context (SELINUX_CONTEXT)",
    230: "execution domain (PERSONALITY)",
    231: "AppArmor profile (APPARMOR_PROFILE)",
    232: "address families (ADDRESS_FAMILIES)",
    233: "runtime directory (RUNTIME_DIRECTORY)",
    235: "socket ownership (CHOWN)",
    236: "SMACK label (SMACK_PROCESS_LABEL)",
    237: "kernel keyring (KEYRING)",
    238: "state directory (STATE_DIRECTORY)",
    239: "cache directory (CACHE_DIRECTORY)",
    240: "logs directory (LOGS_DIRECTORY)",
    241: "configuration directory (CONFIGURATION_DIRECTORY)",
    242: "NUMA policy (NUMA_POLICY)",
    243: "credentials (CREDENTIALS)",
}

_RESULTS: Final = {
    "timeout": Cause.TIMEOUT,
    "watchdog": Cause.WATCHDOG,
    "oom-kill": Cause.OOM,
    "start-limit-hit": Cause.START_LIMIT,
    "core-dump": Cause.CORE_DUMP,
    "signal": Cause.SIGNAL,
    "resources": Cause.RESOURCES,
    "protocol": Cause.PROTOCOL,
    "exit-code": Cause.EXIT_CODE,
}


_CAUSES: Final = frozenset(Cause)

_UNUSABLE: Final = {
    "error": "systemd cannot read its unit file",
    "bad-setting": "systemd cannot use its unit file",
    "not-found": "its unit file is gone",
}

_WORDS: Final = {
    Cause.TIMEOUT: "did not start or stop in time",
    Cause.WATCHDOG: "hung: it did not answer systemd's watchdog",
    Cause.OOM: "killed because memory ran out",
    Cause.START_LIMIT: "started too often; systemd refuses to start it again",
    Cause.RESOURCES: "systemd lacked a resource to start it",
    Cause.PROTOCOL: "it did not keep to its start protocol",
}


def cause_of(unit: UnitFacts) -> Cause:
    """The class of the failure that a unit which is not running shows."""
    if unit.load in _UNUSABLE or _is_config(unit):
        return Cause.CONFIG
    if unit.dependency_failed or unit.stopped_for:
        return Cause.DEPENDENCY
    if unit.code == 0 and unit.detail is not None and unit.detail.assert_failed:
        return Cause.CONFIG
    if unit.result in _RESULTS:
        return _RESULTS[unit.result]
    if unit.code == _DUMPED:
        return Cause.CORE_DUMP
    if unit.code == _KILLED:
        return Cause.SIGNAL
    if unit.code != _EXITED or unit.result != "success":
        return Cause.UNKNOWN
    # With any other status somebody reset the failed state since, and what failed must not pass for what ended well.
    return Cause.CLEAN_EXIT if _ended_well(unit) else Cause.EXIT_CODE


def class_of(issue: IssueType, cause: str, unit: UnitFacts | None) -> Cause | None:
    """The class of an issue of a unit: as systemd has it now, maybe newer than what the check saw. None: it has none.

    `cause` is what the check said, `unit` the one that healing would act on.
    """
    if unit is None:
        return None
    match issue:
        case IssueType.CRASH_LOOP:
            return Cause.CRASH_LOOP
        case IssueType.HIGH_MEMORY:
            return Cause.LEAK
        case IssueType.SERVICE_DOWN | IssueType.JOB_FAILED if not _is_down(unit):
            return Cause(cause) if cause in _CAUSES else Cause.UNKNOWN
        case IssueType.SERVICE_DOWN | IssueType.JOB_FAILED:
            return cause_of(unit)
        case _ if issue in OF_A_UNIT:
            return cause_of(unit) if _is_down(unit) else Cause.HUNG
        case _:
            return None


def _is_down(unit: UnitFacts) -> bool:
    return unit.active in ("failed", "inactive")


def _ended_well(unit: UnitFacts) -> bool:
    """Whether its exit status is a success, also by what its unit file says of others than 0."""
    detail = unit.detail
    return unit.exit_status == 0 or (
        detail is not None and (detail.may_fail or unit.exit_status in detail.clean_statuses)
    )


def _is_config(unit: UnitFacts) -> bool:
    # Behind a start limit stands the failure that used it up, and a missing program stays missing after a reset.
    if unit.result not in ("exit-code", "start-limit-hit", "success") or (
        unit.result == "success" and _ended_well(unit)
    ):
        return False
    status = _status(unit)
    return status in SETUP_EXITS or status == _EX_CONFIG


def _status(unit: UnitFacts) -> int:
    """The exit status behind a failure: that of the main process or, where it tells nothing, of a command around it."""
    if unit.code == _EXITED and unit.exit_status:
        return unit.exit_status
    return unit.detail.control_status if unit.detail is not None and unit.result != "success" else 0


def signal_name(number: int) -> str:
    """`SIGKILL` for 9; the number itself for one that this machine has no name for."""
    try:
        return Signals(number).name
    except ValueError:
        return f"signal {number}"


def in_words(unit: UnitFacts) -> str:
    """What happened to a unit that is down, for an operator."""
    by_signal = unit.code in (_KILLED, _DUMPED)
    match cause_of(unit):
        case Cause.CONFIG:
            return _config_in_words(unit)
        case Cause.SIGNAL:
            return f"killed by {signal_name(unit.exit_status)}" if by_signal else "killed by a signal"
        case Cause.CORE_DUMP:
            return f"crashed with {signal_name(unit.exit_status)}" if by_signal else "crashed"
        case Cause.EXIT_CODE:
            return _exit_in_words(unit)
        case Cause.DEPENDENCY if unit.stopped_for:
            return f"stopped by systemd because {unit.stopped_for}, which it binds to, went down"
        case Cause.DEPENDENCY:
            return "not started, because something that it requires has failed"
        case Cause.CLEAN_EXIT:
            return "ended by itself with success"
        case Cause.UNKNOWN:
            return f"failed ({unit.result})" if unit.result not in ("", "success") else "failed"
        case Cause.TIMEOUT if unit.detail is not None and unit.detail.runs_at_most:
            return "took longer than it may: to run (RuntimeMaxSec=), to start or to stop"
        case cause:
            return _WORDS[cause]


def _exit_in_words(unit: UnitFacts) -> str:
    if unit.code == _EXITED and unit.exit_status:
        return f"ended with exit status {unit.exit_status}"
    status = _status(unit)
    return f"a command around its main one ended with exit status {status}" if status else "one of its commands failed"


def _config_in_words(unit: UnitFacts) -> str:
    if unit.load in _UNUSABLE:
        return _UNUSABLE[unit.load]
    if unit.detail is not None and unit.detail.assert_failed:
        return "not started: an assertion of its unit file (Assert...=) does not hold"
    status = _status(unit)
    if status == _EX_CONFIG:
        return "it says that its configuration is wrong (exit status 78)"
    return f"systemd could not set it up: {SETUP_EXITS[status]} (exit status {status})"
