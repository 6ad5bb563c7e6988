"""What is at hand is had at once, and what is not is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from healthd.soon import Soon, then, waited


async def later(value: int) -> int:
    await asyncio.sleep(0)
    return value


def test_what_is_made_of_something_at_hand_is_at_hand() -> None:
    assert then(2, str) == "2"


def test_what_is_made_of_something_to_be_waited_for_must_be_waited_for() -> None:
    found = then(later(2), str)

    assert isinstance(found, Coroutine)
    assert asyncio.run(found) == "2"


def test_either_can_be_waited_for() -> None:
    found: list[Soon[int]] = [2, later(2)]

    assert [asyncio.run(waited(each)) for each in found] == [2, 2]
