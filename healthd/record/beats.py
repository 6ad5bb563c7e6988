"""Heartbeats: when each job last reported in, kept over restarts and reboots.

Instants are engine seconds (docs/adr/0015): they stand still while the host is off, and no change of the wall clock
moves them. A job that could not run because the host was down has that much longer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Self

from healthd.errors import ReadError, StorageError
from healthd.jobs import Silence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from healthd.config import Settings
    from healthd.decide.state import EngineClock
    from healthd.ports import Clock, Log, Store

_BEAT: Final = "heartbeat/"

WRITE_SECONDS: Final = 1.0
"""A job is written down at most this often, so that one which reports in all the time keeps no disk busy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """A job that reports in every so many seconds since it was told to. `heard_at` None: it has not done so yet."""

    every: float
    since: float
    heard_at: float | None = None
    written_at: float | None = None

    def to_plain(self) -> dict[str, Any]:
        return {"every": self.every, "since": self.since, "heard_at": self.heard_at}

    @classmethod
    def from_plain(cls, value: Mapping[str, Any]) -> Self:
        heard_at = value["heard_at"]
        return cls(
            every=float(value["every"]),
            since=float(value["since"]),
            heard_at=None if heard_at is None else float(heard_at),
        )


class Beats:
    """Fulfils `ports.Beats`. `saved`: what the store was found to hold."""

    def __init__(
        self, saved: Mapping[str, Any] | None, *, store: Store, clock: Clock, engine_clock: EngineClock, log: Log
    ) -> None:
        self._store, self._clock, self._engine_clock, self._log = store, clock, engine_clock, log
        self._jobs = dict(_read(saved or {}))

    async def expect(self, every: Mapping[str, float]) -> None:
        """These jobs report in this often (seconds), and no others. One that is to do so in other steps begins anew."""
        now = self._now()
        before, self._jobs = self._jobs, {}
        for name, seconds in every.items():
            old = before.get(name)
            if old is None or old.every != seconds:
                old = _Job(every=seconds, since=now, heard_at=old.heard_at if old is not None else None)
            self._jobs[name] = old
        changed = [name for name, job in self._jobs.items() if before.get(name) is not job]
        removed = [name for name in before if name not in self._jobs]
        if changed or removed:
            await self._write(changed, removed)

    async def beat(self, name: str) -> None:
        """This job, which must be expected, reports in."""
        now, job = self._now(), self._jobs[name]
        if job.written_at is not None and now - job.written_at < WRITE_SECONDS:
            self._jobs[name] = replace(job, heard_at=now)
            return
        self._jobs[name] = replace(job, heard_at=now, written_at=now)
        await self._write([name], [])

    def silence(self, name: str) -> Silence:
        """For how long nothing was heard of this job. Raises `ReadError` if nobody expects it."""
        if (job := self._jobs.get(name)) is None:
            raise ReadError(f"nobody expects a heartbeat of {name}")
        now = self._now()
        # A power cut may have taken the last second of the clock, but not of what was written a moment earlier.
        return Silence(
            expected=max(0.0, now - job.since),
            heard=None if job.heard_at is None else max(0.0, now - job.heard_at),
        )

    def _now(self) -> float:
        return self._engine_clock.now(self._clock.boot())

    async def _write(self, changed: Iterable[str], removed: Iterable[str]) -> None:
        """If the disk fails, the daemon says so by its own state; what was heard is known from memory until then."""
        # With the clock, or after a reboot the beat would lie in a future that is not reached for long.
        rows: dict[str, Any] = {"clock": self._engine_clock.to_plain(self._clock.boot())}
        rows |= {_BEAT + name: self._jobs[name].to_plain() for name in changed}
        try:
            await self._store.save(rows, [_BEAT + name for name in removed])
        except StorageError as error:
            self._log.debug("a heartbeat was not written down", error=str(error))


def expected_beats(settings: Settings) -> Mapping[str, float]:
    """The jobs that the settings expect to report in, each with its seconds."""
    waiting = {name: each for name, each in settings.component.items() if each.type == "heartbeat"}
    return {name: each.options["every_seconds"] for name, each in waiting.items()}


def _read(saved: Mapping[str, Any]) -> Iterable[tuple[str, _Job]]:
    for key, value in saved.items():
        if key.startswith(_BEAT):
            try:
                yield key.removeprefix(_BEAT), _Job.from_plain(value)
            except (KeyError, TypeError, ValueError):
                continue  # then it is expected from now on
