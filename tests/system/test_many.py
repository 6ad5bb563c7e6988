"""Many units at once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.system.units import service
from tests.system.ward import Ward

if TYPE_CHECKING:
    from tools.throwaway import Host

UNLIMITED = """
[auto_healing]
host_budget_actions = 0
cascade_units = 0
settle_seconds = 0.2
"""


@pytest.fixture
def ward(host: Host) -> Ward:
    made = Ward(host=host)
    made.configure(UNLIMITED)
    return made


def many(ward: Ward, count: int, unit_file: str) -> list[str]:
    """So many enabled and running instances of one template."""
    ward.host.write("/etc/systemd/system/many@.service", unit_file)
    ward.host.sh(f"systemctl enable --quiet --now $(seq --format=many@%g.service {count})", seconds=120)
    return [f"many@{number}.service" for number in range(1, count + 1)]


def cpu_seconds(ward: Ward) -> tuple[float, float]:
    """What healthd and systemd itself have used of the processor since they started."""
    healthd = int(ward.host.show("healthd", "CPUUsageNSec")["CPUUsageNSec"]) / 1e9
    user, kernel = ward.host.sh("cut --delimiter=' ' --fields=14,15 /proc/1/stat").split()
    return healthd, (int(user) + int(kernel)) / os.sysconf("SC_CLK_TCK")


def test_of_four_hundred_services_killed_at_once_all_come_back(ward: Ward) -> None:
    units = many(ward, 400, service())
    cursor = ward.host.cursor()
    ward.kill("'many@*'")
    ward.await_each(cursor, "healing_finished", units, seconds=120)

    states = ward.host.sh(
        "systemctl show --property=ActiveState --value 'many@*' | grep . | sort | uniq --count"
    ).split()
    assert states == ["400", "active"]
    story = ward.story(cursor)
    assert sum(record["HEALTHD_EVENT"] == "healing_started" for record in story) == 400
    outcomes = [record["HEALTHD_OUTCOME"] for record in story if record["HEALTHD_EVENT"] == "healing_finished"]
    assert outcomes == ["success"] * 400


def test_a_hundred_crash_loops_flood_neither_the_journal_nor_the_processor(ward: Ward) -> None:
    loops = service(
        '/bin/sh -c "sleep 0.5; exit 1"', "Restart=always", "RestartSec=1", unit=["StartLimitIntervalSec=0"]
    )
    cursor = ward.host.cursor()
    units = many(ward, 100, loops)
    ward.await_each(cursor, "issue_opened", units, seconds=60)
    begun, used = ward.host.cursor(), cpu_seconds(ward)
    ward.host.await_record(begun, "UNIT=many@100.service", "N_RESTARTS=6")

    mine, systemd = (after - before for before, after in zip(used, cpu_seconds(ward), strict=True))
    assert mine < 2.5 * systemd  # a machine that is busy is so for both
    story = ward.story(cursor)
    opened = [record for record in story if record["HEALTHD_EVENT"] == "issue_opened"]
    assert {record["HEALTHD_ISSUE"] for record in opened} == {"crash_loop"}
    assert len(opened) == 100
    assert len(story) < 300
    assert ward.ask("status")["health_checks"]["services"]["score"] == 0.5
