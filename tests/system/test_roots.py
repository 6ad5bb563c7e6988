"""Many failures with one root, and many at once, on a booted host."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.system.units import service
from tests.system.ward import QUICK, Ward

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.system.ward import Record
    from tools.throwaway import Host


BRAKE = f"""{QUICK.replace("cascade_units = 0", "cascade_units = 5")}
[component.pressure]
failures = 100
"""
"""The processors are those of the machine around it: how busy that is would make a cascade wait."""


@pytest.fixture(scope="module")
def ward(shared_host: Host) -> Ward:
    """With a budget for many actions, and the brake on cascades as it is by default."""
    made = Ward(host=shared_host)
    made.configure(BRAKE)
    return made


def kill_all(ward: Ward, units: Iterable[str]) -> None:
    """All in one instant, as far as a shell can."""
    ward.kill(" ".join(units))


def until_healed(ward: Ward, cursor: str, units: Iterable[str]) -> list[Record]:
    """What healthd told until each of these is healed."""
    records: list[Record] = []
    hurt = set(units)
    with closing(ward.host.follow(cursor, seconds=60)) as journal:
        for record in journal:
            if "HEALTHD_EVENT" in record:
                records.append(record)
            if record.get("HEALTHD_EVENT") == "issue_resolved":
                hurt.discard(record.get("HEALTHD_UNIT", ""))
            if not hurt:
                break
    return records


def told(records: Iterable[Record], event: str) -> list[str]:
    """The units of the records of an event, in order."""
    return [record.get("HEALTHD_UNIT", "") for record in records if record["HEALTHD_EVENT"] == event]


def chain(ward: Ward, relation: str) -> tuple[str, str, str]:
    """Three services, each of which stands on the one before it."""
    root = ward.add()
    middle = ward.add(service(unit=(f"{relation}={root}", f"After={root}")))
    top = ward.add(service(unit=(f"{relation}={middle}", f"After={middle}")))
    return root, middle, top


def test_units_that_systemd_stops_with_their_root_are_started_again_after_it(ward: Ward) -> None:
    units = root, middle, top = chain(ward, "BindsTo")
    ward.look()
    cursor = ward.host.cursor()
    ward.kill(root)
    records = until_healed(ward, cursor, units)
    active = ward.host.run(["systemctl", "is-active", *units], check=False).stdout.split()

    assert active == ["active"] * 3
    assert told(records, "healing_started") == [root, middle, top]
    words = {
        record["HEALTHD_UNIT"]: record["MESSAGE"] for record in records if record["HEALTHD_EVENT"] == "issue_opened"
    }
    assert f"stopped by systemd because {root}, which it binds to, went down" in words[middle]
    assert len({record["HEALTHD_INCIDENT"] for record in records if record["HEALTHD_EVENT"] == "issue_opened"}) == 1


def test_of_units_that_fail_together_the_root_is_healed_first(ward: Ward) -> None:
    root, middle, _ = chain(ward, "Requires")
    ward.look()
    cursor = ward.host.cursor()
    ward.kill(
        "healthd", "STOP"
    )  # when it goes on both are down, however long the kernel took for the one and the other
    kill_all(ward, (root, middle))
    ward.host.sh(
        f"until systemctl is-failed --quiet {root} && systemctl is-failed --quiet {middle}; do sleep 0.1; done"
    )
    ward.kill("healthd", "CONT")
    records = until_healed(ward, cursor, (root, middle))

    assert told(records, "healing_started")[:2] == [root, middle]


def test_a_unit_whose_root_somebody_stopped_is_not_started_and_does_not_start_it(ward: Ward) -> None:
    root = ward.add()
    above = ward.add(service(unit=(f"Wants={root}",)))
    ward.host.run(["systemctl", "stop", root])
    ward.host.write(f"/run/systemd/system/{above}.d/x.conf", f"[Unit]\nRequires={root}\nAfter={root}\n")
    ward.host.run(["systemctl", "daemon-reload"])
    ward.look()
    cursor = ward.host.cursor()
    ward.kill(above)
    held = ward.await_event(cursor, "healing_held", above, reason="dependency")
    explained = ward.ask("explain", above)

    assert f"it requires {root}, which somebody stopped" in held["MESSAGE"]
    assert explained["hold"] == "dependency"
    assert ward.host.run(["systemctl", "is-active", root], check=False).stdout == "inactive\n"
    ward.discard(above)


def test_many_units_at_once_are_one_incident_healed_one_at_a_time(host: Host) -> None:
    ward = Ward(host=host)  # where no unit went down lately
    ward.configure(BRAKE)
    units = [ward.add() for _ in range(6)]
    ward.look()
    cursor = ward.host.cursor()
    kill_all(ward, units)
    records = until_healed(ward, cursor, units)
    active = ward.host.run(["systemctl", "is-active", *units], check=False).stdout.split()
    ended = ward.await_event(cursor, "cascade_ended")

    assert active == ["active"] * 6
    began = next(record for record in records if record["HEALTHD_EVENT"] == "cascade_began")
    at = records.index(began)
    running: set[str] = set()
    most = 0
    for record in records[at:]:
        if record["HEALTHD_EVENT"] == "healing_started":
            running.add(record["HEALTHD_UNIT"])
            most = max(most, len(running))
        elif record["HEALTHD_EVENT"] == "healing_finished":
            running.discard(record["HEALTHD_UNIT"])
    assert most == 1
    assert "cascade" in {
        record.get("HEALTHD_REASON") for record in records if record["HEALTHD_EVENT"] == "healing_held"
    }
    assert "the cascade is over" in ended["MESSAGE"]


def test_a_cascade_lasts_while_the_budget_of_the_host_holds_units_of_it(host: Host) -> None:
    ward = Ward(host=host)
    budget = "host_budget_actions = 2\nhost_budget_seconds = 12\ncascade_seconds = 3\n"
    ward.configure(BRAKE.replace("host_budget_actions = 0\n", budget))
    units = [ward.add() for _ in range(5)]
    ward.look()
    cursor = ward.host.cursor()
    kill_all(ward, units)
    until_healed(ward, cursor, units)
    ended = ward.await_event(cursor, "cascade_ended")

    assert ended["MESSAGE"].endswith("5 of 5 units are well")
    held = {record["HEALTHD_REASON"] for record in ward.story(cursor) if record["HEALTHD_EVENT"] == "healing_held"}
    assert {"host_budget", "cascade"} <= held
