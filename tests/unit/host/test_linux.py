from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from healthd.host import LinuxHost

if TYPE_CHECKING:
    from collections.abc import Callable

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
MEMINFO = """\
MemTotal:       16384000 kB
MemFree:         1024000 kB
MemAvailable:   12288000 kB
Buffers:          512000 kB
Cached:          8192000 kB
Active:          4096000 kB
Inactive:        4096000 kB
Shmem:            128000 kB
Slab:             256000 kB
SReclaimable:     128000 kB
SwapTotal:       2048000 kB
SwapFree:        1024000 kB
"""


def row(number: int, state: str) -> str:
    return f"   {number}: 0100007F:1F90 0100007F:{number:04X} {state} 00000000:00000000 00:00000000 00000000 0 0 1\n"


@pytest.fixture
def proc(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """Makes a /proc of the given files."""

    def make(files: dict[str, str]) -> Path:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="ascii")
        return tmp_path

    return make


def test_used_memory_is_what_could_not_be_had_without_swapping(proc: Callable[[dict[str, str]], Path]) -> None:
    host = LinuxHost(proc({"meminfo": MEMINFO}))

    assert host.memory().used == (16384000 - 12288000) * 1024


def test_a_host_whose_root_directory_is_elsewhere_is_read_and_its_mounts_are_asked_there(
    proc: Callable[[dict[str, str]], Path],
) -> None:
    mounts = "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n21 20 8:2 / /only-below rw - ext4 /dev/sda2 rw\n"
    root = proc({"proc/meminfo": MEMINFO, "proc/1/mountinfo": mounts, "only-below/file": ""})
    host = LinuxHost.below(root)

    found = asyncio.run(host.mounts(deadline=5))

    assert host.memory().used == (16384000 - 12288000) * 1024
    assert [(mount.name, mount.space is not None) for mount in found] == [("/", True), ("/only-below", True)]


def test_the_boot_id_is_the_kernels_without_its_newline(proc: Callable[[dict[str, str]], Path]) -> None:
    host = LinuxHost(proc({"sys/kernel/random/boot_id": "0f4a8a9e-1b9c-4a93-b0d2-5a3f8ad1f2c3\n"}))

    assert host.boot_id() == "0f4a8a9e-1b9c-4a93-b0d2-5a3f8ad1f2c3"


def test_uptime_is_the_age_of_pid_1_even_where_that_is_younger_than_the_machine(
    proc: Callable[[dict[str, str]], Path],
) -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    started = int((time.clock_gettime(time.CLOCK_BOOTTIME) - 100) * ticks)
    host = LinuxHost(proc({"1/stat": f"1 (init (1)) S {' '.join(['0'] * 18)} {started} 0 0\n"}))

    assert 99 < host.uptime() < 110


def test_only_established_connections_count_of_both_families(proc: Callable[[dict[str, str]], Path]) -> None:
    host = LinuxHost(
        proc(
            {
                "net/tcp": HEADER + row(0, "0A") + row(1, "01") + row(2, "06") + row(3, "01"),
                "net/tcp6": HEADER + row(0, "01"),
            }
        )
    )

    assert host.established_connections() == 3


def test_a_kernel_without_ipv6_has_the_connections_of_ipv4(proc: Callable[[dict[str, str]], Path]) -> None:
    host = LinuxHost(proc({"net/tcp": HEADER + row(0, "01")}))

    assert host.established_connections() == 1


def test_a_reading_that_cannot_be_had_is_an_error_and_no_number(proc: Callable[[dict[str, str]], Path]) -> None:
    host = LinuxHost(proc({}))

    with pytest.raises(OSError, match="stat"):
        host.uptime()


def test_this_very_machine_can_be_read() -> None:
    host = LinuxHost()

    assert len(host.boot_id()) == 36
    assert 0 < host.memory().used < host.memory().total
    assert 0 < host.cpu().busy < host.cpu().all
    assert 0 < host.tables().threads < host.tables().threads_max
    assert host.uptime() > 0
    assert host.established_connections() >= 0
    own = host.own_process()
    with Path("/dev/null").open("rb"):
        assert host.own_process().open_files == own.open_files + 1
    assert host.own_process().open_files == own.open_files
    assert 0 < own.resident_bytes < own.virtual_bytes
    assert 0 < own.open_files < own.most_files
    assert 0 < time.time() - own.started_at < 24 * 3600


def test_timesyncd_s_last_answer_is_the_age_of_its_file(tmp_path: Path) -> None:
    host = LinuxHost(run_root=tmp_path)
    assert host.time_heard_at() is None

    heard = tmp_path / "systemd/timesync/synchronized"
    heard.parent.mkdir(parents=True)
    heard.touch()
    os.utime(heard, (50, 50))

    assert host.time_heard_at() == 50
