"""How things stand, as values for people: made from the picture and the engine's state when somebody asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from healthd import __version__
from healthd.answers import Budget, HealthStatus, Outcomes, Quiet
from healthd.assess.picture import summary
from healthd.decide.limits import free_at, host_instants
from healthd.decide.policy import Case
from healthd.decide.silence import is_in_force, window_of
from healthd.model import Health, Issue, Severity, Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthd.assess.picture import Component
    from healthd.decide.silence import Silence
    from healthd.decide.state import Ticket
    from healthd.pipeline import Pipeline
    from healthd.ports import Clock, Host

_NETWORK: Final = "network"
_PEERS: Final = "peers"


class View:
    """Renders the pipeline's present state. Reads only."""

    def __init__(self, pipeline: Pipeline, host: Host, clock: Clock, started_at: float) -> None:
        self._pipeline, self._host, self._clock, self._started_at = pipeline, host, clock, started_at

    def wall(self, engine_seconds: float | None) -> float | None:
        """The Unix time of an engine instant."""
        if engine_seconds is None:
            return None
        return self._clock.wall() + engine_seconds - self._pipeline.engine_clock.now(self._clock.boot())

    def issue(self, ticket: Ticket) -> Issue:
        """An open ticket as an issue."""
        moment = self._pipeline.moment()
        case = Case(settings=self._pipeline.settings, state=self._pipeline.state, moment=moment, ticket=ticket)
        return Issue(
            component=ticket.key.component,
            item=ticket.key.item,
            type=ticket.key.type,
            severity=ticket.severity,
            message=ticket.message,
            unit=ticket.unit,
            opened_at=ticket.opened_wall,
            attempts=ticket.attempts,
            max_attempts=case.max_attempts,
            gave_up=ticket.gave_up,
            healing=ticket.attempt is not None,
            hold=ticket.hold,
            hold_text=ticket.hold_text,
            until=self.wall(ticket.hold_until),
            incident=ticket.incident,
            suggested=ticket.suggested,
            command=ticket.key.command,
        )

    def issues(self, component: str | None = None) -> tuple[Issue, ...]:
        """Open issues, worst first, then oldest first."""
        order = tuple(Severity)
        tickets = [t for t in self._pipeline.state.tickets.values() if t.open and component in (None, t.key.component)]
        tickets.sort(key=lambda ticket: (-order.index(ticket.severity), ticket.opened_at, ticket.key))
        return tuple(self.issue(ticket) for ticket in tickets)

    def silences(self) -> tuple[Quiet, ...]:
        """The silences that are set."""
        return tuple(map(self.quiet, self._pipeline.state.silences))

    def quiet(self, silence: Silence) -> Quiet:
        """A silence, for people."""
        moment = self._pipeline.moment()
        in_force, window = is_in_force(silence, moment), window_of(silence, moment)
        till = self.wall(silence.until)
        if silence.calendar:
            till = window.ends if window is not None and in_force else None
        return Quiet(
            id=silence.id,
            scope=str(silence.scope),
            kind=silence.scope.kind,
            name=silence.scope.name,
            by=silence.by,
            reason=silence.reason,
            set_at=silence.set_wall,
            until=till,
            while_unit=silence.unit or None,
            calendar=silence.calendar or None,
            seconds=silence.seconds if silence.calendar or silence.until is not None else None,
            in_force=in_force,
            begins=window.begins if window is not None and not in_force else None,
        )

    def ledger(self) -> tuple[Outcomes, ...]:
        """How actions did: those first that are only suggested, then the last ones first."""
        retry = self._pipeline.settings.auto_healing.retry_suggested_seconds
        pages = sorted(
            self._pipeline.state.ledger.items(), key=lambda each: (each[1].distrusted_at is None, -each[1].wall)
        )
        return tuple(
            Outcomes(
                subject=name.subject,
                failure=name.failure,
                action=name.action,
                helped=page.helped,
                failed=page.failed,
                in_a_row=page.in_a_row,
                last_at=page.wall,
                trusted=page.distrusted_at is None,
                retry_at=self.wall(page.distrusted_at + retry) if page.distrusted_at is not None and retry else None,
            )
            for name, page in pages
        )

    def health(self, component: Component) -> Health:
        """One component."""
        items = sorted(component.items.values(), key=lambda item: (item.score, item.name))
        return Health(
            name=component.name,
            status=component.status,
            score=component.score or 0.0,
            weight=component.weight,
            message=component.reason or summary(component),
            last_check=component.checked_at,
            trend=component.trend,
            critical=component.critical,
            issues=self.issues(component.name),
            items=tuple(item for item in items if item.name),
            measures=own.measures if (own := component.items.get("")) is not None else (),
        )

    def status(self) -> HealthStatus:
        """The host."""
        picture = self._pipeline.picture
        status = picture.status()
        ready = status is Status.HEALTHY or (
            status is Status.DEGRADED and self._pipeline.settings.health.ready_when is Status.DEGRADED
        )
        return HealthStatus(
            status=status,
            state=self._pipeline.host_state(),
            overall_score=round(picture.score(), 4),
            uptime_seconds=round(self._clock.boot() - self._started_at, 1),
            memory_mb=self._host.memory().used // 2**20,
            active_peers=self._peers(),
            version=__version__,
            timestamp=self._clock.wall(),
            health_checks={name: self.health(component) for name, component in picture.shown().items()},
            ready=ready,
            left_out=picture.left_out(),
            silences=self.silences(),
        )

    def _peers(self) -> int:
        """What a component says of its peers, the one called network before others; else established connections."""
        shown = sorted(self._pipeline.picture.shown().items(), key=lambda each: each[0] != _NETWORK)
        own = (each.items.get("") for _, each in shown if each.score is not None)
        counts = (
            measure.value for item in own if item is not None for measure in item.measures if measure.name == _PEERS
        )
        count = next(counts, None)
        return self._host.established_connections() if count is None else int(count)

    def budget(self) -> Budget:
        """What is left of the host's budget."""
        limits, moment = self._pipeline.settings.auto_healing, self._pipeline.moment()
        window, limit = limits.host_budget_seconds, limits.host_budget_actions
        instants = host_instants(self._pipeline.state.marks, moment.now, window)
        remaining = self.remaining()
        return Budget(
            limit=0 if remaining is None else limit,
            remaining=remaining,
            window_seconds=window,
            used=tuple(self._used(moment.now, window)),
            next_at=self.wall(free_at(instants, limit, window)),
        )

    def remaining(self) -> int | None:
        """How many actions the host may still have in the present window; None without a budget."""
        limits, now = self._pipeline.settings.auto_healing, self._pipeline.engine_clock.now(self._clock.boot())
        limit, window = limits.host_budget_actions, limits.host_budget_seconds
        if limit <= 0 or window <= 0:
            return None
        return max(0, limit - len(host_instants(self._pipeline.state.marks, now, window)))

    def _used(self, now: float, window: float) -> Iterable[tuple[str, float]]:
        for mark in self._pipeline.state.marks:
            at = self.wall(mark.at)
            if mark.at + window > now and at is not None:
                yield mark.unit, at
