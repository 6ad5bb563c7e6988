"""The sentence: sample every due check → assess it → decide whether and how to act → record → heal → tell.

There is one path. A signal, a job's result, an operator's order or the clock only makes the next turn come sooner;
every turn goes the whole way, and nothing acts but a decision of the engine that has been written down.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from healthd.answers import Series
from healthd.assess.picture import Picture, summary
from healthd.decide import engine
from healthd.decide.happenings import News, Started
from healthd.decide.policy import Moment
from healthd.errors import BusError
from healthd.events import Event
from healthd.heard import Heard
from healthd.looks import Looks, component_of
from healthd.model import JobResult, State, Status
from healthd.pace import Pace
from healthd.record.story import Story
from healthd.record.tape import Tape
from healthd.saving import Saving
from healthd.upgrades import Upgrades
from healthd.windows import Windows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from healthd.config import Settings
    from healthd.decide.happenings import AnyOrder, Happening, Trusted
    from healthd.decide.state import EngineClock, EngineState, Key
    from healthd.heal import Healer
    from healthd.ports import Clock, Host, Log, Store, Units
    from healthd.sample import Bound, Sampled, Sampler

FAILED_SECONDS: Final = 60.0
RECONCILE_SECONDS: Final = 600.0
"""So long after the last time a round asks systemd for failed units, and for all of them, should a signal be lost."""

TOGETHER_SECONDS: Final = 0.05
"""So long a turn of which nobody waits for a decision waits for its checks: what they see is decided upon at once."""

ATTEMPT_SECONDS: Final = 1.0
"""While an attempt on it waits for its recovery to be seen, a component is looked at this often."""


class Pipeline:
    """Turns the crank. Owns the picture and the engine's state; everything else is handed in."""

    def __init__(
        self,
        *,
        settings: Settings,
        checks: Sequence[Bound],
        sampler: Sampler,
        units: Units,
        host: Host,
        clock: Clock,
        store: Store,
        log: Log,
        state: EngineState,
        engine_clock: EngineClock,
    ) -> None:
        self.settings = settings
        self.state = state
        self.engine_clock = engine_clock
        self.round_at: float | None = None
        self.healer: Healer | None = None
        self._sampler, self._units, self._host = sampler, units, host
        self._clock, self._store, self._log = clock, store, log
        self.picture = Picture(component_of(check) for check in checks)
        self._story = Story(log, store.note)
        self._tape = Tape(store.tape, boot_id=engine_clock.boot_id)
        self._heard = Heard()
        self._wake = asyncio.Event()
        self._pace = Pace()
        self._paced: asyncio.TimerHandle | None = None
        self.origin = self._next_round = clock.boot()
        self._failed_at, self._reconcile_at = self.origin + FAILED_SECONDS, self.origin + RECONCILE_SECONDS
        self._upgrades, self._windows = Upgrades(host, log), Windows(clock, log)
        self._looks = Looks(sampler, clock, checks)
        self._samplers: list[Callable[[str, float], None]] = []
        self._engine_wake: float | None = None
        self._saving = Saving(store, log)
        self._unremembered = self._whole = False
        self._shown: tuple[State, Status] = (State.UNKNOWN, Status.UNKNOWN)
        self._watchers: list[Callable[[Sequence[Happening]], None]] = []
        self._turns = asyncio.Condition()
        self._begun = self._ended = self._rounds = 0
        self._system = units.system_state()

    # What makes a turn come

    def heard(self, names: frozenset[str]) -> None:
        """Units changed; without names: look at all."""
        self._heard.names |= names
        self._heard.everything |= not names
        loop = asyncio.get_running_loop()
        pause = self._pace.pause(loop.time()) if names else 0.0
        if not pause:
            self._wake.set()
        elif self._paced is None:
            self._paced = loop.call_later(pause, self._wake.set)

    def reported(self, key: Key, result: JobResult) -> None:
        """The job of an attempt ended."""
        self._heard.results.append((key, result))
        self._wake.set()

    async def order(self, order: AnyOrder) -> Sequence[Happening]:
        """Have an operator's order decided; returns what happened in the turn that did."""
        decided: asyncio.Future[Sequence[Happening]] = asyncio.get_running_loop().create_future()
        self._heard.orders.append((order, decided))
        self._wake.set()
        return await decided

    def sampled(self, sampled: Sampled) -> None:
        """A check that ran beside the turns has ended. It makes a turn come once those are through it began with."""
        self._heard.sampled.append(sampled)
        if self._looks.through(sampled.check.name):
            self._wake.set()

    async def look(self, checks: Iterable[str]) -> None:
        """Look at these components now, at every item of them; returns when that is done and decided upon."""
        names = list(checks)
        self.request(names)
        wanted = self._begun + 1  # a turn under way may have looked before this was asked
        seen = self._looks.awaited(names)
        async with self._turns:
            await self._turns.wait_for(lambda: self._ended >= wanted and seen())

    def watch(self, watcher: Callable[[Sequence[Happening]], None]) -> Callable[[], None]:
        """Have the happenings of each turn; returns how to stop that."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def watch_checks(self, watcher: Callable[[str, float], None]) -> None:
        """Have the component of each run of a check, and how many seconds it took."""
        self._samplers.append(watcher)

    async def turned(self) -> None:
        """Wait for the end of the next turn, or of the one under way."""
        async with self._turns:
            await self._turns.wait()

    async def whole(self) -> None:
        """Wait until the first round is through: before that, a few components stand for the whole host."""
        async with self._turns:
            await self._turns.wait_for(lambda: self._whole)

    def reconfigure(self, settings: Settings, checks: Sequence[Bound]) -> None:
        """Go on under other settings; attempts, budgets and issues stay."""
        self.settings = settings
        self._looks.take(checks)
        self.picture.replace_components(component_of(check) for check in checks)
        self._next_round = min(self._next_round, self._clock.boot() + settings.health.check_interval_seconds)
        self.request(check.name for check in checks)
        self._heard.everything = True

    def recall(self, past: Mapping[Series, Sequence[tuple[float, float]]]) -> None:
        """Take over what was read before healthd was started anew: `past` as `Store.recent` gives it."""
        self._looks.recall(past, self._clock.boot() - self._clock.wall())
        for name, component in self.picture.components.items():
            component.scores = tuple(past.get(Series(name, "", "score"), ()))

    def change_state(self, state: EngineState, changed: Iterable[Key], trusted: Sequence[Trusted] = ()) -> None:
        """Take over a state that an operator's reset of these issues made. `trusted`: what it made trusted again."""
        self.state = state
        self._tape.reset(changed := tuple(changed), sorted({each.name.subject for each in trusted}))
        self._story.tell(trusted, wall=self._clock.wall(), max_attempts={})
        self._saving.want(changed)
        self._heard.everything = True
        self._wake.set()

    def request(self, checks: Iterable[str]) -> None:
        """Look at these components soon."""
        self._heard.checks.update(checks)
        self._wake.set()

    # The turns

    async def run(self) -> None:
        """Turn until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._until_due()
                await self.turn(group)

    async def turn(self, group: asyncio.TaskGroup) -> None:
        """Go the whole way once. `group` is where checks run that are not waited for."""
        heard = self._take_heard()
        self._begun += 1
        regular = self._clock.boot() >= self._next_round
        if regular:
            await self._safety_net()
        sampled = await self._sample(heard, group, regular=regular)
        news = self._assess(sampled, heard)
        step = self._decide(news)
        await self._saving.save(self.state, self.engine_clock, self._clock.boot())  # before anything is dispatched
        happenings = await self._heal(step.happenings)
        self._whole |= self._rounds > 1 or not (self._looks.busy or self._heard.sampled)
        if happenings:
            await asyncio.sleep(0)  # the calls go out now; systemd works while the story is told
        self._tell(happenings)
        if regular:
            self.round_at = self._clock.boot()
        self._remember(regular=regular)
        self._ended = self._begun
        self._looks.taken(sampled)
        for _, decided in heard.orders:
            if not decided.done():  # whoever ordered may have gone meanwhile
                decided.set_result(happenings)
        async with self._turns:
            self._turns.notify_all()

    def _take_heard(self) -> Heard:
        """What this turn is about; what comes in from now on makes the next one come."""
        self._wake.clear()
        heard, self._heard = self._heard, Heard()
        if heard.names:
            self._pace.turned(asyncio.get_running_loop().time())
        if self._paced is not None:
            self._paced.cancel()
            self._paced = None
        return heard

    async def _until_due(self) -> None:
        if self._wake.is_set():
            return
        deadlines = [self._next_round, self._looks.next()]
        if self._engine_wake is not None:
            deadlines.append(self._engine_wake - self.engine_clock.offset)
        await self._woken(min(deadlines) - self._clock.boot())

    async def _woken(self, seconds: float) -> None:
        """Wait until something is heard, at most so long."""
        timer = asyncio.get_running_loop().call_later(max(0.0, seconds), self._wake.set)
        try:
            await self._wake.wait()
        finally:
            timer.cancel()

    async def _safety_net(self) -> None:
        """Now and then ask systemd itself, should a signal have been lost."""
        interval, now = self.settings.health.check_interval_seconds, self._clock.boot()
        self._rounds += 1
        self._next_round += interval * max(1, (now - self._next_round) // interval + 1)
        soon = now + interval / 2  # of two rounds the nearer one
        try:
            if soon >= self._reconcile_at:
                self._reconcile_at, self._failed_at = now + RECONCILE_SECONDS, now + FAILED_SECONDS
                self._saving.want()  # so that the engine's clock loses at most these rounds over a reboot
                await self._units.reconcile()
            elif soon >= self._failed_at:
                self._failed_at = now + FAILED_SECONDS
                await self._units.check_failed()
        except BusError as error:
            self._log.debug("the safety net could not ask systemd", error=str(error))

    async def _sample(self, heard: Heard, group: asyncio.TaskGroup, *, regular: bool) -> list[Sampled]:
        """Run the checks that are due: some within this turn, the others beside it."""
        names = set(heard.names)
        names.update(ticket.unit for key, _ in heard.results if (ticket := self.state.tickets.get(key)) and ticket.unit)
        units = None if heard.everything else frozenset(names)
        begun = self._looks.begin(heard.checks, units, group, self.sampled)
        due = self._looks.due(self.picture.components, heard.checks, units, regular=regular)
        sampled = await self._sampler.run(due)
        if begun and not heard.urgent:
            await self._woken(TOGETHER_SECONDS)
        self._looks.wait_no_more()
        sampled += [*heard.sampled, *self._heard.take_sampled()]
        if not self._heard.any:
            self._wake.clear()
        return sampled

    def _assess(self, sampled: Sequence[Sampled], heard: Heard) -> News:
        before = self.picture.statuses()
        items: list[tuple[str, str]] = []
        gone: list[tuple[str, str]] = []
        wall = self._clock.wall()
        for one in sampled:
            if not self._looks.is_current(one.check):
                continue  # a reload came in between: this is what the old settings saw, and all is looked at again
            name, assessment = one.check.name, self._looks.judge(one)
            if assessment.absent and not self.picture.components[name].absent:
                self._log.event(Event.FEATURE_OFF, f"{name} is left out: {assessment.reason}", component=name)
            judged, lost = self.picture.take(name, assessment, wall)
            items += judged
            gone += lost
            self._story.lost(self.picture.components[name], wall=wall)
            self._looks.look_again(one.check, assessment, self.picture.components[name].status)
            for watcher in self._samplers:
                watcher(name, one.took)
        self._tell_components(before)
        system = self._units.system_state()
        changed, self._system = system is not self._system, system
        return News(
            items=tuple(items),
            gone=tuple(gone),
            results=tuple((str(key), result) for key, result in heard.results),
            orders=tuple(order for order, _ in heard.orders),
            everything=heard.everything or changed,
            complete=self.picture.complete,
        )

    def _decide(self, news: News) -> engine.Step:
        if anew := self._upgrades.look(self.state, self.picture.items, news.items):
            self.request(anew)
        self._windows.look(self.state.silences, news.orders)
        moment = self._tape.watched(self.moment())
        step = engine.step(self.settings, self.state, moment, news)
        self._tape.take(self.settings, self.state, moment, news, step)
        self._saving.take(self.state, step)
        self.state, self._engine_wake = step.state, step.wake_at
        tried = ((key, ticket.attempt) for key, ticket in self.state.tickets.items())
        waiting = [key.component for key, attempt in tried if attempt is not None and attempt.ended_at is not None]
        self._looks.hurry(waiting, self._clock.boot() + ATTEMPT_SECONDS)
        return step

    async def _heal(self, happenings: Sequence[Happening]) -> Sequence[Happening]:
        if self.healer is not None and happenings:
            happenings = await self.healer.along(happenings)
            for happening in happenings:
                if isinstance(happening, Started):
                    self.healer.dispatch(happening.ticket.key, happening.attempt)
        return happenings

    def _remember(self, *, regular: bool) -> None:
        """Keep the readings of a round, once all its checks are through; what hangs has until the next one."""
        late = self._unremembered and regular
        self._unremembered |= regular
        if late or (self._unremembered and not self._looks.busy):
            self._store.remember(self._clock.wall(), self.picture.values())
            self._unremembered = regular and self._looks.busy

    # What others want to know

    def moment(self) -> Moment:
        """The facts of this instant, for the engine."""
        boot = self._clock.boot()
        return Moment(
            now=self.engine_clock.now(boot),
            wall=self._clock.wall(),
            system=self._units.system_state(),
            booted_for=self._host.uptime(),
            current=self._units.connected,
            facts=self._units.facts(),
            items=self.picture.items,
            usable=self.picture.usable,
            unhealthy=self.picture.unhealthy,
            configured=frozenset(self.picture.components),
            left_out=self.picture.left_out(),
            package_work=self._upgrades.work,
            windows=self._windows.of,
        )

    def host_state(self) -> State:
        """What the host as a whole is doing."""
        if any(ticket.attempt for ticket in self.state.tickets.values()):
            return State.AUTO_HEALING
        return State(self.picture.status())

    def _tell(self, happenings: Sequence[Happening]) -> None:
        units = {happening.attempt.unit for happening in happenings if isinstance(happening, Started)}
        own = {unit: self.settings.unit(unit).max_attempts for unit in units}
        most = {unit: self.settings.health.max_healing_attempts if n is None else n for unit, n in own.items()}
        self._story.tell(happenings, wall=self._clock.wall(), max_attempts=most)
        state, status = self.host_state(), self.picture.status()
        if state is not self._shown[0] and (self._whole or state is State.AUTO_HEALING):
            self._story.state_changed(self._shown[0], state, status, self.picture.score(), wall=self._clock.wall())
            self._shown = (state, status)
        for watcher in tuple(self._watchers):  # a copy: a watcher that has its answer takes itself out
            watcher(happenings)

    def _tell_components(self, before: Mapping[str, Status]) -> None:
        if self.picture.statuses() is before:
            return
        for name, component in self.picture.shown().items():
            if component.status is not before.get(name, Status.UNKNOWN):
                message = component.reason or summary(component)
                self._story.component_changed(
                    name,
                    before.get(name, Status.UNKNOWN),
                    component.status,
                    component.score,
                    message,
                    wall=self._clock.wall(),
                )
