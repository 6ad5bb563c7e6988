"""What a person reads of silences."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from healthd.cli import silence, status
from healthd.cli.text import Style
from healthd.expose import render
from tests.unit.expose.fake_control import NOW, WELL
from tests.unit.expose.quiet import QUIET

PLAIN = Style(coloured=False)


def quiet(**changes: Any) -> Any:
    return json.loads(json.dumps(render.silence(replace(QUIET, **changes))))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "until 21:04:11 (in 59 min)"),
        ({"until": None, "while_unit": "backup.service"}, "while backup.service runs"),
        ({"while_unit": "backup.service"}, "while backup.service runs, until 21:04:11 (in 59 min) at most"),
        ({"calendar": "Sun 02:00"}, "until 21:04:11 (in 59 min), by 'Sun 02:00' for 1 h"),
        (
            {"calendar": "Sun 02:00", "until": None, "in_force": False, "begins": NOW + 3600},
            "not now; again from 21:05:11 on, by 'Sun 02:00' for 1 h",
        ),
    ],
)
def test_a_silence_says_how_long_it_lasts(changes: dict[str, Any], words: str) -> None:
    assert silence.how_long(quiet(**changes), NOW) == words


def test_silences_are_a_line_each_with_who_and_why() -> None:
    lines = silence.page([quiet(), quiet(id="s12", scope="everything", reason="")], NOW, PLAIN)

    assert lines[0].startswith(
        "s7   web-*.service  until 21:04:11 (in 59 min)  alice (claimed, uid 0), 20:04:11: new disk"
    )
    assert lines[1].startswith("s12  everything")
    assert silence.page([], NOW, PLAIN) == ["Nothing is silenced."]


def test_the_page_of_the_host_names_what_is_silenced_now() -> None:
    resting = replace(QUIET, id="s8", scope="everything", in_force=False)
    value = json.loads(json.dumps(render.status(replace(WELL, silences=(QUIET, resting)))))
    lines = status.page(value, NOW, PLAIN, settings=None)

    assert lines[1] == "  web-*.service is silenced until 21:04:11 (in 59 min) (s7)"
    assert "s8" not in "".join(lines)
