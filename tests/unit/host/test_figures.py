"""What the door makes of the kernel's own texts, taken from Linux 6.1 (Debian 12) and 6.18."""

from __future__ import annotations

import os
import time
from errno import EOPNOTSUPP
from typing import TYPE_CHECKING

import pytest

from healthd.errors import Absent, ReadError
from healthd.figures import Stalls
from healthd.host import LinuxHost, memory, pressure, tables

if TYPE_CHECKING:
    from pathlib import Path

STAT = """\
cpu  100646 300 28769 276094 4573 0 974 1359 200 100
cpu0 42907 0 13162 147916 1193 0 243 677 0 0
cpu1 57738 0 15606 128177 3379 0 730 682 0 0
intr 1
ctxt 2
btime 1700000000
"""
MEMINFO = """\
MemTotal: 1000 kB
MemFree: 100 kB
MemAvailable: 400 kB
Buffers: 0 kB
Cached: 300 kB
Active: 1 kB
Inactive: 1 kB
Shmem: 0 kB
Slab: 0 kB
SwapTotal: 500 kB
SwapFree: 200 kB
"""
EVENTS = "low 0\nhigh 12\nmax 40\noom 3\noom_kill 2\noom_group_kill 0\n"
CPU = "some avg10=31.20 avg60=14.39 avg300=12.20 total=195620119\n"
FULL = CPU + "full avg10=0.50 avg60=0.25 avg300=0.00 total=0\n"


class Tree:
    """A /proc and a /sys of the files that a test puts there."""

    def __init__(self, root: Path) -> None:
        self.proc, self.sys = root / "proc", root / "sys"
        self.put("proc/1/stat", f"1 (systemd) S {' '.join(['0'] * 18)} 0 0 0\n")

    def put(self, name: str, text: str) -> None:
        path = self.proc.parent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def host(self) -> LinuxHost:
        return LinuxHost(self.proc, self.sys)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


# Memory


def test_swap_is_what_there_is_less_what_is_free(tree: Tree) -> None:
    tree.put("proc/meminfo", MEMINFO)

    found = tree.host().memory()

    assert (found.total, found.used) == (1000 * 1024, 600 * 1024)
    assert (found.swap_total, found.swap_used) == (500 * 1024, 300 * 1024)
    assert found.oom_kills is None


def test_a_container_with_a_total_of_its_own_has_available_what_is_free_of_it(tree: Tree) -> None:
    tree.put("proc/meminfo", MEMINFO.replace("MemAvailable: 400", "MemAvailable: 64000"))

    assert tree.host().memory().available == 100 * 1024


def test_kills_for_want_of_memory_are_those_of_all_services() -> None:
    assert memory.event(EVENTS, "oom_kill") == 2
    assert memory.event("", "oom_kill") is None


def test_figures_that_cannot_be_read_are_a_reading_that_is_missing(tree: Tree) -> None:
    for ask in (tree.host().memory, tree.host().cpu, tree.host().tables):
        with pytest.raises(ReadError, match="cannot be read"):
            ask()


# Processors


def test_the_time_of_guests_counts_once(tree: Tree) -> None:
    tree.put("proc/stat", STAT)
    tree.put("proc/loadavg", "1.67 1.50 1.19 3/390 11114\n")

    found = tree.host().cpu()

    ticks = os.sysconf("SC_CLK_TCK")
    assert found.all == pytest.approx((100646 + 300 + 28769 + 276094 + 4573 + 0 + 974 + 1359) / ticks)
    assert found.busy == pytest.approx((100646 + 300 + 28769 + 974) / ticks)
    assert (found.waiting, found.stolen) == pytest.approx((4573 / ticks, 1359 / ticks))
    assert found.load == 1.5
    assert found.booted_for > 0


def test_processors_that_are_not_where_they_belong_are_no_reading(tree: Tree) -> None:
    tree.put("proc/stat", STAT.partition("\n")[2])
    tree.put("proc/loadavg", "1.67 1.50 1.19 3/390 11114\n")

    with pytest.raises(ReadError, match="does not begin with the processors"):
        tree.host().cpu()


# healthd itself


def test_what_healthd_uses_is_what_the_kernel_says_of_its_process(tree: Tree) -> None:
    ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    # started 50 s after the boot of the machine; 9 pages of addresses, 7 of them in memory
    tree.put("proc/self/stat", f"77 (health d) S {' '.join(['0'] * 18)} {50 * ticks} 0 0\n")
    tree.put("proc/self/statm", "9 7 5 1 0 2 0\n")
    tree.put("proc/stat", STAT)
    for number in range(4):  # one of them is the directory itself
        tree.put(f"proc/self/fd/{number}", "")

    begun = time.process_time()
    host = tree.host()
    own = host.own_process()

    assert begun <= own.cpu_seconds <= time.process_time()
    assert (own.resident_bytes, own.virtual_bytes, own.open_files) == (7 * page, 9 * page, 3)
    assert own.started_at == 1_700_000_050


def test_when_healthd_started_is_another_time_once_the_clock_was_set(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.put("proc/self/stat", f"77 (healthd) S {' '.join(['0'] * 18)} {50 * os.sysconf('SC_CLK_TCK')} 0 0\n")
    tree.put("proc/self/statm", "9 7 5 1 0 2 0\n")
    tree.put("proc/self/fd/0", "")
    tree.put("proc/stat", "btime 1000\n")
    host = tree.host()
    assert host.own_process().started_at == 1050

    tree.put("proc/stat", "btime 1700000000\n")
    now = time.time() + 1_699_999_000
    monkeypatch.setattr("healthd.host.own.time.time", lambda: now)

    assert host.own_process().started_at == 1_700_000_050


# Pressure


def test_pressure_is_that_of_the_last_minute_and_of_the_last_ten_seconds() -> None:
    assert pressure.parse(FULL.encode()) == Stalls(some=14.39, some_10s=31.2, full=0.25, full_10s=0.5)


def test_a_kernel_that_says_no_full_for_processors_is_understood(tree: Tree) -> None:
    tree.put("proc/pressure/cpu", CPU)
    tree.put("proc/pressure/memory", FULL)
    tree.put("proc/pressure/io", FULL)

    stalls = tree.host().pressure().stalls

    assert list(stalls) == ["cpu", "memory", "io"]
    assert stalls["cpu"] == Stalls(some=14.39, some_10s=31.2)


def test_a_kernel_without_psi_lacks_it(tree: Tree) -> None:
    with pytest.raises(Absent, match="CONFIG_PSI"):
        tree.host().pressure()


def test_psi_that_is_switched_off_is_lacking_too(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise OSError(EOPNOTSUPP, "Operation not supported")

    tree.put("proc/pressure/cpu", "")
    monkeypatch.setattr(os, "pread", refuse)

    with pytest.raises(Absent, match="psi=1"):
        tree.host().pressure()


def test_a_text_of_another_form_is_no_reading(tree: Tree) -> None:
    tree.put("proc/pressure/cpu", "some avg10=0.00\n")

    with pytest.raises(ReadError):
        tree.host().pressure()


# Tables


def with_tables(tree: Tree, *, pid_max: int = 32768, threads_max: int = 190_000) -> LinuxHost:
    tree.put("proc/loadavg", "1.67 1.50 1.19 3/390 11114\n")
    tree.put("proc/sys/fs/file-nr", "2452\t0\t9223372036854775807\n")
    tree.put("proc/sys/kernel/pid_max", f"{pid_max}\n")
    tree.put("proc/sys/kernel/threads-max", f"{threads_max}\n")
    return tree.host()


def process(tree: Tree, pid: int, state: str, name: str = "sleep") -> None:
    tree.put(f"proc/{pid}/stat", f"{pid} ({name}) {state} 1 1 1 0 -1\n")


def test_threads_are_held_against_the_lesser_limit(tree: Tree) -> None:
    assert with_tables(tree).tables().threads_max == 32768
    found = with_tables(tree, pid_max=4_194_304).tables()

    assert (found.threads, found.threads_max) == (390, 190_000)
    assert (found.files, found.files_max) == (2452, 9223372036854775807)


def test_zombies_are_counted_whatever_they_call_themselves(tree: Tree) -> None:
    process(tree, 10, "Z")
    process(tree, 11, "Z", ") S (")
    process(tree, 12, "S", ") Z (")
    (tree.proc / "13").mkdir()

    assert with_tables(tree).tables().zombies == 2


def test_each_reading_looks_at_a_few_processes_and_gives_the_last_whole_count(tree: Tree) -> None:
    for pid in range(100, 100 + 2 * tables.LOOKED_AT):  # and PID 1
        process(tree, pid, "Z")
    zombies = tables.Zombies(str(tree.proc))

    assert [zombies.count(at) for at in (0.0, 100.0, 200.0)] == [None, None, 2 * tables.LOOKED_AT]
    for pid in range(100, 100 + 2 * tables.LOOKED_AT):
        process(tree, pid, "S")
    assert [zombies.count(at) for at in (300.0, 400.0, 500.0)] == [*[2 * tables.LOOKED_AT] * 2, 0]


def test_readings_that_come_often_look_at_no_more_processes_than_those_that_come_seldom(tree: Tree) -> None:
    for pid in range(100, 100 + 2 * tables.LOOKED_AT):
        process(tree, pid, "Z")
    seldom, often = (tables.Zombies(str(tree.proc)) for _ in range(2))
    whole = 2 * tables.LOOKED_AT / tables.A_SECOND

    first = next(at for at in range(1000) if seldom.count(float(at * 5)) is not None) * 5
    again = next(at for at in range(10_000) if often.count(at / 10) is not None) / 10

    assert abs(first - again) <= 5 < whole
