"""`healthctl recipe` beside a daemon: what it turns on is in force, or is as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from healthd.cli import recipe
from healthd.cli.main import main
from healthd.cli.shelf import Shelf
from healthd.errors import ConfigError, RequestError
from healthd.model import Problem
from tests.integration.api_server import serving
from tests.unit.expose.fake_control import FakeControl

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., int]

BEAT = '# beat: reports\n[component.beat]\ntype = "heartbeat"\nevery_seconds = 60\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The drop-ins of a host with one recipe."""
    recipes, made = tmp_path / "recipes", tmp_path / "healthd/conf.d"
    recipes.mkdir()
    made.mkdir(parents=True)
    made.with_name("healthd.toml").touch()
    (recipes / "beat.toml").write_text(BEAT)
    monkeypatch.setattr(recipe, "Shelf", lambda: Shelf(recipes, made, tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    return made


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`healthctl recipe` with these arguments against this daemon."""

    def healthctl(control: FakeControl, *argv: str) -> int:
        with serving(tmp_path, control) as served:
            return main(["--socket", str(served.path), "recipe", *argv])

    return healthctl


def test_what_is_turned_on_or_off_is_in_force_when_healthctl_ends(
    run: Run, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    control = FakeControl()

    assert run(control, "enable", "beat") == 0
    assert (folder / "beat.toml").is_symlink()
    assert run(control, "disable", "beat") == 0
    assert list(folder.iterdir()) == []
    assert capsys.readouterr() == ("on, and in force: beat\noff, and in force: beat\n", "")
    assert [told[0] for told in control.told] == ["reload", "reload"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (ConfigError([Problem(file="x.toml", line=3, key="a", found="1", allowed="2")]), "x.toml:3: a: 1; 2"),
        (RequestError(503, "systemd cannot be asked", hint="systemctl reload healthd"), "systemd cannot be asked"),
    ],
)
def test_what_the_daemon_refuses_is_undone(
    run: Run, folder: Path, capsys: pytest.CaptureFixture[str], fault: Exception, said: str
) -> None:
    assert run(FakeControl(fault=fault), "enable", "beat") == 1
    assert list(folder.iterdir()) == []
    err = capsys.readouterr().err.splitlines()
    assert err[0] == f"healthctl: {said}"
    assert err[-1] == "healthctl: healthd refused it, so nothing was changed: beat"

    assert run(FakeControl(), "enable", "beat") == 0
    assert run(FakeControl(fault=fault), "disable", "beat") == 1
    assert [one.name for one in folder.iterdir()] == ["beat.toml"]
