"""The answer: what differs, why, what both worlds come to, and what that rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from healthd.answers import Series
from healthd.config import load_texts
from healthd.errors import StorageError
from healthd.record.database import Database
from healthd.record.readings import Readings
from healthd.simulate.report import simulate
from tests.fake_units import service
from tests.unit.builders import UNIT
from tests.unit.decide.bench import fail_attempt, healed
from tests.unit.simulate.taped import TapedBench

if TYPE_CHECKING:
    from pathlib import Path


TELLING = '[alerting]\nwebhook_url = "http://127.0.0.1/"\n'


def configured(text: str = "") -> Any:
    return load_texts({"a.toml": TELLING, "b.toml": text})


@pytest.fixture
def bench() -> TapedBench:
    """One unit was healed at its second attempt."""
    bench = TapedBench(service(UNIT), configuration=configured())
    bench.kill(UNIT)
    bench.turn([UNIT])
    fail_attempt(bench)
    bench.later(15.0)
    healed(bench)
    bench.later(100.0)
    return bench


def saved(bench: TapedBench, file: Path) -> Path:
    readings = Readings()
    for frame in bench.taped:
        readings.tape(frame)
    readings.remember(bench.wall, {Series("", "", "score"): 1.0})
    database = Database(file)
    database.keep(readings.take(), 30.0)
    database.close()
    return file


def reported(bench: TapedBench, file: Path, text: str = "", *, since: float = -3600.0) -> dict[str, Any]:
    return simulate(saved(bench, file), configured(text), bench.wall + since, bench.wall + 1)


def test_the_same_configuration_makes_no_difference(bench: TapedBench, tmp_path: Path) -> None:
    report = reported(bench, tmp_path / "history.db")

    assert report["differences"] == report["settings"] == []
    assert [each["subject"] for each in report["actions"]] == [UNIT, UNIT]
    assert report["was"] == report["would"]
    assert report["was"]["actions"] == {"start_unit": 2}
    assert report["was"]["outcomes"] == {"failed": 1, "success": 1}
    assert report["was"]["told"] == {"opened": 1, "resolved": 1}
    assert [(each["was"]["why"], each["same"]) for each in report["messages"]] == [("opened", True), ("resolved", True)]
    assert 10 < report["was"]["down"] < 20


def test_what_is_not_done_any_more_stands_with_its_reason(bench: TapedBench, tmp_path: Path) -> None:
    report = reported(bench, tmp_path / "history.db", "[health]\nmax_healing_attempts = 1\n")

    (gone,) = report["differences"]
    assert (gone["was"]["attempt"], gone["was"]["outcome"], gone["would"]) == (2, "success", None)
    assert gone["why"].startswith("gave_up: the attempt did not help")
    assert report["settings"] == [
        {"key": "health.max_healing_attempts", "recorded": 3, "simulated": 1, "replayed": True}
    ]
    assert report["would"]["told"] == {"gave_up": 1}
    assert report["would"]["down"] > report["was"]["down"] + 50


def test_what_is_done_later_is_one_line_with_both(bench: TapedBench, tmp_path: Path) -> None:
    report = reported(bench, tmp_path / "history.db", "[auto_healing]\nbackoff_seconds = 40\n")

    (moved,) = report["differences"]
    assert moved["was"]["outcome"] == moved["would"]["outcome"] == "success"
    assert 29 < moved["would"]["at"] - moved["was"]["at"] < 35
    assert moved["why"].startswith("cooldown: ")


def test_people_are_told_of_less_where_less_is_wanted(bench: TapedBench, tmp_path: Path) -> None:
    report = reported(bench, tmp_path / "history.db", '[alerting]\nmin_severity = "critical"\n')

    assert report["was"]["told"] == {"opened": 1, "resolved": 1}
    assert report["would"]["told"] == {}


def test_where_nobody_is_to_be_told_nobody_is(bench: TapedBench, tmp_path: Path) -> None:
    report = simulate(saved(bench, tmp_path / "history.db"), load_texts({}), bench.wall - 3600, bench.wall)

    assert report["receivers"] == {"was": ["webhook"], "would": []}
    assert (report["was"]["told_to"], report["would"]["told_to"]) == ({"webhook": 2}, {})
    assert {each["because"] for each in report["messages"]} == {"nobody is to be told: [alerting] names no receiver"}
    assert not any(each["would"] or each["same"] for each in report["messages"])


def test_what_one_receiver_more_would_have_got_stands_beside_what_was_sent(bench: TapedBench, tmp_path: Path) -> None:
    report = reported(bench, tmp_path / "history.db", '[alerting]\nemail_notifications = ["ops@example.org"]\n')

    opened, resolved = report["messages"]
    assert opened["was"]["to"] == ["webhook"]
    assert opened["would"] == {
        "at": opened["was"]["at"],
        "why": "opened",
        "about": "web.service is down",
        "severity": "high",
        "to": ["email", "webhook"],
        "component": "services",
        "item": UNIT,
        "type": "service_down",
        "alert": 1,
    }
    assert (resolved["would"]["why"], resolved["same"]) == ("resolved", True)
    assert report["would"]["told_to"] == {"email": 2, "webhook": 2}
    assert [each["key"] for each in report["settings"]] == ["alerting.email_notifications"]


def test_a_credential_in_the_place_of_a_secret_is_one_value(bench: TapedBench, tmp_path: Path) -> None:
    report = reported(bench, tmp_path / "history.db", '[alerting]\nslack_webhook_url = { credential = "slack" }\n')

    assert [(each["key"], each["simulated"]) for each in report["settings"]] == [
        ("alerting.slack_webhook_url", {"credential": "slack"})
    ]


def test_how_a_message_is_sent_makes_no_difference_to_what_is_told(bench: TapedBench, tmp_path: Path) -> None:
    report = reported(bench, tmp_path / "history.db", '[alerting]\nsmtp_url = "smtp://mail.example.org"\n')

    assert report["settings"] == []
    assert all(each["same"] for each in report["messages"])


def test_of_keys_that_only_change_how_is_looked_it_says_that_they_are_not_replayed(
    bench: TapedBench, tmp_path: Path
) -> None:
    text = '[thresholds]\nmemory_warning_percent = 70\n[services."web.service"]\ngrace_seconds = 5\ncritical = true\n'
    report = reported(bench, tmp_path / "history.db", text)

    seen = {each["key"]: each["replayed"] for each in report["settings"]}
    assert seen['services."web.service".grace_seconds'] is False
    assert seen['services."web.service".critical'] is True
    assert report["would"]["told"] == {"opened": 1, "resolved": 1}


def test_a_replay_that_begins_before_what_is_asked_for_shows_only_that(bench: TapedBench, tmp_path: Path) -> None:
    report = reported(bench, tmp_path / "history.db", since=-108.0)

    assert [each["was"]["attempt"] for each in report["actions"]] == [2]
    assert report["replayed_since"] < report["since"] == bench.wall - 108.0
    assert 0 < report["was"]["down"] < 8


def test_a_time_of_which_nothing_is_on_record_is_an_error(bench: TapedBench, tmp_path: Path) -> None:
    file = saved(bench, tmp_path / "history.db")

    for since, until in ((-9000.0, -8000.0), (50.0, 100.0)):
        with pytest.raises(StorageError, match="nothing is on record"):
            simulate(file, configured(), bench.wall + since, bench.wall + until)
