"""Somebody who only watches: counts what was really dispatched, in true time, and objects when a limit is exceeded.

It shares nothing with the engine but the settings: it keeps its own episodes, pauses and windows. Where it cannot know
better (the engine's clock may be behind true time after a reboot) it asks for less, never for more.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from healthd.decide.happenings import Ended, GaveUp, Opened, Resolved, Started
from healthd.model import ActionKind, IssueType, OutcomeKind
from tests.unit.decide.bookkeeper import Bookkeeper

if TYPE_CHECKING:
    from healthd.config import Settings
    from healthd.decide.happenings import Happening
    from healthd.decide.state import Attempt, EngineState, Key
    from healthd.model import UnitFacts

ROUNDING = 1e-3
CLEANUP = "healthd-disk-cleanup.service"


def acted_on(key: Key) -> str:
    """The unit that an attempt for this issue is on: its own, or the one that cleans up all disks."""
    return CLEANUP if key.component == "storage" else key.item


class Witness:
    """Sees each dispatch, each end, and what people do. All times are true seconds."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.in_flight: dict[str, Key] = {}
        self.dispatched = 0
        self._host: list[float] = []
        self._units: dict[str, list[float]] = defaultdict(list)
        self._count: dict[Key, int] = defaultdict(int)
        self._ended: dict[Key, float] = {}
        self._gave_up: dict[Key, float] = {}
        self._closed: dict[Key, float] = {}
        self._behind: set[Key] = set()
        self._run_before: dict[Key, str] = {}
        self._nothing_to_do: dict[Key, float] = {}
        self._incidents: frozenset[int] = frozenset()
        self._newest = 0
        self._downs: list[tuple[float, str]] = []
        self._books = Bookkeeper()

    # What others do

    def healthd_died(self) -> None:
        """Nobody awaits the jobs any more."""
        self.in_flight.clear()

    def host_rebooted(self) -> None:
        """The engine does not count how long the host was off: to it an episode that was closed may not be over."""
        self.healthd_died()
        self._behind |= self._closed.keys()

    def reset(self, unit: str) -> None:
        """Somebody had the attempts of a unit or disk forgotten; the one in flight begins the new count."""
        # All disks are cleaned by one unit, also one that was not tried yet. And what the engine still knows of a unit
        # it forgets, also where its last episode is over by now.
        self._units[CLEANUP if unit.startswith("/") else unit].clear()
        for key in [key for key in self._count if key.item == unit]:
            self._units[acted_on(key)].clear()
            self._count[key] = 1 if self.in_flight.get(acted_on(key)) == key else 0
            self._ended.pop(key, None)
            self._nothing_to_do.pop(key, None)
            self._gave_up.pop(key, None)
        self._books.reset(unit)

    def configured(self, settings: Settings, now: float) -> None:
        """A window that is made longer begins with what was still known: an hour, or the shorter one."""
        window = max(self.settings.auto_healing.host_budget_seconds, 3600.0)
        for instants in (self._host, *self._units.values()):
            instants[:] = [at for at in instants if at + window > now - ROUNDING]
        self.settings = settings
        self._downs.clear()
        self._books.configured(settings)

    # What healthd does

    def turn_begins(self, now: float) -> None:
        """Forget the episodes that are over: well for as long as the longest pause. Within a rounding both is right."""
        for key, closed in list(self._closed.items()):
            limits = self.settings.auto_healing
            over = now - closed - (limits.backoff_max_seconds or self._pause(self._count[key]))
            if over >= -ROUNDING and self.in_flight.get(acted_on(key)) != key:
                self._count.pop(key, None)
                self._ended.pop(key, None)
                self._nothing_to_do.pop(key, None)
            if over >= ROUNDING and self.in_flight.get(acted_on(key)) != key:
                if key not in self._behind:
                    self._gave_up.pop(key, None)
                del self._closed[key]

    def saw(self, happening: Happening, now: float, unit: UnitFacts | None, up_since: float | None) -> None:
        """Something happened and was written down. `unit` is the one behind it; `up_since` is when its run began."""
        self._books.saw(happening, now, unit, self.settings)
        match happening:
            case Opened(ticket=ticket):
                self._closed.pop(ticket.key, None)
                if ticket.key.type is IssueType.SERVICE_DOWN and not ticket.existing:
                    self._downs.append((now, ticket.key.item))
            case Resolved(ticket=ticket):
                self._closed[ticket.key] = now
                self._behind.discard(ticket.key)
            case GaveUp(ticket=ticket):
                self._gave_up[ticket.key] = now
            case Ended(ticket=ticket, attempt=attempt, outcome=outcome):
                self._ended[ticket.key] = now
                if self.in_flight.get(attempt.unit) == ticket.key:
                    del self.in_flight[attempt.unit]
                if (
                    outcome is OutcomeKind.NOT_SUPPORTED
                ):  # is no attempt that did not help, but nor is it tried again soon
                    self._count[ticket.key] = max(0, self._count[ticket.key] - 1)
                    self._nothing_to_do[ticket.key] = now
                if outcome is OutcomeKind.SUCCESS:
                    self._check_success(ticket.key, attempt, now, unit, up_since)
            case _:
                return

    def dispatch(self, started: Started, now: float, unit: UnitFacts) -> None:
        """An attempt goes out: every limit must allow it."""
        key, attempt = started.ticket.key, started.attempt
        assert attempt.unit not in self.in_flight, "two attempts at a time on one unit"
        if not attempt.by:
            self._check_pause(key, now)
            self._check_cascade(now)
            self._books.check(started, now, self.settings)
            self._check_that_there_may_be_something_to_do(key, now)
        self._nothing_to_do.pop(key, None)
        limits = self.settings.auto_healing
        self._check_window(self._host, limits.host_budget_actions, now, "the host")
        self._check_window(self._units[attempt.unit], self._most(key), now, attempt.unit)
        self.in_flight[attempt.unit] = key
        self.dispatched += 1
        self._count[key] += 1
        self._run_before[key] = unit.invocation
        self._host.append(now)
        self._units[attempt.unit].append(now)

    def check_incidents(self, state: EngineState) -> None:
        """An incident ends when all of it is over, and its number never comes back; one thing has one incident."""
        going = [ticket for ticket in state.tickets.values() if ticket.open or ticket.attempt is not None]
        numbers = frozenset(ticket.incident for ticket in going)
        assert all(number > 0 for number in numbers), "an issue without an incident"
        assert all(number > self._newest for number in numbers - self._incidents), "a number came back"
        for names in ([ticket.key.name for ticket in going], [ticket.unit or ticket.key for ticket in going]):
            pairs = {(name, ticket.incident) for name, ticket in zip(names, going, strict=True)}
            assert len(pairs) == len(set(names)), "two incidents of one thing at a time"
        self._incidents, self._newest = numbers, max(self._newest, *numbers, 0)

    def _check_window(self, instants: list[float], most: int, now: float, of: str) -> None:
        window = self.settings.auto_healing.host_budget_seconds
        if most and window:
            recent = [at for at in instants if now - at < window - ROUNDING]
            assert len(recent) < most, f"{len(recent) + 1} actions on {of} within {window} s"

    def _check_cascade(self, now: float) -> None:
        limits = self.settings.auto_healing
        recent = {unit for at, unit in self._downs if now - at < limits.cascade_seconds - ROUNDING}
        if limits.cascade_units and len(recent) >= limits.cascade_units:
            assert not self.in_flight, "two actions at a time in a cascade"

    def _check_pause(self, key: Key, now: float) -> None:
        count, most = self._count[key], self._most(key)
        if key not in self._ended or not count:
            return
        waited = now - self._ended[key]
        regular = min(count, most) if most else count
        assert waited >= self._pause(regular) - ROUNDING, f"{waited} s after attempt {count}"
        if most and count >= most:
            long = self.settings.auto_healing.retry_after_give_up_seconds
            assert key in self._gave_up, f"attempt {count + 1} of {most} without giving up"
            assert long > 0, "a retry though there should be none"
            assert now - max(self._gave_up[key], self._ended[key]) >= long - ROUNDING, "a slow retry too soon"

    def _check_that_there_may_be_something_to_do(self, key: Key, now: float) -> None:
        long = self.settings.auto_healing.retry_after_give_up_seconds
        if key in self._nothing_to_do:
            assert long > 0, "a retry of what found nothing to do, though there should be none"
            assert now - self._nothing_to_do[key] >= long - ROUNDING, "it found nothing to do, and tries again too soon"

    def _check_success(
        self, key: Key, attempt: Attempt, now: float, unit: UnitFacts | None, up_since: float | None
    ) -> None:
        if attempt.action not in (ActionKind.START_UNIT, ActionKind.RESTART_UNIT):
            return
        assert unit is not None
        assert up_since is not None, "success of a unit that is not up"
        assert unit.invocation != self._run_before.get(key, attempt.before), "success without a new run"
        assert now - up_since >= self.settings.auto_healing.settle_seconds - ROUNDING, "success before it settled"

    def _pause(self, count: int) -> float:
        limits = self.settings.auto_healing
        if count == 0 or not limits.backoff_seconds:
            return 0.0
        doubled = limits.backoff_seconds * 2.0 ** (count - 1)
        return min(doubled, limits.backoff_max_seconds or doubled)

    def _most(self, key: Key) -> int:
        own = self.settings.unit(key.item).max_attempts
        return self.settings.health.max_healing_attempts if own is None else own
