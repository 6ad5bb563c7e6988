"""`healthctl recipe`, on files of its own and without a daemon; with one it is in tests/integration."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from healthd.cli import recipe
from healthd.cli.main import main
from healthd.cli.shelf import Shelf
from healthd.config import load

if TYPE_CHECKING:
    from pathlib import Path

WEB = """\
# web: answers on port 80
#
# Checks: that.

[component.web]
type = "http"
url = "http://127.0.0.1:8080/"
unit = "web.service"

[services."web.service"]
actions = ["reload_unit"]
"""
DATABASE = """\
# database: takes connections
[component.database-15]
type = "tcp"
address = "127.0.0.1:5432"
unit = "database@15-main.service"
[component.database-17]
type = "tcp"
address = "127.0.0.1:5432"
unit = "database@17-main.service"
"""


class Place:
    """A host: its recipes, its configuration, its unit files."""

    def __init__(self, root: Path) -> None:
        self.root, self.recipes, self.folder = root, root / "recipes", root / "etc/healthd/conf.d"
        self.units = root / "usr/lib/systemd/system"
        for directory in (self.recipes, self.folder, self.units):
            directory.mkdir(parents=True)
        self.main = self.folder.parent / "healthd.toml"
        self.main.write_text("")
        (self.recipes / "web.toml").write_text(WEB)
        (self.recipes / "database.toml").write_text(DATABASE)

    def shelf(self) -> Shelf:
        return Shelf(self.recipes, self.folder, self.root)

    def drop_ins(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(tmp_path)
    monkeypatch.setattr(recipe, "Shelf", made.shelf)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("pwd.getpwnam", _nobody_there)  # root in a test is no daemon
    return made


def _nobody_there(name: str) -> None:
    raise KeyError(name)


def healthctl(place: Place, *argv: str) -> int:
    return main(["--socket", str(place.root / "no.sock"), "recipe", *argv])


def test_what_is_on_comes_first_then_what_fits_this_host(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    (place.recipes / "zoo.toml").write_text(
        "# zoo: has animals\n[component.zoo]\ntype = 'heartbeat'\nevery_seconds = 9\n"
    )
    (place.units / "web.service").write_text("")
    (place.folder / "zoo.toml").symlink_to(place.recipes / "zoo.toml")

    assert healthctl(place, "list") == 0
    assert capsys.readouterr().out.splitlines() == [
        "on         zoo       has animals",
        "fits here  web       answers on port 80",
        "           database  takes connections",
        "",
        "3 recipes, 1 on, 1 more for what is installed here (sudo healthctl recipe enable NAME)",
    ]


def test_the_list_is_there_as_json_too(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    (place.units / "database@.service").write_text("")

    assert healthctl(place, "list", "--json") == 0
    database, web = json.loads(capsys.readouterr().out)
    assert database == {
        "name": "database",
        "about": "takes connections",
        "first": "",
        "enabled": False,
        "fits": True,
        "own_file": False,
        "path": str(place.recipes / "database.toml"),
        "links": [],
        "components": ["database-15", "database-17"],
        "units": [
            {"name": "database@15-main.service", "installed": True},
            {"name": "database@17-main.service", "installed": True},
        ],
    }
    assert (web["fits"], web["units"]) == (False, [{"name": "web.service", "installed": False}])


def test_a_masked_unit_is_none(place: Place) -> None:
    (place.units / "web.service").write_text("")
    mask = place.root / "etc/systemd/system/web.service"
    mask.parent.mkdir(parents=True)
    mask.symlink_to("/dev/null")

    assert not place.shelf().named("web").fits


def test_a_recipe_of_no_unit_is_not_said_to_fit_and_is_turned_on_without_a_warning(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    (place.recipes / "zoo.toml").write_text(
        "# zoo: has animals\n[component.zoo]\ntype = 'heartbeat'\nevery_seconds = 9\n"
    )

    assert not place.shelf().named("zoo").fits
    assert healthctl(place, "enable", "zoo") == 0
    assert "warning" not in capsys.readouterr().err


def test_a_recipe_is_shown_as_it_stands_there(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert healthctl(place, "show", "web") == 0
    assert capsys.readouterr().out == WEB

    assert healthctl(place, "show", "web", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["name"], shown["text"]) == ("web", WEB)


def test_turned_on_it_counts_from_the_next_start_where_no_daemon_answers(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    (place.units / "web.service").write_text("")

    assert healthctl(place, "enable", "web") == 0
    out, err = capsys.readouterr()
    assert out == "on: web\n"
    assert "it counts from healthd's next start" in err
    assert (place.folder / "web.toml").readlink() == place.recipes / "web.toml"
    assert load(place.main).component["web"].unit == "web.service"
    assert place.shelf().named("web").enabled


def test_several_are_turned_on_and_off_at_once(place: Place) -> None:
    assert healthctl(place, "enable", "web", "database") == 0
    assert place.drop_ins() == ["database.toml", "web.toml"]

    assert healthctl(place, "disable", "database", "web") == 0
    assert place.drop_ins() == []


def test_what_is_to_be_done_first_is_said(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    head = "# job: runs\n#\n# First: give it a job:\n#   echo job | tee /etc/job\n#\n# Checks: that.\n\n"
    (place.recipes / "job.toml").write_text(f'{head}[component.job]\ntype = "heartbeat"\nevery_seconds = 60\n')

    assert healthctl(place, "enable", "job") == 0
    assert capsys.readouterr().out == "on: job\nfor job, give it a job:\n   echo job | tee /etc/job\n"


@pytest.mark.parametrize("part", ["enable", "disable"])
def test_what_is_so_already_is_said_and_is_no_mistake(
    place: Place, capsys: pytest.CaptureFixture[str], part: str
) -> None:
    healthctl(place, part, "web")
    capsys.readouterr()

    assert healthctl(place, part, "web") == 0
    assert capsys.readouterr() == (f"already {'on' if part == 'enable' else 'off'}: web\n", "")


def test_with_every_problem_it_is_refused_and_nothing_changes(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    (place.recipes / "web.toml").write_text(WEB + "no_such_key = 1\nheal = 5\n")

    assert healthctl(place, "enable", "database", "web") == 1
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert lines[0] == "healthctl: the configuration would be wrong, so nothing was changed:"
    assert [line.split(": ")[1] for line in lines[1:]] == [f"{place.recipes}/web.toml:{line}" for line in (12, 13)]
    assert place.drop_ins() == []


def test_a_configuration_that_is_wrong_already_keeps_a_recipe_off_but_never_on(place: Place) -> None:
    healthctl(place, "enable", "web")
    place.main.write_text("[health]\nno_such_key = 1\n")

    assert healthctl(place, "enable", "database") == 1
    assert healthctl(place, "disable", "web") == 0
    assert place.drop_ins() == []


def test_what_something_else_depends_on_is_not_turned_off(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    healthctl(place, "enable", "web")
    place.main.write_text('[component.shop]\ntype = "heartbeat"\nevery_seconds = 60\ndepends_on = ["web"]\n')
    capsys.readouterr()

    assert healthctl(place, "disable", "web") == 1
    assert 'there is no component "web"' in capsys.readouterr().err
    assert place.drop_ins() == ["web.toml"]


def test_a_service_that_is_not_here_and_a_port_that_healthd_takes_are_warned_of(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    assert healthctl(place, "enable", "web") == 0
    warnings = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert warnings == [
        "healthctl: warning: web: this host has no web.service",
        "healthctl: warning: web: healthd listens on port 8080 itself; give it another one in [http] listen",
    ]


@pytest.mark.parametrize("part", ["enable", "disable"])
def test_a_file_of_the_operator_is_left_alone(place: Place, capsys: pytest.CaptureFixture[str], part: str) -> None:
    (place.folder / "web.toml").write_text(WEB)

    assert healthctl(place, part, "web") == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert (place.folder / "web.toml").read_text() == WEB


@pytest.mark.parametrize("argv", [("show", "wib"), ("enable", "web", "wib"), ("disable", "wib"), ("show", "../web")])
def test_a_name_that_is_none_is_one_line_with_a_hint(
    place: Place, capsys: pytest.CaptureFixture[str], argv: tuple[str, ...]
) -> None:
    assert healthctl(place, *argv) == 1
    err = capsys.readouterr().err
    assert err == f"healthctl: there is no recipe '{argv[-1]}' (did you mean web?)\n"
    assert place.drop_ins() == []


def test_one_that_the_package_does_not_bring_any_more_can_be_turned_off(place: Place) -> None:
    healthctl(place, "enable", "web")
    (place.recipes / "web.toml").unlink()

    assert healthctl(place, "disable", "web") == 0
    assert place.drop_ins() == []


def test_only_root_turns_them_on_and_off(
    place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    assert healthctl(place, "enable", "web") == 1
    assert capsys.readouterr().err == (
        "healthctl: only root may turn recipes on and off (sudo healthctl recipe enable web)\n"
    )
    assert healthctl(place, "list") == 0


def test_links_that_cannot_be_made_are_said_and_undone(
    place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make = type(place.folder).symlink_to

    def full(self: Path, target: Path) -> None:
        if self.name == "web.toml":
            raise OSError(28, "No space left on device")
        make(self, target)

    monkeypatch.setattr(type(place.folder), "symlink_to", full)

    assert healthctl(place, "enable", "database", "web") == 1
    assert "web.toml cannot be changed: No space left on device" in capsys.readouterr().err
    assert place.drop_ins() == []
