"""What doctor can see when no daemon answers."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

import pytest

from healthd.cli.outside import look

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A host on which all is in place and the daemon does not run."""
    for directory in ("run/systemd/system", "run/dbus", "etc/systemd/system/multi-user.target.wants"):
        (tmp_path / directory).mkdir(parents=True)
    unit = tmp_path / "usr/lib/systemd/system/healthd.service"
    unit.parent.mkdir(parents=True)
    unit.write_text("")
    (tmp_path / "etc/systemd/system/multi-user.target.wants/healthd.service").symlink_to(unit)
    listen(tmp_path / "run/dbus/system_bus_socket")
    listen(tmp_path / "healthd.sock")
    return tmp_path


def listen(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def seen(root: Path) -> dict[str, Any]:
    return {line["name"]: line for line in look(root / "healthd.sock", root)}


def test_on_a_host_where_all_is_in_place_only_the_process_is_missing(root: Path) -> None:
    lines = seen(root)
    lines.pop("configuration")

    assert [name for name, line in lines.items() if line["ok"] is False] == ["process"]
    assert "systemctl start healthd" in lines["process"]["remedy"]


def test_a_process_that_runs_and_does_not_answer_is_told_apart(root: Path) -> None:
    group = root / "sys/fs/cgroup/system.slice/healthd.service"
    group.mkdir(parents=True)
    (group / "cgroup.procs").write_text("4242\n")

    assert "process 4242" in seen(root)["process"]["text"]


def test_a_masked_unit_is_told_from_a_missing_one(root: Path) -> None:
    (root / "etc/systemd/system/healthd.service").symlink_to("/dev/null")
    assert seen(root)["unit file"]["remedy"] == "systemctl unmask healthd"

    (root / "etc/systemd/system/healthd.service").unlink()
    (root / "usr/lib/systemd/system/healthd.service").unlink()
    assert seen(root)["unit file"]["remedy"] == "apt install healthd"


def test_what_is_missing_is_named_with_its_remedy(root: Path) -> None:
    (root / "etc/systemd/system/multi-user.target.wants/healthd.service").unlink()
    (root / "run/dbus/system_bus_socket").unlink()
    (root / "healthd.sock").unlink()

    lines = seen(root)

    assert lines["enabled"]["remedy"] == "systemctl enable healthd"
    assert lines["bus"]["remedy"] == "systemctl start dbus"
    assert lines["socket"]["remedy"] == "systemctl start healthd makes it"


def test_a_host_without_systemd_is_not_called_broken_for_it(tmp_path: Path) -> None:
    lines = seen(tmp_path)

    assert lines["systemd"]["ok"] is None
    assert set(lines) == {"systemd", "configuration"}


def test_a_configuration_that_the_user_may_not_read_is_not_called_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda _path, mode: mode == os.F_OK)  # root may read everything

    line = seen(tmp_path)["configuration"]

    assert line["ok"] is None
    assert line["remedy"] == "sudo healthctl config check"


def test_a_single_problem_is_named_and_several_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "healthd.toml"
    monkeypatch.setattr("healthd.config.fragments.DEFAULT_FILE", path)

    path.write_text("[health]\na = 1\n")
    assert seen(tmp_path)["configuration"]["text"].startswith(f"{path}:2: ")

    path.write_text("[health]\na = 1\nb = 2\n")
    assert seen(tmp_path)["configuration"]["text"].startswith(f"2 problems, the first: {path}:2: ")


@pytest.mark.parametrize("valid", [True, False])
def test_the_configuration_is_read_as_the_daemon_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, valid: bool
) -> None:
    path = tmp_path / "healthd.toml"
    path.write_text("" if valid else "[health]\nno_such_key = 1\n")
    monkeypatch.setattr("healthd.config.fragments.DEFAULT_FILE", path)

    line = seen(tmp_path)["configuration"]

    assert line["ok"] is valid
    assert str(path) in line["text"]
