"""Questions that may block: each in its own thread, and none behind one that is stuck."""

from __future__ import annotations

import asyncio
import sys
import threading
from queue import SimpleQueue

import pytest

from healthd.aside import Aside
from healthd.errors import Absent, ReadError


def test_the_answer_comes_to_who_asked() -> None:
    assert asyncio.run(Aside("a disk").ask(lambda: 42, deadline=5)) == 42


@pytest.mark.parametrize("error", [OSError("no"), ValueError("nonsense"), Absent("not here")])
def test_an_error_comes_likewise(error: Exception) -> None:
    def question() -> None:
        raise error

    with pytest.raises(type(error), match=str(error)):
        asyncio.run(Aside("a disk").ask(question, deadline=5))


def test_one_that_is_stuck_is_given_up_and_nothing_waits_behind_it() -> None:
    free, asked = threading.Event(), []

    def stuck() -> None:
        asked.append("stuck")
        free.wait()

    async def life() -> None:
        aside = Aside("a disk")
        with pytest.raises(ReadError, match="a disk does not answer"):
            await aside.ask(stuck, deadline=0.01)
        with pytest.raises(ReadError, match="a disk has not answered for 0 s"):
            await aside.ask(lambda: asked.append("behind"), deadline=5)
        assert asked == ["stuck"]
        free.set()
        while True:
            try:
                assert await aside.ask(lambda: "again", deadline=5) == "again"
            except ReadError:
                await asyncio.sleep(0)
            else:
                return

    asyncio.run(life())


def test_a_bug_in_a_question_comes_to_who_asked_and_the_next_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    printed: SimpleQueue[type[BaseException]] = SimpleQueue()
    nothing = dict[str, str]()
    monkeypatch.setattr(sys, "unraisablehook", lambda hooked: printed.put(hooked.exc_type))

    async def life() -> int:
        aside = Aside("a disk")
        with pytest.raises(ReadError, match="a bug of healthd: KeyError"):
            await aside.ask(lambda: nothing["x"], deadline=5)
        return await aside.ask(lambda: 42, deadline=5)

    assert asyncio.run(life()) == 42
    assert printed.get(timeout=10) is KeyError
