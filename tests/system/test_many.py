"""Many units at once."""

from __future__ import annotations

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


def cpu_seconds(ward: Ward) -> float:
    """What healthd has used of the processor since it started."""
    return int(ward.host.show("healthd", "CPUUsageNSec")["CPUUsageNSec"]) / 1e9


def test_of_four_hundred_services_killed_at_once_all_come_back(ward: Ward) -> None:
    units = many(ward, 400, service())
    cursor = ward.host.cursor()
    ward.host.sh("kill -9 $(systemctl show --property=MainPID --value 'many@*')")
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
    first = float(ward.host.sh("cut --delimiter=' ' --fields=1 /proc/uptime"))
    ward.host.await_record(begun, "UNIT=many@100.service", "N_RESTARTS=6")
    elapsed = float(ward.host.sh("cut --delimiter=' ' --fields=1 /proc/uptime")) - first

    assert (cpu_seconds(ward) - used) / elapsed < 0.5
    story = ward.story(cursor)
    opened = [record for record in story if record["HEALTHD_EVENT"] == "issue_opened"]
    assert {record["HEALTHD_ISSUE"] for record in opened} == {"crash_loop"}
    assert len(opened) == 100
    assert len(story) < 300
    assert ward.ask("status")["health_checks"]["services"]["score"] == 0.5
