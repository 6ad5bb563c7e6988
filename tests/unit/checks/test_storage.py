"""The component `storage`: what is said of each mount, and what is foretold of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from healthd.assess.judge import Memory, Rules, judge
from healthd.checks import storage
from healthd.checks.storage import Options
from healthd.config import load_texts
from healthd.figures import Mount, Space
from healthd.model import IssueType, Item, Measure, Status
from tests.fake_units import FakeHost
from tests.unit.assembly import ports_of

GIB = 2**30
LIMITS = Options(warning=85, critical=95)


def mount(percent: float = 44, *, inodes: float = 12, name: str = "/data", **changes: Any) -> Mount:
    """A disk of 100 GiB with a million inodes."""
    used = int(percent * GIB)
    free = int((100 - inodes) * 10_000)
    space = Space(used=used, available=100 * GIB - used, inodes=1_000_000, inodes_free=free)
    return replace(Mount(name=name, type="ext4", space=space), **changes)


def item(one: Mount) -> Item:
    (found,) = storage.assess((one,), None, LIMITS).items
    return found


def judged(*mounts: Mount) -> Item:
    """What holds after these looks, 30 s apart."""
    memory: Memory = {}
    found = []
    for number, each in enumerate(mounts):
        memory, assessment = judge(memory, storage.assess((each,), None, LIMITS), Rules(), 30.0 * number)
        found = list(assessment.items)
    return found[0]


def types(found: Item) -> list[IssueType]:
    return [finding.type for finding in found.findings]


def measure(found: Item, name: str) -> Measure:
    return next(each for each in found.measures if each.name == name)


def test_the_limits_are_those_of_the_thresholds() -> None:
    configured = load_texts({"a.toml": "[thresholds]\nstorage_warning_percent = 70\nstorage_critical_percent = 90\n"})

    assert storage.options(configured, "storage") == Options(warning=70, critical=90)


def test_all_mounts_that_the_host_has_are_looked_at() -> None:
    host = FakeHost()
    host.mounts_now = (mount(), mount(name="/"))
    ports = ports_of(host=host)

    assert asyncio.run(storage.sample(ports, LIMITS, None)) == host.mounts_now


def test_a_healthy_mount_says_how_much_is_used_and_left() -> None:
    found = judged(mount())

    assert (found.status, found.message) == (
        Status.HEALTHY,
        "44.0 GiB used (44 %), 56.0 GiB available; 12 % of inodes used",
    )


def test_a_mount_that_is_filling_up_is_degraded_and_then_unhealthy() -> None:
    warned, full = judged(mount(88)), judged(mount(97))

    assert (warned.status, types(warned)) == (Status.DEGRADED, [IssueType.DISK_FULL])
    assert warned.message == "88 % of its space is used (limit 85 %), 12.0 GiB left"
    assert (full.status, types(full)) == (Status.UNHEALTHY, [IssueType.DISK_FULL])
    assert full.message == "97 % of its space is used (limit 95 %), 3.0 GiB left"


def test_a_mount_without_inodes_left_is_full_though_it_has_space() -> None:
    found = judged(mount(10, inodes=99))

    assert (found.status, types(found)) == (Status.UNHEALTHY, [IssueType.INODES_FULL])
    assert found.message == "99 % of its inodes are used (limit 95 %), 10000 left"


def test_a_file_system_without_a_number_of_inodes_is_judged_by_its_space_alone() -> None:
    found = item(mount(space=Space(used=GIB, available=GIB, inodes=0, inodes_free=0)))

    assert [each.name for each in found.measures] == ["used_percent", "available_bytes"]


def test_a_tmpfs_without_a_size_cannot_be_full() -> None:
    found = item(mount(space=Space(used=5000, available=0, inodes=0, inodes_free=0), type="tmpfs"))
    endless = item(mount(space=Space(used=0, available=0, inodes=0, inodes_free=0), type="tmpfs"))

    assert found.message == "4.9 KiB used (100 %), 0 B available"
    assert (endless.message, endless.measures) == ("0 B used", ())


def test_sizes_have_the_unit_that_people_would_give_them() -> None:
    petabyte = Space(used=2**50, available=512 * 2**20, inodes=0, inodes_free=0)

    assert item(mount(space=petabyte)).message == "1024.0 TiB used (100 %), 512 MiB available"


def test_a_mount_that_has_turned_read_only_is_a_fault_of_its_own() -> None:
    found = item(mount(writable=False, space=None))

    assert (found.status, found.score, types(found)) == (Status.UNHEALTHY, 0.0, [IssueType.READ_ONLY])
    assert found.message == "/data has turned read-only"


def test_a_mount_that_was_mounted_read_only_is_well_however_full_it_is() -> None:
    found = item(mount(writable=False, was_writable=False, space=None))

    assert (found.status, found.message, found.measures) == (Status.HEALTHY, "mounted read-only", ())


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        ({"remote": True, "type": "nfs4"}, Status.HEALTHY, "remote (nfs4), not looked at"),
        ({"hangs": True}, Status.UNKNOWN, "does not answer within 2 s"),
        (
            {"refused": True, "unreadable": "out of reach for healthd's user"},
            Status.HEALTHY,
            "not looked at: out of reach for healthd's user",
        ),
        (
            {"unreadable": "cannot be asked: Input/output error"},
            Status.UNKNOWN,
            "cannot be asked: Input/output error",
        ),
    ],
)
def test_a_mount_that_was_not_asked_says_why(changes: dict[str, Any], status: Status, message: str) -> None:
    found = item(mount(space=None, **changes))

    assert (found.status, found.message, found.measures, found.findings) == (status, message, (), ())


def test_a_full_mount_that_hangs_is_no_better_for_it() -> None:
    found = judged(mount(97), mount(space=None, hangs=True))

    assert (found.status, types(found)) == (Status.UNKNOWN, [IssueType.DISK_FULL])


def test_a_disk_that_fills_up_is_foretold_more_than_ten_minutes_ahead() -> None:
    # Half a percent each 30 s from 60 % on: critical at 95 % after 35 minutes.
    found = judged(*(mount(60 + 0.5 * number) for number in range(41)))

    foretold = measure(found, "used_percent").seconds_to_critical
    assert foretold == pytest.approx(30 * 30, rel=0.05)
    assert (found.status, types(found)) == (Status.DEGRADED, [])
    assert found.message.endswith("at this pace used percent is critical in 16 min")


def test_inodes_that_run_out_are_foretold_as_well() -> None:
    found = judged(*(mount(10, inodes=50 + 0.5 * number) for number in range(61)))

    assert measure(found, "used_inodes_percent").seconds_to_critical == pytest.approx(30 * 30, rel=0.05)


def test_a_disk_that_is_filled_and_cleaned_by_turns_foretells_nothing() -> None:
    looks = [mount(50 + 2.0 * (number % 15)) for number in range(120)]

    assert all(measure(judged(*looks[:end]), "used_percent").seconds_to_critical is None for end in range(30, 120, 7))
