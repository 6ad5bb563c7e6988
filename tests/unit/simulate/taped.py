"""A host as in the engine's own tests, with a tape that runs; and what comes of its replay."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from healthd.decide import engine
from healthd.decide.happenings import Ended, Spooled, Started
from healthd.record.deeds import HELD, STARTED, TOLD
from healthd.record.tape import Tape
from healthd.simulate.replay import Replay
from tests.unit.decide.bench import Bench

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from healthd.answers import Frame
    from healthd.config import Settings
    from healthd.decide.happenings import Happening
    from healthd.model import UnitFacts
    from healthd.simulate.replay import Replayed, Told

ENOUGH = 200
"""Actions that were never done; a few more than any test of limits needs."""


class TapedBench(Bench):
    """Keeps on its tape what the engine is given. `told`: why people were, by alert and number; all leaves at once."""

    def __init__(self, *units: UnitFacts, configuration: Settings | None = None, fresh: bool = False) -> None:
        self.taped: list[Frame] = []
        self.told: dict[tuple[int, int], str] = {}
        super().__init__(*units, configuration=configuration, fresh=fresh)

    def restart_healthd(self) -> None:
        super().restart_healthd()
        self.tape = Tape(self.taped.append, boot_id=self.boot_id)

    def reset(self, name: str) -> None:
        super().reset(name)
        self.tape.reset(key for key in self.state.tickets if key.item == name)

    def turn(self, names: Iterable[str] | None = None, *, everything: bool = False) -> tuple[Happening, ...]:
        happened = super().turn(names, everything=everything)
        words = {(alert.id, word.number): word.why for alert in self.state.alerts for word in alert.unsent}
        self.told |= words
        if words:
            self.give(Spooled(words=frozenset(words)))
        moment = self.tape.watched(self.moment())
        step = engine.step(self.settings, self.before, moment, self.news)
        self.tape.take(self.settings, self.before, moment, self.news, step)
        return happened

    def frames(self) -> list[dict[str, Any]]:
        return [json.loads(frame.text) for frame in self.taped]

    def replayed(self, settings: Settings | None = None) -> Replayed:
        """What these settings, by default the same, would have come to."""
        return Replay(settings or self.settings, self.frames(), self.wall, enough=ENOUGH).run()


def spoken(told: Sequence[Told]) -> list[tuple[object, ...]]:
    """What happened, and when."""
    return [(each.now, each.deed) for each in told]


def actions(told: Sequence[Told]) -> list[tuple[str, str]]:
    """On what was acted, and how."""
    return [(each.deed.subject, each.deed.what) for each in told if each.deed.kind == STARTED]


def times(told: Sequence[Told], begin: float) -> list[float]:
    """When something was done, in whole seconds since then."""
    return [round(each.now - begin) for each in told if each.deed.kind == STARTED]


def holds(told: Sequence[Told]) -> list[str]:
    """Why nothing was done, each time that the reason changed."""
    return [each.deed.what for each in told if each.deed.kind == HELD]


def messages(told: Sequence[Told]) -> list[str]:
    """Why people were told something, each time."""
    return [each.deed.what for each in told if each.deed.kind == TOLD]


def attempts(bench: Bench) -> int:
    """How many attempts were begun, by the engine's own account."""
    assert len(bench.of(Ended)) <= len(bench.of(Started))
    return len(bench.of(Started))
