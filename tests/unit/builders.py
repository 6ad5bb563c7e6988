"""Values for tests, each with defaults that are nobody's business: a test names only what it is about."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from healthd.config import ServicesSettings, Settings, UnitSettings
from healthd.decide.case import Moment
from healthd.decide.state import Attempt, Key, Ticket
from healthd.letters import Letter, Matter, Why
from healthd.model import ActionKind, Finding, IssueType, Item, Severity, Status, SystemState
from tests.fake_units import SIMPLE, service

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from healthd.detail import UnitDetail
    from healthd.model import UnitFacts

UNIT = "web.service"
DOWN = Key("services", UNIT, IssueType.SERVICE_DOWN)


def detail(**changes: Any) -> UnitDetail:
    """A simple service without Restart=, but for the changes."""
    return replace(SIMPLE, **changes)


def killed(name: str = UNIT, **changes: Any) -> UnitFacts:
    """An enabled service that was killed with SIGKILL, long enough ago for nobody to doubt it."""
    facts = {"active": "failed", "sub": "failed", "result": "signal", "code": 2, "exit_status": 9}
    return service(name, **{**facts, **changes})


def settings(
    health: Mapping[str, Any] | None = None, units: Mapping[str, UnitSettings] | None = None, **auto_healing: Any
) -> Settings:
    """The defaults, but for these keys of [health], these tables of units, and these keys of [auto_healing]."""
    defaults = Settings()
    return replace(
        defaults,
        health=replace(defaults.health, **(health or {})),
        auto_healing=replace(defaults.auto_healing, **auto_healing),
        services=ServicesSettings(unit=units or {}),
    )


def finding(type_: IssueType = IssueType.SERVICE_DOWN, **changes: Any) -> Finding:
    """Something is wrong with the unit."""
    return replace(Finding(type=type_, message="killed by SIGKILL", unit=UNIT, cause="signal"), **changes)


def item(*findings: Finding, name: str = UNIT, **changes: Any) -> Item:
    """The item of the unit: well, or with these findings."""
    score = 0.0 if findings else 1.0
    status = Status.UNHEALTHY if findings else Status.HEALTHY
    message = findings[0].message if findings else "running"
    whole = Item(name=name, status=status, score=score, message=message, findings=findings, unit=name)
    return replace(whole, **changes)


def ticket(key: Key = DOWN, **changes: Any) -> Ticket:
    """An open issue, opened at engine second 0."""
    whole = Ticket(
        key=key,
        open=True,
        severity=Severity.HIGH,
        message="killed by SIGKILL",
        unit=key.item,
        cause="signal",
        opened_at=0.0,
        opened_wall=1_700_000_000.0,
    )
    return replace(whole, **changes)


def attempt(**changes: Any) -> Attempt:
    """A start of the unit in flight, dispatched at engine second 0 when its last run was "first"."""
    whole = Attempt(number=1, action=ActionKind.START_UNIT, unit=UNIT, started_at=0.0, before="first")
    return replace(whole, **changes)


def moment(
    now: float = 1000.0, *, units: Iterable[UnitFacts] = (), items: Iterable[Item] = (), **changes: Any
) -> Moment:
    """An instant on a host that runs, with these units and these items of `services`."""
    named = {("services", each.name): each for each in items}
    whole = Moment(
        now=now,
        wall=1_700_000_000.0 + now,
        system=SystemState.RUNNING,
        booted_for=5000.0,
        current=True,
        facts={unit.name: unit for unit in units},
        items=named,
        usable=frozenset(component for component, _ in named),
    )
    return replace(whole, **changes)


def a_letter(**changes: Any) -> Letter:
    """The first letter about a web service that is down, but for the changes."""
    matter = Matter(
        id="services/web.service/service_down",
        component="services",
        item=UNIT,
        type="service_down",
        severity=Severity.HIGH,
        message="killed by SIGKILL",
        unit=UNIT,
        open=True,
        told=True,
        attempts=1,
    )
    whole = Letter(
        id="00000007-1-1-1700000000",
        key="00000007-1",
        number=1,
        why=Why.OPENED,
        host="web1",
        at=1_700_000_010.0,
        opened_at=1_700_000_000.0,
        severity=Severity.HIGH,
        routed=Severity.HIGH,
        title="web.service is down: killed by SIGKILL",
        text="start_unit did not help web.service: the job ended with 'failed' (1 attempt so far)",
        incident=12,
        issues=(matter,),
        changed="/etc/web.conf was edited 3 min before",
        evidence=("cannot bind <to> port 80 & exit",),
        hints=("healthctl incident 12",),
    )
    return replace(whole, **changes)
