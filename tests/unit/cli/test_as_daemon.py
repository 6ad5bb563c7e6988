from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING

import pytest

from healthd.cli import as_daemon as module
from healthd.cli.as_daemon import as_daemon

if TYPE_CHECKING:
    from pathlib import Path

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has other eyes than the daemon")


@pytest.fixture
def daemon_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """`nobody` stands for the daemon's user, which a developer's machine does not have."""
    monkeypatch.setattr(module, "_USER", "nobody")


@needs_root
@pytest.mark.usefixtures("daemon_is_nobody")
def test_what_only_root_may_read_cannot_be_read_with_the_daemons_eyes(tmp_path: Path) -> None:
    secret = tmp_path / "only-root.toml"
    secret.write_text("")
    secret.chmod(0o600)

    with as_daemon(), pytest.raises(PermissionError):
        secret.read_text()

    assert secret.read_text() == ""


@needs_root
@pytest.mark.usefixtures("daemon_is_nobody")
def test_root_is_root_again_afterwards_also_after_an_error() -> None:
    before = (os.geteuid(), os.getegid(), os.getgroups())

    with as_daemon():
        assert os.geteuid() == pwd.getpwnam("nobody").pw_uid
    with pytest.raises(ZeroDivisionError), as_daemon():
        _ = 1 // 0

    assert (os.geteuid(), os.getegid(), os.getgroups()) == before


@pytest.mark.usefixtures("daemon_is_nobody")
def test_a_file_that_somebody_names_is_read_with_their_own_eyes() -> None:
    with as_daemon("/root/mine.toml"):
        assert os.geteuid() == os.getuid()


def test_where_there_is_no_such_user_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_USER", "no-such-user-here")

    with as_daemon():
        assert os.geteuid() == os.getuid()
