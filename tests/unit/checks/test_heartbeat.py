"""When a heartbeat is missed, and what is said of one that is not."""

from __future__ import annotations

import asyncio

import pytest

from healthd.checks.heartbeat import Reading, assess, options, sample, span
from healthd.config import load_texts
from healthd.jobs import Silence
from healthd.model import Assessment, IssueType, Status
from tests.fake_units import FakeHost, FakeUnits
from tests.unit.assembly import ports_of

HOURLY = options(
    load_texts({"healthd.toml": '[component.backup]\ntype = "heartbeat"\nevery_seconds = 3600\n'}), "backup"
)


def look(heard: float | None, *, expected: float = 1e6, at: float = 5000.0) -> Assessment:
    return assess(Reading(at=at, silence=Silence(expected=expected, heard=heard)), None, HOURLY)


def test_a_job_that_reported_in_is_well_and_looked_at_when_it_is_late() -> None:
    seen = look(600.0)

    (item,) = seen.items
    assert (item.status, item.findings) == (Status.HEALTHY, ())
    assert item.message == "heartbeat 10 min ago (one is due every 1 h)"
    assert seen.again_at == pytest.approx(5000 + 3660 - 600, abs=0.1)


@pytest.mark.parametrize(("heard", "missed"), [(3599, False), (3601, False), (3660, False), (3661, True)])
def test_a_beat_may_be_late_by_a_tenth_of_its_time_and_by_a_minute_at_most(heard: float, missed: bool) -> None:
    assert bool(look(heard).items[0].findings) is missed


def test_a_job_that_is_silent_for_longer_has_missed_its_heartbeat() -> None:
    (item,) = look(7500.0).items

    assert (item.status, item.score) == (Status.UNHEALTHY, 0.0)
    assert item.message == "heartbeat missed: the last was 2 h 5 min ago, one is due every 1 h"
    assert [finding.type for finding in item.findings] == [IssueType.HEARTBEAT_MISSED]


def test_a_job_that_never_reported_in_is_not_judged_until_its_time_is_over() -> None:
    waiting, missed = look(None, expected=3000.0), look(None, expected=3700.0)

    assert (waiting.usable, waiting.reason) == (False, "no heartbeat yet; the first one is due in 10 min")
    assert waiting.again_at == pytest.approx(5000 + 660, abs=0.1)
    assert missed.items[0].message == "heartbeat missed: none since it was configured 61 min ago, one is due every 1 h"


def test_a_job_whose_rhythm_was_changed_is_given_the_new_time() -> None:
    assert not look(9000.0, expected=10.0).items[0].findings


def test_a_job_that_nobody_waits_for_any_more_is_no_reading_and_no_bug() -> None:
    ports = ports_of(FakeUnits(), FakeHost())

    with pytest.raises(Exception, match="nobody expects a heartbeat of backup"):
        asyncio.run(sample(ports, HOURLY, None))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0.4 s"), (90, "90 s"), (120, "2 min"), (3600, "1 h"), (7800, "2 h 10 min"), (180_000, "2 d 2 h")],
)
def test_a_time_is_said_in_the_unit_in_which_people_count_it(seconds: float, words: str) -> None:
    assert span(seconds) == words
