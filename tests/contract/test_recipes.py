"""Every recipe is valid, alone and beside all others, says what it is, and cannot hurt by itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pytest
import tomli

from healthd.cli.shelf import Shelf
from healthd.config import Settings, is_unit_name, load_texts, permitted
from healthd.config.components import BUILT_IN
from healthd.config.secret import HIDDEN
from healthd.config.show import tables
from tests.contract.source import ROOT
from tests.contract.test_documents import rows
from tests.system.test_recipes import SERVICES

SHELF: Final = ROOT / "etc/recipes"
RECIPES: Final = sorted(SHELF.glob("*.toml"))
USUAL: Final = (
    *("nginx", "apache2", "postgresql", "mariadb", "redis", "memcached", "rabbitmq", "postfix", "dovecot", "bind9"),
    *("unbound", "haproxy", "docker", "containerd", "ssh", "cron", "rsyslog", "chrony", "php-fpm", "tomcat"),
    *("prometheus", "grafana", "mosquitto", "samba", "vsftpd"),
)
"""What Debian hosts run most."""

SYSTEMS: Final = ("bitcraps",)
"""Recipes of a whole system: they set what they need of the built-in components too, under their own names."""

each_recipe = pytest.mark.parametrize("path", RECIPES, ids=[path.stem for path in RECIPES])
each_service = pytest.mark.parametrize(
    "path", [path for path in RECIPES if path.stem not in SYSTEMS], ids=lambda p: p.stem
)


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def alone(path: Path) -> Settings:
    return load_texts({path.name: text(path)})


def said(path: Path) -> dict[str, Any]:
    return tomli.loads(text(path))


def test_what_debian_hosts_run_most_has_its_recipe() -> None:
    assert sorted(set(USUAL) - {path.stem for path in RECIPES}) == []


@each_recipe
def test_it_is_valid_alone_and_without_a_warning(path: Path) -> None:
    assert alone(path).warnings == ()


def test_all_of_them_are_valid_together() -> None:
    together = load_texts({path.name: text(path) for path in RECIPES})

    assert together.warnings == ()
    assert {name for path in RECIPES for name in said(path)["component"]} <= set(together.component)


@each_service
def test_its_components_are_named_after_it_and_no_other_has_them(path: Path) -> None:
    names = list(said(path)["component"])

    assert [name for name in names if name != path.stem and not name.startswith(f"{path.stem}-")] == []
    assert not set(names) & {name for other in RECIPES if other != path for name in said(other)["component"]}
    assert not set(names) & set(BUILT_IN)


@each_service
def test_it_sets_nothing_but_its_components_and_their_units(path: Path) -> None:
    table = said(path)
    units = {component["unit"] for component in table["component"].values()}

    assert set(table) <= {"component", "services"}
    assert set(table.get("services", {})) <= units
    assert all(map(is_unit_name, units))


@each_recipe
def test_its_head_says_what_it_does_and_what_to_change(path: Path) -> None:
    head = text(path).partition("\n\n")[0]
    (recipe,) = [one for one in Shelf(SHELF, Path("/nowhere")).all() if one.name == path.stem]

    assert re.match(rf"# {re.escape(path.stem)}: \S.{{10,70}}\n#\n", head), "its first line is '# NAME: what it does'"
    assert f"# {path.stem}: {recipe.about}" == head.splitlines()[0]
    assert [line for line in head.splitlines() if not line.startswith("#")] == []


@each_service
def test_its_head_says_what_it_checks_and_why_so(path: Path) -> None:
    labels = re.findall(r"^# (First|Checks|Why so|To change): \S", text(path), re.MULTILINE)

    assert [label for label in labels if label != "First"] == ["Checks", "Why so", "To change"]


@each_recipe
def test_it_needs_no_secret(path: Path) -> None:
    assert HIDDEN not in str(tables(alone(path))["component"])
    assert "credential" not in text(path)


@each_service
def test_what_it_heals_may_be_healed(path: Path) -> None:
    settings = alone(path)
    units = {component["unit"] for component in said(path)["component"].values()}

    assert {unit: permitted(settings, unit) for unit in units} == dict.fromkeys(units)


@each_service
def test_one_bad_reading_heals_nothing_and_no_reading_outlasts_its_interval(path: Path) -> None:
    settings = alone(path)
    for name in said(path)["component"]:
        component = settings.component[name]
        if component.type != "heartbeat":
            assert component.failures >= 3
            assert component.failures * component.interval_seconds >= 30
            assert component.timeout_seconds <= component.interval_seconds
        assert component.grace_seconds > 0
        assert 0 < component.weight <= 0.2


@each_service
def test_recovery_can_be_confirmed_in_the_time_that_an_attempt_has(path: Path) -> None:
    settings = alone(path)
    for name in said(path)["component"]:
        component = settings.component[name]
        if component.type != "heartbeat":
            assert component.successes * component.interval_seconds < settings.auto_healing.verify_seconds


def test_the_document_lists_every_recipe_with_what_it_does() -> None:
    listed = {cells[0].strip("`"): cells[1] for cells in rows(text(ROOT / "docs/recipes.md"), "recipe")}

    assert listed == {one.name: one.about for one in Shelf(SHELF, Path("/nowhere")).all()}


def test_the_document_says_which_are_tried_with_the_real_packages() -> None:
    tried = {cells[0].strip("`") for cells in rows(text(ROOT / "docs/recipes.md"), "recipe") if cells[3] == "yes"}

    assert tried == {service.recipe for service in SERVICES}
