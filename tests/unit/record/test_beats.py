"""Heartbeats are remembered over everything that happens to a host, and no clock makes one late."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from healthd.errors import ReadError
from healthd.jobs import Silence
from healthd.record.beats import Beats
from healthd.record.saved import restore
from tests.fake_units import MemoryStore
from tests.fakes import FakeClock, FakeLog

if TYPE_CHECKING:
    from collections.abc import Mapping

HOURLY = {"backup": 3600.0}


class Life:
    """One run of healthd on a host with this disk."""

    def __init__(self, disk: MemoryStore, clock: FakeClock, *, boot_id: str = "this-boot") -> None:
        self.clock, self.disk, self.log = clock, disk, FakeLog()
        saved: Mapping[str, Any] | None = json.loads(json.dumps(disk.rows)) or None
        known = saved if saved and "engine" in saved else None
        _, self.engine_clock = restore(known, seed=1, boot_id=boot_id, boot=clock.boot())
        self.beats = Beats(saved, store=disk, clock=clock, engine_clock=self.engine_clock, log=self.log)

    def expect(self, every: Mapping[str, float]) -> None:
        asyncio.run(self.beats.expect(every))

    def beat(self, name: str = "backup") -> None:
        asyncio.run(self.beats.beat(name))

    def silence(self, name: str = "backup") -> Silence:
        return self.beats.silence(name)


@pytest.fixture
def disk() -> MemoryStore:
    store = MemoryStore()
    store.rows["engine"] = {"seed": 1, "fresh": False, "marks": [], "stopped": []}
    store.rows["clock"] = {"boot_id": "this-boot", "boot": 0.0, "now": 0.0}
    return store


@pytest.fixture
def life(disk: MemoryStore) -> Life:
    made = Life(disk, FakeClock())
    made.expect(HOURLY)
    return made


def test_the_silence_of_a_job_lasts_from_its_last_beat(life: Life) -> None:
    life.clock.advance(100)
    assert life.silence() == Silence(expected=100, heard=None)

    life.beat()
    life.clock.advance(20)
    assert life.silence() == Silence(expected=120, heard=20)


def test_a_wall_clock_that_jumps_changes_nothing(life: Life) -> None:
    life.beat()
    life.clock.set_wall(4_000_000_000.0)
    life.clock.advance(5)

    assert life.silence().heard == 5


def test_a_restart_of_healthd_takes_nothing_away(life: Life, disk: MemoryStore) -> None:
    life.beat()
    life.clock.advance(1000)
    after = Life(disk, life.clock)
    after.expect(HOURLY)

    assert after.silence() == Silence(expected=1000, heard=1000)


def test_the_time_for_which_the_host_was_off_does_not_count(life: Life, disk: MemoryStore) -> None:
    life.clock.advance(500)
    life.beat()
    after = Life(disk, FakeClock(boot=12.0, wall=1_800_000_000.0), boot_id="the-next-boot")
    after.expect(HOURLY)
    after.clock.advance(30)

    assert after.silence() == Silence(expected=530, heard=30)


def test_another_rhythm_begins_anew_and_the_last_beat_stays_known(life: Life) -> None:
    life.beat()
    life.clock.advance(7000)
    life.expect({"backup": 60.0})

    assert life.silence() == Silence(expected=0, heard=7000)


def test_a_job_that_is_expected_no_more_is_forgotten(life: Life, disk: MemoryStore) -> None:
    life.beat()
    life.expect({})

    assert "heartbeat/backup" not in disk.rows
    with pytest.raises(ReadError):
        life.silence()
    life.expect(HOURLY)
    assert life.silence().heard is None


def test_nothing_is_written_where_nothing_changed(life: Life, disk: MemoryStore) -> None:
    disk.rows.clear()
    life.expect(HOURLY)

    assert disk.rows == {}


def test_a_job_that_beats_all_the_time_is_written_down_once_a_second(life: Life, disk: MemoryStore) -> None:
    life.beat()
    written = disk.rows["heartbeat/backup"]
    for _ in range(9):
        life.clock.advance(0.1)
        life.beat()
    assert disk.rows["heartbeat/backup"] is written
    assert life.silence().heard == 0

    life.clock.advance(0.2)
    life.beat()
    assert disk.rows["heartbeat/backup"] is not written


def test_a_disk_that_fails_does_not_lose_a_beat(life: Life, disk: MemoryStore) -> None:
    disk.broken = True
    life.beat()

    assert life.silence().heard == 0


@pytest.mark.parametrize("nonsense", [None, 3, {}, {"every": "x", "since": 0, "heard_at": None}])
def test_an_entry_that_makes_no_sense_is_one_that_was_not_there(disk: MemoryStore, nonsense: object) -> None:
    disk.rows["heartbeat/backup"] = nonsense
    life = Life(disk, FakeClock())
    life.expect(HOURLY)

    assert life.silence() == Silence(expected=0, heard=None)
