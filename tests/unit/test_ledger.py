"""The ledger and suggestions, as operators see them: in the journal, in answers, and in metrics."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from healthd.config import Heal, UnitSettings
from healthd.decide.ledger import Name, Page
from healthd.errors import RequestError
from healthd.events import Event
from healthd.expose import render
from healthd.expose.exposition import text
from healthd.model import HoldReason, OutcomeKind, Status
from healthd.tally import Tally
from tests.fake_units import FakeHost, service
from tests.unit.assembly import assembled, controller, settings, with_table
from tests.unit.builders import item
from tests.unit.test_looks import Probe, settle

if TYPE_CHECKING:
    from healthd.config import Settings
    from tests.unit.assembly import Assembly

WEB = service("web.service")
START = Name("web.service", "signal", "start_unit")


def strict() -> Settings:
    """What failed twice is only suggested."""
    plain = settings(backoff_seconds=0.0, host_budget_seconds=0.0, suggest_after_failures=2)
    return replace(plain, health=replace(plain.health, max_healing_attempts=2))


async def distrust(healthd: Assembly) -> None:
    """Starting the unit does not help, until healthd only suggests it."""
    healthd.units.stays_down.add("web.service")
    healthd.units.kill("web.service")
    await healthd.logged(Event.ACTION_DISTRUSTED)
    while healthd.pipeline.state.tickets and not healthd.view.issues()[0].suggested:
        await healthd.turn()


def test_what_keeps_failing_is_said_suggested_and_shown_with_its_numbers() -> None:
    async def scene() -> None:
        async with assembled(WEB, configuration=strict()) as healthd:
            await distrust(healthd)
            said = healthd.log.of(Event.ACTION_DISTRUSTED)[0]
            assert said.message == (
                "start_unit for signal of web.service did not help the last 2 times (it helped 0 of 2 times): "
                "from now on it is only suggested"
            )
            assert (said.fields["action"], said.fields["unit"]) == ("start_unit", "web.service")

            (known,) = controller(healthd).ledger()
            assert (known.subject, known.failure, known.action) == START
            assert (known.helped, known.failed, known.in_a_row, known.trusted) == (0, 2, 2, False)
            assert known.retry_at == pytest.approx(healthd.clock.wall() + 86_400.0, abs=1.0)

            issue = render.issue(healthd.view.issues()[0])
            assert issue["hold"] is HoldReason.SUGGEST
            assert issue["suggestion"] == {"action": "start_unit", "command": "healthctl heal web.service"}

            explained = await healthd.explainer.explain("web")
            assert explained.action == "start_unit"
            assert explained.facts["so far"] == "start_unit helped 0 of 2 times"

    asyncio.run(scene())


def test_an_order_that_helps_is_said_and_written_down() -> None:
    async def scene() -> None:
        async with assembled(WEB, configuration=strict()) as healthd:
            await distrust(healthd)
            healthd.units.stays_down.clear()
            done = await controller(healthd).heal("web", None, dry_run=False, by="alice")
            assert done.outcome is OutcomeKind.SUCCESS
            trusted = healthd.log.of(Event.ACTION_TRUSTED)[0]
            assert trusted.message == "start_unit for signal of web.service is carried out by itself again: it helped"
            (known,) = controller(healthd).ledger()
            assert (known.helped, known.trusted, known.retry_at) == (1, True, None)
            assert healthd.view.issues() == ()

    asyncio.run(scene())


def test_a_reset_makes_an_action_trusted_also_of_what_has_no_issue() -> None:
    async def scene() -> None:
        async with assembled(WEB, configuration=strict()) as healthd:
            control = controller(healthd)
            page = Page(failed=2, in_a_row=2, distrusted_at=healthd.pipeline.moment().now)
            healthd.pipeline.state = replace(healthd.pipeline.state, ledger={START: page})
            assert await control.reset("web", by="alice") == ("start_unit of web.service",)
            told = healthd.log.of(Event.ACTION_TRUSTED)[0]
            assert told.message.endswith("is carried out by itself again: alice had the attempts forgotten")
            assert told.fields["unit"] == "web.service"
            await healthd.turn()
            assert json.loads(healthd.store.taped[-1].text)["forgiven"] == ["web.service"]
            assert [page.in_a_row for page in healthd.pipeline.state.ledger.values()] == [0]
            saved = await healthd.store.load()
            assert saved is not None
            assert saved["engine"]["ledger"][0][1][2] == 0
            with pytest.raises(RequestError, match="no issue whose attempts"):
                await control.reset("web", by="alice")

    asyncio.run(scene())


def test_a_reset_of_a_part_of_a_component_finds_its_pages() -> None:
    async def scene() -> None:
        probe = Probe("disks")
        async with assembled(WEB, others=[probe.bound]) as healthd:
            await settle(healthd, "disks", Status.HEALTHY)
            healthd.pipeline.picture.components["disks"].items["/var"] = item(name="/var", unit=None)
            pages = {Name("disks /var", "disk_full", "disk_cleanup"): Page(failed=6, in_a_row=6, distrusted_at=1e9)}
            healthd.pipeline.state = replace(healthd.pipeline.state, ledger=pages)
            assert await controller(healthd).reset("/var", by="me") == ("disk_cleanup of disks /var",)

    asyncio.run(scene())


def test_metrics_count_suggestions_and_what_is_distrusted_from_nothing_on() -> None:
    async def scene() -> tuple[str, str]:
        async with assembled(WEB, configuration=strict()) as healthd:
            tally = Tally(healthd.pipeline, healthd.view, FakeHost())
            before = text(tally.families(), openmetrics=False).decode()
            await distrust(healthd)
            return before, text(tally.families(), openmetrics=False).decode()

    before, after = asyncio.run(scene())

    for family in ("healthd_suggestions", "healthd_actions_distrusted"):
        assert f"\n{family} 0\n" in before
        assert f"\n{family} 1\n" in after


def test_a_suggest_only_unit_says_what_would_be_done_and_the_command_does_it() -> None:
    async def scene() -> None:
        configuration = with_table("web.service", UnitSettings(heal=Heal.SUGGEST))
        async with assembled(WEB, configuration=configuration) as healthd:
            healthd.units.kill("web.service")
            said = (await healthd.logged(Event.HEALING_HELD)).message
            assert said == (
                "not acting on web.service: start_unit is called for (it did not end by itself, so a start brings it "
                'back), but its table says heal = "suggest"; if it seems right to you: healthctl heal web.service '
                "(suggest)"
            )
            command = healthd.view.issues()[0].command.split()
            done = await controller(healthd).heal(command[-1], None, dry_run=False, by="alice")
            assert done.outcome is OutcomeKind.SUCCESS
            assert len(healthd.log.of(Event.HEALING_HELD)) == 1

    asyncio.run(scene())
