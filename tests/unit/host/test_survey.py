"""Mounts are asked aside: one that hangs delays nobody, is not asked again, and is back when it answers."""

from __future__ import annotations

import _thread
import asyncio
import os
import threading
import time

import pytest

from healthd.errors import ReadError
from healthd.host.survey import MOST_STUCK, Survey
from tests.fakes import no_thread

SOON = 0.02


class Mounts:
    """File systems some of which hang until they are let go. `asked` lists who was asked, in order."""

    def __init__(self, *hanging: bytes) -> None:
        self.asked: list[bytes] = []
        self.asking = threading.Event()
        self.hanging = {path: threading.Event() for path in hanging}

    def ask(self, path: bytes) -> os.statvfs_result:
        self.asked.append(path)
        self.asking.set()
        if path == b"/gone":
            raise FileNotFoundError(2, "gone")
        if path in self.hanging:
            assert self.hanging[path].wait(30)
        return os.statvfs("/")

    def let_go(self) -> None:
        for event in self.hanging.values():
            event.set()


def test_each_mount_says_how_full_it_is_or_why_not() -> None:
    mounts = Mounts()

    answers = asyncio.run(Survey(mounts.ask).look([b"/", b"/gone"], deadline=30))

    assert isinstance(answers[b"/"], os.statvfs_result)
    assert isinstance(answers[b"/gone"], FileNotFoundError)


def test_a_mount_that_hangs_is_left_alone_and_the_others_are_asked() -> None:
    async def run() -> None:
        survey = Survey(mounts.ask)
        for _ in range(3):
            assert set(await survey.look([b"/a", b"/hangs", b"/b"], deadline=SOON)) == {b"/a", b"/b"}

    mounts = Mounts(b"/hangs")
    asyncio.run(run())
    mounts.let_go()

    assert mounts.asked.count(b"/hangs") == 1
    assert mounts.asked.count(b"/b") == 3


def test_a_mount_that_answers_again_is_asked_again() -> None:
    async def run() -> None:
        survey = Survey(mounts.ask)
        assert set(await survey.look([b"/hangs"], deadline=SOON)) == set()
        mounts.let_go()
        async with asyncio.timeout(30):
            while await survey.look([b"/hangs"], deadline=30) == {}:  # noqa: ASYNC110  it says so to nobody
                await asyncio.sleep(0)

    mounts = Mounts(b"/hangs")
    asyncio.run(run())


def test_where_no_thread_can_be_started_no_mount_is_said_to_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.host.survey.start_new_thread", no_thread)

    with pytest.raises(ReadError, match="there is no thread to ask mounts with"):
        asyncio.run(Survey(Mounts().ask).look([b"/"], deadline=30))


def test_threads_that_hang_are_few_whatever_hangs() -> None:
    async def run() -> None:
        survey = Survey(mounts.ask)
        for _ in range(3):
            assert await survey.look(paths, deadline=SOON) == {}

    paths = [b"/%d" % number for number in range(MOST_STUCK + 4)]
    mounts = Mounts(*paths)
    asyncio.run(run())
    mounts.let_go()

    assert mounts.asked == paths[:MOST_STUCK]


def test_who_waits_no_longer_leaves_a_mount_that_hangs_behind_as_one() -> None:
    async def run() -> None:
        survey = Survey(mounts.ask)
        look = asyncio.create_task(survey.look([b"/hangs", b"/a"], deadline=30))
        await asyncio.to_thread(mounts.asking.wait, 30)
        look.cancel()
        await asyncio.gather(look, return_exceptions=True)
        assert set(await survey.look([b"/hangs", b"/a"], deadline=30)) == {b"/a"}

    mounts = Mounts(b"/hangs")
    asyncio.run(run())
    mounts.let_go()

    assert mounts.asked == [b"/hangs", b"/a"]


def test_an_answer_that_comes_after_the_end_of_the_loop_harms_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    complaints: list[object] = []
    monkeypatch.setattr("sys.unraisablehook", complaints.append)
    mounts, before = Mounts(b"/hangs"), _thread._count()
    asyncio.run(Survey(mounts.ask).look([b"/hangs"], deadline=SOON))

    mounts.let_go()
    deadline = time.monotonic() + 30
    while _thread._count() > before and time.monotonic() < deadline:
        time.sleep(0.001)

    assert _thread._count() == before
    assert complaints == []
