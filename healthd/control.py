"""What the API may ask of the daemon: `ports.Control`, on the pipeline and the doors."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from healthd.answers import Finished, HealthStatus
from healthd.config.show import tables
from healthd.decide import engine
from healthd.decide.happenings import Ended, Happening, Held, Order, Unsupported
from healthd.errors import BusError, RequestError
from healthd.model import OutcomeKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from healthd.answers import Budget, Diagnosis, Explanation
    from healthd.decide.state import Ticket
    from healthd.doctor import Doctor
    from healthd.explain import Explainer
    from healthd.model import ActionKind, Issue
    from healthd.pipeline import Pipeline
    from healthd.ports import Units
    from healthd.view import View

_OWN_UNIT: Final = "healthd.service"
_RELOAD_SECONDS: Final = 60.0
_CHECK_SECONDS: Final = 30.0


class Controller:
    """Carries out what operators ask. Every action still is a decision of the engine."""

    def __init__(
        self,
        *,
        pipeline: Pipeline,
        view: View,
        explainer: Explainer,
        doctor: Doctor,
        units: Units,
        apply: Callable[[], Awaitable[None]],
        under_systemd: bool,
    ) -> None:
        self._pipeline, self._view, self._explainer, self._doctor = pipeline, view, explainer, doctor
        self._units, self._apply, self._under_systemd = units, apply, under_systemd

    def status(self) -> HealthStatus:
        return self._view.status()

    def issues(self) -> tuple[Issue, ...]:
        return self._view.issues()

    def budget(self) -> Budget:
        return self._view.budget()

    def config(self) -> Mapping[str, Any]:
        return tables(self._pipeline.settings)

    async def explain(self, name: str) -> Explanation:
        return await self._explainer.explain(name)

    async def diagnose(self) -> tuple[Diagnosis, ...]:
        return await self._doctor.diagnose()

    async def heal(self, name: str, action: ActionKind | None, *, dry_run: bool, by: str) -> Finished:
        ticket = self._worst_ticket(name)
        if ticket is None:
            raise RequestError(
                409, f"{name} has no open issue: there is nothing to heal", hint=f"systemctl restart {name}"
            )
        if ticket.attempt is not None:
            raise RequestError(409, f"healthd is already healing {ticket.key.item}", hint=f"healthctl explain {name}")
        if dry_run:
            verdict = self._explainer.verdict(ticket, by_hand=True, action=action)
            decision = "hold" if verdict.hold else "act"
            until = self._view.wall(verdict.until)
            return Finished(
                decision=decision,
                action=verdict.action,
                hold=verdict.hold,
                text=verdict.text,
                outcome=None,
                until=until,
            )
        return await self._order(ticket, action, by)

    async def check(self, name: str | None, *, by: str) -> HealthStatus:
        components = self._pipeline.picture.components
        if name is None:
            wanted = list(components)
        elif name in components:
            wanted = [name]
        elif (found := self._explainer.item(name)) is not None:
            wanted = [found[0].name]
        else:
            raise RequestError(404, f"{name}: no component or item has this name", hint="healthctl status lists them")
        self._pipeline.requested(wanted)
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                await self._pipeline.turned()
        except TimeoutError:
            raise RequestError(
                504, "the check has not ended yet", hint="healthctl status shows it when it has"
            ) from None
        return self._view.status()

    async def reset(self, name: str, *, by: str) -> tuple[str, ...]:
        tickets = self._named(name)
        if not tickets:
            raise RequestError(404, f"{name} has no issue whose attempts could be forgotten", hint="healthctl issues")
        keys = [ticket.key for ticket in tickets]
        self._pipeline.change_state(engine.reset(self._pipeline.state, keys), keys)
        return tuple(map(str, keys))

    async def reload(self, *, by: str) -> None:
        if not self._under_systemd:
            await self._apply()
            return
        try:
            result = await self._units.reload(_OWN_UNIT, deadline=_RELOAD_SECONDS)
        except BusError as error:
            raise RequestError(
                503, f"systemd cannot be asked to reload: {error}", hint="systemctl reload healthd"
            ) from error
        if not result.done:
            problems = self._doctor.rejected or f"the reload ended with '{result.result}' {result.text}".strip()
            raise RequestError(422, problems, hint="the configuration before it is still in force")

    async def apply_configuration(self) -> None:
        await self._apply()

    async def _order(self, ticket: Ticket, action: ActionKind | None, by: str) -> Finished:
        """Hand the order to the pipeline and wait for what the engine makes of it."""
        answer: asyncio.Future[Finished] = asyncio.get_running_loop().create_future()

        def look(happenings: Sequence[Happening]) -> None:
            for happening in happenings:
                if getattr(happening, "ticket", None) and happening.ticket.key == ticket.key and not answer.done():  # type: ignore[union-attr]
                    self._answer(answer, happening)

        stop = self._pipeline.watch(look)
        try:
            self._pipeline.ordered(Order(component=ticket.key.component, item=ticket.key.item, action=action, by=by))
            return await answer
        finally:
            stop()

    def _answer(self, answer: asyncio.Future[Finished], happening: Happening) -> None:
        match happening:
            case Held(reason=reason, text=text, wait=wait):
                until = None if wait is None else self._view.status().timestamp + wait
                answer.set_result(
                    Finished(decision="hold", action=None, hold=reason, text=text, outcome=None, until=until)
                )
            case Ended(attempt=attempt, outcome=outcome, text=text):
                answer.set_result(
                    Finished(decision="act", action=attempt.action, hold=None, text=text, outcome=outcome)
                )
            case Unsupported(text=text):
                outcome = OutcomeKind.NOT_SUPPORTED
                answer.set_result(Finished(decision="act", action=None, hold=None, text=text, outcome=outcome))
            case _:
                return

    def _worst_ticket(self, name: str) -> Ticket | None:
        return next((ticket for ticket in self._named(name) if ticket.open), None)

    def _named(self, name: str) -> list[Ticket]:
        """The tickets of a component, item or unit, open ones first; RequestError 404 if nobody knows the name."""
        if name in self._pipeline.picture.components:
            return self._explainer.tickets(name, None)
        found = self._explainer.item(name)
        if found is not None:
            return self._explainer.tickets(found[0].name, found[1].name)
        unit = self._explainer.unit(name)
        if unit is None:
            raise RequestError(
                404, f"{name}: no component, item or loaded unit has this name", hint="healthctl status lists them"
            )
        return [ticket for ticket in self._pipeline.state.tickets.values() if ticket.unit == unit.name]
