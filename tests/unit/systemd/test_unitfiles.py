"""Which units the links on disk enable."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from healthd.systemd.unitfiles import file_states


def link(root: Path, path: str, target: str = "/usr/lib/systemd/system/web.service") -> None:
    where = root / path
    where.parent.mkdir(parents=True, exist_ok=True)
    where.symlink_to(target)


def put(root: Path, path: str) -> None:
    where = root / path
    where.parent.mkdir(parents=True, exist_ok=True)
    where.touch()


@pytest.mark.parametrize(
    ("path", "state"),
    [
        ("etc/systemd/system/multi-user.target.wants/web.service", "enabled"),
        ("etc/systemd/system/db.service.requires/web.service", "enabled"),
        ("etc/systemd/system/multi-user.target.upholds/web.service", "enabled"),
        ("etc/systemd/system/www.service", "enabled"),  # an alias
        ("run/systemd/system/multi-user.target.wants/web.service", "enabled-runtime"),
        ("run/systemd/generator/db.service.wants/web.service", "enabled-runtime"),
        ("run/systemd/generator.late/db.service.requires/web.service", "enabled-runtime"),
    ],
)
def test_a_link_enables_a_unit(path: str, state: str, tmp_path: Path) -> None:
    link(tmp_path, path)

    assert file_states(tmp_path) == {"web.service": state}


@pytest.mark.parametrize(
    ("path", "state"),
    [
        ("run/systemd/generator/web.service", "generated"),
        ("run/systemd/generator.late/web.service", "generated"),
        ("run/systemd/transient/web.service", "transient"),
    ],
)
def test_a_file_in_a_folder_of_systemds_own_says_whose_it_is(path: str, state: str, tmp_path: Path) -> None:
    put(tmp_path, path)

    assert file_states(tmp_path) == {"web.service": state}


def test_instances_are_enabled_by_their_own_names(tmp_path: Path) -> None:
    link(tmp_path, "etc/systemd/system/getty.target.wants/getty@tty1.service", "/usr/lib/systemd/system/getty@.service")

    assert file_states(tmp_path) == {"getty@tty1.service": "enabled"}


def test_enabled_for_good_goes_before_enabled_until_the_next_boot(tmp_path: Path) -> None:
    link(tmp_path, "run/systemd/system/a.target.wants/web.service")
    link(tmp_path, "etc/systemd/system/b.target.wants/web.service")

    assert file_states(tmp_path) == {"web.service": "enabled"}


def test_a_unit_that_a_generator_made_is_generated_though_another_generated_one_pulls_it_in(tmp_path: Path) -> None:
    put(tmp_path, "run/systemd/generator/web.service")
    link(tmp_path, "run/systemd/generator/multi-user.target.wants/web.service", "../web.service")

    assert file_states(tmp_path) == {"web.service": "generated"}


def test_a_masked_unit_and_one_whose_file_lives_elsewhere_are_not_enabled_by_that(tmp_path: Path) -> None:
    link(tmp_path, "etc/systemd/system/web.service", "/dev/null")
    link(tmp_path, "etc/systemd/system/app.service", "/srv/app/app.service")

    assert file_states(tmp_path) == {}


def test_settings_of_generated_units_and_what_is_no_link_enable_nothing(tmp_path: Path) -> None:
    put(tmp_path, "run/systemd/generator/web.service.d/50-x.conf")
    put(tmp_path, "run/systemd/generator/multi-user.target.wants/web.service")
    put(tmp_path, "etc/systemd/system/web.service")

    assert file_states(tmp_path) == {}


def test_a_host_without_any_of_the_folders_enables_nothing(tmp_path: Path) -> None:
    assert file_states(tmp_path) == {}


def test_a_folder_that_cannot_be_read_is_told_of_and_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link(tmp_path, "etc/systemd/system/a.target.wants/web.service")
    link(tmp_path, "etc/systemd/system/b.target.wants/db.service")
    scandir = os.scandir
    closed = str(tmp_path / "etc/systemd/system/a.target.wants")

    def only_for_root(path: str | os.PathLike[str]) -> object:
        if os.fspath(path) == closed:
            raise PermissionError(13, "Permission denied", closed)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", only_for_root)
    unread: list[OSError] = []

    assert file_states(tmp_path, unread=unread.append) == {"db.service": "enabled"}
    assert [error.filename for error in unread] == [closed]


def test_an_alias_that_is_taken_away_while_it_is_looked_at_enables_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link(tmp_path, "etc/systemd/system/www.service")
    link(tmp_path, "etc/systemd/system/a.target.wants/db.service")

    def gone(path: Path) -> Path:
        path.unlink()
        raise FileNotFoundError(2, "No such file or directory", str(path))

    monkeypatch.setattr(Path, "readlink", gone)

    assert file_states(tmp_path) == {"db.service": "enabled"}
