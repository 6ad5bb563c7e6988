"""The one line that `systemctl status` shows of healthd: how the host is, and what is not well."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from healthd.assess.picture import summary
from healthd.model import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthd.decide.happenings import Happening
    from healthd.pipeline import Pipeline
    from healthd.ports import Clock
    from healthd.systemd.journal import Journal
    from healthd.systemd.notify import Notifier

_PAUSE: Final = 0.25
"""Seconds between two status lines to systemd."""


class StatusLine:
    """Sends the line to systemd when it changes."""

    def __init__(self, pipeline: Pipeline, notifier: Notifier, clock: Clock, log: Journal) -> None:
        self._pipeline, self._notifier, self._clock, self._log = pipeline, notifier, clock, log
        self._at = 0.0
        self._due: asyncio.TimerHandle | None = None

    def text(self) -> str:
        """The services, and what else is not well: a number that only moves is no reason to wake PID 1."""
        picture = self._pipeline.picture
        bad = (Status.DEGRADED, Status.UNHEALTHY)
        shown = (n for n, status in picture.statuses().items() if n == "services" or status in bad)
        parts = "; ".join(f"{n}: {picture.components[n].reason or summary(picture.components[n])}" for n in shown)
        score = "" if picture.status() is Status.UNKNOWN else f", score {picture.score():.2f}"
        return f"{self._pipeline.host_state()}{score} - {parts}"

    def show(self, _happenings: Sequence[Happening]) -> None:
        """Each change of the line wakes PID 1 and all who listen to it: in a storm a few times a second are enough."""
        if self._due is None and self.text() != self._notifier.said:
            pause = max(0.0, self._at + _PAUSE - self._clock.boot())
            if pause > 0:
                self._due = asyncio.get_running_loop().call_later(pause, self._send)
            else:
                self._send()
        self._log.settle()

    def _send(self) -> None:
        self._due, self._at = None, self._clock.boot()
        self._notifier.status(self.text())
