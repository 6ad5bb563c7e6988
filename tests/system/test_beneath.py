"""Faults of what healthd stands on: the bus, the journal, systemd itself, its disk, and its own process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.system.units import service
from tests.system.ward import QUICK, Ward

if TYPE_CHECKING:
    from tools.throwaway import Host

_WAIT = "[ ! -e /run/%N.ran ] || until [ -e /run/%N.go ]; do sleep 0.1; done; touch /run/%N.ran"
SLOW_AGAIN = service("sleep infinity", f'ExecStartPre=/bin/sh -c "{_WAIT}"')
"""Its first start is quick; a later one waits until `go_on`, so that something can go wrong meanwhile."""


@pytest.fixture(scope="module")
def ward(shared_host: Host) -> Ward:
    made = Ward(host=shared_host)
    made.configure(QUICK)
    return made


@pytest.fixture
def fresh(host: Host) -> Ward:
    """A ward that a test may spoil."""
    made = Ward(host=host)
    made.configure(QUICK)
    return made


def sees_and_heals(ward: Ward) -> None:
    """healthd hears of a failure, and mends it."""
    unit = ward.add()
    cursor = ward.host.cursor()
    ward.kill(unit)
    ward.await_healed(cursor, unit)
    assert ward.host.state(unit) == "active"


def in_the_middle_of_healing(ward: Ward, unit: str) -> str:
    """Kills the unit and waits until systemd is starting it for healthd. Gives the cursor from before the kill."""
    cursor = ward.host.cursor()
    ward.kill(unit)
    ward.await_event(cursor, "healing_started", unit)
    ward.host.await_unit(unit, "activating")
    return cursor


def go_on(ward: Ward, unit: str) -> None:
    """What was in the middle goes on to its end."""
    ward.host.sh(f"touch /run/{unit.removesuffix('.service')}.go")


DISTURBANCES = {
    "daemon-reload": "systemctl daemon-reload",
    "daemon-reexec": "systemctl daemon-reexec",
    "bus-restarted": "systemctl restart dbus.socket dbus.service",
    "bus-killed": "kill -9 $(systemctl show --property=MainPID --value dbus.service)",
    "journal-restarted": "systemctl restart systemd-journald",
    "polkit-killed": "systemctl kill --signal=KILL polkit.service",
}


@pytest.mark.parametrize("disturbance", DISTURBANCES.values(), ids=DISTURBANCES.keys())
def test_healing_goes_on_after_a_disturbance_in_the_middle_of_an_action(ward: Ward, disturbance: str) -> None:
    unit = ward.add(SLOW_AGAIN)
    pid = ward.host.show("healthd", "MainPID")
    cursor = in_the_middle_of_healing(ward, unit)
    ward.host.sh(disturbance)
    go_on(ward, unit)
    ward.await_healed(cursor, unit)

    assert ward.host.state(unit) == "active"
    assert ward.starts(cursor, unit) == 1
    sees_and_heals(ward)
    assert ward.host.show("healthd", "MainPID") == pid


def test_without_the_bus_nothing_is_known_and_what_failed_meanwhile_is_healed_when_it_is_back(ward: Ward) -> None:
    unit = ward.add()
    cursor = ward.host.cursor()
    ward.host.run(["systemctl", "stop", "dbus.socket", "dbus.service"])
    try:
        ward.kill(unit)
        ward.await_event(cursor, "bus_changed")
        ward.look()
        services = ward.ask("status")["health_checks"]["services"]
    finally:
        ward.host.run(["systemctl", "start", "dbus.socket"])
    ward.await_healed(cursor, unit)

    assert services["status"] == "unknown"
    assert "systemd cannot be asked" in services["message"]
    assert ward.starts(cursor, unit) == 1
    assert ward.host.state(unit) == "active"


def test_no_record_is_lost_while_the_journal_is_down(ward: Ward) -> None:
    unit = ward.add(service(wanted_by=""), enable=False, start=False)
    cursor = ward.host.cursor()
    ward.host.sh(
        "systemctl stop systemd-journald.socket systemd-journald-dev-log.socket systemd-journald-audit.socket"
        " systemd-journald.service"
    )
    for _ in range(5):
        ward.host.run(["healthctl", "check", "services"])
    ward.host.sh(f"systemctl start {unit}; kill -9 $(systemctl show -P MainPID {unit})")
    ward.host.await_unit(unit, "failed")
    ward.host.run(["healthctl", "check", "services"])
    ward.host.sh("systemctl start systemd-journald.socket systemd-journald-dev-log.socket systemd-journald.service")
    ward.await_event(cursor, "healing_held", unit)

    requests = [record for record in ward.story(cursor) if record["HEALTHD_EVENT"] == "api_request"]
    assert len(requests) == 6
    assert all("HEALTHD_TIME" in record for record in requests)
    assert ward.events(cursor, unit) == ["issue_opened", "healing_held"]


@pytest.mark.parametrize("end", ["systemctl kill --signal=KILL healthd", "systemctl restart healthd"])
def test_an_end_of_healthd_in_the_middle_of_an_action_neither_loses_nor_repeats_it(ward: Ward, end: str) -> None:
    unit = ward.add(SLOW_AGAIN)
    cursor = in_the_middle_of_healing(ward, unit)
    ward.host.sh(end)
    ward.await_event(cursor, "daemon_ready")
    go_on(ward, unit)
    ward.await_healed(cursor, unit)

    assert ward.starts(cursor, unit) == 1
    assert ward.events(cursor, unit).count("healing_started") == 1
    assert ward.host.state(unit) == "active"


def test_an_attempt_that_healthd_did_not_live_to_see_fail_counts(ward: Ward) -> None:
    with ward.under("[health]\nmax_healing_attempts = 2\n[auto_healing]\nbackoff_seconds = 1\n"):
        once = "[ ! -e /run/%N.ran ] || { until [ -e /run/%N.go ]; do sleep 0.1; done; exit 1; }; touch /run/%N.ran"
        unit = ward.add(service("sleep infinity", f'ExecStartPre=/bin/sh -c "{once}"'))
        cursor = in_the_middle_of_healing(ward, unit)
        ward.kill("healthd.service")
        go_on(ward, unit)
        ward.await_event(cursor, "healing_gave_up", unit)

        assert ward.events(cursor, unit).count("healing_started") == 2
        assert ward.starts(cursor, unit) == 2
        ward.discard(unit)


def test_on_a_full_disk_healing_goes_on_and_limits_survive_a_kill(fresh: Ward) -> None:
    fresh.host.sh(
        "systemctl stop healthd; mount -t tmpfs -o size=4M,mode=0700,uid=healthd,gid=healthd tmpfs /var/lib/healthd;"
        "systemctl start healthd; dd if=/dev/zero of=/var/lib/healthd/ballast bs=4k 2>/dev/null || true"
    )
    assert fresh.host.sh("df --output=avail /var/lib/healthd | tail -1").strip() == "0"
    unit = fresh.add(service("/bin/false"), start=False)
    cursor = fresh.host.cursor()
    fresh.try_start(unit)
    fresh.await_event(cursor, "healing_gave_up", unit)
    sees_and_heals(fresh)

    cursor = fresh.host.cursor()
    fresh.kill("healthd.service")
    fresh.await_event(cursor, "daemon_ready")
    fresh.look()
    assert "healing_started" not in fresh.events(cursor, unit)
    assert fresh.issue(unit)["gave_up"]


def test_a_disk_that_takes_nothing_any_more_is_said_and_healing_goes_on(fresh: Ward) -> None:
    cursor = fresh.host.cursor()
    fresh.host.sh(
        "systemctl stop healthd; mount -t tmpfs -o size=4M,mode=0700,uid=healthd,gid=healthd tmpfs /var/lib/healthd;"
        "install -d -o healthd -g healthd -m 700 /var/lib/healthd/outbox /var/lib/healthd/delivered;"
        "mount -o remount,ro /var/lib/healthd; systemctl start healthd"
    )
    unit = fresh.add()
    fresh.kill(unit)
    fresh.await_healed(cursor, unit)

    said = fresh.await_event(cursor, "storage_failed")
    assert "/var/lib/healthd/history.db" in said["MESSAGE"]
    assert int(said["PRIORITY"]) <= 4
    doctor = fresh.ask("doctor")
    assert [line["name"] for line in doctor if line["ok"] is False] == ["state"]


def test_a_broken_database_is_set_aside_and_said(fresh: Ward) -> None:
    fresh.host.sh("systemctl stop healthd; head -c 20000 /dev/urandom > /var/lib/healthd/history.db")
    cursor = fresh.host.cursor()
    fresh.host.run(["systemctl", "start", "healthd"])
    said = fresh.await_event(cursor, "storage_failed")

    assert "history.db.broken-1" in said["MESSAGE"]
    assert fresh.host.sh("stat --format=%s /var/lib/healthd/history.db.broken-1") == "20000"
    assert fresh.host.sh("sqlite3 /var/lib/healthd/history.db 'PRAGMA integrity_check'") == "ok"
    sees_and_heals(fresh)


KILL = """
kill -9 $(systemctl show --property=MainPID --value {victim})
for _ in $(seq 100); do
    journalctl --boot --quiet --output=json HEALTHD_UNIT={victim} | grep -q shutting_down && exit
    sleep 0.1
done
"""


def test_nothing_is_healed_while_the_host_shuts_down(fresh: Ward) -> None:
    victim = fresh.add(service(unit=["DefaultDependencies=no"]))  # so that no stop job saves it from failing
    fresh.host.write("/usr/local/lib/kill", KILL.format(victim=victim))
    stop = "ExecStop=/bin/sh /usr/local/lib/kill"
    fresh.add(service("sleep infinity", stop, unit=["After=healthd.service dbus.service"]))
    fresh.look()
    cursor = fresh.host.cursor()
    fresh.host.reboot()

    story = [record.get("HEALTHD_REASON", record["HEALTHD_EVENT"]) for record in fresh.story(cursor, victim)]
    assert "shutting_down" in story
    assert "healing_started" not in story
    assert fresh.host.state(victim) == "active"


def test_what_fails_while_the_host_boots_is_healed_when_it_has_booted(fresh: Ward) -> None:
    ends_once = '/bin/sh -c "[ -e /run/%N.failed ] && exec sleep infinity; sleep 1; touch /run/%N.failed; exit 1"'
    unit = fresh.add(service(ends_once), start=False)
    fresh.add(service("/bin/sleep 3", "Type=oneshot", unit=["Before=multi-user.target"]), start=False)
    cursor = fresh.host.cursor()
    fresh.host.reboot()
    fresh.await_event(cursor, "healing_held", unit, reason="starting")
    fresh.await_healed(cursor, unit)

    order = [record.get("HEALTHD_REASON", record["HEALTHD_EVENT"]) for record in fresh.story(cursor, unit)]
    assert order.index("starting") < order.index("healing_started")
    assert fresh.host.state(unit) == "active"
