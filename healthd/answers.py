"""What only the API answers with: how the host stands, why, and what was done about it. Times are Unix seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthd.model import ActionKind, Health, HoldReason, Issue, OutcomeKind, State, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """A silence as people see it: `kind` "all", "component", "item" or "units", `name` what of it; `scope` is both.

    It ends at `until` (None: not by time), or with the unit `while_unit`. With `calendar` there are windows of
    `seconds` each: `until` is then the end of the one that is open, and `begins` is when the next one opens.
    """

    id: str
    scope: str
    kind: str
    name: str
    by: str
    reason: str
    set_at: float
    until: float | None
    while_unit: str | None
    calendar: str | None
    seconds: float | None
    in_force: bool
    begins: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an operator wants silenced, as it came: `name` or `everything`, and how long."""

    name: str | None
    everything: bool
    seconds: float | None
    while_unit: str | None
    calendar: str | None
    reason: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthStatus:
    """The host as it stands: the seed's HealthStatus. `memory_mb` is used memory of the host in MiB.

    `left_out`: the components that this host has nothing of, each with the reason.
    """

    status: Status
    state: State
    overall_score: float
    uptime_seconds: float
    memory_mb: int
    active_peers: int
    version: str
    timestamp: float
    health_checks: Mapping[str, Health]
    ready: bool
    left_out: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    silences: tuple[Quiet, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What is left of the host-wide budget: `remaining` of `limit` (0: no limit) actions in `window_seconds`."""

    limit: int
    remaining: int | None
    window_seconds: float
    used: tuple[tuple[str, float], ...]
    next_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """How an action did against a class of failures of `subject`: a unit, or a part of a component.

    `in_a_row`: how often it failed since it last helped. Where it is not `trusted`, it is only suggested, until
    `retry_at` (None: not by time).
    """

    subject: str
    failure: str
    action: str
    helped: int
    failed: int
    in_a_row: int
    last_at: float
    trusted: bool
    retry_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why an item or component stands as it does, and what healing would do now.

    `facts` are the readings by name, in words. `action` is what would be done (None: nothing is to be done),
    `decision` is "act", "hold", "running" or "nothing"; `hold`, `hold_text`, `until` say why not and until when.
    `also_restarts` are the active units that the action would restart too.
    """

    name: str
    component: str
    status: Status
    score: float
    message: str
    limit: str
    facts: Mapping[str, str]
    issue: Issue | None
    decision: str
    action: ActionKind | None
    hold: HoldReason | None
    hold_text: str
    until: float | None
    also_restarts: tuple[str, ...]
    budget: Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A hand-ordered heal, done or refused: `decision` "act" or "hold", and for an act the outcome in words."""

    decision: str
    action: ActionKind | None
    hold: HoldReason | None
    text: str
    outcome: OutcomeKind | None
    until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """One line of `healthctl doctor`: `ok` None means that the thing is off here and need not work."""

    name: str
    ok: bool | None
    text: str
    remedy: str = ""


class Series(NamedTuple):
    """What a number is of: `component` "" is the host, `item` "" the component itself, `name` "score" its score."""

    component: str
    item: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that happened, for the history: the fields of its journal record that apply. `at` is Unix seconds."""

    at: float
    event: str
    component: str = ""
    item: str = ""
    issue: str = ""
    severity: str = ""
    status: str = ""
    score: float | None = None
    action: str = ""
    unit: str = ""
    attempt: int | None = None
    outcome: str = ""
    reason: str = ""
    duration_ms: int | None = None
    message: str = ""
    incident: int | None = None


class Frame(NamedTuple):
    """What the engine was given in a step, as JSON in `text`: when (Unix seconds), and whether it stands for itself."""

    at: float
    whole: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryQuery:
    """Which history: of these series, in this time, in at most so many `points` a series.

    `item` and `name` None: any. `component` None with neither of them: the score of the host and of every component.
    """

    since: float
    until: float
    component: str | None = None
    item: str | None = None
    name: str | None = None
    points: int = 300

    def wants(self, series: Series) -> bool:
        """Whether the series is one of these."""
        if self.component is self.item is self.name is None:
            return not series.item and series.name == "score"
        asked = zip((self.component, self.item, self.name), series, strict=True)
        return all(want is None or want == value for want, value in asked)


class Point(NamedTuple):
    """What a value was in the `step` of its history that begins about `at`."""

    at: float
    min: float
    mean: float
    max: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesHistory:
    """One series over time, oldest first. Where nothing was read, there is no point."""

    series: Series
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What was, from `since` to `until`: a point stands for `step` seconds; `events`, the newest last."""

    since: float
    until: float
    step: float
    series: tuple[SeriesHistory, ...]
    events: tuple[Note, ...]


class Family(NamedTuple):
    """A family of metrics: `kind` is "counter", "gauge" or "histogram", `about` says what it counts.

    `lines` is each series with its value: see `lines`.
    """

    name: str
    kind: str
    about: str
    lines: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnProcess:
    """What healthd itself uses: CPU time, memory, files; `started_at` in Unix seconds."""

    cpu_seconds: float
    resident_bytes: int
    virtual_bytes: int
    started_at: float
    open_files: int
    most_files: int
