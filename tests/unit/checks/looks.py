"""What the check of services makes of units, in few words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthd.checks import services
from healthd.checks.services import Reading
from healthd.config import ServicesSettings, UnitSettings
from healthd.model import IssueType, Item

if TYPE_CHECKING:
    from healthd.model import Assessment, UnitFacts

NOW = 5000.0
ENDED: dict[str, Any] = {"active": "inactive", "sub": "dead", "code": 1, "exit_status": 0}


def look(*units: UnitFacts, at: float = NOW, names: frozenset[str] | None = None, **options: Any) -> Assessment:
    reading = Reading(at=at, current=True, units=units, names=names)
    return services.assess(reading, None, ServicesSettings(**options))


def judge(unit: UnitFacts, at: float = NOW, **table: Any) -> Item:
    (item,) = look(unit, at=at, unit={unit.name: UnitSettings(**table)}).items
    return item


def types(item: Item) -> list[IssueType]:
    return [finding.type for finding in item.findings]
