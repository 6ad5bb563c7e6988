"""The component `kernel`: what becomes of a fault, and when it is over."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from healthd.checks.kernel import CHECK, Options, Reading
from healthd.figures import FaultKind, KernelFault
from healthd.model import Assessment, IssueType, Status
from healthd.soon import waited
from tests.fake_units import FakeUnits
from tests.fakes import FakeClock
from tests.unit.assembly import ports_of

NOW = 5000.0
OOM = KernelFault(
    kind=FaultKind.OOM_KILL,
    subject="web.service",
    text="killed python3 of web.service for want of memory",
    at=NOW - 10,
    count=2,
)
DISK = KernelFault(kind=FaultKind.IO_ERROR, subject="sda", text="I/O error, dev sda, sector 8", at=NOW - 599, count=1)


def assessed(*faults: KernelFault, at: float = NOW) -> Assessment:
    return CHECK.assess(Reading(at=at, faults=faults), None, Options())


def test_it_reads_what_the_journal_says() -> None:
    units = FakeUnits()
    units.kernel_now = (OOM,)
    ports = ports_of(units=units, clock=FakeClock(boot=NOW))

    async def sampled() -> Any:
        return await waited(CHECK.sample(ports, Options(), None))

    assert asyncio.run(sampled()) == Reading(at=NOW, faults=(OOM,))


def test_a_kernel_that_does_not_complain_is_well() -> None:
    (item,) = assessed().items

    assert (item.name, item.status, item.message) == (
        "",
        Status.HEALTHY,
        "no complaints of the kernel in the last hour",
    )


def test_each_fault_is_an_item_and_an_issue() -> None:
    oom, disk = assessed(OOM, DISK).items

    assert (oom.name, disk.name) == ("oom_kill web.service", "io_error sda")
    assert (oom.status, disk.status) == (Status.DEGRADED, Status.UNHEALTHY)
    assert oom.message == "killed python3 of web.service for want of memory (2 in the last hour)"
    assert [finding.type for item in (oom, disk) for finding in item.findings] == [IssueType.KERNEL_FAULT] * 2
    assert {measure.name: measure.value for measure in oom.measures} == {"faults_per_hour": 2}


def test_a_fault_is_over_when_none_like_it_came_for_ten_minutes() -> None:
    assert assessed(OOM, DISK).again_at == DISK.at + 600

    later = assessed(OOM, DISK, at=DISK.at + 600)
    oom, disk = later.items

    assert oom.findings
    assert (disk.status, disk.findings) == (Status.HEALTHY, ())
    assert disk.message == "quiet again; last: I/O error, dev sda, sector 8"
    assert later.again_at == OOM.at + 600
    assert assessed(OOM, at=NOW + 3000).again_at is None


@pytest.mark.parametrize("kind", FaultKind)
def test_every_kind_of_fault_is_less_than_well(kind: FaultKind) -> None:
    fault = KernelFault(kind=kind, subject="", text="-", at=NOW, count=1)
    (item,) = assessed(fault).items

    assert item.status in (Status.DEGRADED, Status.UNHEALTHY)
    assert item.name == kind
