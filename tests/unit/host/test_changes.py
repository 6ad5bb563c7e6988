"""What changed on a host, by dpkg's log and the dates of files."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from healthd.evidence import Change, ChangeKind, Changes, UnitFiles
from healthd.host.changes import MOST, ChangeFinder
from healthd.host.dpkg import Dpkg

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_763_928_311.0
HOUR_AGO, LONG_AGO = NOW - 3600, NOW - 86_400.0
FRAGMENT = "/usr/lib/systemd/system/web.service"
DROP_IN = "/etc/systemd/system/web.service.d/override.conf"
WEB = UnitFiles(
    name="web.service", fragment=FRAGMENT, drop_ins=(DROP_IN,), programs=("/usr/sbin/web", "/etc/web/a.conf")
)


def log_line(at: float, rest: str) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S ", time.localtime(at)) + rest + "\n"


class Tree:
    """A host's files. All are old: a date of change cannot be set, so the clock of these tests is not today's."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "var/lib/dpkg/info").mkdir(parents=True)
        (root / "var/log").mkdir(parents=True)

    def put(self, path: str, text: str = "", *, at: float = LONG_AGO) -> Path:
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        os.utime(file, (at, at))
        for folder in file.relative_to(self.root).parents:
            os.utime(self.root / folder, (LONG_AGO, LONG_AGO))
        return file

    def package(self, name: str, *files: str, conffiles: tuple[str, ...] = ()) -> None:
        self.put(f"var/lib/dpkg/info/{name}.list", "".join(f"{each}\n" for each in ("/.", *files)))
        if conffiles:
            self.put(f"var/lib/dpkg/info/{name}.conffiles", "".join(f"{each}\n" for each in conffiles))

    def log(self, *lines: str, name: str = "dpkg.log", at: float = NOW) -> None:
        self.put(f"var/log/{name}", "".join(lines), at=at)

    def find(self, *units: UnitFiles, booted: float | None = None, since: float = HOUR_AGO) -> Changes:
        return ChangeFinder(self.root).find(units, since, NOW, booted)

    def told(self, *units: UnitFiles) -> list[tuple[str, str]]:
        return [(change.what, change.text) for change in self.find(*units).found]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_on_a_host_where_nothing_changed_nothing_is_told(tree: Tree) -> None:
    for path in (FRAGMENT, DROP_IN, *WEB.programs):
        tree.put(path)

    assert tree.find(WEB, booted=LONG_AGO) == Changes()


def test_a_drop_in_that_was_edited_is_told_with_its_time(tree: Tree) -> None:
    tree.put(FRAGMENT)
    tree.put(DROP_IN, at=NOW - 180)

    (change,) = tree.find(WEB).found

    assert change == Change(at=NOW - 180, kind=ChangeKind.UNIT_FILE, what=DROP_IN, text="was edited", own=True)


def test_a_unit_file_that_systemd_has_not_read_is_told_as_such(tree: Tree) -> None:
    tree.put(FRAGMENT, at=NOW - 60)

    assert tree.told(UnitFiles(name="web.service", fragment=FRAGMENT, stale=True)) == [
        (FRAGMENT, "was edited (systemd has not read it yet)")
    ]


def test_a_folder_of_drop_ins_from_which_one_was_taken_is_told(tree: Tree) -> None:
    folder = tree.put("/etc/systemd/system/web@.service.d/gone.conf").parent
    (folder / "gone.conf").unlink()
    os.utime(folder, (NOW - 60, NOW - 60))

    assert tree.told(UnitFiles(name="web@1.service")) == [
        ("/etc/systemd/system/web@.service.d", "had a file put in or taken out")
    ]


def test_the_folder_of_a_drop_in_that_is_told_is_not_told_as_well(tree: Tree) -> None:
    file = tree.put(DROP_IN, at=NOW - 60)
    os.utime(file.parent, (NOW - 60, NOW - 60))

    assert tree.told(WEB) == [(DROP_IN, "was edited")]


def test_programs_and_files_of_the_environment_and_the_command_line_are_looked_at(tree: Tree) -> None:
    tree.put("/opt/app/main.py", at=NOW - 10)
    tree.put("/etc/default/app", at=NOW - 20)
    tree.put("/etc/app.toml", at=NOW - 30)
    tree.put("/var/lib/app/data.db", at=NOW - 5)
    programs = ("/usr/bin/python3", "/opt/app/main.py", "/etc/app.toml", "/var/lib/app/data.db")
    unit = UnitFiles(name="app.service", environment=("/etc/default/app",), programs=programs)

    assert [(change.what, change.kind) for change in tree.find(unit).found] == [
        ("/opt/app/main.py", ChangeKind.PROGRAM),
        ("/etc/default/app", ChangeKind.CONFIGURATION),
        ("/etc/app.toml", ChangeKind.CONFIGURATION),
    ]


def test_a_link_that_was_turned_elsewhere_is_told_though_no_file_changed(tree: Tree) -> None:
    tree.put("/srv/app/releases/2/main")
    link = tree.root / "srv/app/current"
    link.symlink_to("releases/2")
    os.utime(link, (NOW - 40, NOW - 40), follow_symlinks=False)

    assert tree.told(UnitFiles(name="app.service", programs=("/srv/app/current/main",))) == [
        ("/srv/app/current", "was made to lead elsewhere")
    ]


def test_a_file_that_kept_its_date_but_was_replaced_is_told(tree: Tree) -> None:
    file = tree.put(FRAGMENT)
    now = file.stat().st_ctime + 1

    found = (
        ChangeFinder(tree.root).find([UnitFiles(name="web.service", fragment=FRAGMENT)], now - 3600, now, None).found
    )

    assert [(change.what, change.text) for change in found] == [
        (FRAGMENT, "was replaced, or its owner or mode changed")
    ]


def test_a_file_that_came_with_an_upgrade_is_not_told_beside_it(tree: Tree) -> None:
    tree.package("web", FRAGMENT)
    now = tree.put(FRAGMENT).stat().st_ctime + 1
    tree.log(log_line(now - 60, "upgrade web:amd64 1.0 1.1"), at=now)

    found = (
        ChangeFinder(tree.root).find([UnitFiles(name="web.service", fragment=FRAGMENT)], now - 3600, now, None).found
    )

    assert [(change.what, change.text) for change in found] == [("web", "was upgraded from 1.0 to 1.1")]


def test_a_file_that_was_edited_after_an_upgrade_is_told_and_one_that_was_made_for_it_is_not(tree: Tree) -> None:
    other = "/usr/sbin/web"
    tree.package("web", FRAGMENT.removeprefix("/usr"), other, "/etc/web.conf", conffiles=("/etc/web.conf",))
    tree.put("/etc/web.conf", at=NOW - 310)
    tree.put(FRAGMENT, at=NOW - 60)
    tree.put(other, at=NOW - 310)
    tree.log(log_line(NOW - 300, "upgrade web:amd64 1.0 1.1"))

    assert tree.told(UnitFiles(name="web.service", fragment=FRAGMENT, programs=(other,))) == [
        (FRAGMENT, "was edited"),
        ("web", "was upgraded from 1.0 to 1.1"),
        ("/etc/web.conf", "was edited"),
    ]


def test_packages_are_told_by_dpkgs_log_the_units_own_first(tree: Tree) -> None:
    tree.package("web-common", "/lib/systemd/system/web.service")
    tree.log(
        log_line(NOW - 7200, "upgrade old:amd64 1 2"),
        log_line(NOW - 300, "startup archives unpack"),
        log_line(NOW - 300, "upgrade web-common:all 1.0 1.1"),
        log_line(NOW - 299, "status installed web-common:all 1.1"),
        log_line(NOW - 200, "install new:amd64 <none> 3.0"),
        log_line(NOW - 100, "remove gone:amd64 4.0 <none>"),
        log_line(NOW - 50, "purge gone:amd64 4.0 <none>"),
        "nonsense upgrade of a line\n",
        "2025-13-77 xx:00:00 upgrade bad:amd64 1 2\n",
    )

    changes = tree.find(WEB).found

    assert [(change.what, change.text, change.own) for change in changes] == [
        ("web-common", "was upgraded from 1.0 to 1.1", True),
        ("gone", "was purged (4.0)", False),
        ("gone", "was removed (4.0)", False),
        ("new", "was installed (3.0)", False),
    ]
    assert {change.kind for change in changes} == {ChangeKind.PACKAGE}


def test_of_what_dpkg_did_in_one_second_the_last_comes_first(tree: Tree) -> None:
    tree.log(log_line(NOW - 9, "install a:amd64 <none> 1"), log_line(NOW - 9, "upgrade a:amd64 1 2"))

    assert [change.text for change in tree.find().found] == ["was upgraded from 1 to 2", "was installed (1)"]


def test_a_log_that_was_put_aside_within_the_hour_is_read_as_well(tree: Tree) -> None:
    tree.log(log_line(NOW - 300, "upgrade a:amd64 1 2"), name="dpkg.log.1", at=NOW - 200)
    tree.log(log_line(NOW - 100, "upgrade b:amd64 1 2"))

    assert [change.what for change in tree.find().found] == ["b", "a"]


def test_of_a_very_long_log_the_end_is_read(tree: Tree) -> None:
    tree.log(*["x" * 99 + "\n"] * 20_000, log_line(NOW - 100, "upgrade b:amd64 1 2"))

    assert [change.what for change in tree.find().found] == ["b"]


def test_the_configuration_of_the_units_package_is_looked_at(tree: Tree) -> None:
    conffile, foreign = "/etc/default/web", "/etc/cron.d/other"
    tree.package("other", foreign)
    tree.package("web", FRAGMENT, "/etc/web/sites", conffile, "/etc/cron.d/web", conffiles=(conffile,))
    tree.put(FRAGMENT)
    tree.put(conffile, at=NOW - 10)
    tree.put("/etc/web/sites/new.conf", at=NOW - 20)
    tree.put(foreign, at=NOW - 30)

    assert tree.told(WEB) == [(conffile, "was edited"), ("/etc/web/sites/new.conf", "was edited")]


def test_a_unit_that_an_administrator_wrote_is_of_the_package_of_its_program(tree: Tree) -> None:
    tree.package("webd", "/usr/sbin/webd", "/etc/webd.conf", conffiles=("/etc/webd.conf",))
    tree.put("/etc/webd.conf", at=NOW - 10)
    unit = UnitFiles(name="mine.service", fragment="/etc/systemd/system/mine.service", programs=("/usr/sbin/webd",))

    assert tree.told(unit) == [("/etc/webd.conf", "was edited")]


def test_a_reboot_is_told(tree: Tree) -> None:
    (change,) = tree.find(booted=NOW - 100).found

    assert (change.kind, change.at, change.own) == (ChangeKind.REBOOT, NOW - 100, False)


def test_no_more_is_told_than_somebody_can_read(tree: Tree) -> None:
    tree.log(*(log_line(NOW - 1000 + n, f"upgrade p{n}:amd64 1 2") for n in range(500)))

    found = tree.find().found

    assert len(found) == MOST
    assert found[0].what == "p499"


def test_very_much_configuration_is_not_looked_at_to_its_end_and_that_is_said(tree: Tree) -> None:
    folder = tree.put("/etc/web/first").parent
    for n in range(2500):
        (folder / f"f{n}").touch()

    assert "it is too much" in tree.find(WEB).missed[0]


def test_a_host_without_dpkg_has_files_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "etc/web.conf"
    file.parent.mkdir()
    file.touch()
    os.utime(file, (NOW - 5, NOW - 5))

    found = ChangeFinder(tmp_path).find(
        [UnitFiles(name="x.service", environment=("/etc/web.conf",))], HOUR_AGO, NOW, None
    )

    assert [change.what for change in found.found] == ["/etc/web.conf"]
    assert found.missed == ()


def test_what_cannot_be_read_is_said(tree: Tree) -> None:
    (tree.root / "var/log/dpkg.log").mkdir()
    os.utime(tree.root / "var/log/dpkg.log", (NOW, NOW))
    (tree.root / "var/lib/dpkg/info/a.list").mkdir()

    missed = tree.find(WEB).missed

    assert missed == (
        "what dpkg did cannot be read: Is a directory",
        "which package web.service is of cannot be read: Is a directory",
    )


def test_which_package_a_file_is_of_is_remembered_until_dpkg_does_something(tree: Tree) -> None:
    dpkg, lists = Dpkg(tree.root), tree.root / "var/lib/dpkg/info"
    assert dpkg.owner("/usr/sbin/web", ()) is None
    (lists / "web.list").write_text("/usr/sbin/web\n")
    os.utime(lists, ns=(0, 1))

    owner = dpkg.owner("/usr/sbin/web", ())
    assert owner is not None
    (lists / "other.list").write_text("/usr/sbin/web\n")
    os.utime(lists, ns=(0, 1))
    assert dpkg.owner("/usr/sbin/web", ("other",)) == owner


def test_a_file_is_of_the_package_that_lists_just_this_path(tree: Tree) -> None:
    tree.package("more", "/usr/sbin/webserver", "/x/usr/sbin/web")
    tree.package("web:amd64", "/usr/sbin/web")
    dpkg = Dpkg(tree.root)

    owner = dpkg.owner("/usr/sbin/web", ("more",))

    assert owner is not None
    assert owner.name == "web"
    assert dpkg.owner("/usr/sbin/nothing", ()) is None
