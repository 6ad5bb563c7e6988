"""The delivery process on a disk that takes nothing: an hour of it, in a loop of which time jumps."""

from __future__ import annotations

import asyncio
import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import pytest

from healthd.deliver.folder import Folder
from healthd.deliver.office import Office
from healthd.events import Event
from tests.fakes import FakeClock, FakeLog
from tests.unit.builders import a_letter
from tests.unit.deliver.jumping import Loop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from healthd.registry import Ways

HOUR: Final = 3600.0


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """`disk["error"]` is the errno of everything that would change a file; 0: the disk is well."""
    state = {"error": 0}

    def unless_bad(work: Callable[..., Any]) -> Callable[..., Any]:
        def done(path: Path, *arguments: Any, **options: Any) -> Any:
            if state["error"]:
                raise OSError(state["error"], os.strerror(state["error"]), str(path))
            return work(path, *arguments, **options)

        return done

    for name in ("rename", "unlink", "write_text"):
        monkeypatch.setattr(Path, name, unless_bad(getattr(Path, name)))
    return state


class Post:
    """A process of delivery over a folder, with a webhook that takes all."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.clock, self.log, self.posted = directory, FakeClock(), FakeLog(), 0
        config = directory / "healthd.toml"
        config.write_text('[alerting]\nwebhook_url = "http://127.0.0.1:1/"\n', encoding="utf-8")
        config.chmod(0o600)
        self.office = Office(
            folder=Folder(directory), clock=self.clock, log=self.log, ways=cast("Ways", self), config=config
        )

    async def post(self, *_: object) -> None:
        self.posted += 1

    def left(self) -> list[str]:
        """What lies in the outbox."""
        return sorted(path.name for path in (self.directory / "outbox").iterdir())

    def live(self, scene: Callable[[asyncio.Task[None]], Awaitable[None]]) -> None:
        """Run it, and the scene beside it, which is given its task."""

        async def life() -> None:
            task = asyncio.create_task(self.office.run())
            await scene(task)
            await task

        with asyncio.Runner(loop_factory=lambda: Loop(self.clock)) as runner:
            runner.run(life())


@pytest.mark.parametrize("error", [errno.EROFS, errno.ENOSPC])
def test_a_disk_that_takes_nothing_is_said_once_and_no_alert_is_sent_twice(
    error: int, tmp_path: Path, disk: dict[str, int]
) -> None:
    post = Post(tmp_path)
    letter = a_letter()
    (tmp_path / "outbox" / "1.json").write_bytes(letter.to_json())

    async def scene(task: asyncio.Task[None]) -> None:
        disk["error"] = error
        await asyncio.sleep(HOUR)
        assert (post.posted, post.left(), task.done()) == (1, ["1.json"], False)
        disk["error"] = 0

    post.live(scene)

    assert (post.posted, post.left()) == (1, [])
    assert (tmp_path / "delivered" / f"{letter.id}.webhook").exists()
    assert [said.fields["reason"] for said in post.log.of(Event.STORAGE_FAILED)] == ["cannot_write", "recovered"]


def test_what_is_no_letter_and_cannot_be_put_aside_is_said_once(tmp_path: Path, disk: dict[str, int]) -> None:
    post = Post(tmp_path)
    (tmp_path / "outbox" / "x.json").write_bytes(b"{")

    async def scene(_: asyncio.Task[None]) -> None:
        disk["error"] = errno.EROFS
        await asyncio.sleep(HOUR)
        assert len(post.log.of(Event.ALERT_FAILED)) == 1
        disk["error"] = 0

    post.live(scene)

    assert (post.left(), (tmp_path / "delivered" / "x.json.broken").exists()) == ([], True)


def test_it_ends_when_told_to_whatever_the_disk_does(tmp_path: Path, disk: dict[str, int]) -> None:
    post = Post(tmp_path)
    (tmp_path / "outbox" / "1.json").write_bytes(a_letter().to_json())

    async def scene(_: asyncio.Task[None]) -> None:
        disk["error"] = errno.EROFS
        await asyncio.sleep(HOUR)
        post.office.stop()

    post.live(scene)

    assert post.posted == 1


def test_where_the_disk_was_mended_for_all_but_this_process_the_next_one_goes_on(
    tmp_path: Path, disk: dict[str, int]
) -> None:
    post = Post(tmp_path)
    (tmp_path / "outbox" / "1.json").write_bytes(a_letter().to_json())

    async def scene(_: asyncio.Task[None]) -> None:
        disk["error"] = errno.EROFS
        await asyncio.sleep(HOUR)
        (tmp_path / "outbox" / "2.json").write_bytes(replace(a_letter(), id="2").to_json())

    post.live(scene)

    assert (post.posted, post.left()) == (1, ["1.json", "2.json"])


def test_what_takes_the_place_of_a_letter_that_cannot_be_removed_is_sent(tmp_path: Path, disk: dict[str, int]) -> None:
    post = Post(tmp_path)
    (tmp_path / "outbox" / "1.json").write_bytes(a_letter().to_json())

    async def scene(_: asyncio.Task[None]) -> None:
        disk["error"] = errno.EIO
        await asyncio.sleep(HOUR)
        (tmp_path / "outbox" / "1.json").write_bytes(replace(a_letter(), id="2").to_json())
        await asyncio.sleep(HOUR)
        assert post.posted == 2
        disk["error"] = 0

    post.live(scene)

    assert post.left() == []
