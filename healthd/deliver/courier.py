"""One receiver's letters, and when each is tried. A receiver that does not answer holds up its own letters only.

Of a receiver of several addresses (of mail, of apprise) each is a lane: what one does not take is tried again there and
nowhere else, and holds up no other.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING, Any, Final

from healthd.deliver.lanes import Lane, Task, first_for, mark_of, said, together
from healthd.errors import DeliveryError
from healthd.events import Event
from healthd.letters import Outcome, Why
from healthd.model import Severity

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from healthd.deliver.folder import Folder
    from healthd.deliver.secrets import Secrets
    from healthd.letters import Letter
    from healthd.ports import Clock, Log

    Send = Callable[[Letter, Sequence[str]], Awaitable[Mapping[str, DeliveryError] | None]]
    """Brings a letter to these addresses. Returns what became of those that did not take it, raises if none did."""

_UNSEEN: Final = frozenset({Why.ALIVE, Why.BEAT})
_GONE: Final = "it is not in the configuration any more"

KEEP_SECONDS: Final = 7 * 86_400.0
"""A letter that nobody took for so long is given up ..."""

STALE_SECONDS: Final = 60.0
"""What says that healthd lives is worth nothing when it is older."""

KEEP_TRIES: Final = 5
"""... but not before so many tries: where the clock was set since, a letter only looks old."""


class Courier:
    """Brings letters to one receiver, to each of its lanes one at a time. `done` hears of each letter that is gone.

    Letters of one alert keep their order; of others, the one that failed least often goes first, so that one that is
    never taken does not stand before all. That it is over hears only who heard of it.
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
        self.keeps_alive, self.takes_notes, self.together = False, True, False
        self._folder, self._clock, self._log, self._secrets = folder, clock, log, secrets
        self._done, self._chance = done, chance
        self._send: Send | None = None
        self._lanes: dict[str, Lane] = {}
        self._tasks: dict[str, Task] = {}
        self._news = asyncio.Event()

    @property
    def busy(self) -> bool:
        """Whether a letter is on its way."""
        return any(lane.busy for lane in self._lanes.values())

    @property
    def marks(self) -> frozenset[str]:
        """Of the lanes that there are."""
        return frozenset(self._lanes)

    def serve(self, send: Send | None, lanes: Iterable[Lane]) -> None:
        """From now on these are the lanes, and this leads there. None at all: nobody names the receiver any more."""
        self._send = send
        old, self._lanes = self._lanes, {}
        for lane in lanes:
            self._lanes[lane.mark] = old.get(lane.mark, lane)
            self._lanes[lane.mark].now_at(lane)
        for task in list(self._tasks.values()):
            for mark in task.left.keys() - self._lanes.keys():
                del task.left[mark]
                task.lost.append(_named(old[mark], _GONE))
                if task.letter.over:
                    self._folder.owe(self.receiver, mark, task.letter)
            self._address(task, self._lanes.keys() - old.keys())
            if not task.left:
                if task.lost:
                    self._say_lost(task, "; ".join(task.lost))
                self._over(task)
        self._news.set()

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
        self._tasks[name] = task = Task(name=name, letter=letter)
        self._address(task, self._lanes)
        if not task.left:
            self._over(task)
            return
        for mark in task.left:
            self._lanes[mark].hurry(self._clock.boot())
        self._news.set()

    def _address(self, task: Task, marks: Iterable[str]) -> None:
        """It is for these lanes too, but for those that have it, or never will, as a process before this one noted."""
        for mark in marks:
            text = self._folder.became(task.letter, self.receiver, mark) if mark else None
            if text is None:
                task.left[mark] = 0
            elif text:
                task.lost.append(text)
            else:
                task.taken += 1

    async def run(self) -> None:
        """Bring letters until cancelled."""
        async with asyncio.TaskGroup() as tries:
            while True:
                self._news.clear()
                wait = self._begin(tries)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._news.wait()

    def _begin(self, tries: asyncio.TaskGroup) -> float | None:
        """Begin all that is due; in how many seconds more is, None: when there is news."""
        now, waits, due = self._clock.boot(), [], {}
        for mark, lane in list(self._lanes.items()):
            task = None if lane.busy else self._next(mark)
            if task is None:
                continue
            if lane.not_before > now and task.letter.why is not Why.TEST:
                waits.append(lane.not_before - now)
            else:
                due[mark] = task
        if not self.together:
            for mark, task in due.items():
                self._start(tries, task, [mark])
        elif not self.busy and (batch := together(due)):
            self._start(tries, *batch)
        return min(waits, default=None)

    def _next(self, mark: str) -> Task | None:
        """What this lane gets next. That it is over is nothing to one who never heard of it."""
        while (task := first_for(self._tasks.values(), mark)) is not None:
            if not task.letter.over or self._folder.is_told(self.receiver, mark, task.letter.key):
                return task
            del task.left[mark]
            if not task.left:
                self._over(task)
        return None

    def _start(self, tries: asyncio.TaskGroup, task: Task, marks: Sequence[str]) -> None:
        lanes = [self._lanes[mark] for mark in marks]
        for lane in lanes:
            lane.busy = True
        tries.create_task(self._try(task, lanes))

    async def _try(self, task: Task, lanes: Sequence[Lane]) -> None:
        began = self._clock.boot()
        addresses = [lane.address for lane in lanes]
        alike = self.together
        errors: Mapping[str, DeliveryError] = {}
        try:
            if self._send is not None:
                errors, alike = await self._send(task.letter, addresses) or {}, False
        except DeliveryError as error:
            errors = dict.fromkeys(addresses, error)
        except Exception as error:  # noqa: BLE001  the border of a receiver's run
            self._log.exception(Event.ALERT_FAILED, f"{self.receiver} is broken", error, receiver=self.receiver)
            errors = dict.fromkeys(addresses, DeliveryError(f"a fault in healthd: {type(error).__name__}"))
        finally:
            for lane in lanes:
                lane.busy = False
            self._news.set()
        self._settle(task, lanes, errors, alike=alike)
        peers = {address: error for address, error in errors.items() if address not in addresses}
        if peers.keys() == errors.keys():
            self._compare(task, peers)
        if task.name in self._tasks and not task.left:
            self._over(task, self._clock.boot() - began)

    def _settle(self, task: Task, lanes: Sequence[Lane], errors: Mapping[str, DeliveryError], *, alike: bool) -> None:
        """What became of a try. `alike`: an error is that of all, whose names say nothing."""
        letter = task.letter
        lanes = [lane for lane in lanes if lane.mark in task.left]
        took = [lane for lane in lanes if lane.address not in errors]
        for lane in took:
            lane.took()
            del task.left[lane.mark]
            task.taken += 1
            self._remember(task, lane, "")
        if took and letter.why not in _UNSEEN:
            whom = ", ".join(lane.label for lane in took) if len(took) < len(self._lanes) else ""
            message = f"told {self.receiver}{whom and f' ({whom})'}: {letter.title}"
            self._tell(task, Event.ALERT_SENT, message, None)
        failed = {lane.mark: errors[lane.address] for lane in lanes if lane.address in errors}
        for text, marks in said(failed, lambda mark, error: self._words(mark, error, alike=alike)).items():
            self._failed(task, [self._lanes[mark] for mark in marks], text, failed[marks[0]])

    def _words(self, mark: str, error: DeliveryError, *, alike: bool) -> str:
        return self._secrets.without(str(error) if alike else _named(self._lanes[mark], str(error)))

    def _failed(self, task: Task, lanes: Sequence[Lane], text: str, error: DeliveryError) -> None:
        """These did not take it, for the same reason."""
        letter, now = task.letter, self._clock.boot()
        age = max(0.0, self._clock.wall() - letter.at)
        old = age > KEEP_SECONDS and min(task.left[lane.mark] for lane in lanes) + 1 >= KEEP_TRIES
        if letter.why is Why.BEAT:  # one that comes late would say that healthd lives when it may not
            first = not lanes[0].failures
            lanes[0].failures += 1
            if first:
                self._tell(task, Event.ALERT_FAILED, f"the dead man's switch cannot be told: {text}", Severity.MEDIUM)
        if error.final or letter.why in (Why.TEST, Why.BEAT) or old:
            task.lost.append(text)
            for lane in lanes:
                del task.left[lane.mark]
                self._remember(task, lane, text)
            if letter.why is not Why.BEAT:
                self._say_lost(task, text)
            return
        first = any(task.left[lane.mark] == 0 for lane in lanes)
        wait = 0.0
        for lane in lanes:
            task.left[lane.mark] += 1
            newest = max(each.letter.at for each in self._tasks.values() if lane.mark in each.left)
            wait = lane.failed(error, now, max(self._clock.wall() - newest, 0.0), self._chance())
        if first:
            self._note(letter, Outcome(ok=False, text=text, took=age, final=False))
            message = f"{self.receiver} could not be told: {text}; again in {wait:.0f} s ({letter.title})"
            self._tell(task, Event.ALERT_FAILED, message, Severity.MEDIUM)

    def _compare(self, task: Task, peers: Mapping[str, DeliveryError]) -> None:
        """Of several that tell each other one is enough. That another takes nothing is said once, and so is its end."""
        known = self._folder.poor(self.receiver)
        if not (known or peers):
            return
        text = self._secrets.without("; ".join(map(str, peers.values())))
        poor = frozenset(map(mark_of, peers))
        if poor - known:
            message = f"{self.receiver} was told, but not by all of its addresses: {text}"
            self._tell(task, Event.ALERT_FAILED, message, Severity.MEDIUM)
        elif known - poor:
            left = f" but for {text}" if text else ""
            message = f"{self.receiver} can be told at all of its addresses again{left}"
            self._tell(task, Event.ALERT_FAILED, message, None, reason="recovered")
        if poor != known:
            with contextlib.suppress(OSError):
                self._folder.note_poor(self.receiver, poor)
        if peers and task.letter.why is Why.TEST:
            task.lost.append(text)
        elif poor - known or (poor and task.letter.why not in _UNSEEN):
            age = max(0.0, self._clock.wall() - task.letter.at)
            self._note(task.letter, Outcome(ok=False, text=text, took=age, final=False))

    def _over(self, task: Task, seconds: float = 0.0) -> None:
        """Everybody has it, or never will. What nobody was to hear of is no outcome."""
        del self._tasks[task.name]
        if task.taken or task.lost:
            took, lost = max(0.0, self._clock.wall() - task.letter.at), "; ".join(task.lost)
            text = f"taken within {seconds:.2f} s"
            if lost:
                some = f"taken by {task.taken} of {len(self._lanes)}" if len(self._lanes) > 1 else "taken"
                text = f"{some}, but {lost}" if task.taken else lost
            self._note(task.letter, Outcome(ok=not lost, text=text, took=took))
        self._done(task.name)

    def _remember(self, task: Task, lane: Lane, text: str) -> None:
        """What became of it at this lane, for a process after this one; "": it has it."""
        self._folder.settle(task.letter, self.receiver, lane.mark, text, more=bool(task.left))

    def _note(self, letter: Letter, outcome: Outcome) -> None:
        if letter.why not in _UNSEEN or not outcome.ok:  # nobody counts those, and one more does no harm
            self._folder.note(letter, self.receiver, outcome)

    def _say_lost(self, task: Task, text: str) -> None:
        message = f"{self.receiver} will not hear of it: {text} ({task.letter.title})"
        self._tell(task, Event.ALERT_FAILED, message, Severity.HIGH)

    def _tell(self, task: Task, event: Event, message: str, severity: Severity | None, **more: Any) -> None:
        fields: dict[str, Any] = {"incident": task.letter.incident} if task.letter.incident else {}
        self._log.event(event, message, severity=severity, receiver=self.receiver, **fields, **more)


def _named(lane: Lane, text: str) -> str:
    return f"{lane.label}: {text}" if lane.label else text
