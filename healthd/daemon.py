"""Assembly: builds everything from the settings; owns the one TaskGroup, signals, reload, readiness, the watchdog."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from healthd import __version__, lean
from healthd.aliases import find_aliases
from healthd.assess.trend import HORIZON
from healthd.config import load
from healthd.control import Controller
from healthd.decide.engine import resume
from healthd.doctor import Doctor, watchdog_diagnosis
from healthd.errors import BusError, ConfigError, HealthdError, StorageError
from healthd.events import Event
from healthd.explain import Explainer
from healthd.heal import Healer
from healthd.host import LinuxHost
from healthd.model import Severity
from healthd.net import Network
from healthd.outputs import REPORTS, Outputs
from healthd.pipeline import Pipeline
from healthd.places import runs_under_systemd, runtime_directory, state_directory
from healthd.record.beats import Beats, expected_beats
from healthd.record.saved import restore
from healthd.record.store import SqliteStore
from healthd.registry import Ports, find_actions, find_checks
from healthd.sample import Bound, Sampler, bind
from healthd.statusline import StatusLine
from healthd.systemd.journal import leads_to_journal
from healthd.systemd.listen import inherited
from healthd.systemd.notify import Notifier
from healthd.systemd.units import SystemdUnits
from healthd.tally import Tally
from healthd.view import View

if TYPE_CHECKING:
    import socket
    from collections.abc import Coroutine, Sequence

    from healthd.answers import Diagnosis
    from healthd.config import Settings
    from healthd.decide.happenings import Happening
    from healthd.decide.state import EngineClock, EngineState
    from healthd.expose.front import Front
    from healthd.ports import Clock
    from healthd.replies import Replies
    from healthd.systemd.journal import Journal

_BEAT: Final = 10.0
"""Seconds between two signs of life to systemd's watchdog; a third of WatchdogSec= where that is less."""

_BUS_WAIT: Final = 10.0
"""Seconds for which the first judgement waits for the bus of a host that systemd runs."""

_FIRST_ROUND: Final = 1.0
"""Seconds for which clients of the first moments wait for the first round of checks."""


class Daemon:
    """One run of healthd. `root`: where the root directory of the host is."""

    def __init__(self, settings: Settings, config: Path | None, clock: Clock, log: Journal, root: Path) -> None:
        self._config, self._clock, self._log = config, clock, log
        self._host, self._notifier = LinuxHost.below(root), Notifier()
        self._units = SystemdUnits(self._clock, log, root=root)
        self._actions = find_actions()
        self._settings = settings
        self._store = SqliteStore(
            state_directory() / "history.db", log=log, days=settings.health.history_retention_days
        )
        self._started_at = self._clock.boot()
        self._stopping = asyncio.Event()
        self._hearing = asyncio.Event()
        self._hung_up = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._made: list[Path] = []
        self._beats: Beats
        self._pipeline: Pipeline
        self._status: StatusLine
        self._view: View
        self._doctor: Doctor
        self._front: Front
        self._applying = asyncio.Lock()

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        self._listen_to_signals()
        state, engine_clock = await self._restore()
        self._pipeline = self._assemble(state, engine_clock)
        self._status = StatusLine(self._pipeline, self._notifier, self._clock, self._log)
        self._view = View(self._pipeline, self._host, self._clock, self._started_at)
        await self._recall()
        sockets = self._sockets()
        try:
            async with asyncio.TaskGroup() as group:
                await self._live(group, sockets)
        finally:
            for path in self._made:
                path.unlink(missing_ok=True)
            for each in sockets:
                each.close()
            await self._end()

    async def _live(self, group: asyncio.TaskGroup, sockets: Sequence[socket.socket]) -> None:
        told, reports = self._pipeline.reported, Outputs(REPORTS)
        healer = Healer(self._units, self._actions, self._log, group, told, outputs=reports)
        self._pipeline.healer = healer
        self._begin(group, self._start(group, sockets), "start")
        await self._stopping.wait()
        self._notifier.stopping()
        self._log.event(Event.DAEMON_STOPPING, "healthd is stopping; limits and issues are kept for its next start")
        healer.abandon()
        for task in self._tasks:
            task.cancel()

    async def _start(self, group: asyncio.TaskGroup, sockets: Sequence[socket.socket]) -> None:
        """Come up to READY, and then serve. A stop that is asked for meanwhile does not wait for it."""
        self._units.on_change(self._heard)
        self._begin(group, self._units.run(), "units")
        await self._wait_for_systemd()
        early: list[Sequence[Happening]] = []
        deaf = self._pipeline.watch(early.append)
        self._begin(group, self._pipeline.run(), "pipeline")
        await self._pipeline.turned()
        self._become_ready()
        # After READY: clients wait in the backlog meanwhile, and a start need not wait for what serves them.
        from healthd.alive import Alive
        from healthd.expose.front import Front
        from healthd.inquiry import Inquiry
        from healthd.notify import Notifying
        from healthd.record.outbox import FileOutbox
        from healthd.replies import Replies

        inquiry = Inquiry(self._pipeline, self._units, self._host, store=self._store, clock=self._clock, log=self._log)
        deaf()
        self._begin(group, inquiry.run(early), "inquiry")
        outbox, tally = FileOutbox(state_directory()), Tally(self._pipeline, self._view, self._host)
        replies = Replies(outbox, self._clock, receivers=self._receivers, tally=tally.delivered, waits=tally.wait)
        self._begin(group, replies.run(), "replies")
        notifying = Notifying(self._pipeline, outbox, self._log, known=inquiry.known, written=replies.expect)
        self._begin(group, notifying.run(), "notify")
        self._alive = Alive(outbox, self._clock, settings=lambda: self._settings.alerting, lives=self._lives)
        self._begin(group, self._alive.run(), "alive")
        self._front = Front(self._control(sockets, tally, replies), self._units, self._host, self._log)
        tally.requests = self._front.requests
        self._doctor.tcp = self._front.diagnoses
        self._front.configure(self._settings.http)
        self._begin(group, self._beat(), "watchdog")
        self._begin(group, self._reload_on_signal(), "reload")
        lean.settle()
        with contextlib.suppress(TimeoutError):  # who asks in the first moments shall hear of the whole host
            async with asyncio.timeout(_FIRST_ROUND):
                await self._pipeline.whole()
        self._begin(group, self._front.run(sockets), "expose")
        await self._tell_aliases()

    def _begin(self, group: asyncio.TaskGroup, work: Coroutine[object, object, None], name: str) -> None:
        self._tasks.append(group.create_task(work, name=name))

    # The beginning and the end

    async def _restore(self) -> tuple[EngineState, EngineClock]:
        seed, boot_id, boot = int.from_bytes(os.urandom(4)), self._host.boot_id(), self._clock.boot()
        saved = None
        try:
            saved = await self._store.load()
            state, engine_clock = restore(saved, seed=seed, boot_id=boot_id, boot=boot, wall=self._clock.wall())
        except StorageError as error:
            await self._set_aside(error)
            saved = None
            state, engine_clock = restore(None, seed=seed, boot_id=boot_id, boot=boot)
        self._beats = Beats(saved, store=self._store, clock=self._clock, engine_clock=engine_clock, log=self._log)
        await self._beats.expect(expected_beats(self._settings))
        return state, engine_clock

    async def _set_aside(self, error: StorageError) -> None:
        """A database that cannot be used is kept for a person to look at; healthd begins anew without it."""
        message = f"cannot read the saved state: {error}; "
        try:
            aside = await self._store.set_aside()
            message += f"it is kept as {aside}, and healthd begins anew: what has failed already is only reported"
        except StorageError as second:
            message += f"healthd goes on from memory ({second})"
        self._log.event(Event.STORAGE_FAILED, message, severity=Severity.HIGH, reason="cannot_read")

    async def _recall(self) -> None:
        """Trends go on where they were, but for those from before the host booted."""
        booted = self._clock.wall() - self._host.uptime()
        try:
            self._pipeline.recall(await self._store.recent(max(self._clock.wall() - HORIZON, booted)))
        except StorageError as error:
            self._log.debug("the history of the last hour is not known", error=str(error))

    def _assemble(self, state: EngineState, engine_clock: EngineClock) -> Pipeline:
        ports = Ports(
            units=self._units,
            host=self._host,
            net=Network(),
            clock=self._clock,
            beats=self._beats,
            outputs=Outputs(),
        )
        return Pipeline(
            settings=self._settings,
            checks=self._checks(self._settings),
            sampler=Sampler(ports, self._log),
            units=self._units,
            host=self._host,
            clock=self._clock,
            store=self._store,
            log=self._log,
            state=resume(state, engine_clock.now(self._clock.boot())),
            engine_clock=engine_clock,
        )

    def _checks(self, settings: Settings) -> list[Bound]:
        return bind(settings, find_checks({component.type for component in settings.component.values()}))

    def _sockets(self) -> list[socket.socket]:
        handed = inherited()
        if handed:
            return [each.socket for each in handed]
        from healthd.expose.sockets import make_sockets

        directory = runtime_directory()
        try:
            made = list(make_sockets(directory))
        except HealthdError as error:
            self._log.event(Event.FEATURE_OFF, f"the API is off: {error}", severity=Severity.MEDIUM, reason="no_socket")
            return []
        self._made = [Path(each.getsockname()) for each in made]
        message = f"no socket unit: healthd made its own sockets (healthctl --socket {self._made[0]})"
        self._log.event(Event.FEATURE_OFF, message, reason="no_socket_unit")
        return made

    async def _wait_for_systemd(self) -> None:
        """The first judgement shall be one of all units; where no systemd answers, it says that nothing is known."""
        if not self._notifier.active:
            self._log.event(
                Event.FEATURE_OFF, f"readiness and watchdog are off: {self._notifier.why_off}", reason="no_notify"
            )
        wait = _BUS_WAIT if runs_under_systemd() else 0.5
        try:
            async with asyncio.timeout(wait):
                await self._hearing.wait()
        except TimeoutError:
            self._log.event(
                Event.FEATURE_OFF,
                "services are not judged: no systemd answers on the system bus (healthd keeps trying)",
                severity=Severity.MEDIUM,
                reason="no_bus",
            )

    def _become_ready(self) -> None:
        picture, settings = self._pipeline.picture, self._settings
        self._pipeline.watch(self._status.show)
        self._notifier.ready(self._status.text())
        healing = (
            "off" if not settings.health.auto_healing_enabled else "dry run" if settings.auto_healing.dry_run else "on"
        )
        files = ", ".join(settings.files) or "defaults only"
        watched = f"{len(picture.components['services'].items)} units" if picture.complete else "nothing yet"
        self._log.event(
            Event.DAEMON_READY,
            f"healthd {__version__} watches {watched}; healing is {healing}; configuration: {files}",
            status=picture.status(),
            score=picture.score(),
        )
        self._warn(settings)
        gc.enable()
        lean.settle()

    def _warn(self, settings: Settings) -> None:
        for problem in settings.warnings:
            self._log.event(Event.CONFIG_RELOADED, f"warning: {problem}", severity=Severity.MEDIUM)

    async def _end(self) -> None:
        try:
            await self._store.close()
        except StorageError as error:
            message = f"the state could not be synced: {error}"
            self._log.event(Event.STORAGE_FAILED, message, severity=Severity.MEDIUM, reason="cannot_write")

    # While it runs

    def _heard(self, names: frozenset[str]) -> None:
        if self._units.connected:
            self._hearing.set()
        self._pipeline.heard(names)

    async def _beat(self) -> None:
        """Tell systemd's watchdog that rounds get finished, in their rhythm: no wake-up more than needed."""
        interval = self._notifier.watchdog_interval()
        if interval is None:
            return
        beat = min(_BEAT, interval / 3)
        while True:
            now = self._clock.boot()
            if self._lives():
                self._notifier.watchdog()
            await asyncio.sleep(beat - (now - self._pipeline.origin) % beat)

    def _lives(self) -> bool:
        """Whether the newest round of checks is as young as it must be."""
        settings, newest = self._pipeline.settings.health, self._pipeline.round_at
        limit = settings.check_interval_seconds + settings.health_timeout_seconds
        return newest is not None and self._clock.boot() - newest < limit

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        loop.add_signal_handler(signal.SIGHUP, self._hung_up.set)

    async def _reload_on_signal(self) -> None:
        while True:
            await self._hung_up.wait()
            self._hung_up.clear()
            with contextlib.suppress(ConfigError):  # `_apply` has said it
                await self._apply()

    async def _tell_aliases(self) -> None:
        """Say which names in the configuration mean nothing to systemd's signals."""
        try:
            told = await find_aliases(self._settings, self._units)
        except BusError as error:
            self._log.debug("could not look for aliases", error=str(error))
            return
        for sentence in told:
            self._log.event(Event.CONFIG_RELOADED, f"warning: {sentence}", severity=Severity.MEDIUM, reason="alias")

    async def _apply(self) -> None:
        """Read the configuration again. One that is wrong is refused, and the old one stays."""
        async with self._applying:  # of two at once the later one must win
            await self._apply_now()

    async def _apply_now(self) -> None:
        self._notifier.reloading()
        try:
            settings = load(self._config)
        except ConfigError as error:
            self._doctor.rejected = str(error)
            lines = "\n".join(str(problem) for problem in error.problems)
            message = f"the new configuration is refused, the old one stays in force:\n{lines}"
            self._log.event(Event.CONFIG_REJECTED, message, severity=Severity.HIGH, reason="invalid")
            raise
        else:
            self._doctor.rejected = ""
            self._settings = settings
            self._store.days = settings.health.history_retention_days
            await self._beats.expect(expected_beats(settings))
            self._pipeline.reconfigure(settings, self._checks(settings))
            self._front.configure(settings.http)
            self._alive.reconfigured()
            self._log.event(
                Event.CONFIG_RELOADED, f"configuration in force: {', '.join(settings.files) or 'defaults only'}"
            )
            self._warn(settings)
            await self._tell_aliases()
        finally:
            self._notifier.ready(self._status.text())

    def _control(self, sockets: Sequence[socket.socket], tally: Tally, replies: Replies) -> Controller:
        self._doctor = Doctor(
            pipeline=self._pipeline,
            units=self._units,
            store=self._store,
            log_is_journal=leads_to_journal(2, os.environ),
            watchdog=self._watchdog_diagnosis,
            sockets=[each.getsockname() for each in sockets],
        )
        return Controller(
            pipeline=self._pipeline,
            view=self._view,
            explainer=Explainer(self._pipeline, self._units, self._view),
            doctor=self._doctor,
            units=self._units,
            store=self._store,
            tally=tally,
            replies=replies,
            clock=self._clock,
            beats=self._beats,
            apply=self._apply,
            under_systemd=self._notifier.active,
        )

    def _receivers(self) -> tuple[str, ...]:
        return self._settings.alerting.receivers

    def _watchdog_diagnosis(self) -> Diagnosis:
        return watchdog_diagnosis(self._notifier.watchdog_interval(), self._notifier.why_off)
