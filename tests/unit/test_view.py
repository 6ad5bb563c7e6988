from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from healthd import __version__
from healthd.config import Settings, UnitSettings
from healthd.events import Event
from healthd.model import HoldReason, State, Status
from tests.fake_units import service
from tests.unit.assembly import Assembly, assembled, settings, with_table

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

WEB = service("web.service")
MAIL = service("mail.service")
_T = TypeVar("_T")


def seen(
    look: Callable[[Assembly], Awaitable[_T]], *units: Any, configuration: Settings | None = None, judged: bool = True
) -> _T:
    """What somebody sees who looks at a healthd over these units."""

    async def scene() -> _T:
        async with assembled(*units, configuration=configuration, judged=judged) as healthd:
            return await look(healthd)

    return asyncio.run(scene())


def test_the_status_shows_the_host_and_every_component() -> None:
    async def look(healthd: Assembly) -> Any:
        healthd.clock.advance(12)
        return healthd.view.status()

    status = seen(look, WEB)

    assert (status.status, status.state, status.overall_score) == (Status.HEALTHY, State.HEALTHY, 1.0)
    assert (status.uptime_seconds, status.memory_mb, status.active_peers) == (12.0, 512, 3)
    assert (status.version, status.ready) == (__version__, True)
    assert status.health_checks["services"].message == "1 unit, all well"


def test_before_anything_was_judged_it_is_unknown_and_not_ready() -> None:
    async def look(healthd: Assembly) -> Any:
        return healthd.view.status()

    status = seen(look, WEB, judged=False)

    assert (status.status, status.state, status.ready) == (Status.UNKNOWN, State.UNKNOWN, False)
    assert status.health_checks["services"].message == "not judged yet"
    assert status.health_checks["services"].last_check == 0.0


@pytest.mark.parametrize(("enough", "ready"), [(Status.DEGRADED, True), (Status.HEALTHY, False)])
def test_whether_a_degraded_host_is_ready_is_the_operators_choice(
    enough: Status, ready: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("healthd.assess.picture.Picture.status", lambda _: Status.DEGRADED)

    async def look(healthd: Assembly) -> bool:
        return healthd.view.status().ready

    configuration = replace(settings(), health=replace(Settings().health, ready_when=enough))

    assert seen(look, WEB, configuration=configuration) is ready


def test_issues_come_worst_first_then_oldest_first() -> None:
    configuration = with_table("mail.service", UnitSettings(critical=True), dry_run=True)

    async def look(healthd: Assembly) -> list[str]:
        for name in ("other.service", "web.service", "mail.service"):
            healthd.units.kill(name)
            healthd.clock.advance(1)
            await healthd.turn()
        return [issue.item for issue in healthd.view.issues()]

    items = seen(look, WEB, MAIL, service("other.service"), configuration=configuration)

    assert items == ["mail.service", "other.service", "web.service"]


def test_an_issue_shows_its_attempts_and_what_holds_it_until_when() -> None:
    async def look(healthd: Assembly) -> Any:
        healthd.units.stays_down.add("web.service")
        healthd.units.kill("web.service")
        await healthd.logged(Event.HEALING_HELD)
        (issue,) = healthd.view.issues()
        return issue, (issue.until or 0.0) - healthd.clock.wall()

    issue, wait = seen(look, WEB)

    assert (issue.attempts, issue.max_attempts, issue.gave_up, issue.healing) == (1, 3, False, False)
    assert issue.hold is HoldReason.COOLDOWN
    assert 10.0 <= wait <= 11.0


def test_items_of_a_component_come_worst_first_and_its_message_names_no_more_than_three() -> None:
    units = [service(f"unit-{number}.service") for number in range(6)]

    async def look(healthd: Assembly) -> Any:
        for number in (5, 3, 2, 1):
            healthd.units.kill(f"unit-{number}.service")
        await healthd.turn()
        return healthd.view.status().health_checks["services"]

    component = seen(look, *units, configuration=settings(dry_run=True))

    assert [item.name[5] for item in component.items] == ["1", "2", "3", "5", "0", "4"]
    assert component.message.startswith("4 of 6 units are not well: ")
    assert component.message.endswith(" and 1 more")
    assert len(component.issues) == 4


def test_the_budget_shows_what_was_used_and_what_is_left() -> None:
    async def look(healthd: Assembly) -> Any:
        healthd.units.kill("web.service")
        await healthd.logged(Event.ISSUE_RESOLVED)
        return healthd.view.budget()

    budget = seen(look, WEB)

    assert (budget.limit, budget.remaining, budget.next_at) == (10, 9, None)
    assert [unit for unit, _ in budget.used] == ["web.service"]


def test_a_budget_that_is_used_up_says_when_the_next_action_fits() -> None:
    async def look(healthd: Assembly) -> Any:
        healthd.units.kill("web.service")
        await healthd.logged(Event.ISSUE_RESOLVED)
        budget = healthd.view.budget()
        return budget, (budget.next_at or 0.0) - healthd.clock.wall()

    budget, wait = seen(look, WEB, configuration=settings(host_budget_actions=1))

    assert (budget.remaining, wait) == (0, 600.0)


def test_what_was_used_before_the_window_is_not_shown() -> None:
    async def look(healthd: Assembly) -> Any:
        healthd.units.kill("web.service")
        await healthd.logged(Event.ISSUE_RESOLVED)
        healthd.clock.advance(600)
        return healthd.view.budget()

    budget = seen(look, WEB)

    assert (budget.remaining, budget.used) == (10, ())


def test_without_a_budget_nothing_is_counted_down() -> None:
    async def look(healthd: Assembly) -> Any:
        return healthd.view.budget()

    budget = seen(look, WEB, configuration=settings(host_budget_actions=0))

    assert (budget.limit, budget.remaining, budget.next_at) == (0, None, None)
