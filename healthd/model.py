"""The nouns of healthd: frozen values that every layer may speak of. Nothing here does anything.

Times named `*_at` or `last_check` are Unix seconds, for showing and storing; `until` likewise. Instants that
limits rest on are engine seconds (see `decide/engine.py`) and never leave the engine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthd.detail import UnitDetail


class Status(StrEnum):
    """How a component, an item or the host is. UNKNOWN is no usable reading; it never stands for bad."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


class State(StrEnum):
    """What the host as a whole is doing; UNKNOWN until something has been judged."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    AUTO_HEALING = "auto_healing"
    UNKNOWN = "unknown"


class Trend(StrEnum):
    """Where a component is heading over its history."""

    IMPROVING = "improving"
    STABLE = "stable"
    WORSENING = "worsening"


class Severity(StrEnum):
    """How much an issue matters; `raised` is one step up."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    def raised(self, steps: int = 1) -> Severity:
        """The severity `steps` higher, at most CRITICAL."""
        order = tuple(Severity)
        return order[min(order.index(self) + steps, len(order) - 1)]


class IssueType(StrEnum):
    """What can be wrong."""

    SERVICE_DOWN = "service_down"
    SERVICE_HUNG = "service_hung"
    CRASH_LOOP = "crash_loop"
    HIGH_MEMORY = "high_memory"
    HIGH_CPU = "high_cpu"
    PRESSURE = "pressure"
    DISK_FULL = "disk_full"
    INODES_FULL = "inodes_full"
    READ_ONLY = "read_only"
    NETWORK_ERROR = "network_error"
    PROBE_FAILED = "probe_failed"
    CLOCK_SKEW = "clock_skew"
    KERNEL_FAULT = "kernel_fault"
    ERROR_RATE = "error_rate"
    JOB_FAILED = "job_failed"
    CERTIFICATE = "certificate"
    HEARTBEAT_MISSED = "heartbeat_missed"

    @property
    def severity(self) -> Severity:
        """The severity an issue of this type has by default."""
        if self in _HIGH:
            return Severity.HIGH
        return Severity.MEDIUM if self in _MEDIUM else Severity.LOW


_HIGH = frozenset(
    {
        IssueType.SERVICE_DOWN,
        IssueType.SERVICE_HUNG,
        IssueType.CRASH_LOOP,
        IssueType.DISK_FULL,
        IssueType.READ_ONLY,
        IssueType.PROBE_FAILED,
        IssueType.KERNEL_FAULT,
    }
)
_MEDIUM = frozenset(
    {
        IssueType.HIGH_MEMORY,
        IssueType.NETWORK_ERROR,
        IssueType.INODES_FULL,
        IssueType.ERROR_RATE,
        IssueType.JOB_FAILED,
        IssueType.HEARTBEAT_MISSED,
        IssueType.CERTIFICATE,
    }
)


class ActionKind(StrEnum):
    """What healthd can do about an issue."""

    RESTART_UNIT = "restart_unit"
    START_UNIT = "start_unit"
    RELOAD_UNIT = "reload_unit"
    RESET_FAILED = "reset_failed"
    MEMORY_CLEANUP = "memory_cleanup"
    NETWORK_RESTART = "network_restart"
    DISK_CLEANUP = "disk_cleanup"
    RUN_UNIT = "run_unit"


class OutcomeKind(StrEnum):
    """How an attempt ended. SUCCESS only when the check that opened the issue confirms recovery."""

    SUCCESS = "success"
    FAILED = "failed"
    NOT_SUPPORTED = "not_supported"


class HoldReason(StrEnum):
    """Why healthd decided not to act."""

    DRY_RUN = "dry_run"
    DISABLED = "disabled"
    PROTECTED = "protected"
    NOT_ALLOWED = "not_allowed"
    OPERATOR_STOPPED = "operator_stopped"
    JOB_RUNNING = "job_running"
    STARTING = "starting"
    SHUTTING_DOWN = "shutting_down"
    PACKAGE_UPGRADE = "package_upgrade"
    SILENCED = "silenced"
    COOLDOWN = "cooldown"
    UNIT_BUDGET = "unit_budget"
    HOST_BUDGET = "host_budget"
    CASCADE = "cascade"
    DEPENDENCY = "dependency"
    CONFIG_ERROR = "config_error"
    ONESHOT = "oneshot"
    CLEAN_EXIT = "clean_exit"
    ALREADY_FAILED = "already_failed"
    PRESSURE = "pressure"
    SUGGEST = "suggest"
    GAVE_UP = "gave_up"
    UNKNOWN_STATUS = "unknown_status"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong in the configuration: where, what was found, what is allowed."""

    file: str
    line: int | None
    key: str
    found: str
    allowed: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        key = f"{self.key}: " if self.key else ""
        allowed = f"; {self.allowed}" if self.allowed else ""
        return f"{where}: {key}{self.found}{allowed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFacts:
    """What systemd says about one loaded unit, and the little that only its signals told.

    Strings are systemd's own words, of any version. `job` is the id of the queued job, 0 without one. `code` and
    `exit_status` are ExecMainCode (1 exited, 2 killed, 3 dumped core, 0 never ran) and ExecMainStatus; `result` is
    Result. `stopped_by_job`: the unit went down under a stop job, so somebody wanted that; but where systemd itself
    stopped it, because a unit that it binds to went down, `stopped_for` names that one. `lowered`: it went down under
    the job that is still on it, whose end tells whether that was a stop. `seen_up`: healthd itself saw it start or run,
    so that its signals told how it went down. `dependency_failed`: its last start was given up because something that
    it requires did not start. `auto_restarts` are the instants (boot seconds, newest last, at most 10) at which systemd
    restarted the unit by itself. `active_since` is ActiveEnterTimestampMonotonic in seconds, 0 if never; `changed_at`
    (boot seconds) is when healthd heard of the present active, sub or job state. `own_job`: the queued job is one that
    healthd asked for. `detail` is None until it was read.
    """

    name: str
    load: str = "loaded"
    active: str = "inactive"
    sub: str = "dead"
    file_state: str = ""
    job: int = 0
    own_job: bool = False
    result: str = "success"
    code: int = 0
    exit_status: int = 0
    invocation: str = ""
    active_since: float = 0.0
    changed_at: float = 0.0
    stopped_by_job: bool = False
    stopped_for: str = ""
    lowered: bool = False
    seen_up: bool = False
    dependency_failed: bool = False
    auto_restarts: tuple[float, ...] = ()
    detail: UnitDetail | None = None

    @property
    def running(self) -> bool:
        """Whether the unit does its work (`refreshing` is new in systemd 257)."""
        return self.active in ("active", "reloading", "refreshing")

    @property
    def enabled(self) -> bool:
        """Whether the host is meant to run the unit: enabled for good, for this boot, or by a generator."""
        return self.file_state in ("enabled", "enabled-runtime", "generated")


class SystemState(StrEnum):
    """The manager's SystemState; a word that a newer systemd invents reads as UNKNOWN."""

    INITIALIZING = "initializing"
    STARTING = "starting"
    RUNNING = "running"
    DEGRADED = "degraded"
    MAINTENANCE = "maintenance"
    STOPPING = "stopping"
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, _value: object) -> SystemState:
        return cls.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """How a dispatched job ended: systemd's word ("done", "failed", "timeout", "canceled"), or "refused" and why.

    `unit`: how its unit was at that instant. One that has done its work is forgotten by systemd in the next.
    """

    result: str
    text: str = ""
    unit: UnitFacts | None = field(default=None, compare=False, repr=False)

    @property
    def done(self) -> bool:
        """Whether systemd finished the job; it says nothing about health."""
        return self.result == "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check says is wrong with one item: the candidate of an issue.

    `cause` names the failure class in one word (`decide/failure.py` has the table), `unit` is what healing acts on.
    """

    type: IssueType
    message: str
    unit: str | None = None
    cause: str = ""
    critical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One number that was read, and what it is held against; the unit of both is the one that `name` ends in.

    The value may be up to `warning`; beyond it the score falls evenly from 0.79 to 0.5 at `critical`, and beyond that
    towards 0 at `limit`, where things end (None: as far beyond `critical` as `warning` is before it). Where `critical`
    is below `warning`, less is worse. A number without limits is only shown. `issue` is the type of issue that it is
    when it is beyond `warning`, `text` what is said then. `forecast`: it is a level that can run towards `critical`,
    and `seconds_to_critical` is when it will be there at its present pace, within the hour (None: it does not).
    `act_on_forecast`: that alone makes it an issue.
    """

    name: str
    value: float
    warning: float | None = None
    critical: float | None = None
    limit: float | None = None
    issue: IssueType | None = None
    text: str = ""
    forecast: bool = False
    act_on_forecast: bool = False
    seconds_to_critical: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One part of a component: a unit, a mount. `score` 0 to 1. The name "" stands for the component itself.

    A check says `score` and `findings` for what is so or not so, and `measures` for what is a matter of degree; what
    the measures add to both is the same for all checks (`assess/judge.py`). `settled` is False while the item is
    between states (starting, stopping, not confirmed yet): such an item opens nothing and resolves nothing. `stopped`:
    it is down because somebody wanted that. `unit` is the unit behind the item, if there is one.
    """

    name: str
    status: Status
    score: float
    message: str
    findings: tuple[Finding, ...] = ()
    measures: tuple[Measure, ...] = ()
    settled: bool = True
    stopped: bool = False
    critical: bool = False
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What a check makes of its reading: its items, or, where `usable` is False, the `reason` why there is no reading.

    `partial`: only the items that were asked for are in `items`; those in `gone` exist no more, all others stand as
    they were. `again_at` (boot seconds): the check wants to look again then, whatever its interval says. `absent`: the
    host lacks what the check is about, so that the component is left out.
    """

    items: tuple[Item, ...] = ()
    gone: frozenset[str] = frozenset()
    partial: bool = False
    again_at: float | None = None
    usable: bool = True
    reason: str = ""
    absent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """An open issue as people see it. `hold` and `until` (Unix seconds, None: not by time) say what holds healing.

    `incident` is the number of the incident that it belongs to, 0 where there is none. `suggested` is the action that
    healing leaves to people, "" if none, and `command` has it done.
    """

    component: str
    item: str
    type: IssueType
    severity: Severity
    message: str
    unit: str | None
    opened_at: float
    attempts: int
    max_attempts: int
    gave_up: bool
    healing: bool
    hold: HoldReason | None
    hold_text: str
    until: float | None
    incident: int = 0
    suggested: str = ""
    command: str = ""

    @property
    def id(self) -> str:
        """Names the issue: component, item (if it is about one) and type."""
        return "/".join(part for part in (self.component, self.item, self.type) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """One component as it stands: the seed's ComponentHealth with trend, issues, items and its own measures."""

    name: str
    status: Status
    score: float
    weight: float
    message: str
    last_check: float
    trend: Trend
    critical: bool
    issues: tuple[Issue, ...]
    items: tuple[Item, ...]
    measures: tuple[Measure, ...] = ()
