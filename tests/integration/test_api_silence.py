"""healthctl silence and resume against the API on real sockets."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from healthd.answers import Wish
from healthd.expose import render
from tests.unit.expose.fake_control import FakeControl
from tests.unit.expose.quiet import QUIET

if TYPE_CHECKING:
    from tests.integration.conftest import Run


def test_silence_orders_what_was_asked_and_says_how_it_ends(run: Run) -> None:
    control = FakeControl()
    code, out, _ = run(control, "silence", "web-*.service", "--for", "1h30m", "--while", "backup", "--reason", "disk")
    ((_, wish),) = control.told
    assert isinstance(wish, Wish)

    assert (code, out.splitlines()[0].split(",")[0]) == (0, "s7: web-*.service is silenced")
    assert (wish.name, wish.everything, wish.seconds) == ("web-*.service", False, 5400.0)
    assert (wish.while_unit, wish.calendar, wish.reason) == ("backup", None, "disk")


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (["--for", "2h"], 64, "Give a NAME, or --all"),
        (["--all", "--for", "ever"], 64, "--for ever: this is no span of time"),
        (["web", "--reason", "x" * 300], 64, '"reason" must be at most 200 characters'),
    ],
)
def test_a_silence_that_makes_no_sense_is_one_line(run: Run, argv: list[str], code: int, said: str) -> None:
    with suppress(SystemExit):
        got, _, err = run(FakeControl(), "silence", *argv)
        assert got == code
        assert said in err


def test_resume_orders_what_was_asked_and_names_what_ended(run: Run) -> None:
    control = FakeControl(quiet=(QUIET,))

    assert run(control, "resume", "--all")[1] == "s7: web-*.service is silenced no more.\n"
    assert control.told[0][:3] == ("resume", None, True)


@pytest.mark.parametrize(
    ("argv", "value"),
    [
        (["silence"], [render.silence(QUIET)]),
        (["silence", "web-*.service"], render.silence(QUIET)),
        (["resume", "s7"], {"resumed": [render.silence(QUIET)]}),
    ],
)
def test_json_is_the_answer_of_the_api(run: Run, argv: list[str], value: object) -> None:
    _, out, _ = run(FakeControl(quiet=(QUIET,)), *argv, "--json")

    assert json.loads(out) == json.loads(json.dumps(value))
