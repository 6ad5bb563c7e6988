"""The file systems of a host over time: what has turned read-only, what is out of reach, what came and went."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from healthd.errors import ReadError
from healthd.host.disks import READ_SECONDS, Disks
from healthd.host.files import Kept

if TYPE_CHECKING:
    from pathlib import Path

    from healthd.figures import Mount

ROOT = "27 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw"
DATA = "60 27 8:1 / /data rw,relatime - ext4 /dev/sda1 {}"
SIZES = os.statvfs_result((4096, 1024, 1000, 600, 500, 2000, 1500, 1500, 4096, 255))


class Machine:
    """A /proc and an /etc/fstab; `errors` are the mounts that cannot be asked."""

    def __init__(self, root: Path) -> None:
        self.errors: dict[bytes, OSError] = {}
        self.asked: list[bytes] = []
        self._root = root
        (root / "1").mkdir()
        self.now = 0.0
        self.disks = Disks(Kept(root), root, root / "fstab", self._ask, lambda: self.now)

    def mount(self, *lines: str) -> None:
        (self._root / "1/mountinfo").write_text("".join(f"{line}\n" for line in lines), encoding="ascii")

    def fstab(self, text: str) -> None:
        (self._root / "fstab").write_text(text, encoding="ascii")

    def look(self, after: float = READ_SECONDS) -> dict[str, Mount]:
        self.now += after
        return {mount.name: mount for mount in asyncio.run(self.disks.read(deadline=30))}

    def _ask(self, path: bytes) -> os.statvfs_result:
        self.asked.append(path)
        if path in self.errors:
            raise self.errors[path]
        return SIZES


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_space_is_counted_in_bytes_as_df_does(machine: Machine) -> None:
    machine.mount(ROOT)

    space = machine.look()["/"].space

    assert space is not None
    assert (space.used, space.available) == (400 * 1024, 500 * 1024)
    assert (space.inodes, space.inodes_free) == (2000, 1500)


def test_what_was_writable_and_is_no_more_is_told_from_what_was_mounted_like_that(machine: Machine) -> None:
    meant = "61 27 8:2 / /archive ro - ext4 /dev/sda2 ro"
    machine.mount(ROOT, DATA.format("rw"), meant)
    machine.look()
    machine.mount(ROOT, DATA.format("ro"), meant)

    found = machine.look()

    assert (found["/data"].writable, found["/data"].was_writable) == (False, True)
    assert (found["/archive"].writable, found["/archive"].was_writable) == (False, False)
    assert machine.asked == [b"/", b"/data", b"/"]


def test_a_tmpfs_that_was_made_read_only_is_told_and_one_that_always_was_is_nobodys_business(machine: Machine) -> None:
    tmpfs = "62 27 0:50 / /tmp rw - tmpfs tmpfs {}"
    machine.mount(ROOT, tmpfs.format("ro"))
    before = list(machine.look())
    machine.mount(ROOT, tmpfs.format("rw"))
    machine.look()
    machine.mount(ROOT, tmpfs.format("ro"))

    assert before == ["/"]
    assert not machine.look()["/tmp"].writable


def test_an_ext4_that_found_an_error_writes_no_more_though_the_kernel_still_lists_it_as_writable(
    machine: Machine, tmp_path: Path
) -> None:
    errors = tmp_path / "fs/ext4/sda1/errors_count"
    errors.parent.mkdir(parents=True)
    (tmp_path / "dev/block").mkdir(parents=True)
    (tmp_path / "dev/block/8:1").symlink_to("../../devices/sda/sda1")
    machine.mount(ROOT, DATA.format("rw,errors=remount-ro"))
    seen = []
    for count in ("1", "1", "2"):  # an error of long ago is on the disk until somebody checks it
        errors.write_text(f"{count}\n", encoding="ascii")
        seen.append(machine.look()["/data"].writable)

    assert seen == [True, True, False]


def test_another_disk_in_the_same_place_is_not_taken_for_the_one_that_was_writable(machine: Machine) -> None:
    for lines in ((ROOT, DATA.format("rw")), (ROOT,), (ROOT, DATA.format("ro"))):
        machine.mount(*lines)
        machine.look()

    assert not machine.look()["/data"].was_writable


def test_what_fstab_wants_writable_and_is_not_has_turned_read_only_before_healthd_came(machine: Machine) -> None:
    machine.fstab("/dev/sda1 /data ext4 defaults 0 2\n")
    machine.mount(ROOT, DATA.format("ro"))

    assert machine.look()["/data"].was_writable


def test_a_new_mount_is_there_at_the_next_look_and_one_that_went_is_not(machine: Machine) -> None:
    machine.mount(ROOT)
    before = list(machine.look())
    machine.mount(ROOT, DATA.format("rw"))
    between = list(machine.look())
    machine.mount(ROOT)

    assert (before, between, list(machine.look())) == (["/"], ["/", "/data"], ["/"])


def test_a_mount_that_went_between_listing_and_asking_is_not_there(machine: Machine) -> None:
    machine.mount(ROOT, DATA.format("rw"))
    machine.errors[b"/data"] = FileNotFoundError(2, "No such file or directory")

    assert list(machine.look()) == ["/"]


def test_a_disk_out_of_reach_says_so_and_a_private_tmpfs_is_nobodys_business(machine: Machine) -> None:
    machine.mount(ROOT, DATA.format("rw"), "62 27 0:50 / /root/private rw - tmpfs tmpfs rw,size=4k")
    machine.errors = {path: PermissionError(13, "Permission denied") for path in (b"/data", b"/root/private")}

    found = machine.look()

    assert list(found) == ["/", "/data"]
    assert found["/data"].refused


def test_a_disk_that_answers_with_an_error_says_which(machine: Machine) -> None:
    machine.mount(ROOT)
    machine.errors[b"/"] = OSError(5, "Input/output error")

    mount = machine.look()["/"]

    assert (mount.refused, mount.unreadable, mount.space) == (False, "cannot be asked: Input/output error", None)


def test_a_remote_file_system_is_not_touched(machine: Machine) -> None:
    machine.mount(ROOT, "63 27 0:51 / /share rw - nfs4 server:/share rw")

    assert machine.look()["/share"].remote
    assert machine.asked == [b"/"]


def test_without_a_list_of_mounts_there_is_no_reading(machine: Machine) -> None:
    with pytest.raises(ReadError, match="the list of mounts cannot be read"):
        machine.look()


def test_what_turned_read_only_by_itself_is_told_within_seconds_though_nobody_says_that_the_list_changed(
    machine: Machine,
) -> None:
    machine.mount(ROOT, DATA.format("rw"))
    machine.look()
    machine.mount(ROOT, DATA.format("ro"))
    writable = [machine.look(after=READ_SECONDS / 2)["/data"].writable for _ in range(2)]

    assert writable == [True, False]
