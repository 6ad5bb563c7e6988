"""Several files as one configuration: tables merge, values replace."""

from __future__ import annotations

from healthd.config import Heal, load_texts
from tests.unit.config.said import said


def test_tables_of_several_files_merge_key_by_key() -> None:
    settings = load_texts(
        {
            "a": '[health]\ncheck_interval_seconds = 5\n[services."x.service"]\ncritical = true\n',
            "b": '[health]\nhealth_timeout_seconds = 2\n[services."x.service"]\nheal = false\n',
        }
    )

    assert settings.health.check_interval_seconds == 5
    assert settings.health.health_timeout_seconds == 2
    assert settings.unit("x.service").critical
    assert settings.unit("x.service").heal is Heal.OFF


def test_the_last_file_wins_for_a_value() -> None:
    settings = load_texts({"a": "[auto_healing]\ndry_run = true\n", "b": "[auto_healing]\ndry_run = false\n"})

    assert not settings.auto_healing.dry_run


def test_an_array_replaces_an_array() -> None:
    settings = load_texts({"a": '[services]\nignore = ["a.service"]\n', "b": '[services]\nignore = ["b.service"]\n'})

    assert settings.services.ignore == ("b.service",)


def test_inline_tables_merge_like_any_others() -> None:
    first = '[component.m]\ntype = "metrics"\nurl = "http://h/"\nvalues = { a = { metric = "a" } }\n'
    second = '[component.m]\nvalues = { b = { metric = "b", per_interval = true } }\n'

    values = load_texts({"a": first, "b": second}).component["m"].options["values"]

    assert set(values) == {"a", "b"}


def test_a_wrong_value_that_a_later_file_replaces_is_told_all_the_same() -> None:
    problems = said(a="[health]\nhealth_timeout_seconds = -1\n", b="[health]\nhealth_timeout_seconds = 5\n")

    assert problems == ["a.toml:2: health.health_timeout_seconds: found -1; allowed is a number from 0.1 to 3600"]


def test_a_value_in_place_of_a_table_is_told_in_whichever_file_it_stands() -> None:
    words = "health: found 3; allowed is a table, written [health]"

    assert said(a="health = 3\n", b="[health]\n") == [f"a.toml:1: {words}"]
    assert said(a="[health]\n", b="\nhealth = 3\n") == [f"b.toml:2: {words}"]


def test_problems_come_in_the_order_of_files_and_lines() -> None:
    problems = said(
        b="[http]\nlisten = 1\n[health]\nready_when = 1\n",
        a="[alerting]\nmin_severity = 1\n[health]\nx = 1\n",
    )

    assert [problem.split(": ")[0] for problem in problems] == ["b.toml:2", "b.toml:4", "a.toml:2", "a.toml:4"]


def test_a_part_of_a_table_from_another_file_is_told_in_that_file() -> None:
    problems = said(
        a='[component.m]\ntype = "metrics"\nurl = "http://h/"\nvalues = { a = { metric = "a" } }\n',
        b="\n\n[component.m]\nvalues = { b = { metric = 3 } }\n",
    )

    assert problems == [
        "b.toml:4: component.m.values.b.metric: found 3; allowed is the name of a metric",
    ]


def test_the_type_of_a_component_may_stand_in_another_file() -> None:
    settings = load_texts(
        {"a": '[component.w]\nurl = "http://h/"\n', "b": '[component.w]\ntype = "http"\n'},
    )

    assert settings.component["w"].options["url"] == "http://h/"
