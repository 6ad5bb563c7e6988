"""Takes letters from the outbox, hands them to the couriers, and takes away what everybody has."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from healthd.config import DEFAULT_FILE, load
from healthd.deliver.courier import Courier
from healthd.deliver.lanes import Lane, mark_of
from healthd.deliver.secrets import Secrets
from healthd.deliver.watch import watching
from healthd.errors import ConfigError, DeliveryError
from healthd.events import Event
from healthd.letters import Outcome
from healthd.model import Severity
from healthd.registry import find_receivers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from healthd.config import Settings
    from healthd.deliver.courier import Send
    from healthd.deliver.folder import Folder
    from healthd.letters import Letter
    from healthd.ports import Clock, Log
    from healthd.registry import ReceiverSpec, Ways

LOOK_SECONDS: Final = 1.0
"""So often it is looked for new letters where nothing tells of them; new settings are looked for as often."""

IDLE_SECONDS: Final = 30.0
"""So long it stays when there is nothing to do: the next letter often comes soon."""

STAY_SECONDS: Final = 120.0
"""It stays for heartbeats that come at least so often."""

LIFE_SECONDS: Final = 600.0
"""Then it ends and is started anew, which is how systemd hands over credentials that somebody changed."""


class Office:
    """The whole process, once. `ways` lead to the world, `credentials` is the folder that systemd made (None: none).

    `config` is the main file of the configuration, None: the usual one. `stop` may be called at any time.
    """

    def __init__(
        self,
        *,
        folder: Folder,
        clock: Clock,
        log: Log,
        ways: Ways,
        config: Path | None = None,
        credentials: Path | None = None,
        idle: float = IDLE_SECONDS,
        life: float = LIFE_SECONDS,
    ) -> None:
        self._folder, self._clock, self._log, self._ways, self._config = folder, clock, log, ways, config
        self._secrets = Secrets(credentials)
        self._idle, self._life = idle, life
        self._couriers: dict[str, Courier] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._waits_for: dict[str, set[str]] = {}
        self._news = asyncio.Event()
        self._stopping = self._said_trouble = False
        self._stamp: tuple[tuple[str, int, int], ...] | None = None
        self._settings: Settings | None = None

    def stop(self) -> None:
        """End as soon as no letter is on its way."""
        self._stopping = True
        self._news.set()

    async def run(self) -> None:
        """Deliver until there has been nothing to do for a while."""
        began = quiet_since = self._clock.boot()
        async with asyncio.TaskGroup() as group:
            with watching(self._folder.outbox, self._news.set):
                while True:
                    self._news.clear()
                    self._configure(group)
                    self._collect()
                    troubled = self._in_trouble()
                    now = self._clock.boot()
                    quiet_since = now if self._waits_for else quiet_since
                    over = now - quiet_since >= self._idle or (now - began >= self._life and not self._busy())
                    told = self._stopping or self._folder.outdated
                    # The next process would not know what the disk did not take down, and send all of it once more.
                    if (over and not troubled) or (told and not self._busy()):
                        break
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(min(LOOK_SECONDS, self._idle)):
                            await self._news.wait()
            for task in self._tasks:
                task.cancel()
        self._folder.tidy(self._clock.wall())

    def _busy(self) -> bool:
        return any(courier.busy for courier in self._couriers.values())

    def _in_trouble(self) -> bool:
        """Whether the disk lacks something still; said when that begins and ends."""
        self._folder.catch_up()
        trouble = self._folder.trouble
        if (trouble is not None) is not self._said_trouble:
            self._said_trouble = trouble is not None
            if trouble is not None:
                message = f"what became of alerts cannot be written down: {trouble}; none is sent twice meanwhile"
                self._log.event(Event.STORAGE_FAILED, message, severity=Severity.MEDIUM, reason="cannot_write")
            else:
                self._log.event(Event.STORAGE_FAILED, "what became of alerts is written down again", reason="recovered")
        return self._said_trouble

    # Who is to be told

    def _configure(self, group: asyncio.TaskGroup) -> None:
        """Take over the configuration if it is another than before. One that is wrong changes nothing."""
        stamp = _stamp(self._config or DEFAULT_FILE)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            settings: Settings | None = load(self._config)
        except ConfigError as error:
            first = self._settings is None
            then = "what of it can be understood holds for alerts" if first else "the old one stays in force for alerts"
            message = f"the configuration cannot be used ({error.problems[0]}): {then}"
            self._log.event(Event.ALERT_FAILED, message, severity=Severity.HIGH, reason="config")
            settings = self._rescued() if first else None
        if settings is not None:
            self._settings = settings
            self._set_up(settings, group)

    def _rescued(self) -> Settings | None:
        """That healthd does not start is what people must hear of, and a wrong configuration is one of the reasons."""
        try:
            return load(self._config, rescue=True)
        except ConfigError:
            return None

    def _set_up(self, settings: Settings, group: asyncio.TaskGroup) -> None:
        """Have a courier for each who is to be told."""
        alerting = settings.alerting
        if alerting.heartbeat_url and alerting.heartbeat_seconds <= STAY_SECONDS:  # to start each time costs more
            self._idle = max(self._idle, 1.5 * alerting.heartbeat_seconds)
        specs = find_receivers((*alerting.receivers, *(["heartbeat"] if alerting.heartbeat_url else [])))
        for name, spec in specs.items():
            if name not in self._couriers:
                self._couriers[name] = courier = Courier(
                    name,
                    folder=self._folder,
                    clock=self._clock,
                    log=self._log,
                    secrets=self._secrets,
                    done=functools.partial(self._done, name),
                )
                self._tasks.append(group.create_task(courier.run(), name=name))
            courier = self._couriers[name]
            courier.keeps_alive, courier.takes_notes, courier.together = (
                spec.keeps_alive,
                spec.takes_notes,
                spec.together,
            )
            courier.serve(self._send(spec, settings), self._lanes(spec, settings))
            self._folder.pay(name, courier.marks)
        for name, courier in self._couriers.items():
            if name not in specs:
                courier.serve(None, ())

    def _send(self, spec: ReceiverSpec, settings: Settings) -> Send:
        async def send(letter: Letter, addresses: Sequence[str]) -> Mapping[str, DeliveryError] | None:
            options = spec.options(settings.alerting, self._secrets.reveal)
            if spec.each and "" in addresses:
                raise DeliveryError("there is no address in its credential")
            mine = {spec.each: tuple(addresses)} if spec.each else {}
            return await spec.send(self._ways, letter, replace(options, **mine))

        return send

    def _lanes(self, spec: ReceiverSpec, settings: Settings) -> list[Lane]:
        """The addresses that are told each by itself; where they cannot be known, one that says so to each letter."""
        try:
            options = spec.options(settings.alerting, self._secrets.reveal)
        except DeliveryError:
            return [Lane()]
        if not spec.each:
            return [Lane(stand=mark_of(repr(options)))]
        return [
            Lane(
                mark=mark_of(address),
                address=address,
                label=spec.label(number, address),
                stand=mark_of(repr(replace(options, **{spec.each: (address,)}))),
            )
            for number, address in enumerate(dict.fromkeys(getattr(options, spec.each)), 1)
        ] or [Lane()]

    # What they are to be told

    def _collect(self) -> None:
        """Hand out the letters that have come."""
        if self._settings is None:
            return
        receivers = self._settings.alerting.receivers
        for name, letter in self._folder.letters(frozenset(self._waits_for)):
            if letter is None:
                self._folder.put_aside(name)
                message = f"{name} in the outbox is no letter, and is put aside"
                self._log.event(Event.ALERT_FAILED, message, severity=Severity.MEDIUM, reason="broken")
                continue
            if letter.over:
                self._owe(letter)
            named = letter.to in self._couriers and self._couriers[letter.to].marks
            wanted = [letter.to] if named else [] if letter.to else list(receivers)
            if not wanted:
                if letter.to:
                    self._folder.note(letter, letter.to, Outcome(ok=False, text="it is not set up", took=0.0))
                self._folder.remove(name)
                continue
            self._waits_for[name] = set(wanted)
            for receiver in wanted:
                self._couriers[receiver].take(name, letter)

    def _owe(self, letter: Letter) -> None:
        """Who heard of an alert hears of its end, if that must wait until they are in the configuration again."""
        for receiver, mark in self._folder.told(letter.key):
            courier = self._couriers.get(receiver)
            if courier is None or mark not in courier.marks:
                self._folder.owe(receiver, mark, letter)

    def _done(self, receiver: str, name: str) -> None:
        waits = self._waits_for.get(name, set())
        waits.discard(receiver)
        if not waits:
            self._folder.remove(name)
            self._waits_for.pop(name, None)
            self._news.set()


def _stamp(main: Path) -> tuple[tuple[str, int, int], ...]:
    """Tells one state of the configuration's files from another."""
    found = []
    for file in (main, *sorted((main.parent / "conf.d").glob("*.toml"))):
        with contextlib.suppress(OSError):
            known = file.stat()
            found.append((str(file), known.st_mtime_ns, known.st_ino))
    return tuple(found)
