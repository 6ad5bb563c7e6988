"""The component `processes`: how full the kernel's tables are, and who is dead in them."""

from __future__ import annotations

from typing import Any

import pytest

from healthd.checks.processes import CHECK, Options, options
from healthd.config import load_texts
from healthd.figures import Tables
from healthd.model import IssueType, Item, Status
from tests.fake_units import FakeHost
from tests.unit.checks.built_in import MINUTE, judged, measures, sampled, values


def tables(**changes: Any) -> Tables:
    whole = {"at": 0.0, "threads": 320, "threads_max": 32_000, "files": 2_400, "files_max": 2**63 - 1, "zombies": 0}
    return Tables(**{**whole, **changes})


def look(**changes: Any) -> Item:
    (item,) = judged(CHECK, [(0.0, tables(**changes))], Options())
    return item


def test_it_reads_what_the_kernel_says_now() -> None:
    host = FakeHost()
    host.tables_now = tables()

    assert sampled(CHECK, host, options(load_texts(), "processes")) is host.tables_now


def test_it_says_how_full_the_tables_are() -> None:
    item = look(zombies=1)

    assert item.message == "320 of 32000 threads (1 %), 2400 open files, 1 zombie"
    assert values(item) == {
        "threads_percent": 1,
        "open_files_percent": 0,
        "threads": 320,
        "open_files": 2400,
        "zombies": 1,
    }
    assert look().message.endswith(", no zombies")


def test_zombies_that_were_not_counted_yet_are_not_spoken_of() -> None:
    item = look(zombies=None)

    assert item.message.endswith("2400 open files")
    assert "zombies" not in values(item)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"threads": 25_600}, Status.HEALTHY),
        ({"threads": 25_700}, Status.DEGRADED),
        ({"threads": 31_000}, Status.UNHEALTHY),
        ({"files": 810, "files_max": 1000}, Status.DEGRADED),
        ({"files": 990, "files_max": 1000}, Status.UNHEALTHY),
        ({"zombies": 50}, Status.HEALTHY),
        ({"zombies": 51}, Status.DEGRADED),
        ({"zombies": 30_000}, Status.DEGRADED),
    ],
)
def test_a_table_that_fills_up_is_pressure(changes: dict[str, Any], status: Status) -> None:
    item = look(**changes)

    assert item.status is status
    assert {finding.type for finding in item.findings} == (
        {IssueType.PRESSURE} if status is not Status.HEALTHY else set()
    )


def test_it_says_what_is_full_and_the_limit() -> None:
    assert look(threads=31_000).findings[0].message == "31000 of 32000 threads exist, 97 % (limit 95 %)"
    assert look(zombies=60).message == "60 zombies: their parents do not ask how they ended (limit 50)"


def test_a_leak_of_files_is_foretold() -> None:
    readings = [(30.0 * n, tables(files=400 + 5 * n, files_max=1000)) for n in range(60)]

    (item,) = judged(CHECK, readings, Options())

    seconds = measures(item)["open_files_percent"].seconds_to_critical
    assert seconds == pytest.approx(25.5 * MINUTE, rel=0.05)
    assert item.status is Status.DEGRADED
