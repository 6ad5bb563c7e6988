"""What only the API answers with: how the host stands, why, and what was done about it. Times are Unix seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthd.model import ActionKind, Health, HoldReason, Issue, OutcomeKind, State, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthStatus:
    """The host as it stands: the seed's HealthStatus. `memory_mb` is used memory of the host in MiB."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What is left of the host-wide budget: `remaining` of `limit` (0: no limit) actions in `window_seconds`."""

    limit: int
    remaining: int | None
    window_seconds: float
    used: tuple[tuple[str, float], ...]
    next_at: float | None


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
