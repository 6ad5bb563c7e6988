"""Who installs packages, as the kernel's list of locks and the processes tell."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from healthd.host import packaging
from healthd.host.packaging import Packaging

if TYPE_CHECKING:
    from pathlib import Path

OTHERS = """\
1: OFDLCK ADVISORY  WRITE -1 fe:00:1458598 0 EOF
2: POSIX  ADVISORY  READ 36 00:63:1664900 128 128
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("var/lib/dpkg", "proc/58", "usr/sbin"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/lock-frontend").touch()
    (tmp_path / "proc/locks").write_text(OTHERS)
    (tmp_path / "proc/58/comm").write_text("apt-get\n")
    return tmp_path


def at_work(root: Path) -> str:
    return Packaging(root / "proc", root).at_work()


def lock(root: Path, *, device: str = "", process: str = "58", waits: bool = False) -> None:
    """The kernel lists a lock on the file of dpkg's."""
    found = (root / "var/lib/dpkg/lock-frontend").stat()
    device = device or f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}"
    arrow = "-> " if waits else ""
    line = f"3: {arrow}POSIX  ADVISORY  WRITE {process} {device}:{found.st_ino} 0 EOF\n"
    (root / "proc/locks").write_text(OTHERS + line)


def test_who_holds_the_lock_of_dpkg_is_named(root: Path) -> None:
    lock(root)

    assert at_work(root) == "apt-get (process 58) holds dpkg's lock"


def test_the_inner_lock_counts_as_well(root: Path) -> None:
    lock(root)
    (root / "var/lib/dpkg/lock-frontend").rename(root / "var/lib/dpkg/lock")

    assert "apt-get" in at_work(root)


def test_locks_of_others_are_nobody_at_work(root: Path) -> None:
    assert at_work(root) == ""


def test_who_only_waits_for_the_lock_does_not_hold_it(root: Path) -> None:
    lock(root, waits=True)

    assert at_work(root) == ""


def test_the_same_number_on_another_device_is_another_file(root: Path) -> None:
    lock(root, device="7f:7f")

    assert at_work(root) == ""


def test_without_dpkg_nobody_is_at_work_and_nothing_is_read(tmp_path: Path) -> None:
    assert at_work(tmp_path) == ""


def test_the_list_is_not_read_again_until_somebody_opens_a_file_beside_the_locks(root: Path) -> None:
    watcher = Packaging(root / "proc", root)
    assert watcher.at_work() == ""
    (root / "proc/locks").unlink()
    assert watcher.at_work() == ""

    (root / "var/lib/dpkg/lock-frontend").open("a").close()
    lock(root)

    assert "apt-get" in watcher.at_work()
    assert "apt-get" in watcher.at_work()  # for as long as it is held, whether anything is opened or not
    (root / "proc/locks").write_text(OTHERS)
    assert watcher.at_work() == ""


def test_after_a_list_that_cannot_be_read_it_is_read_again(root: Path) -> None:
    watcher = Packaging(root / "proc", root)
    (root / "proc/locks").unlink()
    with pytest.raises(OSError, match="locks"):
        watcher.at_work()
    lock(root)

    assert "apt-get" in watcher.at_work()


def test_where_nothing_tells_of_openings_the_list_is_read_each_time(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ctypes", None)
    watcher = Packaging(root / "proc", root)
    assert watcher.at_work() == ""
    lock(root)

    assert "apt-get" in watcher.at_work()


@pytest.mark.parametrize("process", ["-1", "0", "59"])
def test_a_holder_that_cannot_be_named_is_at_work_all_the_same(root: Path, process: str) -> None:
    lock(root, process=process)

    assert at_work(root) == "a process holds dpkg's lock"


def test_a_list_that_cannot_be_read_is_an_error(root: Path) -> None:
    (root / "proc/locks").unlink()

    with pytest.raises(OSError, match="locks"):
        at_work(root)


def test_files_of_a_device_without_major_number_are_known_by_their_number_alone() -> None:
    """As on Btrfs: what stat says of a file's device is not what the list says."""
    assert packaging._same_device(b"00:63", os.makedev(0, 99))
    assert packaging._same_device(b"00:1c", os.makedev(0, 99))
    assert not packaging._same_device(b"fe:00", os.makedev(0, 99))


def test_needrestart_is_found_among_the_processes_where_it_is_installed(root: Path) -> None:
    (root / "proc/58/comm").write_text("needrestart\n")
    assert at_work(root) == ""
    (root / "usr/sbin/needrestart").touch()

    assert at_work(root) == "needrestart (process 58) looks for services to restart"


def test_the_processes_are_looked_through_once_a_second_at_most(root: Path) -> None:
    (root / "usr/sbin/needrestart").touch()
    watcher = Packaging(root / "proc", root)
    assert watcher.at_work() == ""
    (root / "proc/58/comm").write_text("needrestart\n")
    assert watcher.at_work() == ""
    watcher._scanned -= 1.1

    assert "needrestart" in watcher.at_work()


def test_a_process_that_ends_meanwhile_is_passed_over(root: Path) -> None:
    (root / "usr/sbin/needrestart").touch()
    (root / "proc/58/comm").unlink()

    assert at_work(root) == ""
