"""What an operator hears who has a chore rehearsed: it is said what it would do, and nothing is done."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from healthd.errors import RequestError
from healthd.model import ActionKind, OutcomeKind
from tests.fake_units import service
from tests.unit.assembly import assembled, controller

if TYPE_CHECKING:
    from healthd.answers import Finished
    from tests.unit.assembly import Assembly

WEB = service("web.service")


async def dry_run_of_a_cleanup(healthd: Assembly, printed: str) -> Finished:
    assert healthd.pipeline.healer is not None
    healthd.reports.printed["healthd-dry-run@disk-cleanup"] = printed
    return await controller(healthd).heal("services", ActionKind.DISK_CLEANUP, dry_run=True, by="me")


def test_a_chore_says_at_any_time_what_it_would_do_and_does_nothing() -> None:
    async def scene() -> tuple[Finished, list[tuple[str, str]]]:
        async with assembled(WEB) as healthd:
            told = await dry_run_of_a_cleanup(healthd, "run x\ndry-run\nwon 2048 1 logs")
            return told, healthd.units.calls

    told, calls = asyncio.run(scene())

    assert (told.decision, told.action, told.outcome) == ("act", ActionKind.DISK_CLEANUP, None)
    assert told.text == "2.0 KiB would be won (logs 2.0 KiB)"
    assert calls == [("start", "healthd-dry-run@disk-cleanup.service")]


def test_a_chore_that_would_find_nothing_to_do_says_that() -> None:
    async def scene() -> Finished:
        async with assembled(WEB) as healthd:
            return await dry_run_of_a_cleanup(healthd, "run x\ndry-run\nleft nothing is full")

    told = asyncio.run(scene())

    assert (told.decision, told.outcome, told.text) == ("act", OutcomeKind.NOT_SUPPORTED, "nothing is full")


@pytest.mark.parametrize(("refused", "status"), [(True, 502), (False, 503)])
def test_a_dry_run_that_cannot_be_made_is_an_error_with_a_hint(refused: bool, status: int) -> None:
    async def scene() -> RequestError:
        async with assembled(WEB) as healthd:
            if refused:
                healthd.units.refuses.add("healthd-dry-run@disk-cleanup.service")
            else:
                healthd.units.connected = False
            with pytest.raises(RequestError) as caught:
                await dry_run_of_a_cleanup(healthd, "")
            return caught.value

    error = asyncio.run(scene())

    assert error.status == status
    assert error.hint


def test_a_dry_run_while_healthd_starts_is_refused() -> None:
    async def scene() -> int:
        async with assembled(WEB) as healthd:
            healthd.pipeline.healer = None
            with pytest.raises(RequestError) as caught:
                await controller(healthd).heal("services", ActionKind.DISK_CLEANUP, dry_run=True, by="me")
            return caught.value.status

    assert asyncio.run(scene()) == 503
