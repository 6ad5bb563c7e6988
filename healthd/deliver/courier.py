"""One receiver's letters, and when each is tried. A receiver that does not answer holds up its own letters only."""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from healthd.deliver.pauses import SHORT_SECONDS, WISH_SECONDS, pause
from healthd.errors import DeliveryError
from healthd.events import Event
from healthd.letters import Outcome, Why
from healthd.model import Severity

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from healthd.deliver.folder import Folder
    from healthd.deliver.secrets import Secrets
    from healthd.letters import Letter
    from healthd.ports import Clock, Log

    Send = Callable[[Letter], Awaitable[None]]

_UNSEEN: Final = frozenset({Why.ALIVE, Why.BEAT})

KEEP_SECONDS: Final = 7 * 86_400.0
"""A letter that nobody took for so long is given up ..."""

STALE_SECONDS: Final = 60.0
"""What says that healthd lives is worth nothing when it is older."""

KEEP_TRIES: Final = 5
"""... but not before so many tries: where the clock was set since, a letter only looks old."""


async def taken_out(_letter: Letter) -> None:
    """What is sent to a receiver that nobody names any more."""
    raise DeliveryError("it is not in the configuration any more", final=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A letter on its way, and how often that failed."""

    name: str
    letter: Letter
    tries: int = 0


class Courier:
    """Brings letters to one receiver, one at a time. `send` raises `DeliveryError`; `done` hears of each that is gone.

    Letters of one alert keep their order; of others, the one that failed least often goes first, so that one that is
    never taken does not stand before all.
    """

    def __init__(
        self,
        receiver: str,
        *,
        folder: Folder,
        clock: Clock,
        log: Log,
        secrets: Secrets,
        done: Callable[[str], None],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.receiver = receiver
        self.send: Send = taken_out
        self.keeps_alive, self.takes_notes = False, True
        self._folder, self._clock, self._log, self._secrets = folder, clock, log, secrets
        self._done, self._chance = done, chance
        self._tasks: dict[str, Task] = {}
        self.busy = False
        self._news = asyncio.Event()
        self._failures = 0
        self._not_before = self._asked_for = 0.0

    @property
    def idle(self) -> bool:
        """Whether there is nothing to bring."""
        return not self._tasks

    def take(self, name: str, letter: Letter) -> None:
        """Bring this letter, unless that was done, or is not for this receiver."""
        age = self._clock.wall() - letter.at
        stale = letter.why is Why.BEAT and age > STALE_SECONDS
        if (
            stale
            or (letter.why is Why.ALIVE and not self.keeps_alive)
            or (letter.note and not self.takes_notes)
            or self._folder.is_delivered(letter, self.receiver)
        ):
            self._done(name)
            return
        self._tasks[name] = Task(name=name, letter=letter)
        self._not_before = min(self._not_before, max(self._asked_for, self._clock.boot() + SHORT_SECONDS))
        self._news.set()

    async def run(self) -> None:
        """Bring letters until cancelled."""
        while True:
            task = self._next()
            if task is None:
                self._news.clear()
                await self._news.wait()
                continue
            wait = self._not_before - self._clock.boot()
            if wait > 0 and task.letter.why is not Why.TEST:
                self._news.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._news.wait()
                continue
            await self._try(task)

    def _next(self) -> Task | None:
        """A test does not wait for what fails."""
        firsts: dict[str, Task] = {}
        for task in self._tasks.values():
            known = firsts.get(task.letter.key)
            if known is None or task.letter.number < known.letter.number:
                firsts[task.letter.key] = task
        return min(firsts.values(), key=_turn, default=None)

    async def _try(self, task: Task) -> None:
        began, self.busy = self._clock.boot(), True
        try:
            await self.send(task.letter)
        except DeliveryError as error:
            self._failed(task, error)
        except Exception as error:  # noqa: BLE001  the border of a receiver's run
            self._log.exception(Event.ALERT_FAILED, f"{self.receiver} is broken", error, receiver=self.receiver)
            self._failed(task, DeliveryError(f"a fault in healthd: {type(error).__name__}"))
        else:
            self._failures, self._not_before = 0, 0.0
            took = max(0.0, self._clock.wall() - task.letter.at)
            self._over(task, Outcome(ok=True, text=f"taken within {self._clock.boot() - began:.2f} s", took=took))
            if task.letter.why not in _UNSEEN:
                self._tell(task, Event.ALERT_SENT, f"told {self.receiver}: {task.letter.title}", None)
        finally:
            self.busy = False

    def _failed(self, task: Task, error: DeliveryError) -> None:
        text, letter = self._secrets.without(str(error)), task.letter
        age = max(0.0, self._clock.wall() - letter.at)
        old = age > KEEP_SECONDS and task.tries + 1 >= KEEP_TRIES
        if letter.why is Why.BEAT:  # one that comes late would say that healthd lives when it may not
            self._failures += 1
            if self._failures == 1:
                self._tell(task, Event.ALERT_FAILED, f"the dead man's switch cannot be told: {text}", Severity.MEDIUM)
            self._over(task, Outcome(ok=False, text=text, took=age))
            return
        if error.final or letter.why is Why.TEST or old:
            self._over(task, Outcome(ok=False, text=text, took=age))
            self._tell(
                task, Event.ALERT_FAILED, f"{self.receiver} will not hear of it: {text} ({letter.title})", Severity.HIGH
            )
            return
        self._failures += 1
        self._tasks[task.name] = replace(task, tries=task.tries + 1)
        youngest = max(self._clock.wall() - max(each.letter.at for each in self._tasks.values()), 0.0)
        wait = pause(self._failures, youngest, self._chance(), error.wait)
        self._not_before = self._clock.boot() + wait
        self._asked_for = self._clock.boot() + min(error.wait or 0.0, WISH_SECONDS)
        if task.tries == 0:
            self._note(letter, Outcome(ok=False, text=text, took=age, final=False))
            message = f"{self.receiver} could not be told: {text}; again in {wait:.0f} s ({letter.title})"
            self._tell(task, Event.ALERT_FAILED, message, Severity.MEDIUM)

    def _over(self, task: Task, outcome: Outcome) -> None:
        self._note(task.letter, outcome)
        del self._tasks[task.name]
        self._done(task.name)

    def _note(self, letter: Letter, outcome: Outcome) -> None:
        """Where the disk is full, what was delivered is known as long as this process lives."""
        if letter.why in _UNSEEN and outcome.ok:
            return  # nobody counts these, and one more does no harm
        with contextlib.suppress(OSError):
            self._folder.note(letter, self.receiver, outcome)

    def _tell(self, task: Task, event: Event, message: str, severity: Severity | None) -> None:
        fields: dict[str, Any] = {"incident": task.letter.incident} if task.letter.incident else {}
        self._log.event(event, message, severity=severity, receiver=self.receiver, **fields)


def _turn(task: Task) -> tuple[bool, int, float]:
    """Orders letters: one that only tries the way waits for nothing."""
    return task.letter.why is not Why.TEST, task.tries, task.letter.at
