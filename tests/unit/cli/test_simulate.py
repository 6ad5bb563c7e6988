"""`healthctl simulate`: what a person reads, and what is said of every mistake."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from healthd.cli.main import main
from healthd.cli.messages import told
from healthd.cli.simulate import page
from healthd.cli.text import Style, moment
from healthd.simulate.report import simulate
from tests.unit.simulate.test_report import bench, configured, reported, saved

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.simulate.taped import TapedBench

__all__ = ["bench"]


def lines(bench: TapedBench, tmp_path: Path, text: str = "", **how: Any) -> list[str]:
    report = reported(bench, tmp_path / "history.db", text, **how)
    return page(report, report["until"], Style(coloured=False))


def test_the_page_begins_with_what_differs_and_why(bench: TapedBench, tmp_path: Path) -> None:
    shown = lines(bench, tmp_path, "[health]\nmax_healing_attempts = 1\n")

    assert "  health.max_healing_attempts: 3 -> 1" in shown
    assert "1 of 2 actions differ" in shown
    (row,) = [line for line in shown if "start_unit, success" in line]
    assert "web.service" in row
    assert "nothing" in row
    assert "gave_up: the attempt did not help" in row


def test_the_sums_stand_side_by_side(bench: TapedBench, tmp_path: Path) -> None:
    shown = [line.split() for line in lines(bench, tmp_path, "[health]\nmax_healing_attempts = 1\n")]

    assert ["actions", "2", "1"] in shown
    assert ["gave", "up", "0", "1"] in shown
    assert ["cooldown", "1", "0"] in shown
    assert ["messages", "to", "people", "2", "1"] in shown
    assert ["to", "webhook", "2", "1"] in shown


def test_what_people_are_told_stands_beside_what_they_were_told(bench: TapedBench, tmp_path: Path) -> None:
    shown = lines(bench, tmp_path, "[health]\nmax_healing_attempts = 1\n")

    begin = shown.index("3 of 3 messages to people differ: 2 (to webhook) were sent, 1 (to webhook) would be")
    _, gave_up, opened, resolved = (re.split("  +", line)[3:] for line in shown[begin + 1 : begin + 5])
    assert gave_up[:2] == ["nothing", "gave_up, critical"]
    assert opened == ["opened, high", "nothing", "it would have been told already"]
    assert resolved[:2] == ["resolved, high", "nothing"]
    assert resolved[2].startswith("gave_up: the attempt did not help")


def test_messages_that_are_the_same_are_listed_too(bench: TapedBench, tmp_path: Path) -> None:
    shown = lines(bench, tmp_path)

    assert "No difference in what people are told: 2 (to webhook)" in shown
    assert [re.split("  +", line)[-1] for line in shown if "web.service is down" in line] == ["the same"] * 2


def test_others_who_are_told_the_same_are_named_once(bench: TapedBench, tmp_path: Path) -> None:
    shown = "\n".join(lines(bench, tmp_path, '[alerting]\nemail_notifications = ["ops@example.org"]\n'))

    assert "The same messages, but to others: 2 (to webhook) were sent, 2 (to email, webhook) would be" in shown
    assert re.search("opened, high  +the same", shown)
    assert 'alerting.email_notifications: not set -> ["ops@example.org"]' in shown


def test_where_others_were_told_before_each_message_says_to_whom() -> None:
    opened = {"at": 0.0, "why": "opened", "severity": "high", "about": "it is down", "to": ["email"]}
    over = {**opened, "why": "resolved", "to": ["email", "slack"]}
    both = [{"at": 0.0, "same": True, "was": each, "would": each, "because": ""} for each in (opened, over)]
    report = {"messages": both, "receivers": {"was": ["email", "slack"], "would": ["email"]}}

    *_, first, second = told(report, 0.0, Style(coloured=False))

    assert first.endswith("opened, high, to email")
    assert second.endswith("resolved, high, to email slack")


def test_where_nobody_is_told_it_says_how_to_see_what_one_would_hear(
    history: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called("--history", history) == 0
    assert "2 of 2 messages to people differ: 2 (to webhook) were sent, none would be" in capsys.readouterr().out

    none = {"messages": [], "receivers": {"was": [], "would": []}}
    assert "--set alerting.webhook_url=" in "".join(told(none, 0.0, Style(coloured=False)))
    quiet = {"messages": [], "receivers": {"was": [], "would": ["email"]}}
    assert list(told(quiet, 0.0, Style(coloured=False))) == ["No messages to people, in neither."]


def test_of_many_messages_those_that_differ_are_listed_first() -> None:
    message = {"at": 0.0, "why": "opened", "severity": "high", "about": "it is down", "to": ["email"]}
    same = [{"at": at, "same": True, "was": message, "would": message, "because": ""} for at in (0.0,) * 50]
    other = {"at": 99.0, "same": False, "was": {**message, "at": 99.0}, "would": None, "because": "silenced"}
    report = {"messages": [*same, other], "receivers": {"was": ["email"], "would": ["email"]}}

    head, _, *rows, rest = told(report, 0.0, Style(coloured=False))

    assert head == "1 of 51 messages to people differ: 51 (to email) were sent, 50 (to email) would be"
    assert (len(rows), rest.strip()) == (40, "and 11 more (all of them: --json)")
    assert rows[-1].endswith("silenced")


def test_what_is_assumed_is_said(bench: TapedBench, tmp_path: Path) -> None:
    shown = "\n".join(lines(bench, tmp_path, "[auto_healing]\nbackoff_seconds = 40\n", since=-108.0))

    assert "What fails by itself, and what people did, is the same in both" in shown
    assert "1 action that was never done: taken to end as the attempt on record at the same failure did" in shown


def test_what_has_no_effect_here_is_named(bench: TapedBench, tmp_path: Path) -> None:
    shown = "\n".join(lines(bench, tmp_path, "[health]\ncheck_interval_seconds = 5\n"))

    assert "no effect here: health.check_interval_seconds" in shown
    assert "No difference: 2 actions, the same in both." in shown


def test_settings_that_nothing_holds_back_are_told_so(bench: TapedBench, tmp_path: Path) -> None:
    report = reported(bench, tmp_path / "history.db") | {"ran_away": True, "guesses": {"attempt": 10_000}}

    shown = "\n".join(page(report, report["until"], Style(coloured=False)))

    assert "Nothing holds these settings back: broken off after 10000 actions that were never done,\nat " in shown


def test_a_record_that_begins_later_than_asked_says_since_when(bench: TapedBench, tmp_path: Path) -> None:
    assert any(line.startswith("  Decisions are on record since") for line in lines(bench, tmp_path))


def test_that_other_settings_were_in_force_before_is_said(bench: TapedBench, tmp_path: Path) -> None:
    assert not any("configuration was changed" in line for line in lines(bench, tmp_path))

    for text, again in (("[health]\nmax_healing_attempts = 5\n", "once"), ("", "2 times, last")):
        bench.later(60.0)
        bench.settings = configured(text)
        bench.turn(everything=True)
        file = tmp_path / f"{again}.db"
        report = simulate(saved(bench, file), configured(), bench.wall - 3600, bench.wall + 1)
        shown = page(report, report["until"], Style(coloured=False))

        at = moment(bench.wall, report["until"])
        assert f"  The configuration was changed {again} at {at}; the one that is tried holds all the time." in shown


def called(*words: str) -> int:
    return main(["simulate", *words])


@pytest.fixture
def history(bench: TapedBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("healthd.cli.simulate.time.time", lambda: bench.wall + 1)
    monkeypatch.setattr("healthd.config.fragments.DEFAULT_FILE", tmp_path / "none/healthd.toml")
    return str(saved(bench, tmp_path / "history.db"))


def test_it_prints_json_for_programs(history: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert called("--history", history, "--set", "auto_healing.dry_run=true", "--json") == 0

    report = json.loads(capsys.readouterr().out)
    assert len(report["differences"]) == 2
    assert report["files"] == ["--set auto_healing.dry_run=true"]


def test_words_need_no_quotes_and_several_values_may_be_set(history: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = ("--set", "alerting.min_severity=critical", "--set", 'services."web.service".heal=suggest')

    assert called("--history", history, *said) == 0
    assert 'services."web.service".heal: not set -> suggest' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (("--set", "auto_healing.max_per_hour=2"), 78, "unknown key"),
        (("--set", "health.max_healing_attempts=-1"), 78, "health.max_healing_attempts"),
        (("--set", "dry_run"), 78, "assigns nothing"),
        (("--set", "=3"), 78, "assigns nothing"),
        (("--set", "a b=3"), 78, "this is not TOML"),
        (("--config", "/nowhere/healthd.toml"), 78, "/nowhere/healthd.toml"),
        (("--since", "1h", "--until", "2h"), 64, "no time between"),
        (("--until", "2h", "--since", "3h"), 1, "nothing is on record"),
        (("--since", "yore"), 64, "this is no time"),
        (("--until", "2099-01-01"), 64, "--until 2099-01-01: this is not in the past"),
    ],
)
def test_a_mistake_is_one_line(
    history: str, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, complaint: str
) -> None:
    assert called("--history", history, *words) == code

    captured = capsys.readouterr()
    assert captured.out == ""
    assert complaint in captured.err
    assert len(captured.err.splitlines()) == 1


def test_a_history_that_is_not_there_is_said(history: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert called("--history", f"{history}.old") == 1
    assert "there is no history" in capsys.readouterr().err


def test_a_history_that_is_a_directory_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert called("--history", str(tmp_path)) == 1
    assert str(tmp_path) in capsys.readouterr().err
