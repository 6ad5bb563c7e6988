"""What a chore's unit reports, and what becomes of its job's result by that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from healthd.formats.report import Won, in_words, parse, told
from healthd.model import JobResult
from tests.fake_units import service

DONE = JobResult(result="done")
FAILED = JobResult(result="failed")


def of_run(invocation: str, result: JobResult = DONE) -> JobResult:
    return replace(result, unit=service("healthd-disk-cleanup.service", invocation=invocation))


def test_a_report_is_read_line_by_line() -> None:
    report = parse("run abc\nwon 1024 2 the journal\ndid it was restarted\nleft that is in use\ndry-run\n")

    assert (report.run, report.won, report.did) == ("abc", (Won(1024, 2, "the journal"),), ("it was restarted",))
    assert (report.left, report.dry_run) == (("that is in use",), True)


def test_what_is_not_understood_is_passed_over() -> None:
    assert parse("hello\nwon many 1 x\nwon -5 1 x\nwon 99999999999999999999 1 x\n\n") == parse("")


def test_a_report_cannot_move_the_cursor_or_go_on_for_ever() -> None:
    report = parse("run 1\n" + "left \x1b[2J" + "x" * 1000 + "\n" + "left y\n" * 1000)

    assert report.left[0].startswith("?[2Jx")
    assert len(report.left[0]) == 300
    assert len(report.left) < 50


def test_what_was_won_is_said_in_all_and_by_what() -> None:
    report = parse(
        "won 2097152 2 the journal\nwon 1048576 0 the package cache\nwon 0 7 old files in /tmp\nwon 0 0 none"
    )

    assert in_words(report) == (
        "3.0 MiB won (the journal 2.0 MiB, the package cache 1.0 MiB, old files in /tmp 7 files)"
    )


def test_a_dry_run_says_what_would_be() -> None:
    assert in_words(parse("dry-run\nwon 0 1 old files")) == "0 B would be won (old files 1 file)"


def test_what_was_not_done_is_said_behind_what_was() -> None:
    assert in_words(parse("did a was restarted\nleft b is missing")) == "a was restarted; b is missing"


def test_a_job_that_won_something_is_done_and_says_so() -> None:
    result = told(of_run("abc"), "run abc\nwon 1024 1 logs")

    assert (result.result, result.text) == ("done", "1.0 KiB won (logs 1.0 KiB)")


@pytest.mark.parametrize(
    ("lines", "text"),
    [("left nothing lies there", "nothing lies there"), ("won 0 0 logs", "there is nothing to be won")],
)
def test_a_job_that_found_nothing_to_do_is_not_supported(lines: str, text: str) -> None:
    result = told(of_run("abc"), f"run abc\n{lines}")

    assert (result.result, result.text) == ("not_supported", text)


@pytest.mark.parametrize("printed", ["", "hello", "run other\nwon 1024 1 logs"])
def test_without_a_report_of_this_run_the_jobs_own_result_stands(printed: str) -> None:
    result = of_run("abc")

    assert told(result, printed) == result


def test_a_failure_is_told_with_what_the_unit_said_of_it() -> None:
    result = told(of_run("abc", FAILED), "run abc\nleft it did not come up again")

    assert (result.result, result.text) == ("failed", "it did not come up again")


def test_a_unit_that_somebody_masked_is_left_alone() -> None:
    refused = JobResult(result="refused", text="Unit healthd-disk-cleanup.service is masked.")

    assert told(refused, "").result == "not_supported"
    assert told(replace(refused, text="polkit said no"), "").result == "refused"
