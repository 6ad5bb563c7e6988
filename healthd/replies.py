"""What became of letters: hears it from the files that the delivery process leaves, counts it, and tries the way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from typing import TYPE_CHECKING, Final, Protocol

from healthd.errors import RequestError, StorageError
from healthd.letters import Letter, Outcome, Why
from healthd.model import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from healthd.ports import Clock, Outbox

    class Letterbox(Outbox, Protocol):
        """The outbox, and beside it the notes about what became of letters."""

        async def notes(self, known: Collection[str]) -> tuple[Mapping[str, bytes], int]:
            """All notes by name (empty those that are known), and how many letters wait. Raises `StorageError`."""


FIRST_SECONDS: Final = 0.1
MOST_SECONDS: Final = 10.0
"""While letters wait it is looked for replies: soon after one was written, and ever more rarely."""

TRY_SECONDS: Final = 60.0
"""A try of a mail server takes half of it at most, and the process that delivers must start before."""


class Replies:
    """Follows the letters of this run of healthd. `receivers` says who is set up.

    `tally` is told of each reply, and `waits` how many letters are not with all of their receivers, when that was seen.
    """

    def __init__(
        self,
        box: Letterbox,
        clock: Clock,
        *,
        receivers: Callable[[], Sequence[str]],
        tally: Callable[[str, Outcome], None],
        waits: Callable[[int], None],
    ) -> None:
        self._box, self._clock = box, clock
        self._receivers, self._tally, self._waits = receivers, tally, waits
        self._known: frozenset[str] = frozenset()
        self._waiting: dict[str, asyncio.Future[Outcome]] = {}
        self._news = asyncio.Event()

    def expect(self) -> None:
        """A letter was written."""
        self._news.set()

    async def run(self) -> None:
        """Follow letters, until cancelled. What was replied before this run is not counted again."""
        if self._receivers():
            await self._look(lambda _name, _outcome: None)
            self._news.set()  # letters of the run before may still wait
        while True:
            await self._news.wait()
            pause = FIRST_SECONDS
            waiting = True
            while waiting:
                if self._news.is_set():
                    self._news.clear()
                    pause = FIRST_SECONDS
                waiting = await self._look(self._replied) or bool(self._waiting)
                if waiting:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(pause):
                            await self._news.wait()
                    pause = min(pause * 1.5, MOST_SECONDS)

    async def _look(self, replied: Callable[[str, Outcome], None]) -> bool:
        """Take note of what is new; whether letters still wait."""
        try:
            notes, waiting = await self._box.notes(self._known)
        except StorageError:  # whoever writes there says so
            return True
        for name in notes.keys() - self._known:
            with contextlib.suppress(ValueError):
                replied(name, _outcome(notes[name]))
        self._known = frozenset(notes)
        self._waits(waiting)
        return waiting > 0

    def _replied(self, name: str, outcome: Outcome) -> None:
        receiver = name.removesuffix(".failed").rpartition(".")[2]
        self._tally(receiver, outcome)
        if name in self._waiting and not self._waiting[name].done():
            self._waiting[name].set_result(outcome)

    async def tried(self, receiver: str | None, *, by: str) -> Mapping[str, Outcome]:
        """Send a test to this receiver, None: to all, and wait for the answers. `RequestError` if there is none."""
        known = self._receivers()
        if not known:
            hint = "give a receiver a value in [alerting]; man healthd.toml"
            raise RequestError(409, "nobody is to be told: no receiver is set up", hint=hint)
        if receiver is not None and receiver not in known:
            raise RequestError(404, f"there is no receiver {receiver!r}", hint=f"set up are: {', '.join(known)}")
        wanted = known if receiver is None else [receiver]
        letters = [self._test(each, by) for each in wanted]
        loop = asyncio.get_running_loop()
        self._waiting |= {f"{letter.id}.{letter.to}": loop.create_future() for letter in letters}
        try:
            await self._box.put({f"{letter.id}.json": letter.to_json() for letter in letters})
            self.expect()
            return {letter.to: await self._answer(letter) for letter in letters}
        except StorageError as error:
            raise RequestError(503, f"the outbox cannot be written: {error}", hint="df /var/lib/healthd") from error
        finally:
            for letter in letters:
                self._waiting.pop(f"{letter.id}.{letter.to}", None)

    async def _answer(self, letter: Letter) -> Outcome:
        left = letter.at + TRY_SECONDS - self._clock.wall()
        try:
            async with asyncio.timeout(min(max(left, 1.0), TRY_SECONDS)):
                return await asyncio.shield(self._waiting[f"{letter.id}.{letter.to}"])
        except TimeoutError:
            text = "nothing was heard of it: see journalctl -u healthd-deliver, systemctl status healthd-deliver.path"
            return Outcome(ok=False, text=text, took=TRY_SECONDS)

    def _test(self, receiver: str, by: str) -> Letter:
        name, now = f"test-{os.urandom(6).hex()}", self._clock.wall()
        return Letter(
            id=name,
            key=name,
            number=1,
            why=Why.TEST,
            host=os.uname().nodename,
            at=now,
            opened_at=now,
            severity=Severity.LOW,
            routed=Severity.LOW,
            title="this is a test: alerts of healthd arrive",
            text=f"{by} asked for it; nothing is wrong",
            to=receiver,
        )


def _outcome(note: bytes) -> Outcome:
    """ValueError for what is no note."""
    try:
        plain = json.loads(note)
        return Outcome(ok=bool(plain["ok"]), text=str(plain["text"]), took=float(plain["took"]), final=plain["final"])
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(repr(error)) from error
