"""What the API may ask of the daemon: `ports.Control`, on the pipeline and the doors."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from healthd.answers import Finished, HealthStatus
from healthd.config import permitted
from healthd.config.chores import CHORES
from healthd.config.show import tables
from healthd.decide import engine
from healthd.decide.happenings import Ended, Held, Order, Started, Trusted, Unsupported
from healthd.decide.ledger import subject_of
from healthd.decide.state import subject
from healthd.errors import BusError, RequestError
from healthd.hush import Silencer
from healthd.model import ActionKind, HoldReason, IssueType, OutcomeKind, Status

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from healthd.answers import Budget, Diagnosis, Explanation, Family, History, HistoryQuery, Outcomes, Quiet, Wish
    from healthd.decide.happenings import Happening
    from healthd.decide.state import Attempt, Key, Ticket
    from healthd.doctor import Doctor
    from healthd.evidence import Incident
    from healthd.explain import Explainer
    from healthd.letters import Outcome
    from healthd.model import Issue
    from healthd.pipeline import Pipeline
    from healthd.ports import Beats, Clock, Store, Units
    from healthd.replies import Replies
    from healthd.tally import Tally
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
        store: Store,
        tally: Tally,
        replies: Replies,
        beats: Beats,
        clock: Clock,
        apply: Callable[[], Awaitable[None]],
        under_systemd: bool,
    ) -> None:
        self._pipeline, self._view, self._explainer, self._doctor = pipeline, view, explainer, doctor
        self._store, self._tally, self._replies, self._beats = store, tally, replies, beats
        self._units, self._apply, self._under_systemd = units, apply, under_systemd
        self._silencer = Silencer(pipeline, view, explainer, clock)
        self._turns = 0
        self._turning = asyncio.Event()
        pipeline.watch(self._turned)

    def revision(self) -> int:
        return self._turns

    async def changed(self, revision: int) -> None:
        while self._turns == revision:
            await self._turning.wait()

    def _turned(self, _happenings: Sequence[Happening]) -> None:
        self._turns += 1
        self._turning.set()  # who waits wakes up though the next line has them wait for the turn after this one
        self._turning.clear()

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

    def families(self) -> Iterable[Family]:
        return self._tally.families()

    async def heartbeat(self, name: str, *, by: str) -> None:
        component = self._pipeline.settings.component.get(name)
        if component is None or component.type != "heartbeat":
            raise RequestError(404, f"no component of type heartbeat is called {name}", hint="healthctl status")
        await self._beats.beat(name)
        if self._pipeline.picture.components[name].status is not Status.HEALTHY:  # else it is seen in its time
            self._pipeline.request([name])

    async def history(self, query: HistoryQuery) -> History:
        history = await self._store.history(query)
        known = self._pipeline.picture.components
        if query.component and query.component not in known and not (history.series or history.events):
            hint = f"known: {', '.join(known) or 'none yet'}"
            raise RequestError(404, f"there is no component {query.component!r}", hint=hint)
        return history

    async def incidents(self, *, since: float, most: int) -> Sequence[Incident]:
        return await self._store.incidents(since=since, most=most)

    async def incident(self, number: int) -> Incident:
        found = await self._store.incident(number)
        if found is None:
            what = f"there is no incident {number}" if number else "there has been no incident yet"
            raise RequestError(404, what, hint="healthctl incidents")
        return found

    async def heal(self, name: str, action: ActionKind | None, *, dry_run: bool, by: str) -> Finished:
        open_ones = [ticket for ticket in self._named(name) if ticket.open] or self._behind(name)
        if (
            dry_run and action is not None and action in CHORES
        ):  # what that would win one wants to know before there is need of it
            return await self._rehearsed(action)
        if not open_ones:
            raise _nothing_to_heal(name, self._instead(name))
        items = {each.key.item for each in open_ones}
        if len(items) > 1:
            raise RequestError(409, f"{len(items)} items of {name} have issues: name one", hint="healthctl issues")
        ticket = open_ones[0]
        if ticket.attempt is not None:
            raise RequestError(409, f"healthd is already healing {ticket.key.item}", hint=f"healthctl explain {name}")
        finished = await (self._foreseen(ticket, action) if dry_run else self._order(ticket.key.name, action, by))
        if name in self._pipeline.picture.components:  # whoever names the whole shall hear which part it was
            return replace(finished, text=": ".join(filter(None, (ticket.key.item, finished.text))))
        return finished

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
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                await self._pipeline.look(wanted)
        except TimeoutError:
            raise RequestError(
                504, "the check has not ended yet", hint="healthctl status shows it when it has"
            ) from None
        return self._view.status()

    async def reset(self, name: str, *, by: str) -> tuple[str, ...]:
        tickets, state = self._named(name), self._pipeline.state
        keys, subjects = [ticket.key for ticket in tickets], {*map(subject_of, tickets), self._subject(name)}
        text, of = f"{by} had the attempts forgotten", {subject_of(ticket): ticket for ticket in reversed(tickets)}
        trusted = [
            Trusted(name=each, page=page, text=text, ticket=of.get(each.subject))
            for each, page in state.ledger.items()
            if page.distrusted_at is not None and each.subject in subjects
        ]
        if not (keys or trusted):
            raise RequestError(404, f"{name} has no issue whose attempts could be forgotten", hint="healthctl issues")
        self._pipeline.change_state(engine.reset(state, keys, subjects), keys, trusted)
        return (*map(str, keys), *(f"{each.name.action} of {each.name.subject}" for each in trusted))

    def silences(self) -> tuple[Quiet, ...]:
        return self._view.silences()

    def ledger(self) -> tuple[Outcomes, ...]:
        return self._view.ledger()

    async def silence(self, wish: Wish) -> Quiet:
        return await self._silencer.silence(wish)

    async def resume(self, name: str | None, *, everything: bool, by: str) -> tuple[Quiet, ...]:
        return await self._silencer.resume(name, everything=everything, by=by)

    async def try_receivers(self, name: str | None, *, by: str) -> Mapping[str, Outcome]:
        return await self._replies.tried(name, by=by)

    async def reload(self, *, by: str) -> tuple[str, ...]:
        if not self._under_systemd:
            await self._apply()
            return self._doctor.warnings()
        try:
            result = await self._units.reload(_OWN_UNIT, deadline=_RELOAD_SECONDS)
        except BusError as error:
            raise RequestError(
                503, f"systemd cannot be asked to reload: {error}", hint="systemctl reload healthd"
            ) from error
        if not result.done:
            found = "" if result.result == "refused" else self._doctor.rejected
            problems = found or f"the reload ended with '{result.result}' {result.text}".strip()
            raise RequestError(422, problems, hint="the configuration before it is still in force")
        return self._doctor.warnings()

    async def apply_configuration(self) -> None:
        await self._apply()

    async def _foreseen(self, ticket: Ticket, action: ActionKind | None) -> Finished:
        """What an order would lead to now."""
        verdict = self._explainer.verdict(ticket, by_hand=True, action=action)
        if verdict.hold is None and verdict.action is not None and verdict.action in CHORES:
            return await self._rehearsed(verdict.action)
        along = await self._explainer.along(verdict.unit) if verdict.action is ActionKind.RESTART_UNIT else ()
        return Finished(
            decision="act" if verdict.action and verdict.hold is None else "hold",
            action=verdict.action,
            hold=verdict.hold,
            text=verdict.text or (f"this restarts {', '.join(along)} too" if along else ""),
            outcome=None,
            until=self._view.wall(verdict.until),
        )

    async def _rehearsed(self, action: ActionKind) -> Finished:
        """What a chore would do now, by its own word."""
        healer = self._pipeline.healer
        if healer is None:
            raise RequestError(503, "healthd is only just starting", hint="try again in a second")
        try:
            result = await healer.rehearse(action)
        except BusError as error:
            raise RequestError(503, f"systemd cannot be asked: {error}", hint="systemctl status dbus") from error
        nothing = result.result == OutcomeKind.NOT_SUPPORTED
        if not (result.done or nothing):
            said = f"the dry run ended with '{result.result}' {result.text}".strip()
            raise RequestError(502, said, hint=f"journalctl -u {CHORES[action].rehearsal}")
        outcome = OutcomeKind.NOT_SUPPORTED if nothing else None
        return Finished(decision="act", action=action, hold=None, text=result.text, outcome=outcome)

    async def _order(self, item: tuple[str, str], action: ActionKind | None, by: str) -> Finished:
        """Have the engine decide the order, and wait for the end of what it starts."""
        seen: asyncio.Queue[Sequence[Happening]] = asyncio.Queue()
        stop = self._pipeline.watch(seen.put_nowait)
        try:
            order = Order(component=item[0], item=item[1], action=action, by=by)
            match _decided(await self._pipeline.order(order), item):
                case Started(attempt=attempt, ticket=ticket):
                    return await _ended(seen, ticket.key, attempt)
                case Held(reason=reason, text=text, wait=wait):
                    until = None if wait is None else self._view.wall(self._pipeline.moment().now + wait)
                    return Finished(decision="hold", action=None, hold=reason, text=text, outcome=None, until=until)
                case Unsupported(text=text):
                    outcome = OutcomeKind.NOT_SUPPORTED
                    return Finished(decision="act", action=None, hold=None, text=text, outcome=outcome)
                case None:  # the issue was closed before the order came to its turn
                    raise _nothing_to_heal(item[1], f"healthctl explain {item[1]}")
        finally:
            stop()

    def _behind(self, name: str) -> list[Ticket]:
        """The open tickets of a unit that other components than that of its item have."""
        unit = self._explainer.unit(name)
        return [] if unit is None else [ticket for ticket in self._explainer.tickets(unit=unit.name) if ticket.open]

    def _instead(self, name: str) -> str:
        """What to do by hand with what has no issue."""
        if name in self._pipeline.picture.components:
            return "healthctl status"
        unit = self._explainer.unit(name.rpartition("/")[2])
        if unit is None or permitted(self._pipeline.settings, unit.name) is HoldReason.PROTECTED:
            return ""
        return f"systemctl {'restart' if unit.running else 'start'} {unit.name}"

    def _subject(self, name: str) -> str:
        """What the ledger calls the item or unit of this name, with or without an issue; "" for a component."""
        found = self._explainer.item(name)
        if found is not None:
            return found[1].unit or subject(found[0].name, found[1].name)
        unit = self._explainer.unit(name)
        return "" if unit is None else unit.name

    def _named(self, name: str) -> list[Ticket]:
        """The tickets of a component, item or unit, open ones first; RequestError 404 if nobody knows the name."""
        if name in self._pipeline.picture.components:
            return self._explainer.tickets(component=name)
        found = self._explainer.item(name)
        if found is not None:
            return self._explainer.tickets(component=found[0].name, item=found[1].name)
        unit = self._explainer.unit(name)
        if unit is None:
            raise RequestError(
                404, f"{name}: no component, item or loaded unit has this name", hint="healthctl status lists them"
            )
        return self._explainer.tickets(unit=unit.name)


def _decided(happenings: Sequence[Happening], item: tuple[str, str]) -> Started | Held | Unsupported | None:
    """What the turn that took an order made of it.

    An attempt at one issue of the item outweighs holds of others; that of a crash loop, which is systemd's, says least.
    """
    made = [
        each for each in happenings if isinstance(each, Started | Held | Unsupported) and each.ticket.key.name == item
    ]

    def outweighed(each: Started | Held | Unsupported) -> tuple[bool, bool]:
        return not isinstance(each, Started), each.ticket.key.type is IssueType.CRASH_LOOP

    return min(made, key=outweighed, default=None)


async def _ended(seen: asyncio.Queue[Sequence[Happening]], key: Key, attempt: Attempt) -> Finished:
    """How this attempt ended."""
    while True:
        for happening in await seen.get():
            match happening:
                case Ended(attempt=ended, ticket=ticket) if (ticket.key, ended.number) == (key, attempt.number):
                    text, outcome = happening.text, happening.outcome
                    return Finished(decision="act", action=ended.action, hold=None, text=text, outcome=outcome)
                case _:
                    pass


def _nothing_to_heal(name: str, hint: str) -> RequestError:
    return RequestError(409, f"{name} has no open issue: there is nothing to heal", hint=hint)
