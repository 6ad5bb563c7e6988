"""What is read of a control group, from files as kernels 6.1 and newer write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from healthd.errors import ReadError
from healthd.figures import GroupUsage
from healthd.host import LinuxHost

if TYPE_CHECKING:
    from pathlib import Path

FILES: Final = {
    "cgroup.procs": "812\n",
    "memory.current": "104857600\n",
    "memory.max": "209715200\n",
    "memory.stat": "anon 52428800\nfile 41943040\ninactive_file 31457280\nactive_file 10485760\nslab 1048576\n",
    "cpu.stat": "usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\nnr_periods 0\n",
    "pids.current": "7\n",
    "pids.max": "4915\n",
}


@pytest.fixture
def group(tmp_path: Path) -> Path:
    made = tmp_path / "fs/cgroup/system.slice/web.service"
    made.mkdir(parents=True)
    for name, text in FILES.items():
        (made / name).write_text(text)
    return made


def usage(root: Path) -> GroupUsage:
    return LinuxHost(sys_root=root).group_usage("/system.slice/web.service")


def test_memory_is_what_is_not_merely_files_kept_in_it(group: Path, tmp_path: Path) -> None:
    assert usage(tmp_path) == GroupUsage(
        memory=62_914_560, memory_max=209_715_200, cpu_seconds=1.5, tasks=7, tasks_max=4915
    )


def test_a_maximum_that_is_not_set_is_none(group: Path, tmp_path: Path) -> None:
    for name in ("memory.max", "pids.max"):
        (group / name).write_text("max\n")

    assert (usage(tmp_path).memory_max, usage(tmp_path).tasks_max) == (None, None)


def test_a_host_without_controllers_counts_processor_time_only(group: Path, tmp_path: Path) -> None:
    for name in FILES.keys() - {"cgroup.procs", "cpu.stat"}:
        (group / name).unlink()

    assert usage(tmp_path) == GroupUsage(cpu_seconds=1.5)


def test_a_group_that_is_gone_is_no_reading(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"no control group /system\.slice/web\.service"):
        usage(tmp_path)
