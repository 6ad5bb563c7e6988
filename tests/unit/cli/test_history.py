"""`healthctl history`: what a person, a spreadsheet and a program get."""

from __future__ import annotations

import csv
import io
from argparse import Namespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from healthd.cli import history
from healthd.cli.history import Screen
from healthd.cli.since import since
from healthd.cli.text import Style
from healthd.errors import RequestError
from healthd.expose import render
from tests.unit.cli.test_pages import over_the_wire
from tests.unit.expose.fake_control import NOW, PAST, STATUS

VALUES: dict[str, Any] = {
    "since": NOW - 600,
    "until": NOW,
    "step": 2.0,
    "series": [
        {
            "component": "memory",
            "item": "",
            "name": "used_percent",
            "points": [[NOW - 600 + 30 * n, 40.0, 41.0 + n, 42.0 + n] for n in range(20)],
        }
    ],
    "events": [],
}


def screen(*, width: int = 80, coloured: bool = False, ascii_only: bool = False) -> Screen:
    return Screen(width=width, style=Style(coloured=coloured), ascii_only=ascii_only)


def page(value: Any, name: str = "", **how: Any) -> list[str]:
    return history.page(over_the_wire(value), name, NOW, screen(**how))


class Daemon:
    """Stands in for the client; `asked` are the queries for history."""

    def __init__(self, _socket: object) -> None:
        self.asked: list[dict[str, str]] = []

    def get(self, target: str) -> Any:
        if target == "/api/v1/components":
            return over_the_wire(render.components(STATUS))
        self.asked.append({name: value[0] for name, value in parse_qs(urlsplit(target).query).items()})
        return over_the_wire(render.history(PAST))


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Daemon:
    stand_in = Daemon(None)
    monkeypatch.setattr(history, "Client", lambda _socket: stand_in)
    return stand_in


def run(**options: Any) -> int:
    usual = {"name": None, "since": "2h", "value": None, "csv": False, "json": False, "socket": None}
    return history.run(Namespace(**{**usual, **options}))


# What is asked


def test_without_a_name_the_scores_are_asked_for(daemon: Daemon) -> None:
    assert run() == 0

    (asked,) = daemon.asked
    assert asked.keys() == {"since", "until", "points"}
    assert float(asked["until"]) - float(asked["since"]) == pytest.approx(7200, abs=0.1)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("memory", {"component": "memory"}),
        ("nginx.service", {"component": "services", "item": "nginx.service"}),
        ("nginx", {"component": "services", "item": "nginx.service"}),
        ("of-old", {"component": "of-old"}),
    ],
)
def test_a_name_is_a_component_or_an_item_or_one_that_is_no_more(
    daemon: Daemon, name: str, meant: dict[str, str]
) -> None:
    run(name=name, value="used_percent")

    (asked,) = daemon.asked
    assert {key: asked[key] for key in asked.keys() & {"component", "item", "name"}} == meant | {"name": "used_percent"}


@pytest.mark.parametrize(
    ("text", "ago"),
    [("90s", 90), ("5m", 300), ("5min", 300), ("2h", 7200), ("7d", 604_800), ("1h30m", 5400), ("60", 60)],
)
def test_a_span_is_that_long_ago(text: str, ago: int) -> None:
    assert since(text, NOW) == NOW - ago


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2023-11-24", 1_700_784_000.0),
        ("2023-11-24T08:30", 1_700_814_600.0),
        ("2023-11-24T08:30:00+01:00", 1_700_811_000),
    ],
)
def test_a_date_is_local_time_where_it_names_no_zone(text: str, at: float) -> None:
    assert since(text, NOW) == at


@pytest.mark.parametrize("text", ["", "2x", "yesterday", "h2", "-5m", "2099-01-01", "99999999999999999999"])
def test_what_is_no_time_that_passed_is_refused_with_examples(text: str) -> None:
    with pytest.raises(RequestError) as caught:
        since(text, NOW)

    assert "2h, 7d" in caught.value.hint


# What is shown


def test_the_scores_are_a_line_each_with_the_last_and_the_worst() -> None:
    lines = page(render.history(PAST))

    assert lines[0] == "all scores, the last 2 h"
    assert lines[2].startswith("host      ▆")
    assert lines[2].endswith("0.95  min 0.90")
    assert lines[3].startswith("services")
    assert lines[3].endswith("1.00  min 0.00")
    assert lines[4].split() == ["18:05", "19:05", "20:05"]


def test_the_events_follow_the_newest_last() -> None:
    lines = page(render.history(PAST))

    assert lines[-2].endswith("nginx.service is down: killed by SIGKILL")
    assert lines[-1].endswith("it is up and stays up (1.0 s)")


def test_of_many_events_the_newest_are_shown() -> None:
    many = over_the_wire(render.history(PAST))
    many["events"] = [{**many["events"][0], "message": f"event {n}"} for n in range(25)]

    lines = page(many)

    assert "5 earlier events: --json has them" in lines
    assert lines[-1].endswith("event 24")


def test_one_thing_is_a_field_with_axes() -> None:
    lines = page(VALUES, "memory")

    assert lines[0] == "memory, the last 10 min"
    assert lines[2] == "memory used_percent"
    assert lines[3].lstrip().startswith("61 │")
    assert lines[10].lstrip().startswith("40 │")
    assert set(lines[11].strip()) == {"└", "─"}


def test_no_line_is_wider_than_the_terminal() -> None:
    both = over_the_wire(VALUES)
    both["series"] += over_the_wire(render.history(PAST))["series"]
    for width in (48, 80, 200):
        for lines in (page({**both, "events": []}, "memory", width=width), page(render.history(PAST), width=width)[:5]):
            assert max(map(len, lines)) <= width


def test_without_utf_8_all_of_it_is_ascii() -> None:
    both = over_the_wire(VALUES)
    both["series"] += over_the_wire(render.history(PAST))["series"]

    assert "\n".join([*page(both, "memory", ascii_only=True), *page(both, ascii_only=True)]).isascii()


@pytest.mark.parametrize(
    ("locale", "blocks"),
    [
        ({}, True),
        ({"LANG": "de_DE.UTF-8"}, True),
        ({"LANG": "en_GB.utf8", "LC_ALL": "C"}, False),
        ({"LANG": "de_DE.ISO-8859-15"}, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),
        ({"LANG": "C", "LC_CTYPE": "en_US.UTF-8"}, True),
    ],
)
def test_blocks_are_for_locales_that_have_them(
    daemon: Daemon,
    locale: dict[str, str],
    blocks: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in locale.items():
        monkeypatch.setenv(name, value)

    run()

    assert ("▇" in capsys.readouterr().out) is blocks


def test_scores_are_coloured_by_what_they_mean() -> None:
    coloured = "\n".join(page(render.history(PAST), coloured=True))

    assert "\x1b[31m▁" in coloured
    assert "\x1b[32m▇" in coloured
    assert "\x1b" not in "\n".join(page(render.history(PAST)))


def test_an_empty_history_says_so_kindly() -> None:
    lines = page({**VALUES, "series": []}, "memory")

    assert lines[0] == "No readings of memory were kept in the last 10 min."
    assert len(lines) == 2


def test_what_has_no_readings_may_still_have_a_story() -> None:
    lines = page({**over_the_wire(render.history(PAST)), "series": []}, "nginx.service")

    assert lines[0] == "No readings of nginx.service were kept in the last 2 h."
    assert lines[-1].endswith("it is up and stays up (1.0 s)")


def test_a_name_from_elsewhere_cannot_steer_the_terminal() -> None:
    evil = over_the_wire(VALUES)
    evil["series"][0]["name"] = "\x1b]0;evil\x07"

    assert "\x1b" not in "\n".join(page(evil, "memory"))


def test_the_csv_has_a_header_and_a_line_a_point_with_its_zone(
    daemon: Daemon, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(csv=True)

    text = capsys.readouterr().out
    header, first, *rest = csv.reader(io.StringIO(text, newline=""))
    assert text.endswith("\r\n")
    assert header == ["time", "component", "item", "name", "min", "mean", "max"]
    assert first == ["2025-11-23T18:05:11+00:00", "", "", "score", "0.9", "0.95", "1.0"]
    assert len(rest) == 14
    assert daemon.asked[0]["points"] == "1000"


def test_the_json_is_the_apis_answer(daemon: Daemon, capsys: pytest.CaptureFixture[str]) -> None:
    run(json=True)

    assert capsys.readouterr().out.startswith("{")
