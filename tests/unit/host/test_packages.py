"""What dpkg left to be done, as its files tell."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from healthd.errors import Absent
from healthd.host.packages import Packages, not_whole

if TYPE_CHECKING:
    from pathlib import Path

STATUS = """Package: adduser
Status: install ok installed
Priority: important
Description: add and remove users and groups
 Status: hold reinstreq half-installed

Package: postfix
Status: install ok half-configured
Conffiles:
 /etc/postfix/Status: newconffile

Package: man-db
Status: install ok triggers-pending

Package: gone
Status: deinstall ok config-files

Package: broken
Status: install reinstreq half-installed
"""
BROKEN = ("postfix half-configured", "man-db triggers-pending", "broken half-installed")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    (tmp_path / "run").mkdir()
    (tmp_path / "var/lib/dpkg/status").write_text(STATUS)
    return tmp_path


def test_the_packages_that_dpkg_did_not_bring_to_an_end_are_named_with_their_state() -> None:
    assert not_whole(STATUS.encode().splitlines(keepends=True)) == BROKEN


def test_a_list_that_did_not_change_is_not_read_again(root: Path) -> None:
    packages, status = Packages(root), root / "var/lib/dpkg/status"
    assert packages.read().not_whole == BROKEN
    before = status.stat()
    with status.open("r+b") as file:  # the same size, and the same time
        file.write(b"X" * len(STATUS))
    os.utime(status, ns=(before.st_atime_ns, before.st_mtime_ns))

    found = packages.at_hand()
    assert found is not None
    assert found.not_whole == BROKEN


def test_a_list_that_changed_is_read_again(root: Path) -> None:
    packages, status = Packages(root), root / "var/lib/dpkg/status"
    assert packages.at_hand() is None
    packages.read()
    status.write_text("Package: adduser\nStatus: install ok installed\n")
    os.utime(status, (50, 50))

    assert packages.at_hand() is None
    assert packages.read().not_whole == ()
    assert packages.read().changed_at == 50


def test_packages_that_want_a_reboot_are_named_once_each(root: Path) -> None:
    assert not Packages(root).read().reboot_required
    (root / "run/reboot-required").touch()
    assert Packages(root).read().reboot_for == ()
    (root / "run/reboot-required.pkgs").write_text("libc6\nlinux-image-amd64\nlibc6\n")

    updates = Packages(root).read()
    assert updates.reboot_required
    assert updates.reboot_for == ("libc6", "linux-image-amd64")


def test_a_host_without_dpkg_lacks_it(tmp_path: Path) -> None:
    with pytest.raises(Absent, match="there is no dpkg"):
        Packages(tmp_path).read()
