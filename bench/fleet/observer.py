"""Somebody who only counts: each action of a host against the limits, by an account of its own.

It shares nothing with the engine but the settings: it keeps its own windows, pauses and attempts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

from healthd.decide.happenings import Ended, GaveUp, Held, Opened, Resolved, Started
from healthd.model import IssueType

if TYPE_CHECKING:
    from healthd.config import Settings
    from healthd.decide.happenings import Happening
    from healthd.decide.state import Key
    from healthd.letters import Why

ROUNDING: Final = 1e-6


class Exceeded(Exception):
    """A limit was exceeded: a bug of the engine."""


class Observer:
    """Watches one host, and adds to the sums of its fleet."""

    def __init__(self, settings: Settings, sums: Sums) -> None:
        self._limits, self._most = settings.auto_healing, settings.health.max_healing_attempts
        self._sums = sums
        self._host: list[float] = []
        self._units: dict[str, list[float]] = defaultdict(list)
        self._tries: dict[Key, int] = defaultdict(int)
        self._ended: dict[Key, float] = {}
        self._gave_up: dict[Key, float] = {}
        self._closed: dict[Key, float] = {}
        self._flying: set[str] = set()
        self._downs: list[tuple[float, str]] = []
        self._messages = 0

    def told(self, why: Why) -> None:
        """People are sent a message."""
        self._messages += 1
        self._sums.told[why] += 1
        self._sums.most_messages = max(self._sums.most_messages, self._messages)

    def seen(self, now: float, happening: Happening) -> None:
        """Something happened."""
        sums = self._sums
        match happening:
            case Opened(ticket=ticket):
                sums.opened[ticket.key.type] += 1
                self._reopened(ticket.key, now)
                if ticket.key.type is IssueType.SERVICE_DOWN and ticket.unit:
                    self._downs.append((now, ticket.unit))
            case Resolved(ticket=ticket):
                self._closed[ticket.key] = now
            case Started():
                self._started(happening, now)
            case Ended(ticket=ticket, attempt=attempt, outcome=outcome):
                sums.outcomes[outcome] += 1
                self._ended[ticket.key] = now
                self._flying.discard(attempt.unit)
            case GaveUp(ticket=ticket):
                sums.gave_up += 1
                self._gave_up[ticket.key] = now
            case Held(reason=reason):
                sums.holds[reason] += 1
            case _:
                return

    def _reopened(self, key: Key, now: float) -> None:
        """It is another episode if it was well for as long as the longest pause."""
        closed = self._closed.pop(key, None)
        if closed is not None and now - closed >= self._limits.backoff_max_seconds - ROUNDING:
            for account in (self._tries, self._ended, self._gave_up):
                account.pop(key, None)

    def _started(self, started: Started, now: float) -> None:
        key, unit = started.ticket.key, started.attempt.unit
        self._must(unit not in self._flying, f"two actions at a time on {unit}")
        self._window(self._host, self._limits.host_budget_actions, now, "the host")
        self._window(self._units[unit], self._most, now, unit)
        self._pause(key, now)
        recent = {name for at, name in self._downs if now - at < self._limits.cascade_seconds - ROUNDING}
        self._must(len(recent) < self._limits.cascade_units or not self._flying, "two actions at a time in a cascade")
        self._flying.add(unit)
        self._tries[key] += 1
        self._host.append(now)
        self._units[unit].append(now)
        self._sums.began(started, now, self._busiest(now), self._tries[key])

    def _busiest(self, now: float) -> int:
        return sum(at > now - self._limits.host_budget_seconds + ROUNDING for at in self._host)

    def _window(self, instants: list[float], most: int, now: float, of: str) -> None:
        window = self._limits.host_budget_seconds
        recent = [at for at in instants if now - at < window - ROUNDING]
        self._must(len(recent) < most, f"{len(recent) + 1} actions on {of} within {window:g} s")

    def _pause(self, key: Key, now: float) -> None:
        tries = self._tries[key]
        if not tries or key not in self._ended:
            return
        waited = now - self._ended[key]
        least = min(self._limits.backoff_seconds * 2 ** (min(tries, self._most) - 1), self._limits.backoff_max_seconds)
        self._must(waited >= least - ROUNDING, f"{waited:.1f} s after attempt {tries} at {key}")
        if tries >= self._most:
            self._must(key in self._gave_up, f"attempt {tries + 1} at {key} without giving up")
            long = self._limits.retry_after_give_up_seconds
            self._must(now - self._gave_up[key] >= long - ROUNDING, f"a slow retry of {key} too soon")

    def _must(self, holds: bool, otherwise: str) -> None:  # noqa: FBT001
        if not holds:
            raise Exceeded(otherwise)


class Sums:
    """What a fleet did.

    `busiest`: the most actions on one host in any window; `retries`: second attempts, by the second. `told`: messages
    to people, by why they are sent; `most_messages`: the most about one host.
    """

    def __init__(self) -> None:
        self.opened: Counter[str] = Counter()
        self.actions: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.holds: Counter[str] = Counter()
        self.told: Counter[str] = Counter()
        self.most_messages = 0
        self.gave_up = 0
        self.busiest = 0
        self.most_tries = 0
        self.retries: Counter[int] = Counter()

    def began(self, started: Started, now: float, busiest: int, tries: int) -> None:
        """An action."""
        self.actions[started.attempt.action] += 1
        self.busiest = max(self.busiest, busiest)
        self.most_tries = max(self.most_tries, tries)
        if tries == 2:
            self.retries[int(now)] += 1
