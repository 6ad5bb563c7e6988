"""The component `pressure`: what it makes of the kernel's account of waiting."""

from __future__ import annotations

import pytest

from healthd.checks.pressure import CHECK, Options, options
from healthd.config import load_texts
from healthd.errors import ReadError
from healthd.figures import Pressure, Stalls
from healthd.model import IssueType, Item, Status
from tests.fake_units import FakeHost
from tests.unit.checks.built_in import judged, sampled, values

CALM = Stalls(some=1.0, some_10s=2.0, full=0.5, full_10s=0.25)


def look(name: str, *, some: float = 0.0, full: float = 0.0) -> Item:
    stalls = dict.fromkeys(("cpu", "memory", "io"), CALM)
    stalls[name] = Stalls(some=max(some, full), some_10s=0.0, full=full, full_10s=0.0)
    items = judged(CHECK, [(0.0, Pressure(at=0.0, stalls=stalls))], Options())
    return next(item for item in items if item.name == name)


def test_it_reads_what_the_kernel_says_now() -> None:
    host = FakeHost()
    host.pressure_now = Pressure(at=0.0, stalls={"cpu": CALM})

    assert sampled(CHECK, host, options(load_texts(), "pressure")) is host.pressure_now


def test_what_cannot_be_read_is_no_reading() -> None:
    with pytest.raises(ReadError):
        sampled(CHECK, FakeHost(), Options())


def test_it_says_how_long_was_waited_for_each_resource() -> None:
    stalls = {"cpu": CALM, "memory": CALM, "io": CALM}

    cpu, memory, io = judged(CHECK, [(0.0, Pressure(at=0.0, stalls=stalls))], Options())

    assert cpu.message == "tasks waited for a processor 1 % of the last minute"
    assert io.message == "tasks waited for I/O 1 % of the last minute, all of them 0 %"
    assert values(cpu) == {"some_percent": 1, "some_10s_percent": 2}
    assert values(memory) == {**values(cpu), "full_percent": 0.5, "full_10s_percent": 0.25}


@pytest.mark.parametrize(
    ("name", "some", "full", "status"),
    [
        ("cpu", 79, 0, Status.HEALTHY),
        ("cpu", 100, 0, Status.DEGRADED),
        ("io", 100, 79, Status.HEALTHY),
        ("io", 100, 100, Status.DEGRADED),
        ("memory", 39, 9, Status.HEALTHY),
        ("memory", 41, 0, Status.DEGRADED),
        ("memory", 11, 11, Status.DEGRADED),
        ("memory", 31, 31, Status.UNHEALTHY),
    ],
)
def test_waiting_for_memory_is_bad_and_for_anything_else_at_worst_degraded(
    name: str, some: float, full: float, status: Status
) -> None:
    item = look(name, some=some, full=full)

    assert item.status is status
    assert {finding.type for finding in item.findings} <= {IssueType.PRESSURE}
    assert bool(item.findings) is (status is not Status.HEALTHY)


def test_it_says_what_was_waited_for_and_the_limit() -> None:
    (finding,) = look("memory", some=50, full=35).findings

    assert finding.message == "all tasks waited for memory 35 % of the last minute (limit 30 %)"
