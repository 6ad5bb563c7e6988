"""News of units has its turn at once, or together with what else comes while there is news without end."""

from __future__ import annotations

import asyncio

import pytest

from healthd import pace
from healthd.events import Event
from healthd.pace import APART_SECONDS, AT_ONCE, Pace
from tests.fake_units import service
from tests.unit.assembly import assembled, settings

WEB = service("web.service")


def after(turns: int, *, at: float = 100.0) -> Pace:
    """After so many turns at one instant."""
    made = Pace()
    for _ in range(turns):
        made.turned(at)
    return made


def test_the_first_turns_follow_their_news_at_once() -> None:
    assert [after(turns).pause(100.0) for turns in (0, 1, AT_ONCE - 1)] == [0.0, 0.0, 0.0]


def test_the_next_one_waits_and_never_longer_than_for_one_turn_to_come_back() -> None:
    assert after(AT_ONCE).pause(100.0) == pytest.approx(APART_SECONDS)
    assert after(AT_ONCE).pause(100.02) == pytest.approx(APART_SECONDS - 0.02)
    assert after(AT_ONCE * 100).pause(100.0) == pytest.approx(APART_SECONDS)


def test_news_without_end_has_a_turn_every_so_often() -> None:
    made, now, turns = Pace(), 100.0, 0
    for _ in range(10_000):  # ten seconds, with news every millisecond
        if not made.pause(now):
            made.turned(now)
            turns += 1
        now += 0.001
    assert turns == pytest.approx(AT_ONCE + 10 / APART_SECONDS, abs=5)


def test_after_a_quiet_second_turns_follow_at_once_again() -> None:
    made = after(AT_ONCE)
    assert made.pause(100.0 + AT_ONCE * APART_SECONDS) == 0.0
    for _ in range(AT_ONCE - 1):
        made.turned(100.0 + AT_ONCE * APART_SECONDS)
    assert made.pause(100.0 + AT_ONCE * APART_SECONDS) == 0.0


def test_a_turn_that_something_else_asked_for_does_not_wait_and_takes_the_news_along(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pace, "AT_ONCE", 1)
    monkeypatch.setattr(pace, "APART_SECONDS", 3600.0)

    async def scene() -> tuple[int, int]:
        async with assembled(WEB, configuration=settings(dry_run=True)) as healthd:
            await healthd.turn()  # with news: the one turn that is at once
            healthd.units.kill("web.service")
            for _ in range(20):
                await asyncio.sleep(0)
            waited = len(healthd.log.of(Event.ISSUE_OPENED))
            await healthd.pipeline.look(())
            return waited, len(healthd.log.of(Event.ISSUE_OPENED))

    assert asyncio.run(scene()) == (0, 1)


def test_news_that_waits_has_its_turn_without_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "AT_ONCE", -1000)  # every turn is one too many

    async def scene() -> str:
        async with assembled(WEB, configuration=settings(dry_run=True)) as healthd:
            await healthd.turn()
            healthd.units.kill("web.service")
            return str((await healthd.logged(Event.ISSUE_OPENED)).fields["unit"])

    assert asyncio.run(scene()) == "web.service"
