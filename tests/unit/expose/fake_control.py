"""A daemon that stands still: fulfils `ports.Control` with one host, on which a bit of everything is wrong."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from healthd.answers import (
    Budget,
    Diagnosis,
    Explanation,
    Family,
    Finished,
    HealthStatus,
    History,
    Note,
    Outcomes,
    Point,
    Quiet,
    Series,
    SeriesHistory,
    Wish,
)
from healthd.errors import HealthdError, RequestError
from healthd.evidence import Change, ChangeKind, CoreDump, Incident, Line, Run, Surroundings
from healthd.model import (
    ActionKind,
    Health,
    HoldReason,
    Issue,
    IssueType,
    Item,
    OutcomeKind,
    Severity,
    State,
    Status,
    Trend,
)
from tests.unit.expose.outcomes import BUDGET, DIAGNOSES, OUTCOMES
from tests.unit.expose.quiet import QUIET
from tests.unit.expose.tried import TRIED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthd.answers import HistoryQuery
    from healthd.letters import Outcome

NOW: Final = 1_763_928_311.0

NGINX_DOWN: Final = Issue(
    component="services",
    item="nginx.service",
    type=IssueType.SERVICE_DOWN,
    severity=Severity.HIGH,
    message="nginx.service: killed by SIGKILL",
    unit="nginx.service",
    opened_at=NOW - 180,
    attempts=2,
    max_attempts=3,
    gave_up=False,
    healing=False,
    hold=HoldReason.COOLDOWN,
    hold_text="20 s after the last attempt",
    until=NOW + 75,
)
BACKUP_FAILED: Final = replace(
    NGINX_DOWN,
    item="backup.service",
    type=IssueType.JOB_FAILED,
    severity=Severity.MEDIUM,
    message="backup.service: ended with exit status 2",
    unit="backup.service",
    opened_at=NOW - 7500,
    attempts=0,
    hold=HoldReason.ONESHOT,
    hold_text="",
    until=None,
)
SERVICES: Final = Health(
    name="services",
    status=Status.DEGRADED,
    score=0.58,
    weight=0.35,
    message="2 of 4 units are down",
    last_check=NOW - 3,
    trend=Trend.WORSENING,
    critical=False,
    issues=(NGINX_DOWN, BACKUP_FAILED),
    items=(
        Item(name="backup.service", status=Status.DEGRADED, score=0.5, message="exit status 2", unit="backup.service"),
        Item(name="cron.service", status=Status.HEALTHY, score=1.0, message="running", unit="cron.service"),
        Item(
            name="nginx.service", status=Status.UNHEALTHY, score=0.0, message="killed by SIGKILL", unit="nginx.service"
        ),
        Item(name="ssh.service", status=Status.HEALTHY, score=1.0, message="running", unit="ssh.service"),
    ),
)
MEMORY: Final = Health(
    name="memory",
    status=Status.HEALTHY,
    score=1.0,
    weight=0.15,
    message="41 % used",
    last_check=NOW - 12,
    trend=Trend.STABLE,
    critical=False,
    issues=(),
    items=(),
)
STATUS: Final = HealthStatus(
    status=Status.DEGRADED,
    state=State.DEGRADED,
    overall_score=0.7066666,
    uptime_seconds=273_600.0,
    memory_mb=3312,
    active_peers=141,
    version="0.1.0",
    timestamp=NOW,
    health_checks={"services": SERVICES, "memory": MEMORY},
    ready=False,
)
WELL: Final = replace(
    STATUS,
    status=Status.HEALTHY,
    state=State.HEALTHY,
    overall_score=1.0,
    ready=True,
    health_checks={"memory": MEMORY},
)
EXPLANATION: Final = Explanation(
    name="nginx.service",
    component="services",
    status=Status.UNHEALTHY,
    score=0.0,
    message="killed by SIGKILL",
    limit="active, since it is enabled",
    facts={"state": "failed (failed)", "result": "signal"},
    issue=NGINX_DOWN,
    decision="hold",
    action=ActionKind.START_UNIT,
    hold=HoldReason.COOLDOWN,
    hold_text="20 s after the last attempt",
    until=NOW + 75,
    also_restarts=("php-fpm.service",),
    budget=BUDGET,
)
HEALED: Final = Finished(
    decision="act",
    action=ActionKind.START_UNIT,
    hold=None,
    text="up again since 3 s",
    outcome=OutcomeKind.SUCCESS,
)
PAST: Final = History(
    since=NOW - 7200,
    until=NOW,
    step=24.0,
    series=(
        SeriesHistory(
            series=Series("", "", "score"),
            points=tuple(Point(NOW - 7200 + 600 * n, 0.9, 0.95, 1.0) for n in range(12)),
        ),
        SeriesHistory(
            series=Series("services", "", "score"),
            points=(Point(NOW - 600, 1.0, 1.0, 1.0), Point(NOW - 300, 0.0, 0.5, 1.0), Point(NOW - 30, 1.0, 1.0, 1.0)),
        ),
    ),
    events=(
        Note(
            at=NOW - 299.5,
            event="issue_opened",
            component="services",
            item="nginx.service",
            issue="service_down",
            severity="high",
            unit="nginx.service",
            message="nginx.service is down: killed by SIGKILL",
        ),
        Note(
            at=NOW - 298.25,
            event="healing_finished",
            component="services",
            item="nginx.service",
            action="start_unit",
            attempt=1,
            outcome="success",
            duration_ms=1021,
            message="healed nginx.service: start_unit helped, it is up and stays up (1.0 s)",
        ),
    ),
)
INCIDENT: Final = Incident(
    id=12,
    opened_at=NOW - 300,
    ended_at=NOW - 298,
    severity=Severity.HIGH,
    title="nginx.service is down: killed by SIGKILL",
    result="healed by start_unit of nginx.service, after 2.0 s",
    issues=("services/nginx.service/service_down",),
    units=("nginx.service",),
    attempts=1,
    follows=11,
    surroundings=Surroundings(
        memory_total=8 * 2**30,
        memory_available=5 * 2**30,
        load=0.4,
        pressure={"cpu": 0.5, "memory": 0.0, "io": 1.25},
        score=0.6,
        trend="stable",
        values={"restarts": 2.0},
        beside=("storage /var: 97 % used",),
    ),
    runs=(
        Run(
            unit="nginx.service",
            invocation="0123456789abcdef0123456789abcdef",
            at=NOW - 300,
            text="killed by SIGKILL",
            result="signal",
            code=3,
            exit_status=11,
            memory=12 * 2**20,
            tasks=5,
            lines=(
                Line(at=NOW - 302, source="nginx", text="worker: password=***"),
                Line(at=NOW - 300, source="systemd", text="nginx.service: Main process exited"),
            ),
            core=CoreDump(
                at=NOW - 299,
                pid=812,
                signal="SIGSEGV",
                program="/usr/sbin/nginx",
                file="/var/lib/systemd/coredump/core.zst",
            ),
        ),
    ),
    changes=(
        Change(
            at=NOW - 480,
            kind=ChangeKind.UNIT_FILE,
            what="/etc/systemd/system/nginx.service.d/override.conf",
            text="was edited",
            own=True,
        ),
        Change(
            at=NOW - 900,
            kind=ChangeKind.PACKAGE,
            what="nginx",
            text="was upgraded from 1.22.1-9 to 1.22.1-10",
            own=True,
        ),
        Change(at=NOW - 2000, kind=ChangeKind.REBOOT, what="the host", text="was rebooted"),
    ),
    looked=True,
    missed=("/etc/nginx/private cannot be looked into: Permission denied",),
    events=PAST.events,
)
CONFIG: Final[dict[str, Any]] = {
    "health": {"auto_healing_enabled": True},
    "auto_healing": {"dry_run": False, "allow": ["*.service"]},
    "services": {"weight": 0.35, "nginx.service": {"heal": "suggest"}},
    "component": {},
    "alerting": {"slack_webhook_url": "***"},
}


@dataclass
class FakeControl:
    """Answers with what it holds and remembers what it was told. `fault` is raised by everything that can wait.

    While `gate` is not set, orders hang.
    """

    host: HealthStatus = STATUS
    outcome: Finished = HEALED
    settings: Mapping[str, Any] = field(default_factory=lambda: CONFIG)
    explanation: Explanation = EXPLANATION
    past: History = PAST
    incident_now: Incident = INCIDENT
    quiet: tuple[Quiet, ...] = ()
    fault: BaseException | None = None
    gate: asyncio.Event | None = None
    turns: int = 0
    turned: asyncio.Event = field(default_factory=asyncio.Event)
    asked: int = 0
    told: list[tuple[object, ...]] = field(default_factory=list)

    async def _order(self, *order: object) -> None:
        self.told.append(order)
        if self.gate is not None:
            await self.gate.wait()
        if self.fault is not None:
            raise self.fault

    def revision(self) -> int:
        return self.turns

    async def changed(self, revision: int) -> None:
        while self.turns == revision:
            self.turned.clear()
            await self.turned.wait()

    def turn(self, host: HealthStatus) -> None:
        """The host is now like this."""
        self.host = host
        self.turns += 1
        self.turned.set()

    def status(self) -> HealthStatus:
        self.asked += 1
        return self.host

    def issues(self) -> tuple[Issue, ...]:
        return tuple(issue for health in self.host.health_checks.values() for issue in health.issues)

    def budget(self) -> Budget:
        return BUDGET

    def config(self) -> Mapping[str, Any]:
        return self.settings

    async def explain(self, name: str) -> Explanation:
        await self._order("explain", name)
        if name != self.explanation.name:
            raise RequestError(404, f"nothing here is called {name}", hint="healthctl status")
        return self.explanation

    async def history(self, query: HistoryQuery) -> History:
        await self._order("history", query)
        if query.component not in (None, "services", "memory"):
            raise RequestError(404, f"there is no component {query.component!r}", hint="known: services, memory")
        return self.past

    async def incidents(self, *, since: float, most: int) -> tuple[Incident, ...]:
        await self._order("incidents", since, most)
        return (self.incident_now,)

    async def incident(self, number: int) -> Incident:
        await self._order("incident", number)
        if number not in (0, self.incident_now.id):
            raise RequestError(404, f"there is no incident {number}", hint="healthctl incidents")
        return self.incident_now

    async def heal(self, name: str, action: ActionKind | None, *, dry_run: bool, by: str) -> Finished:
        await self._order("heal", name, action, dry_run, by)
        return self.outcome

    async def check(self, name: str | None, *, by: str) -> HealthStatus:
        await self._order("check", name, by)
        return self.host

    async def reset(self, name: str, *, by: str) -> tuple[str, ...]:
        await self._order("reset", name, by)
        return (NGINX_DOWN.id,) if name == "nginx.service" else ()

    def silences(self) -> tuple[Quiet, ...]:
        return self.quiet

    def ledger(self) -> tuple[Outcomes, ...]:
        return OUTCOMES

    async def silence(self, wish: Wish) -> Quiet:
        await self._order("silence", wish)
        return QUIET

    async def resume(self, name: str | None, *, everything: bool, by: str) -> tuple[Quiet, ...]:
        await self._order("resume", name, everything, by)
        return self.quiet

    async def try_receivers(self, name: str | None, *, by: str) -> Mapping[str, Outcome]:
        await self._order("alert", name, by)
        return TRIED

    async def reload(self, *, by: str) -> tuple[str, ...]:
        await self._order("reload", by)
        return ("TLS is not in use",)

    async def apply_configuration(self) -> None:
        await self._order("apply")

    async def heartbeat(self, name: str, *, by: str) -> None:
        await self._order("heartbeat", name, by)
        if name != "backup":
            raise RequestError(404, f"no component of type heartbeat is called {name}", hint="healthctl status")

    def families(self) -> tuple[Family, ...]:
        return (Family("up", "gauge", "Whether it runs.", "up 1\n"),)

    async def diagnose(self) -> tuple[Diagnosis, ...]:
        await self._order("diagnose")
        return DIAGNOSES


class Fault(HealthdError):
    """An error of the tree that no case of the API names."""
