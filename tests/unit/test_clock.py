from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from healthd import clock
from healthd.clock import SystemClock
from healthd.errors import ReadError

if TYPE_CHECKING:
    from pathlib import Path


def test_boot_time_counts_suspend_so_it_is_never_behind_the_monotonic_clock() -> None:
    before = time.monotonic()

    assert SystemClock().boot() >= before


def test_boot_time_never_goes_back() -> None:
    clock = SystemClock()

    readings = [clock.boot() for _ in range(100)]

    assert readings == sorted(readings)


def test_wall_time_is_unix_seconds() -> None:
    before = time.time()

    assert before <= SystemClock().wall() <= time.time()


def test_a_zone_is_had_by_its_name_and_one_that_is_not_there_is_an_error() -> None:
    noon = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    assert SystemClock().zone("UTC").utcoffset(noon) == timedelta()
    assert noon.astimezone(SystemClock().zone("Europe/Berlin")).hour == 14
    for name in ("Nowhere/Land", "../../etc/passwd", "/etc/passwd"):
        with pytest.raises(ReadError, match="no time zone"):
            SystemClock().zone(name)


def test_without_a_name_it_is_the_zone_of_the_host_else_utc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noon = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    monkeypatch.delenv("TZ", raising=False)
    monkeypatch.setattr(clock, "_LOCAL", tmp_path / "localtime")
    assert SystemClock().zone("").utcoffset(noon) == timedelta()
    (tmp_path / "localtime").symlink_to("/usr/share/zoneinfo/Asia/Tokyo")
    assert noon.astimezone(SystemClock().zone("")).hour == 21
    monkeypatch.setenv("TZ", ":Europe/Berlin")
    assert noon.astimezone(SystemClock().zone("")).hour == 14
