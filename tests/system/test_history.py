"""The past of a host: what happened to it and how it was, for people, spreadsheets, programs and the sqlite3 shell."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.system.ward import QUICK, Ward

if TYPE_CHECKING:
    from tools.throwaway import Host

STORY = ["issue_opened", "healing_started", "healing_finished", "issue_resolved"]

WRITTEN = """
import sqlite3, sys, time
for _ in range(300):
    database = sqlite3.connect("file:/var/lib/healthd/history.db?mode=ro", uri=True)
    if database.execute("SELECT 1 FROM event WHERE event = 'issue_resolved' AND item = ?", sys.argv[1:]).fetchone():
        break
    time.sleep(0.1)
"""
"""Waits until the end of a unit's story is in the file."""

LOOKS = 10

ASKED = """
import json, sqlite3, sys
database = sqlite3.connect("file:/var/lib/healthd/history.db?mode=ro", uri=True)
print(json.dumps([database.execute(each).fetchall() for each in sys.argv[1:]]))
"""


@pytest.fixture(scope="module")
def ward(shared_host: Host) -> Ward:
    made = Ward(host=shared_host)
    made.host.sh("useradd guest")
    made.configure(QUICK.replace("[health]", "[health]\ncheck_interval_seconds = 1"))
    return made


@pytest.fixture(scope="module")
def healed(ward: Ward) -> str:
    """A service that was killed and came back."""
    unit = ward.add()
    cursor = ward.host.cursor()
    ward.kill(unit)
    ward.await_healed(cursor, unit)
    ward.look()
    return unit


def asked(ward: Ward, *queries: str) -> list[list[list[Any]]]:
    found: list[list[list[Any]]] = json.loads(ward.host.run(["python3", "-c", ASKED, *queries]).stdout)
    return found


def scored(ward: Ward) -> tuple[Any, dict[tuple[str, str, str], Any]]:
    """The history of the last minutes, and the points of each of its series."""
    history = ward.ask("history", "--since", "10m")
    return history, {(each["component"], each["item"], each["name"]): each["points"] for each in history["series"]}


def test_what_happened_and_how_the_scores_went_are_seen_at_once(ward: Ward, healed: str) -> None:
    history, scores = scored(ward)
    for _ in range(LOOKS):  # what is judged now is kept with the next round
        if scores["services", "", "score"][-1][3] == 1.0:
            break
        ward.look()
        history, scores = scored(ward)

    assert [each["event"] for each in history["events"] if each["item"] == healed] == STORY
    assert {("", "", "score"), ("services", "", "score")} <= scores.keys()
    assert scores["services", "", "score"][-1][3] == 1.0
    assert all(low <= mean <= high for points in scores.values() for _, low, mean, high in points)


def test_a_person_sees_a_line_a_score_and_the_story_below(ward: Ward, healed: str) -> None:
    page = ward.healthctl("history", "--since", "10m").stdout
    plain = ward.host.run(["healthctl", "history", "services", "--since", "10m"], env={"LC_ALL": "C"}).stdout

    assert "all scores, the last 10 min" in page
    assert "\nservices " in page
    assert f"healed {healed}: start_unit helped" in page
    assert "▇" in page
    assert plain.startswith("services, the last 10 min")
    assert plain.isascii()
    assert "\x1b" not in page + plain


def test_a_unit_has_its_own_story(ward: Ward, healed: str) -> None:
    page = ward.healthctl("history", healed.removesuffix(".service")).stdout

    assert f"{healed} is down: killed by SIGKILL" in page
    assert "host is" not in page


def test_a_spreadsheet_gets_rows_with_their_zone(ward: Ward, healed: str) -> None:
    header, first, *_ = csv.reader(io.StringIO(ward.healthctl("history", "services", "--csv").stdout, newline=""))

    assert header == ["time", "component", "item", "name", "min", "mean", "max"]
    assert datetime.fromisoformat(first[0]).tzinfo is not None
    assert first[1:4] == ["services", "", "score"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nobody"], 1, "there is no component 'nobody' (known: "),
        (["--since", "soon"], 64, "this is no time (90s, 5m, 2h"),
    ],
)
def test_a_mistake_is_one_line_with_a_hint(ward: Ward, arguments: list[str], code: int, words: str) -> None:
    refused = ward.healthctl("history", *arguments)

    assert refused.returncode == code
    assert words in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_who_may_only_see_an_outline_is_told_what_it_needs(ward: Ward, healed: str) -> None:
    refused = ward.healthctl("history", user="guest")

    assert refused.returncode == 1
    assert healed not in refused.stdout + refused.stderr
    assert "use sudo, or be in the group healthd" in refused.stderr


def test_the_file_opens_in_sqlite_and_reads_well(ward: Ward, healed: str) -> None:
    ward.host.run(["python3", "-c", WRITTEN, healed])

    events, rounds, hours = asked(
        ward,
        f"SELECT event, message FROM events WHERE item = '{healed}'",
        "SELECT count(*) FROM round",
        "SELECT count(*) FROM score",
    )

    assert [event for event, _ in events] == STORY
    assert events[0][1] == f"{healed} is down: killed by SIGKILL"
    assert rounds[0][0] >= 1
    assert len(hours) == 1


def test_a_healthd_that_is_killed_has_its_past_afterwards(ward: Ward, healed: str) -> None:
    ward.host.run(["python3", "-c", WRITTEN, healed])
    cursor = ward.host.cursor()
    ward.kill("healthd.service")
    ward.await_event(cursor, "daemon_ready")
    history = ward.ask("history", "services", "--since", "10m")

    assert [each["event"] for each in history["events"] if each["item"] == healed] == STORY
    assert any(each["points"] for each in history["series"])
