"""A dead man's switch hears of healthd while rounds get done, and people that a failure they were told of is over."""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from healthd.alive import Alive
from healthd.config import AlertingSettings
from healthd.letters import FAILED_KEY, Letter, Why
from healthd.model import Severity
from healthd.record.outbox import FileOutbox
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import Mapping

TELL_FAILURE: Final = Path(__file__).parents[2] / "systemd/tell-failure"
SWITCH: Final = AlertingSettings(heartbeat_url="http://switch/")
TOLD: Final = AlertingSettings(webhook_url="http://hook/")


class Box:
    """Fulfils `Fallen`, and ends the run that writes into it once it had its turn."""

    def __init__(self, fallen_at: float | None = None) -> None:
        self.fell = fallen_at
        self.letters: list[Letter] = []

    async def put(self, letters: Mapping[str, bytes]) -> None:
        self.letters += map(Letter.from_json, letters.values())

    async def fallen_at(self) -> float | None:
        return self.fell

    async def forget_fall(self) -> None:
        self.fell = None


def written(box: Box, settings: AlertingSettings, *, lives: bool = True) -> list[Letter]:
    async def life() -> None:
        task = asyncio.create_task(Alive(box, FakeClock(), settings=lambda: settings, lives=lambda: lives).run())
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()

    asyncio.run(life())
    return box.letters


def test_a_dead_mans_switch_hears_of_healthd_and_nobody_else_does() -> None:
    (letter,) = written(Box(), SWITCH)

    assert (letter.why, letter.to) == (Why.BEAT, "heartbeat")


def test_a_healthd_that_hangs_gives_no_sign_of_life() -> None:
    assert written(Box(), SWITCH, lives=False) == []


def test_without_a_switch_there_is_no_sign() -> None:
    assert written(Box(), TOLD) == []


def test_that_healthd_lives_again_is_told_once_where_its_failure_was() -> None:
    box = Box(fallen_at=1000.0)
    (letter,) = written(box, TOLD)

    assert (letter.why, letter.opened_at) == (Why.RESOLVED, 1000.0)
    assert letter.key.startswith(FAILED_KEY)
    assert box.fell is None


def test_what_a_shell_script_tells_of_the_failure_is_a_letter_of_the_same_alert(tmp_path: Path) -> None:
    (tmp_path / "outbox").mkdir()
    subprocess.run([TELL_FAILURE], env={"STATE_DIRECTORY": str(tmp_path), "PATH": "/usr/bin:/bin"}, check=True)
    letter = Letter.from_json((tmp_path / "outbox/failed.json").read_bytes())
    fallen_at = asyncio.run(FileOutbox(tmp_path).fallen_at())
    (over,) = written(Box(fallen_at), TOLD)

    assert (letter.why, letter.severity) == (Why.OPENED, Severity.CRITICAL)
    assert (over.key, over.opened_at) == (letter.key, letter.opened_at)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["failed", "outbox"]


@pytest.mark.parametrize("mark", ["", "nonsense\n", '12"34\n'])
def test_a_mark_that_says_nothing_makes_no_letter_that_nobody_can_read(tmp_path: Path, mark: str) -> None:
    (tmp_path / "outbox").mkdir()
    (tmp_path / "failed").write_text(mark)
    subprocess.run([TELL_FAILURE], env={"STATE_DIRECTORY": str(tmp_path), "PATH": "/usr/bin:/bin"}, check=True)
    letter = Letter.from_json((tmp_path / "outbox/failed.json").read_bytes())

    assert letter.opened_at == letter.at
    assert (tmp_path / "failed").read_text() == f"{letter.at:.0f}\n"


def test_other_settings_count_at_once_and_not_after_the_pause_of_those_before() -> None:
    async def life() -> list[Why]:
        box, settings = Box(), [replace(SWITCH, heartbeat_url="")]
        alive = Alive(box, FakeClock(), settings=lambda: settings[0], lives=lambda: True)
        task = asyncio.create_task(alive.run())
        for _ in range(20):
            await asyncio.sleep(0)
        assert box.letters == []
        settings[0] = SWITCH
        alive.reconfigured()
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()
        return [letter.why for letter in box.letters]

    assert asyncio.run(life()) == [Why.BEAT]


def test_the_mark_of_a_failure_is_forgotten(tmp_path: Path) -> None:
    async def life() -> None:
        outbox = FileOutbox(tmp_path)
        assert await outbox.fallen_at() is None
        (tmp_path / "failed").write_text("1700000000\n")
        assert await outbox.fallen_at() == 1_700_000_000.0
        await outbox.forget_fall()
        assert await outbox.fallen_at() is None

    asyncio.run(life())
