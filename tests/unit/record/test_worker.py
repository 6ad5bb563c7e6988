"""One thread for what may block: in order, with its results brought to the loop, and never in the way of an end."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from functools import partial
from queue import SimpleQueue

import pytest

from healthd.errors import StorageError
from healthd.record.worker import Worker
from tests.fakes import no_thread


def test_results_come_in_the_order_of_the_work() -> None:
    done: list[int] = []

    def work(number: int) -> int:
        done.append(number)
        return number

    async def life() -> list[int]:
        worker = Worker("test", errors=())
        futures = [worker.submit(partial(work, number)) for number in range(20)]
        results = await asyncio.gather(*futures)
        worker.stop()
        return results

    assert asyncio.run(life()) == list(range(20)) == done


def test_all_work_is_done_in_one_thread_that_is_not_the_loops() -> None:
    async def life() -> set[int]:
        worker = Worker("test", errors=())
        idents = {await worker.submit(threading.get_ident) for _ in range(5)}
        worker.stop()
        return idents

    (ident,) = asyncio.run(life())
    assert ident != threading.get_ident()


def test_an_expected_error_comes_to_whoever_waits_and_the_next_work_is_done() -> None:
    async def life() -> str:
        worker = Worker("test", errors=(ValueError,))
        with pytest.raises(ValueError, match="invalid literal"):
            await worker.submit(lambda: int("x"))
        try:
            return await worker.submit(lambda: "done")
        finally:
            worker.stop()

    assert asyncio.run(life()) == "done"


def test_an_error_for_which_nobody_waits_any_more_is_no_noise(caplog: pytest.LogCaptureFixture) -> None:
    async def life() -> None:
        worker = Worker("test", errors=(ValueError,))
        worker.submit(lambda: int("x"))
        await worker.submit(lambda: None)
        worker.stop()

    asyncio.run(life())

    assert caplog.records == []


def test_a_result_for_which_nobody_waits_any_more_is_dropped() -> None:
    async def life() -> bool:
        worker = Worker("test", errors=())
        go = threading.Event()
        future = worker.submit(go.wait)
        future.cancel()
        go.set()
        await worker.submit(lambda: None)
        worker.stop()
        return future.cancelled()

    assert asyncio.run(life())


def test_a_loop_that_is_gone_is_not_told() -> None:
    go, ended = threading.Event(), threading.Event()

    async def life() -> Worker:
        worker = Worker("test", errors=())
        worker.submit(go.wait)
        worker.submit(ended.set)
        return worker

    worker = asyncio.run(life())
    go.set()
    worker.stop()

    assert ended.wait(10)


def test_what_was_submitted_before_the_stop_is_done() -> None:
    async def life() -> int:
        worker = Worker("test", errors=())
        future = worker.submit(lambda: 7)
        worker.stop()
        return await future

    assert asyncio.run(life()) == 7


HANGS = """
import asyncio, threading
from healthd.record.worker import Worker
from tests.fakes import no_thread

async def live():
    Worker("test", errors=()).submit(threading.Event().wait)

asyncio.run(live())
"""


def test_a_thread_that_hangs_does_not_keep_the_process_from_ending() -> None:
    assert subprocess.run([sys.executable, "-c", HANGS], timeout=30, check=False).returncode == 0


def test_a_bug_in_one_work_comes_to_whoever_waits_and_the_work_behind_it_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    printed: SimpleQueue[type[BaseException]] = SimpleQueue()
    nothing = dict[str, str]()
    monkeypatch.setattr(threading, "excepthook", lambda hooked: printed.put(hooked.exc_type))

    async def life() -> str:
        worker = Worker("test", errors=(ValueError,))
        broken = worker.submit(lambda: nothing["x"])
        behind = worker.submit(lambda: "done")
        with pytest.raises(StorageError, match="a bug of healthd: KeyError"):
            await broken
        try:
            return await behind
        finally:
            worker.stop()

    assert asyncio.run(life()) == "done"
    assert printed.get(timeout=10) is KeyError  # the thread that ends may be later than the one that goes on


def test_without_a_thread_the_work_is_refused_and_the_next_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    async def life() -> str:
        worker = Worker("test", errors=())
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", no_thread)
            with pytest.raises(StorageError, match="no thread can be started to do it: can't start new thread"):
                await worker.submit(lambda: "lost")
        try:
            return await worker.submit(lambda: "done")
        finally:
            worker.stop()

    assert asyncio.run(life()) == "done"
