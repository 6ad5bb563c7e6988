"""Words about jobs that run by the clock: timers, and jobs that report in by themselves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFacts:
    """What systemd says about one running timer: which unit it starts, and when.

    `sub` is its state ("waiting", "running": the unit runs, "elapsed": it has no next time). `next_wall` (Unix seconds)
    and `next_monotonic` (CLOCK_MONOTONIC) are its next times by the two clocks, `last_wall` the last one; None: none.
    """

    name: str
    unit: str
    sub: str
    next_wall: float | None = None
    next_monotonic: float | None = None
    last_wall: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """For how long nothing was heard of a job, in seconds for which this host was up.

    `expected`: since it was first told to report in, in the rhythm that it has now. `heard`: since it last did, None if
    it never has.
    """

    expected: float
    heard: float | None
