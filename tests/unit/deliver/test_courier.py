"""An hour of trouble with a receiver, in a loop of which time jumps: nobody else waits, and it is tried as promised."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from healthd.deliver.courier import Courier
from healthd.deliver.folder import Folder
from healthd.deliver.lanes import Lane
from healthd.deliver.pauses import LONG_SECONDS, YOUNG_SECONDS
from healthd.deliver.secrets import Secrets
from healthd.deliver.ways import HTTP_SECONDS
from healthd.errors import DeliveryError
from tests.fakes import FakeClock, FakeLog
from tests.unit.builders import a_letter
from tests.unit.deliver.jumping import Loop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthd.letters import Letter

HOUR = 3600.0
MINUTE = 60.0


@dataclass(kw_only=True)
class Receiver:
    """Fails until `well_at` (boot seconds), each time after `delay`; `tried` and `took` are when, and what."""

    clock: FakeClock
    well_at: float = 0.0
    delay: float = 0.0
    wish: float | None = None
    tried: list[float] = field(default_factory=list)
    took: dict[str, float] = field(default_factory=dict)
    count: Counter[str] = field(default_factory=Counter)

    async def send(self, letter: Letter, _addresses: Sequence[str]) -> None:
        self.tried.append(self.clock.boot())
        if self.clock.boot() < self.well_at:
            await asyncio.sleep(self.delay)
            raise DeliveryError("it answered 500", wait=self.wish)
        self.took[letter.id] = self.clock.boot()
        self.count[letter.id] += 1


def play(clock: FakeClock, receivers: Sequence[Receiver], comes_at: Sequence[float]) -> list[float]:
    """A letter for all of them at each of these times after the start, for two hours; returns when they came."""
    came: list[float] = []

    async def life(folder: Folder) -> None:
        couriers = []
        for number, receiver in enumerate(receivers):
            courier = Courier(
                f"r{number}", folder=folder, clock=clock, log=FakeLog(), secrets=Secrets(None), done=lambda _name: None
            )
            courier.serve(receiver.send, [Lane()])
            couriers.append(courier)
        tasks = [asyncio.create_task(courier.run()) for courier in couriers]
        began = clock.boot()
        for number, at in enumerate(comes_at):
            await asyncio.sleep(max(0.0, began + at - clock.boot()))
            came.append(clock.boot())
            letter = replace(a_letter(), id=str(number), key=str(number), at=clock.wall())
            for courier in couriers:
                courier.take(f"{number}.json", letter)
        await asyncio.sleep(began + 2 * HOUR - clock.boot())
        for task in tasks:
            task.cancel()

    with TemporaryDirectory() as directory, asyncio.Runner(loop_factory=lambda: Loop(clock)) as runner:
        runner.run(life(Folder(Path(directory))))
    return came


times = st.lists(st.floats(0.0, HOUR), min_size=1, max_size=12).map(sorted)


@settings(max_examples=30, deadline=None)
@given(times)
def test_receivers_that_fail_or_hang_for_an_hour_delay_no_other_and_get_all_of_it_then(comes_at: list[float]) -> None:
    clock = FakeClock()
    end = clock.boot() + HOUR
    works = Receiver(clock=clock)
    fails, hangs = Receiver(clock=clock, well_at=end), Receiver(clock=clock, well_at=end, delay=HTTP_SECONDS)

    came = play(clock, (works, fails, hangs), comes_at)

    assert [works.took[str(number)] for number in range(len(came))] == came
    for trouble in (fails, hangs):
        assert set(trouble.took) == set(works.took)
        assert set(trouble.count.values()) == {1}
        assert max(trouble.took.values()) <= end + LONG_SECONDS + HTTP_SECONDS
        assert len(trouble.tried) < 300
        for number, at in enumerate(came):
            until = min(at + YOUNG_SECONDS, trouble.took[str(number)])
            tries = [at, *(each for each in trouble.tried if at < each < until), until]
            assert max(after - before for before, after in pairwise(tries)) <= MINUTE


def test_a_letter_that_comes_to_a_receiver_that_is_down_for_long_is_tried_within_a_minute() -> None:
    clock = FakeClock()
    down = Receiver(clock=clock, well_at=clock.boot() + 1900.0)

    _, second = play(clock, (down,), (0.0, 1901.0))

    assert second <= down.took["1"] <= second + MINUTE


def test_what_a_receiver_asks_for_is_waited_for_though_another_letter_comes() -> None:
    clock = FakeClock()
    busy = Receiver(clock=clock, well_at=clock.boot() + 1.0, wish=900.0)

    first, _ = play(clock, (busy,), (0.0, 10.0))

    assert busy.tried[:2] == [first, first + 900.0]
