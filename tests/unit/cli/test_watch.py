"""The live page: in place on a terminal, a page for each change elsewhere, and patient when there is no daemon."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from healthd.cli import watch
from healthd.cli.client import Unreachable
from healthd.cli.main import main
from healthd.expose import render
from healthd.model import Measure, Status
from tests.unit.expose.fake_control import CONFIG, MEMORY, STATUS, WELL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthd.answers import HealthStatus


def over_the_wire(value: HealthStatus) -> Any:
    return json.loads(json.dumps(render.status(value)))


def seen(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answers: Sequence[HealthStatus | None],
    *argv: str,
) -> tuple[int, str]:
    """What is printed while the daemon answers so, None standing for no daemon; then comes Ctrl-C."""
    left = list(answers)

    def get(_client: object, target: str) -> Any:
        if target == "/api/v1/config":
            return CONFIG
        if not left:
            raise KeyboardInterrupt
        answer = left.pop(0)
        if answer is None:
            raise Unreachable("cannot reach healthd", hint="is it running?")
        return over_the_wire(answer)

    monkeypatch.setattr("healthd.cli.client.Client.get", get)
    monkeypatch.setattr("time.sleep", lambda _: None)
    code = main(["watch", *argv])
    return code, capsys.readouterr().out


def test_a_page_is_printed_for_each_change_and_not_for_what_passes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    later = replace(WELL, timestamp=WELL.timestamp + 1, uptime_seconds=WELL.uptime_seconds + 1)

    code, out = seen(monkeypatch, capsys, [WELL, later, STATUS, STATUS])

    assert code == 0
    assert out.count("healing is on") == 2


def test_a_daemon_that_is_away_is_said_once_and_waited_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out = seen(monkeypatch, capsys, [None, None, WELL])

    assert out.count("cannot reach healthd; waiting for it") == 1
    assert "healthy" in out


def test_json_is_a_line_for_each_change(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = seen(monkeypatch, capsys, [WELL, STATUS, None], "--json")

    lines = [json.loads(line) for line in out.splitlines()]
    assert [line.get("status", line.get("error")) for line in lines] == [
        WELL.status,
        STATUS.status,
        "cannot reach healthd",
    ]


def test_a_terminal_has_its_own_screen_back_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)

    _, out = seen(monkeypatch, capsys, [WELL])

    assert out.startswith("\x1b[?1049h")
    assert out.endswith("\x1b[?1049l")
    assert "\x1b[H" in out


@pytest.mark.parametrize(("lines", "height", "rows"), [(3, 10, 3), (30, 10, 10)])
def test_no_more_lines_are_shown_than_the_terminal_has(lines: int, height: int, rows: int) -> None:
    text = watch.in_place([f"line {number}" for number in range(lines)], height)

    assert text.count("\n") + 1 <= rows
    assert f"line {lines - 1}" in text


def test_a_healthy_number_that_moves_is_no_change_and_one_of_what_is_bad_is() -> None:
    def status(value: float, health: Status) -> Any:
        moved = replace(MEMORY, status=health, measures=(Measure(name="used_percent", value=value),))
        return watch.lasting(over_the_wire(replace(WELL, health_checks={"memory": moved})))

    assert status(10.0, Status.HEALTHY) == status(11.0, Status.HEALTHY)
    assert status(90.0, Status.DEGRADED) != status(91.0, Status.DEGRADED)
