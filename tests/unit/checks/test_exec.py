"""How a program ended, and what is made of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from healthd.checks.exec import Reading, assess, options, sample
from healthd.config import load_texts
from healthd.errors import ReadError
from healthd.model import Assessment, IssueType, JobResult, Status, UnitFacts
from tests.fake_units import FakeOutputs, FakeUnits
from tests.unit.assembly import ports_of

if TYPE_CHECKING:
    from collections.abc import Mapping

DISK = options(
    load_texts({"a": '[component.disk]\ntype = "exec"\ncommand = ["/bin/check"]\ntimeout_seconds = 3\n'}), "disk"
)
UNIT = "healthd-check@disk.service"


class Systemd(FakeUnits):
    """Whatever is started ends in this way."""

    def __init__(self, end: JobResult) -> None:
        super().__init__()
        self.end = end

    async def start(self, name: str, *, deadline: float) -> JobResult:
        self.calls.append(("start", name))
        assert deadline > DISK.timeout
        return self.end


def ended(job: str = "done", /, **facts: Any) -> JobResult:
    return JobResult(result=job, unit=UnitFacts(name=UNIT, active="inactive", **{"code": 1, **facts}))


def run(end: JobResult, printed: Mapping[str, str] | None = None) -> Reading:
    units = Systemd(end)
    outputs = FakeOutputs({"disk": "fine | a=1\n"} if printed is None else printed)
    reading = asyncio.run(sample(ports_of(units, outputs=outputs), DISK, None))
    assert units.calls == [("start", UNIT)]
    return reading


def look(code: int | None, output: str = "words | a=1\n") -> Assessment:
    return assess(Reading(code=code, output=output), None, DISK)


@pytest.mark.parametrize("status", [0, 1, 2, 3])
def test_the_exit_codes_of_plugins_are_readings(status: int) -> None:
    assert run(ended(exit_status=status)) == Reading(code=status, output="fine | a=1\n")


@pytest.mark.parametrize(
    "end",
    [
        ended("failed", code=2, exit_status=15, result="timeout"),
        ended("timeout", code=2, exit_status=9, result="timeout"),
        JobResult(result="timeout", text="it is not done yet"),
    ],
)
def test_a_program_that_does_not_end_in_time_is_a_bad_reading(end: JobResult) -> None:
    assert run(end, {}) == Reading(code=None)


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (ended("failed", exit_status=4, result="exit-code"), "its program is broken: ended with exit status 4"),
        (ended("failed", exit_status=203, result="exit-code"), "the program cannot be executed: missing"),
        (ended("failed", exit_status=217, result="exit-code"), "user does not exist"),
        (ended("failed", code=2, exit_status=11, result="signal"), "its program is broken: killed by SIGSEGV"),
        (ended("failed", code=2, exit_status=25, result="signal"), "it printed more than 256 KiB"),
        (ended("failed", code=3, exit_status=25, result="core-dump"), "it printed more than 256 KiB"),
        (ended("failed", code=0), f"systemd did not say how {UNIT} ended"),
        (JobResult(result="done"), f"systemd did not say how {UNIT} ended"),
        (JobResult(result="refused", text="polkit said no"), f"systemd did not run {UNIT}: polkit said no"),
        (JobResult(result="lost"), f"systemd did not run {UNIT}: lost"),
    ],
)
def test_a_program_that_is_broken_is_no_reading_and_says_why(end: JobResult, reason: str) -> None:
    with pytest.raises(ReadError, match=reason):
        run(end)


def test_what_it_printed_must_be_there() -> None:
    with pytest.raises(ReadError, match="its output cannot be read"):
        run(ended(), {})


@pytest.mark.parametrize(
    ("code", "status", "score", "issues"),
    [
        (0, Status.HEALTHY, 1.0, []),
        (1, Status.DEGRADED, 0.6, []),
        (2, Status.UNHEALTHY, 0.0, [IssueType.PROBE_FAILED]),
    ],
)
def test_ok_is_healthy_warning_is_degraded_and_critical_is_an_issue(
    code: int, status: Status, score: float, issues: list[IssueType]
) -> None:
    (item,) = look(code).items

    assert (item.status, item.score, item.message) == (status, score, "words")
    assert [finding.type for finding in item.findings] == issues
    assert [(measure.name, measure.value, measure.warning) for measure in item.measures] == [("a", 1.0, None)]


def test_unknown_is_no_reading_for_the_reason_that_it_prints() -> None:
    seen = look(3, "cannot open /dev/sda\n")

    assert (seen.usable, seen.reason) == (False, "cannot open /dev/sda")


def test_a_time_out_is_a_failed_probe() -> None:
    (item,) = look(None, "").items

    assert (item.score, item.message) == (0.0, "no answer within 3 s")
    assert [finding.cause for finding in item.findings] == ["timeout"]


def test_a_program_that_prints_nothing_is_judged_by_its_code() -> None:
    (item,) = look(0, "").items

    assert (item.score, item.message) == (1.0, "it printed nothing")
