"""Replays the tape through the engine, under other settings.

As long as the same is decided as was, the engine is given what it was given then. Where something else is decided about
a subject (a unit, or a part of the host), that subject goes its own way from there: what healthd did to it then has not
happened, what it does now is taken to come to what the record says of the like, and what others did to it happens all
the same. When it is well again in both worlds, the ways have met.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from healthd.config.show import tables
from healthd.decide import engine
from healthd.decide.happenings import News, Spooled
from healthd.decide.silence import after_reboot
from healthd.model import JobResult
from healthd.record.deeds import ENDED, STARTED, TOLD, Deed, deeds
from healthd.record.frames import order_of
from healthd.record.saved import restore
from healthd.record.tape import BOOT
from healthd.simulate.past import Past, deeds_of, key_of
from healthd.simulate.reasons import Recorded, not_told, standing
from healthd.simulate.world import World, subject_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from healthd.config import Settings
    from healthd.decide.state import EngineState, Key
    from healthd.model import Item
    from healthd.simulate.judged import Found, Limit
    from healthd.simulate.past import Guess, Spell

    Plain = Mapping[str, Any]

LATE: Final = 0.5
"""What the engine wakes for is left to a step of the record that came so soon after: timers are late."""

ENOUGH: Final = 10_000
"""So many actions that were never done end a replay: without limits a unit may be restarted twice a second for ever."""

_TICK: Final = 1e-3
_DECIDING: Final = ("health", "auto_healing", "services", "component", "thresholds", "alerting")


class Told(NamedTuple):
    """Something that happened, in either world. `instead`: how things stood then in the other one, in words."""

    now: float
    wall: float
    deed: Deed
    instead: str = ""


@dataclass(slots=True, kw_only=True)
class Way:
    """A subject that goes its own way. `spell`: the failure of the record that it is in. `due`: when a job ends."""

    spell: Spell | None
    due: float = inf
    key: Key | None = None
    guess: Guess | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What was, and what would have been. `gaps` are stretches (Unix seconds) of which the record knows nothing.

    `guesses` counts what outcomes rest on. `ran_away`: the replay has ended before the record, at `ended` (Unix
    seconds; `end` in the engine's), since nothing holds these settings back.
    """

    was: Sequence[Told]
    would: Sequence[Told]
    end: float
    ended: float
    ran_away: bool
    steps: int
    gaps: Sequence[tuple[float, float]]
    guesses: Mapping[str, int]


class _RanAway(Exception):
    """Nothing holds these settings back."""


class Replay:
    """One replay. `run` it once."""

    def __init__(
        self,
        settings: Settings,
        frames: Sequence[Plain],
        until: float,
        *,
        limits: Sequence[Limit] = (),
        found: Sequence[Found] = (),
        enough: int = ENOUGH,
    ) -> None:
        self._enough = enough
        self._settings, self._frames, self._until = settings, frames, until
        self._given = _without_reminders(settings)
        self._tables = tables(settings)
        self._past = Past(frames)
        self._world = World(settings)
        kinds = [(limit.component, limit.issue) for limit in limits]
        self._world.anew = {name: frozenset(i for each, i in kinds if each == name) for name, _ in kinds}
        self._found = deque(found)
        self._ways: dict[str, Way] = {}
        self._acting: set[str] = set()
        self._ahead: set[str] = set()
        self._recorded = Recorded(frames[0])
        self._was: list[Told] = []
        self._would: list[Told] = []
        self._gaps: list[tuple[float, float]] = []
        self._guesses: dict[str, int] = {}
        self._steps = 0
        self._wake: float | None = None
        self._now = self._wall = 0.0
        self._state: EngineState = _state_of(frames[0])
        self._as_recorded = True
        self._boot = ""

    def run(self) -> Replayed:
        """The whole record, or as much of it as it takes to see that nothing holds these settings back."""
        try:
            self._play()
        except _RanAway:
            end, ended, ran_away = self._now, self._wall, True
        else:
            end, ended, ran_away = self._now + max(0.0, self._until - self._wall), self._until, False
        return Replayed(
            was=self._was,
            would=self._would,
            end=end,
            ended=ended,
            ran_away=ran_away,
            steps=self._steps,
            gaps=self._gaps,
            guesses=self._guesses,
        )

    def _play(self) -> None:
        before: Plain | None = None
        for frame in self._frames:
            if before is not None and not self._follows(before, frame):
                continue
            self._frame(frame, before)
            before = frame
        end = self._now + max(0.0, self._until - self._wall)
        self._pass_time(end, end)

    # The record

    def _follows(self, before: Plain, frame: Plain) -> bool:
        """Whether the frame is the next one. Where some are missing, the replay goes on at the next whole one."""
        if frame.get("first") or frame["n"] == before["n"] + 1:
            return True
        if "state" not in frame:
            return False
        self._gaps.append((before["wall"], frame["wall"]))
        self._begin_anew(frame)
        return True

    def _begin_anew(self, frame: Plain) -> None:
        self._ways.clear()
        self._acting.clear()
        self._ahead.clear()
        self._state, self._wake = _state_of(frame), None
        self._recorded.begin_anew(frame)

    def _frame(self, frame: Plain, before: Plain | None) -> None:
        if before is not None:
            if frame.get("first"):
                self._healthd_starts(frame, before)
            else:
                self._pass_time(frame["now"] - LATE, frame["now"])
        self._now, self._wall = frame["now"], frame["wall"]
        self._boot = frame.get("boot", self._boot)
        self._recorded.feed(frame)
        if "settings" in frame:
            self._as_recorded &= all(frame["settings"].get(name) == self._tables[name] for name in _DECIDING)
        if "state" in frame and (before is None or (self._as_recorded and not self._ways)):
            self._state = _state_of(frame)
        if "reset" in frame or "forgiven" in frame:
            keys = map(key_of, frame.get("reset", ()))
            self._state = engine.reset(self._state, keys, frame.get("forgiven", ()))
        changed = self._world.feed(frame, self._ways.__contains__)
        for name, was, now in changed:
            self._meet_others(subject_of(name, now or was), was, now)
        done = list(deeds_of(frame))
        self._step(self._news(frame), done)
        self._remember(done)

    def _news(self, frame: Plain) -> News:
        judged = [(each[0], each[1]) for each in frame.get("items", ()) if each[2] is not None and each[3:] != [False]]
        seen, lost = ([(name[0], name[1]) for name in frame.get(key, ())] for key in ("seen", "gone"))
        results = []
        for key, result, text in frame.get("results", ()):
            ticket = self._state.tickets.get(key_of(key))
            if ticket is not None and (ticket.unit or ticket.key.subject) not in self._ways:
                results.append((key, JobResult(result=result, text=text)))
        return News(
            items=tuple(dict.fromkeys((*judged, *seen))),
            gone=tuple(lost),
            results=tuple(results),
            orders=tuple(map(order_of, frame.get("orders", ()))),
            everything=frame.get("everything", False),
            complete=frame.get("complete", True),
        )

    def _healthd_starts(self, frame: Plain, before: Plain) -> None:
        """A start of healthd, or of the host; until the end of the one before, time passed as ever."""
        alive = before.get("alive", before["wall"])
        died = min(frame["now"], before["now"] + max(0.0, alive - before["wall"]))
        self._pass_time(died, died)
        now, rebooted = frame["now"], frame["boot"] != self._boot
        for subject, way in list(self._ways.items()):
            if rebooted:
                del self._ways[subject]
            elif way.guess is not None:  # nobody awaits the job any more, but it comes to what it comes to
                self._world.act(subject, helps=way.guess.helps)
                way.due, way.guess = inf, None
        self._ahead.clear()
        self._state = engine.resume(self._state, now)
        if rebooted:
            left = after_reboot(self._state.silences, now, frame["wall"])
            self._state = replace(self._state, silences=left)
        self._wake = None

    def _meet_others(self, subject: str, was: Item | None, now: Item | None) -> None:
        """What others did to a subject that goes its own way, or what befell it, happens to it all the same."""
        way = self._ways.get(subject)
        stopped = now is not None and now.stopped
        if way is None or _kind(was) == _kind(now) or (subject in self._acting and not stopped):
            return
        self._world.copy(subject)
        way.spell = self._past.spell_at(subject, self._now)
        if way.guess is None and not self._is_acting(subject):
            del self._ways[subject]

    # Time

    def _pass_time(self, until: float, before: float) -> None:
        """What the engine wakes for until the one time, and the jobs that end before the other."""
        while True:
            due, subject = min(((way.due, subject) for subject, way in self._ways.items()), default=(inf, ""))
            wake = inf if self._wake is None else self._wake + _TICK
            if self._found and self._at(self._found[0]) < min(due, wake, until):
                self._judge(self._found.popleft())
            elif due <= wake and due < before:
                self._end_job(subject, due)
            elif wake < due and wake <= until:
                self._go_on(max(self._now, wake))
                self._step(News(), [])
            else:
                return

    def _at(self, found: Found) -> float:
        """When that was, in engine seconds."""
        return self._now + max(0.0, found.at - self._wall)

    def _judge(self, found: Found) -> None:
        """Something would have been found, or not any more, under other limits."""
        self._go_on(self._at(found))
        self._world.judge(found.name, found.findings)
        self._step(News(items=(found.name,)), [])

    def _go_on(self, now: float) -> None:
        self._wall += now - self._now
        self._now = now

    def _end_job(self, subject: str, due: float) -> None:
        way = self._ways[subject]
        guess, key = way.guess, way.key
        way.due, way.guess = inf, None
        if guess is None:
            return
        self._go_on(max(self._now, due))
        acted = self._world.act(subject, helps=guess.helps)
        names = tuple(sorted(self._world.names.get(subject, ())))
        result = JobResult(result=guess.result if acted else "canceled")
        self._step(News(items=names, results=((str(key), result),)), [])

    # The engine

    def _step(self, news: News, was: Sequence[Deed]) -> None:
        moment = self._world.moment(self._now, self._wall, self._ways)
        before = self._state
        step = engine.step(self._given, before, moment, _spooled(news, before))
        self._state, self._wake = step.state, step.wake_at
        self._steps += 1
        would = deeds(self._settings, before, step)
        self._tell(was, would)
        begun = {each.subject: each for each in was if each.kind == STARTED}
        for deed in would:
            if deed.kind == STARTED:
                self._begun(deed, begun.pop(deed.subject, None))
        for subject in begun:
            if subject in self._ahead:
                self._ahead.discard(subject)
            elif subject not in self._ways:
                self._ways[subject] = Way(spell=self._past.spell_at(subject, self._now))
        self._meet_again()

    def _tell(self, was: Iterable[Deed], would: Iterable[Deed]) -> None:
        """What happened in a step, in either world, and how that stood in the other one."""
        self._recorded.decided(was)
        for deed in was:
            instead = standing(self._state, deed.key) if deed.kind == STARTED else ""
            if deed.kind == TOLD:
                instead = not_told(self._settings, self._state, deed)
            self._was.append(Told(self._now, self._wall, deed, instead))
        for deed in would:
            instead = self._recorded.not_done(deed.key) if deed.kind == STARTED else ""
            if deed.kind == TOLD:
                instead = self._recorded.not_told(deed)
            self._would.append(Told(self._now, self._wall, deed, instead))

    def _begun(self, deed: Deed, was: Deed | None) -> None:
        """An action would be carried out: it was, or it soon was, or its outcome must be guessed."""
        subject = deed.subject
        if subject not in self._ways:
            if was is not None and was.what == deed.what:
                return
            if was is None and self._past.starts_soon(subject, deed.what, self._now):
                self._ahead.add(subject)
                return
            self._ways[subject] = Way(spell=self._past.spell_at(subject, self._now))
        way = self._ways[subject]
        way.guess, way.key = self._past.guess(way.spell, self._now), deed.key
        way.due = self._now + max(way.guess.after, _TICK)
        self._guesses[way.guess.how] = self._guesses.get(way.guess.how, 0) + 1
        if sum(self._guesses.values()) >= self._enough:
            raise _RanAway

    def _meet_again(self) -> None:
        """Subjects that are well in both worlds, and on which nobody acts in either, go one way again."""
        for subject, way in list(self._ways.items()):
            if way.guess is not None or subject in self._acting or self._is_acting(subject):
                continue
            if self._world.is_well(subject) and self._world.is_well(subject, recorded=True):
                del self._ways[subject]
                self._world.copy(subject)

    def _is_acting(self, subject: str) -> bool:
        """Whether an attempt would be in flight."""
        tickets = self._state.tickets.values()
        return any(ticket.attempt is not None and (ticket.unit or ticket.key.subject) == subject for ticket in tickets)

    def _remember(self, done: Iterable[Deed]) -> None:
        """What the record says of its own attempts and holds, for what comes after."""
        for deed in done:
            if deed.kind == STARTED:
                self._acting.add(deed.subject)
            elif deed.kind == ENDED:
                self._acting.discard(deed.subject)
        self._recorded.left(done)


def _without_reminders(settings: Settings) -> Settings:
    """The same for people: a program that forgets what it is not told again needs no reminders of what is long past."""
    alerting = settings.alerting
    if not alerting.alertmanager_url:
        return settings
    other = replace(alerting, alertmanager_url="", webhook_url=alerting.webhook_url or "http://localhost/")
    return replace(settings, alerting=other)


def _spooled(news: News, state: EngineState) -> News:
    """Messages leave the engine at once: there is no outbox that could be full."""
    words = frozenset((alert.id, word.number) for alert in state.alerts for word in alert.unsent)
    return replace(news, orders=(*news.orders, Spooled(words=words))) if words else news


def _state_of(frame: Plain) -> EngineState:
    state, _ = restore(frame["state"], seed=0, boot_id=BOOT, boot=frame["now"], wall=frame["wall"])
    return state


def _kind(item: Item | None) -> object:
    """What it is that others would have done, or that befell it: it failed, in this way; it was stopped; it came up."""
    if item is None:
        return None
    return item.stopped, frozenset(each.type for each in item.findings)
