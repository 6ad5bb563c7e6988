"""The words in which the tests of the ledger tell what systemd says. One service, web.service, is what it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthd.systemd.facts import Ledger

if TYPE_CHECKING:
    from healthd.model import UnitFacts

WEB = "web.service"
NOW = 100.0


def row(name: str, active: str = "active", sub: str = "running", load: str = "loaded", job: int = 0) -> Any:
    """A line of ListUnits."""
    return (name, "", load, active, sub, "", "/x", job, "start" if job else "", "/")


def running() -> Ledger:
    """A ledger of one service that runs, and nothing to wake for."""
    ledger = Ledger()
    ledger.listed([row(WEB)], {WEB: "enabled"}, 50.0)
    ledger.changed.clear()
    return ledger


def say(ledger: Ledger, active: str, sub: str = "", job: int = 0, now: float = NOW, **more: Any) -> UnitFacts:
    """The unit's own signal."""
    ledger.unit_said(WEB, {"active": active, "sub": sub or active, "job": (job, "/"), **more}, now)
    return ledger.units[WEB]


def end(ledger: Ledger, job: int, result: str = "done") -> UnitFacts:
    """A job ends, and the unit says that it has none."""
    ledger.job_ended(job, WEB, result, NOW)
    unit = ledger.units[WEB]
    return say(ledger, unit.active, unit.sub)


def woken(ledger: Ledger) -> set[str]:
    """The units for which somebody is woken; taken out, as their owner does."""
    changed = set(ledger.changed)
    ledger.changed.clear()
    return changed
