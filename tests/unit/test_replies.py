"""What became of letters is counted once, and who tries the way hears what was answered."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import pytest

from healthd.errors import RequestError, StorageError
from healthd.letters import Letter, Outcome, Why
from healthd.replies import Replies
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Mapping

OK: Final = Outcome(ok=True, text="taken", took=0.25)
FAILED: Final = Outcome(ok=False, text="refused", took=0.5, final=False)
Answered = dict[str, Outcome]


class Box:
    """Fulfils `Letterbox`: a delivery process that answers each letter at once by `answers`, by receiver."""

    def __init__(self, answers: Mapping[str, Outcome] | None = None, *, broken: bool = False) -> None:
        self.answers, self.broken = dict(answers or {}), broken
        self.kept: dict[str, bytes] = {}
        self.letters: list[Letter] = []
        self.looked = asyncio.Event()
        self.waits: list[int] = []

    async def put(self, letters: Mapping[str, bytes]) -> None:
        if self.broken:
            raise StorageError("no space left on device")
        for letter in map(Letter.from_json, letters.values()):
            self.letters.append(letter)
            if letter.to in self.answers:
                self.note(f"{letter.id}.{letter.to}", self.answers[letter.to])

    def note(self, name: str, outcome: Outcome) -> None:
        self.kept[name] = json.dumps(outcome.to_plain()).encode()

    async def notes(self, known: Collection[str]) -> tuple[Mapping[str, bytes], int]:
        self.looked.set()
        found = {name: b"" if name in known else note for name, note in self.kept.items()}
        return found, sum(f"{letter.id}.{letter.to}" not in found for letter in self.letters)


@asynccontextmanager
async def following(box: Box, *receivers: str) -> AsyncIterator[tuple[Replies, Counter[tuple[str, bool]]]]:
    counted: Counter[tuple[str, bool]] = Counter()

    def tally(receiver: str, outcome: Outcome) -> None:
        counted[receiver, outcome.ok] += 1

    replies = Replies(box, FakeClock(), receivers=lambda: receivers, tally=tally, waits=box.waits.append)
    task = asyncio.create_task(replies.run())
    if receivers:
        await box.looked.wait()
    yield replies, counted
    task.cancel()


def test_it_is_known_how_many_letters_wait() -> None:
    async def life() -> None:
        box = Box()
        async with following(box, "slack") as (replies, _):
            trying = asyncio.create_task(replies.tried(None, by="root"))
            await until(lambda: box.waits[-1:] == [1])
            (letter,) = box.letters
            box.note(f"{letter.id}.slack", OK)
            await trying
            await until(lambda: box.waits[-1:] == [0])

    asyncio.run(life())


async def until(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0)
    pytest.fail("it never was")


def test_each_reply_is_counted_once_and_none_of_the_run_before() -> None:
    async def life() -> None:
        box = Box()
        box.note("old.slack", OK)
        async with following(box, "slack", "email") as (replies, counted):
            box.note("1.slack", OK)
            box.note("1.email.failed", FAILED)
            box.note("broken.slack", OK)
            box.kept["broken.slack"] = b"{"
            replies.expect()
            await until(lambda: len(counted) == 2)
            replies.expect()
            box.note("2.slack", OK)
            await until(lambda: counted["slack", True] == 2)
            assert counted == {("slack", True): 2, ("email", False): 1}

    asyncio.run(life())


def test_a_test_is_a_letter_to_each_receiver_and_tells_what_each_answered() -> None:
    async def life() -> None:
        box = Box({"slack": OK, "email": FAILED})
        async with following(box, "slack", "email") as (replies, _):
            assert await replies.tried(None, by="alice") == {
                "slack": OK,
                "email": Outcome(ok=False, text="refused", took=0.5, final=False),
            }
            assert await replies.tried("slack", by="alice") == {"slack": OK}
        assert [letter.to for letter in box.letters] == ["slack", "email", "slack"]
        assert {letter.why for letter in box.letters} == {Why.TEST}
        assert len({letter.id for letter in box.letters}) == 3
        assert "alice" in box.letters[0].text

    asyncio.run(life())


@pytest.mark.parametrize(
    ("receivers", "name", "broken", "status"),
    [((), None, False, 409), (("slack",), "pager", False, 404), (("slack",), None, True, 503)],
)
def test_what_cannot_be_tried_is_said(receivers: tuple[str, ...], name: str | None, broken: bool, status: int) -> None:
    async def life() -> None:
        async with following(Box(broken=broken), *receivers) as (replies, _):
            with pytest.raises(RequestError) as caught:
                await replies.tried(name, by="alice")
        assert caught.value.status == status

    asyncio.run(life())


def test_a_delivery_that_never_answers_is_said_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.replies.TRY_SECONDS", 0.01)

    async def life() -> None:
        async with following(Box(), "slack") as (replies, _):
            (outcome,) = (await replies.tried(None, by="alice")).values()
        assert not outcome.ok
        assert "journalctl -u healthd-deliver" in outcome.text

    asyncio.run(life())
