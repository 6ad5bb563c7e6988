"""What makes a turn come: what came in since the last one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthd.decide.happenings import AnyOrder, Happening
    from healthd.decide.state import Key
    from healthd.model import JobResult
    from healthd.sample import Sampled


@dataclass(slots=True, kw_only=True)
class Heard:
    """Units that changed, components to be looked at, jobs that ended, orders, and checks that are through."""

    names: set[str] = field(default_factory=set)
    everything: bool = False
    checks: set[str] = field(default_factory=set)
    results: list[tuple[Key, JobResult]] = field(default_factory=list)
    orders: list[tuple[AnyOrder, asyncio.Future[Sequence[Happening]]]] = field(default_factory=list)
    sampled: list[Sampled] = field(default_factory=list)

    @property
    def urgent(self) -> bool:
        """Whether there is something to be decided that waits for no look."""
        return bool(self.names or self.everything or self.results or self.orders)

    @property
    def any(self) -> bool:
        """Whether there is anything."""
        return bool(self.urgent or self.checks or self.sampled)

    def take_sampled(self) -> list[Sampled]:
        """The checks that are through, which are taken out."""
        taken, self.sampled = self.sampled, []
        return taken
