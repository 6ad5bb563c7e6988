"""Where healthd keeps what it keeps, with systemd and without."""

from __future__ import annotations

from pathlib import Path

import pytest

from healthd import places
from healthd.errors import StorageError


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A user who is not root, and of whom systemd knows nothing."""
    for name in ("STATE_DIRECTORY", "RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    return monkeypatch


def test_its_directories_are_where_systemd_says(user: pytest.MonkeyPatch) -> None:
    user.setenv("STATE_DIRECTORY", "/a:/b")
    user.setenv("RUNTIME_DIRECTORY", "/r:/s")

    assert (places.state_directory(), places.runtime_directory()) == (Path("/a"), Path("/r"))


def test_without_systemd_its_directories_are_where_the_user_may_write(user: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert places.state_directory() == places.runtime_directory() == tmp_path / ".local/state/healthd"

    user.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    assert places.runtime_directory() == Path("/run/user/1000/healthd")


def test_a_state_directory_that_cannot_be_made_is_an_error_with_a_hint(
    user: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".local").touch()

    with pytest.raises(StorageError, match="STATE_DIRECTORY="):
        places.state_directory()


def test_root_uses_the_places_of_the_system(user: pytest.MonkeyPatch) -> None:
    user.setattr("os.geteuid", lambda: 0)

    assert places.runtime_directory() == Path("/run/healthd")
    assert places.runs_under_systemd() is Path("/run/systemd/system").is_dir()
