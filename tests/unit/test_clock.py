from __future__ import annotations

import time

from healthd.clock import SystemClock


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
