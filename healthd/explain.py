"""Why a component or unit stands as it does, and what healing would do about it now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.answers import Explanation
from healthd.assess.picture import summary
from healthd.assess.score import DEGRADED, HEALTHY
from healthd.config import permitted
from healthd.decide.failure import CLASSES, class_of
from healthd.decide.ledger import failure_of, in_words, subject_of
from healthd.decide.policy import Case, Verdict, rule
from healthd.decide.remedy import rung_of
from healthd.decide.state import Ticket
from healthd.errors import BusError, RequestError
from healthd.model import ActionKind, HoldReason, IssueType, Severity, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthd.assess.picture import Component
    from healthd.model import Item, UnitFacts
    from healthd.pipeline import Pipeline
    from healthd.ports import Units
    from healthd.view import View

_LIMIT = f"healthy from {HEALTHY:g}, degraded from {DEGRADED:g}, unhealthy below"
_UNIT_LIMIT = "a unit is well while systemd says that it is active, or that it ended as it should"


class Explainer:
    """Answers `explain`. Asks the engine's own policy, so that it can say nothing else than what would be done."""

    def __init__(self, pipeline: Pipeline, units: Units, view: View) -> None:
        self._pipeline, self._units, self._view = pipeline, units, view

    async def explain(self, name: str) -> Explanation:
        """Of a component, an item or a unit; RequestError 404 for what nobody knows."""
        component = self._pipeline.picture.components.get(name)
        if component is not None:
            return await self._component(component)
        found = self.item(name)
        if found is not None:
            return await self._item(*found)
        unit = self.unit(name)
        if unit is None:
            raise RequestError(
                404, f"{name}: no component, item or loaded unit has this name", hint="healthctl status lists them"
            )
        return await self._unwatched(unit)

    def item(self, name: str) -> tuple[Component, Item] | None:
        """The item of this name, with or without its type; its component may stand before it ("services/nginx")."""
        for component in self._pipeline.picture.components.values():
            rest = name.removeprefix(f"{component.name}/")
            if not rest:
                continue
            for candidate in (rest, f"{rest}.service"):
                if candidate in component.items:
                    return component, component.items[candidate]
        return None

    def unit(self, name: str) -> UnitFacts | None:
        """The loaded unit of this name, with or without its type."""
        facts = self._units.facts()
        return facts.get(name) or facts.get(f"{name}.service")

    def verdict(self, ticket: Ticket, *, by_hand: bool = False, action: ActionKind | None = None) -> Verdict:
        """What the policy says about an issue at this moment."""
        return rule(self._case(ticket, by_hand=by_hand), action)

    def _case(self, ticket: Ticket, *, by_hand: bool = False) -> Case:
        pipeline = self._pipeline
        return Case(
            settings=pipeline.settings, state=pipeline.state, moment=pipeline.moment(), ticket=ticket, by_hand=by_hand
        )

    def tickets(
        self, *, component: str | None = None, item: str | None = None, unit: str | None = None
    ) -> list[Ticket]:
        """The tickets of a component, of one item of it, or of a unit: open ones first, the worst of them first.

        Of two that are as bad, a crash loop comes last: once systemd has given up, what is down is what is healed.
        """
        order = tuple(Severity)
        found = [
            ticket
            for ticket in self._pipeline.state.tickets.values()
            if component in (None, ticket.key.component)
            and item in (None, ticket.key.item)
            and unit in (None, ticket.unit)
        ]

        def rank(ticket: Ticket) -> tuple[bool, int, bool, float]:
            loop = ticket.key.type is IssueType.CRASH_LOOP
            return not ticket.open, -order.index(ticket.severity), loop, ticket.opened_at

        return sorted(found, key=rank)

    def _worst(self, component: str, item: str | None = None) -> Ticket | None:
        """The open ticket that matters most."""
        return next((ticket for ticket in self.tickets(component=component, item=item) if ticket.open), None)

    def _worst_on(self, unit: UnitFacts | None) -> Ticket | None:
        """The open ticket of another component that matters most to this unit: of a probe which it does not answer."""
        return None if unit is None else next((ticket for ticket in self.tickets(unit=unit.name) if ticket.open), None)

    async def _component(self, component: Component) -> Explanation:
        facts = {item.name or "reading": item.message for item in component.items.values() if item.findings}
        ticket = self._worst(component.name)
        facts |= self._rung(ticket) | _last(ticket) | self._so_far(ticket)
        facts["weight"] = f"{component.weight:g} of {sum(part.weight for part in self._pipeline.picture.parts()):g}"
        return await self._explanation(
            name=component.name,
            component=component.name,
            status=component.status,
            score=component.score or 0.0,
            message=component.reason or summary(component),
            limit=_LIMIT,
            facts=facts,
            ticket=ticket,
        )

    async def along(self, name: str | None) -> tuple[str, ...]:
        """The units that a restart of this one would take along."""
        unit = self._units.facts().get(name or "")
        if unit is None or not unit.running:
            return ()
        try:
            return await self._units.restarted_with(unit.name)
        except BusError:
            return ()  # not being able to ask must not keep the rest of the answer back

    async def _item(self, component: Component, item: Item) -> Explanation:
        unit = self._units.facts().get(item.unit or "")
        ticket = self._worst(component.name, item.name) or self._worst_on(unit)
        return await self._explanation(
            name=item.name,
            component=component.name,
            status=item.status,
            score=item.score,
            message=item.message,
            limit=_UNIT_LIMIT if unit else _LIMIT,
            facts=(_facts(unit) if unit else {})
            | _failure(ticket, unit)
            | self._rung(ticket)
            | _last(ticket)
            | self._so_far(ticket),
            ticket=ticket,
            stopped=item.stopped,
        )

    def _rung(self, ticket: Ticket | None) -> dict[str, str]:
        """What the unit's own ladder of `actions` has next."""
        rung = rung_of(self._case(ticket)) if ticket is not None and ticket.open else ""
        return {"next of its actions": rung} if rung else {}

    def _so_far(self, ticket: Ticket | None) -> dict[str, str]:
        """How often which action helped against such a failure before."""
        if ticket is None:
            return {}
        subject = subject_of(ticket)
        failure = failure_of(ticket, self._units.facts().get(ticket.unit or ""))
        pages = self._pipeline.state.ledger.items()
        told = [in_words(name, page) for name, page in pages if (name.subject, name.failure) == (subject, failure)]
        return {"so far": "; ".join(told)} if told else {}

    async def _unwatched(self, unit: UnitFacts) -> Explanation:
        hold = permitted(self._pipeline.settings, unit.name)
        return await self._explanation(
            name=unit.name,
            component="",
            status=Status.UNKNOWN,
            score=0.0,
            message="healthd does not watch this unit: it is not enabled, or [services] leaves it out",
            limit=_UNIT_LIMIT,
            facts=_facts(unit),
            ticket=self._worst_on(unit),
            stopped=unit.stopped_by_job and not unit.running,
            hold=hold,
        )

    async def _explanation(
        self,
        *,
        name: str,
        component: str,
        status: Status,
        score: float,
        message: str,
        limit: str,
        facts: Mapping[str, str],
        ticket: Ticket | None,
        stopped: bool = False,
        hold: HoldReason | None = None,
    ) -> Explanation:
        decision, verdict = self._decision(ticket, stopped=stopped, hold=hold)
        return Explanation(
            name=name,
            component=component,
            status=status,
            score=score,
            message=message,
            limit=limit,
            facts=facts,
            issue=self._view.issue(ticket) if ticket else None,
            decision=decision,
            action=verdict.action,
            hold=verdict.hold,
            hold_text=verdict.text,
            until=self._view.wall(verdict.until),
            also_restarts=await self.along(ticket.unit) if ticket and verdict.action is ActionKind.RESTART_UNIT else (),
            budget=self._view.budget(),
        )

    def _decision(self, ticket: Ticket | None, *, stopped: bool, hold: HoldReason | None) -> tuple[str, Verdict]:
        if ticket is None:
            if stopped:
                return "hold", Verdict(
                    hold=HoldReason.OPERATOR_STOPPED, text="somebody stopped it; healthd leaves it alone"
                )
            return "nothing", Verdict(hold=hold, text="there is no issue")
        if ticket.attempt is not None:
            return "running", Verdict(action=ticket.attempt.action, text=f"attempt {ticket.attempt.number} is running")
        verdict = self.verdict(ticket)
        return ("hold" if verdict.hold else "act" if verdict.action else "nothing"), verdict


def _failure(ticket: Ticket | None, unit: UnitFacts | None) -> dict[str, str]:
    """The class of the failure, and what it calls for."""
    kind = class_of(ticket.key.type, ticket.cause, unit) if ticket is not None else None
    if kind is None:
        return {}
    return {"failure": kind, "remedy": f"{CLASSES[kind].remedy}: {CLASSES[kind].why}"}


def _last(ticket: Ticket | None) -> dict[str, str]:
    """What the last attempt came to."""
    return {"last attempt": ticket.last_text} if ticket is not None and ticket.last_text else {}


def _facts(unit: UnitFacts) -> dict[str, str]:
    """The reading, in systemd's own words."""
    facts = {
        "active state": f"{unit.active} ({unit.sub})",
        "unit file": unit.file_state or unit.load,
        "result": unit.result,
        "exit": {
            1: f"status {unit.exit_status}",
            2: f"signal {unit.exit_status}",
            3: f"signal {unit.exit_status}, core dumped",
        }.get(unit.code, ""),
        "job": f"job {unit.job} is queued" if unit.job else "",
        "invocation": unit.invocation,
        "automatic restarts": str(len(unit.auto_restarts)) if unit.auto_restarts else "",
    }
    if unit.detail is not None:
        facts["type"] = unit.detail.service_type
        facts["Restart="] = unit.detail.restart
    return {name: text for name, text in facts.items() if text}
