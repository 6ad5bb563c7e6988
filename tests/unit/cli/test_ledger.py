"""What a person reads of the ledger, and of suggestions."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from healthd.cli import explain, issues, ledger
from healthd.cli.text import Style
from healthd.expose import render
from healthd.model import ActionKind, HoldReason
from tests.unit.expose.fake_control import EXPLANATION, NGINX_DOWN, NOW
from tests.unit.expose.outcomes import OUTCOMES

PLAIN = Style(coloured=False)
TEXT = "start_unit is called for, but its table says so; if it seems right to you: healthctl heal nginx.service"
SUGGESTED = replace(
    NGINX_DOWN,
    hold=HoldReason.SUGGEST,
    hold_text=TEXT,
    until=None,
    suggested="start_unit",
    command="healthctl heal nginx.service",
)


WAITS = "only suggested, since it did not help the last 6 times; tried once more at 2025-11-24 18:05 (in 22 h)"


def over_the_wire(value: object) -> Any:
    return json.loads(json.dumps(value))


def test_the_ledger_is_a_line_an_action_and_says_what_is_only_suggested() -> None:
    lines = ledger.page(over_the_wire([render.outcomes(each) for each in OUTCOMES]), NOW, PLAIN)

    assert lines == [
        "WHAT           FAILURE    ACTION        HELPED  LAST              NOW",
        "app.service    exit_code  start_unit    2 of 8  18:05:11          " + WAITS,
        "nginx.service  signal     start_unit    1 of 3  20:04:11          trusted, but did not help the last 2 times",
        "storage /var   disk_full  disk_cleanup  4 of 4  2025-11-22 19:05  trusted",
    ]


def test_what_failed_once_and_what_is_not_tried_again_by_time_say_so() -> None:
    app, nginx, _ = OUTCOMES
    changed = [replace(app, retry_at=None), replace(nginx, in_a_row=1)]
    lines = ledger.page(over_the_wire([render.outcomes(each) for each in changed]), NOW, PLAIN)

    assert lines[1].endswith("only suggested, since it did not help the last 6 times")
    assert lines[2].endswith("trusted, but did not help the last time")


def test_an_empty_ledger_says_so() -> None:
    assert ledger.page([], NOW, PLAIN) == ["Nothing has been tried yet."]


def test_a_suggestion_is_told_with_the_command_that_carries_it_out() -> None:
    page = "\n".join(issues.page([over_the_wire(render.issue(SUGGESTED))], NOW, PLAIN))

    assert f"healthd: only suggests: {TEXT}" in page
    assert "you can: healthctl heal nginx.service, if it seems right to you" in page


def test_explain_says_what_a_suggestion_would_do() -> None:
    told = replace(EXPLANATION, issue=SUGGESTED, hold=HoldReason.SUGGEST, hold_text=TEXT, action=ActionKind.START_UNIT)
    page = "\n".join(explain.page(over_the_wire(render.explanation(told)), NOW, PLAIN))

    assert "hold: only suggests: start_unit is called for" in page
    assert re.search(r"Would do +start the unit", page)
