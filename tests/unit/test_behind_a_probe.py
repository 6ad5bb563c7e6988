"""A unit that runs and does not answer its probe: what is said before and when it is restarted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from healthd.config import Heal, UnitSettings
from healthd.events import Event
from healthd.model import ActionKind, HoldReason, IssueType, Status
from tests.fake_units import service
from tests.unit.assembly import assembled, controller, settings, with_table
from tests.unit.test_looks import Probe, settle, tick

if TYPE_CHECKING:
    from healthd.answers import Explanation, Finished
    from healthd.config import Settings
    from healthd.model import UnitFacts

WEB = service("web.service")


def refused(name: str, configuration: Settings, web: UnitFacts = WEB) -> tuple[Explanation, Finished | None, str]:
    """Of a unit that refuses its probe: `explain` of this name, the dry run of an order, and the record of healing."""

    async def scene() -> tuple[Explanation, Finished | None, str]:
        probe = Probe("page", unit="web.service")
        async with assembled(web, configuration=configuration, others=[probe.bound]) as healthd:
            healthd.units.restarts_too = ("app.service", "worker.service")
            await settle(healthd, "page", Status.HEALTHY)
            probe.well = False
            await tick(healthd, 5)
            await settle(healthd, "page", Status.UNHEALTHY)
            explained = await healthd.explainer.explain(name)
            foreseen: Finished | None = None
            if not healthd.log.of(Event.HEALING_STARTED):
                foreseen = await controller(healthd).heal("page", None, dry_run=True, by="me")
            record = healthd.log.of(Event.HEALING_STARTED, Event.HEALING_HELD)[0].message
            return explained, foreseen, record

    return asyncio.run(scene())


SUGGESTED = with_table("web.service", UnitSettings(heal=Heal.SUGGEST))
DRY = settings(dry_run=True)


def test_the_record_of_its_restart_names_what_is_restarted_with_it() -> None:
    _, _, record = refused("page", settings())

    assert record == (
        "healing web.service: restart_unit, attempt 1 of 3 (refused); this restarts app.service, worker.service too"
    )


def test_explain_names_them_by_the_name_of_the_component_and_of_the_unit() -> None:
    of_page, _, _ = refused("page", DRY)
    of_unit, _, _ = refused("web.service", DRY)

    for told in (of_page, of_unit):
        assert (told.action, told.hold) == (ActionKind.RESTART_UNIT, HoldReason.DRY_RUN)
        assert told.also_restarts == ("app.service", "worker.service")
        assert told.issue is not None
        assert (told.issue.component, told.issue.type) == ("page", IssueType.PROBE_FAILED)
    assert of_unit.status is Status.HEALTHY


def test_a_dry_run_of_an_order_names_them_and_nothing_that_there_is_not() -> None:
    _, foreseen, _ = refused("page", SUGGESTED)

    assert foreseen is not None
    assert (foreseen.decision, foreseen.action) == ("act", ActionKind.RESTART_UNIT)
    assert foreseen.text == "this restarts app.service, worker.service too"


def test_explain_of_a_unit_that_only_a_probe_looks_at_tells_of_that_probe() -> None:
    told, _, _ = refused("web.service", settings(), service("web.service", file_state="disabled"))

    assert told.message.startswith("healthd does not watch this unit")
    assert told.issue is not None
    assert (told.issue.component, told.hold) == ("page", HoldReason.NOT_ALLOWED)
