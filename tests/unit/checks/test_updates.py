"""The component `updates`: what a reboot that is due, and packages that are not whole, make of it."""

from __future__ import annotations

import pytest

from healthd.checks.updates import CHECK, Options, Reading
from healthd.errors import ReadError
from healthd.figures import Updates
from healthd.model import Assessment, IssueType, Item, Status
from tests.fake_units import FakeHost
from tests.unit.checks.built_in import sampled

NOW = 5000.0


def assessed(updates: Updates, *, quiet_for: float = 3600.0) -> Assessment:
    return CHECK.assess(Reading(at=NOW, quiet_for=quiet_for, updates=updates), None, Options())


def look(updates: Updates, *, quiet_for: float = 3600.0) -> Item:
    (item,) = assessed(updates, quiet_for=quiet_for).items
    return item


def test_it_reads_what_the_package_manager_keeps() -> None:
    host = FakeHost()
    host.updates_now = Updates(reboot_required=True)

    assert sampled(CHECK, host, Options()).updates is host.updates_now


def test_what_cannot_be_read_is_no_reading() -> None:
    with pytest.raises(ReadError):
        sampled(CHECK, FakeHost(), Options())


def test_a_host_with_nothing_left_to_be_done_is_well() -> None:
    item = look(Updates())

    assert (item.status, item.message) == (Status.HEALTHY, "no reboot is required, all packages are whole")


def test_a_reboot_that_is_due_is_said_with_its_packages_and_is_no_issue() -> None:
    item = look(Updates(reboot_required=True, reboot_for=("linux-image-amd64", "libc6")))

    assert (item.status, item.score, item.findings) == (Status.DEGRADED, 0.79, ())
    assert item.message == "a reboot is required, for linux-image-amd64, libc6"


def test_packages_that_are_not_whole_are_an_issue() -> None:
    item = look(Updates(not_whole=("postfix half-configured",), reboot_required=True))

    assert (item.status, item.score) == (Status.DEGRADED, 0.6)
    assert [finding.type for finding in item.findings] == [IssueType.JOB_FAILED]
    assert item.message == (
        "1 package is not whole: postfix half-configured (dpkg --configure -a may help); a reboot is required"
    )


def test_of_many_packages_some_are_named() -> None:
    item = look(Updates(not_whole=tuple(f"p{number} unpacked" for number in range(7))))

    assert "7 packages are not whole: p0 unpacked, p1 unpacked" in item.message
    assert "p4 unpacked and 2 more" in item.message


@pytest.mark.parametrize(("quiet_for", "again"), [(0.0, 600.0), (599.0, 1.0), (-1e9, 600.0)])
def test_while_dpkg_may_be_at_work_nothing_is_amiss_and_it_is_looked_at_again(quiet_for: float, again: float) -> None:
    assessment = assessed(Updates(not_whole=("postfix half-configured",)), quiet_for=quiet_for)

    assert [item.status for item in assessment.items] == [Status.HEALTHY]
    assert assessment.again_at == NOW + again
