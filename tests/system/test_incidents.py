"""Incidents on a booted host: what changed, what the unit left, and that none of it is lost, nor any secret kept."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.system.units import obedient, service
from tests.system.ward import QUICK, Ward

if TYPE_CHECKING:
    from tools.throwaway import Host

CONTROL = """\
Package: shop
Version: {version}
Architecture: all
Maintainer: nobody <nobody@example.org>
Description: a service that its newest version breaks
"""
PACKAGE = """
set -e
mkdir -p /root/shop/DEBIAN /root/shop/usr/lib/systemd/system /root/shop/etc/shop /root/shop/usr/sbin
echo /etc/shop/shop.conf > /root/shop/DEBIAN/conffiles
[ -e /root/shop/etc/shop/shop.conf ] || echo "port = 1" > /root/shop/etc/shop/shop.conf
printf '#!/bin/sh\\n{program}\\n' > /root/shop/usr/sbin/shopd
chmod 755 /root/shop/usr/sbin/shopd
printf '[Service]\\nExecStart=/usr/sbin/shopd\\n[Install]\\nWantedBy=multi-user.target\\n' \\
    > /root/shop/usr/lib/systemd/system/shop.service
dpkg-deb --root-owner-group --build /root/shop /root/shop.deb >/dev/null
dpkg --install /root/shop.deb
systemctl daemon-reload
systemctl enable --quiet shop.service
systemctl restart shop.service
"""
SECRETS = 'echo "password=hunter2 to https://bob:hunter2@db/?api_key=hunter2"; echo "Authorization: Bearer hunter2"; '
CORE_DUMP = """logger --journald <<END
MESSAGE_ID=fc2e22bc6ee647b6b90729ab34a250b1
MESSAGE=Process 812 (web) of user 0 dumped core.
COREDUMP_UNIT={unit}
COREDUMP_ENVIRON=INVOCATION_ID={run}
COREDUMP_PID=812
COREDUMP_SIGNAL_NAME=SIGSEGV
COREDUMP_EXE=/usr/sbin/web
COREDUMP_FILENAME=/var/lib/systemd/coredump/core.web.zst
END"""


WRITTEN = """
import sqlite3, sys, time
end = time.monotonic() + 20
database = sqlite3.connect("/var/lib/healthd/history.db")
while not database.execute("SELECT 1 FROM incident WHERE id = ? AND changed <> ''", sys.argv[1:]).fetchone():
    assert time.monotonic() < end
    time.sleep(0.05)
"""
"""Waits until what changed before an incident is in the file: evidence is written within a second or two."""


@pytest.fixture(scope="module")
def ward(shared_host: Host) -> Ward:
    made = Ward(host=shared_host)
    made.configure(QUICK)
    return made


def looked_into(ward: Ward, cursor: str, unit: str) -> dict[str, Any]:
    """The unit's newest incident, once all that there is has been found: it says so where something changed before."""
    record = ward.await_event(cursor, "changes_found")
    found: dict[str, Any] = ward.ask("incident", record["HEALTHD_INCIDENT"])
    return found


def changed(incident: dict[str, Any]) -> list[tuple[str, str]]:
    return [(change["what"], change["text"]) for change in incident["changes"] if change["own"]]


def test_a_crash_after_an_edit_says_so_in_its_first_lines_and_keeps_no_secret(ward: Ward) -> None:
    unit = ward.add(obedient())
    drop_in = f"/etc/systemd/system/{unit}.d/limits.conf"
    ward.host.write(drop_in, "[Service]\nLimitNOFILE=100\n")
    ward.host.run(["systemctl", "daemon-reload"])
    run, cursor = ward.invocation(unit), ward.host.cursor()
    ward.host.sh(CORE_DUMP.format(unit=unit, run=run))
    # On a busy machine journald takes its time with what a program writes: it is no matter of this test how long.
    ward.tell(unit, f"{SECRETS} sleep 1; exit 3")
    incident = looked_into(ward, cursor, unit)
    ward.await_healed(cursor, unit)
    number = str(incident["id"])

    assert changed(incident)[0] == (drop_in, "was edited")
    first, ended, before, *rest = ward.healthctl("incident", number).stdout.splitlines()
    assert first == f"● Incident {number}: {unit} is down: ended with exit status 3"
    assert ward.ask("incident", "last")["id"] >= incident["id"]
    assert f"healed by start_unit of {unit}, after " in ended
    assert f"changed before: {drop_in} was edited" in before
    assert any(line.strip() == "What happened" for line in rest)
    (left,) = incident["runs"]
    assert (left["invocation"], left["result"], left["exit_status"]) == (run, "exit-code", 3)
    assert left["core"]["signal"] == "SIGSEGV"
    texts = [line["text"] for line in left["lines"]]
    assert "password=*** to https://***@db/?api_key=***" in texts
    assert any("Main process exited" in text for text in texts)
    assert {record.get("HEALTHD_INCIDENT") for record in ward.story(cursor, unit)} == {number}
    assert f"incident {number} ({unit} is down): {drop_in} was edited" in ward.host.journal(
        "HEALTHD_EVENT=changes_found"
    )
    assert "hunter2" not in ward.host.sh("strings --all /var/lib/healthd/history.db*", check=False) + str(incident)


def test_a_package_that_was_upgraded_and_its_configuration_are_what_changed(ward: Ward) -> None:
    ward.host.write("/root/shop/DEBIAN/control", CONTROL.format(version="1.0"))
    ward.host.sh(PACKAGE.format(program="exec sleep infinity"))
    ward.host.sh("echo 'port = 2' > /etc/shop/shop.conf; touch --date='1 minute ago' /etc/shop/shop.conf")
    cursor = ward.host.cursor()
    ward.host.write("/root/shop/DEBIAN/control", CONTROL.format(version="1.1"))
    ward.host.sh(PACKAGE.format(program="exit 1"))
    incident = looked_into(ward, cursor, "shop.service")

    assert ("shop", "was upgraded from 1.0 to 1.1") in changed(incident)
    assert ("/etc/shop/shop.conf", "was edited") in changed(incident)
    assert changed(incident)[0][0] != "/usr/sbin/shopd"  # it came with the upgrade
    assert incident["missed"] == []
    listed = ward.healthctl("incidents").stdout
    assert "changed before: shop was upgraded from 1.0 to 1.1" in listed, listed
    ward.discard("shop.service")


def test_units_that_need_each_other_and_fall_together_are_one_incident(ward: Ward) -> None:
    database = ward.add()
    shop = ward.add(service(unit=(f"Requires={database}", f"After={database}")))
    cursor = ward.host.cursor()
    ward.kill(f"{database} {shop}")
    for unit in (database, shop):
        ward.await_healed(cursor, unit)

    numbers = {record["HEALTHD_INCIDENT"] for unit in (database, shop) for record in ward.story(cursor, unit)}
    assert len(numbers) == 1
    incident = ward.ask("incident", numbers.pop())
    assert set(incident["units"]) == {database, shop}


def test_memory_and_tasks_of_a_service_that_hangs_are_read_before_it_is_restarted(ward: Ward) -> None:
    unit = ward.add(service("/bin/sh -c 'sleep infinity & exec sleep infinity'"))
    cursor = ward.host.cursor()
    probe = (
        f'[component.hung]\ntype = "unix"\npath = "/run/no.sock"\nunit = "{unit}"\ninterval_seconds = 1\nfailures = 1\n'
    )
    with ward.under(probe):
        ward.await_event(cursor, "healing_started", unit)
        incident = looked_into(ward, cursor, unit)

    (left,) = [run for run in incident["runs"] if run["memory"] is not None or run["tasks"] is not None][:1] or [None]
    if "pids" in ward.host.sh("cat /sys/fs/cgroup/system.slice/cgroup.controllers", check=False):
        assert left is not None
        assert left["tasks"] == 2
    assert incident["surroundings"]["memory_available"] > 0


def test_an_incident_goes_on_over_a_death_of_healthd_and_ends_after_a_reboot(ward: Ward) -> None:
    unit = ward.add(service("/bin/sh -c '[ -e /etc/mended ]; exec sleep infinity'"), start=False)
    ward.host.sh(f"sed -i 's/; exec/ \\&\\& exec/' /etc/systemd/system/{unit}; systemctl daemon-reload")
    cursor = ward.host.cursor()
    ward.try_start(unit)
    incident = looked_into(ward, cursor, unit)
    ward.await_event(cursor, "healing_gave_up", unit)
    ward.host.python(WRITTEN, str(incident["id"]))
    ready = ward.host.cursor()
    ward.host.run(["systemctl", "kill", "--signal=KILL", "healthd.service"])
    ward.await_event(ready, "daemon_ready")
    again = ward.ask("incident", str(incident["id"]))
    assert (again["ended_at"], again["gave_up"], again["severity"]) == (None, True, "critical")
    assert again["changes"] == incident["changes"]
    assert again["runs"][0]["lines"] == incident["runs"][0]["lines"]

    ward.host.write("/etc/mended", "")
    ward.host.reboot()
    _until_over(ward, incident["id"])
    over = ward.ask("incident", str(incident["id"]))
    assert over["result"].startswith((f"{unit} is well again without healthd", "over when healthd looked again"))
    assert [event["event"] for event in over["events"]][-1] == "issue_resolved"

    cursor = ward.host.cursor()
    ward.kill(unit)
    newer = looked_into(ward, cursor, unit)
    assert newer["id"] > incident["id"]
    assert "the host" in [change["what"] for change in newer["changes"]]
    assert ward.host.sh("sqlite3 /var/lib/healthd/history.db 'SELECT count(*) FROM incidents'", check=False) != "0\n"


def _until_over(ward: Ward, number: int) -> None:
    """The first look after the boot resolves the issue, once that has settled; that may be before anybody listens."""
    end = time.monotonic() + 30
    while ward.ask("incident", str(number))["ended_at"] is None:
        assert time.monotonic() < end
        ward.look()
