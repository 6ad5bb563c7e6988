"""The question to the journal: answered, not answered, and never more than one at a time."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from healthd.systemd.stops import StopRecords
from tests.fakes import no_thread

if TYPE_CHECKING:
    import pytest


def test_the_journals_answer_is_given() -> None:
    asked = []

    def look(unit: str, since: float) -> bool | None:
        asked.append((unit, since))
        return True

    async def scene() -> bool | None:
        return await StopRecords(look).stopped("web.service", 3.5)

    assert asyncio.run(scene()) is True
    assert asked == [("web.service", 3.5)]


def test_a_journal_that_hangs_cannot_tell_and_is_not_asked_again_while_it_does() -> None:
    let_go = threading.Event()
    asked = []

    def look(unit: str, since: float) -> bool | None:
        asked.append(unit)
        let_go.wait()
        return True

    async def scene() -> list[bool | None]:
        records = StopRecords(look, deadline=0.01)
        return [await records.stopped(name, 0.0) for name in ("a.service", "b.service")]

    try:
        assert asyncio.run(scene()) == [None, None]
        assert asked == ["a.service"]
    finally:
        let_go.set()


def test_a_journal_that_hung_is_asked_again_when_it_is_back() -> None:
    let_go = threading.Event()

    def look(unit: str, since: float) -> bool | None:
        if unit == "a.service":
            let_go.wait()
        return True

    async def scene() -> bool | None:
        records = StopRecords(look, deadline=5.0)
        stuck = asyncio.create_task(records.stopped("a.service", 0.0))
        await asyncio.sleep(0)
        let_go.set()
        await stuck
        return await records.stopped("b.service", 0.0)

    assert asyncio.run(scene()) is True


def test_without_a_thread_the_journal_cannot_tell_and_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> list[bool | None]:
        records = StopRecords(lambda _unit, _since: True)
        with monkeypatch.context() as patched:
            patched.setattr("healthd.aside.start_new_thread", no_thread)
            first = await records.stopped("a.service", 0.0)
        return [first, await records.stopped("a.service", 0.0)]

    assert asyncio.run(scene()) == [None, True]
