"""What reaches people from the bench: the messages of its alerts, as they leave the engine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from healthd.config import Heal, UnitSettings
from healthd.decide.alert import Alert
from healthd.decide.happenings import Spooled
from healthd.letters import Why
from healthd.model import IssueType
from tests.fake_units import service
from tests.unit.builders import UNIT, finding, item, settings
from tests.unit.decide.bench import Bench

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthd.config import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A message: of which alert, why, and how the alert was then."""

    alert: Alert
    why: Why
    time: float


def telling(
    health: Mapping[str, Any] | None = None,
    units: Mapping[str, UnitSettings] | None = None,
    alerting: Mapping[str, Any] | None = None,
    **auto_healing: Any,
) -> Settings:
    """Settings under which somebody is told, with nothing put off so that it can be told together."""
    base = settings(health, units, **auto_healing)
    said = {"webhook_url": "http://127.0.0.1/", "group_seconds": 0.0, **(alerting or {})}
    return replace(base, alerting=replace(base.alerting, **said))


class Inbox:
    """Takes what is to be sent, as the outbox does."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.got: list[Told] = []

    def take(self) -> list[str]:
        """What is new, as words; from then on the engine need not keep it."""
        fresh = [
            Told(alert=alert, why=word.why, time=self._bench.time)
            for alert in self._bench.state.alerts
            for word in alert.unsent
        ]
        words = frozenset((a.id, word.number) for a in self._bench.state.alerts for word in a.unsent)
        if words:
            self._bench.give(Spooled(words=words))
            self._bench.turn(())
        self.got += fresh
        return [told.why.value for told in fresh]


BROKEN = ("mounts", "/var")
SUGGESTED = {UNIT: UnitSettings(heal=Heal.SUGGEST)}


def host(*more: str, **said: object) -> tuple[Bench, Inbox]:
    bench = Bench(service(UNIT), *(service(name) for name in more), configuration=telling(**said))  # type: ignore[arg-type]
    return bench, Inbox(bench)


def kill(bench: Bench, name: str = UNIT) -> None:
    bench.kill(name)
    bench.turn([name])


def revive(bench: Bench, name: str = UNIT) -> None:
    bench.bring_up(name)
    bench.turn([name])
    bench.later(1.0)


def spoil(bench: Bench, *, spoilt: bool = True) -> None:
    """A disk is spoilt: nothing that healthd could do about it."""
    found = [finding(IssueType.READ_ONLY, unit=None, message="read-only")] if spoilt else []
    bench.others[BROKEN] = item(*found, name=BROKEN[1], unit=None)
    bench.look_at(BROKEN)
