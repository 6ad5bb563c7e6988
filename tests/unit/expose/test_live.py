"""The status as it changes, as server-sent events."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from healthd.expose.api import Api
from healthd.expose.live import changes
from healthd.expose.message import EVERYTHING, OUTLINES, Answer, Client, Request, Right, Stream
from tests.fakes import FakeLog
from tests.unit.expose.fake_control import STATUS, WELL, FakeControl

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

DEADLINE = 10.0
LONG = 3600.0


def told(chunk: bytes) -> Any:
    """The status in an event."""
    assert chunk.startswith(b"event: status\ndata: ")
    assert chunk.endswith(b"\n\n")
    return json.loads(chunk.splitlines()[1].removeprefix(b"data: "))


async def following(chunks: AsyncGenerator[bytes, None]) -> bytes:
    async with asyncio.timeout(DEADLINE):
        return await anext(chunks)


def test_the_status_is_told_at_once_and_again_when_it_is_another_one() -> None:
    async def scene() -> None:
        control = FakeControl()
        async with aclosing(changes(control, pause=0.0, heartbeat=LONG)) as chunks:
            assert told(await following(chunks))["state"] == "degraded"
            later = asyncio.create_task(following(chunks))
            await asyncio.sleep(0)
            control.turn(WELL)
            assert told(await later)["state"] == "healthy"

    asyncio.run(scene())


def test_a_turn_in_which_nothing_changed_but_the_time_is_not_told() -> None:
    async def scene() -> None:
        control = FakeControl()
        async with aclosing(changes(control, pause=0.0, heartbeat=LONG)) as chunks:
            await following(chunks)
            later = asyncio.create_task(following(chunks))
            await asyncio.sleep(0)
            control.turn(replace(STATUS, timestamp=STATUS.timestamp + 1, uptime_seconds=STATUS.uptime_seconds + 1))
            while control.asked < 2:  # noqa: ASYNC110
                await asyncio.sleep(0)
            control.turn(WELL)
            assert told(await later)["state"] == "healthy"

    asyncio.run(scene())


def test_what_changed_during_the_pause_is_told_once_and_as_it_is_then() -> None:
    async def scene() -> None:
        control = FakeControl()
        async with aclosing(changes(control, pause=0.0, heartbeat=LONG)) as chunks:
            await following(chunks)
            control.turn(WELL)
            control.turn(replace(WELL, active_peers=7))
            assert told(await following(chunks))["active_peers"] == 7

    asyncio.run(scene())


def test_however_fast_things_change_there_is_a_pause_between_two_events() -> None:
    async def scene() -> None:
        control = FakeControl()
        async with aclosing(changes(control, pause=LONG, heartbeat=LONG)) as chunks:
            await following(chunks)
            later = asyncio.create_task(following(chunks))
            control.turn(WELL)
            for _ in range(10):
                await asyncio.sleep(0)
            assert not later.done()
            later.cancel()
            await asyncio.wait({later})

    asyncio.run(scene())


def test_the_status_of_a_turn_is_made_once_for_all_who_follow() -> None:
    async def scene() -> int:
        control = FakeControl()
        for _ in range(3):
            async with aclosing(changes(control, pause=0.0, heartbeat=LONG)) as chunks:
                assert told(await following(chunks))["state"] == "degraded"
        return control.asked

    assert asyncio.run(scene()) == 1


def test_silence_is_broken_by_comments() -> None:
    async def scene() -> None:
        async with aclosing(changes(FakeControl(), pause=0.0, heartbeat=0.0)) as chunks:
            await following(chunks)
            assert (await following(chunks)).startswith(b": ")

    asyncio.run(scene())


def test_a_stream_ends_by_itself_so_that_its_key_is_asked_for_again() -> None:
    async def scene() -> list[bytes]:
        async with asyncio.timeout(DEADLINE):
            return [chunk async for chunk in changes(FakeControl(), pause=0.0, heartbeat=0.0, lasts=0.01)]

    chunks = asyncio.run(scene())

    assert told(chunks[0])["state"] == "degraded"


def test_only_who_may_read_everything_takes_one_of_the_few_streams() -> None:
    def ask(client: Client) -> Answer | Stream:
        request = Request(method="GET", path="/api/v1/events", headers={}, body=b"", client=client)
        return asyncio.run(Api(FakeControl(), FakeLog()).answer(request))

    assert isinstance(ask(Client(rights=EVERYTHING, uid=0)), Stream)
    assert isinstance(ask(Client(rights=frozenset({Right.READ}), address="10.0.0.1", key="laptop")), Stream)
    assert ask(Client(rights=OUTLINES, uid=65534)).status == 403
    assert ask(Client(rights=frozenset({Right.PROBE}), address="10.0.0.1")).status == 401
