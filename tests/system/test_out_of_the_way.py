"""healthd keeps out of the way: while apt installs something, and where an operator silenced it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.system.units import job
from tests.system.ward import QUICK, Ward

if TYPE_CHECKING:
    from tools.throwaway import Host

CONTROL = """\
Package: slow-demo
Version: 1
Architecture: all
Maintainer: nobody <nobody@example.org>
Description: kills a service while it is installed, and takes its time
"""
POSTINST = """\
#!/bin/sh
kill -KILL $(systemctl show --property=MainPID --value {unit})
read answer < /run/slow-demo.fifo
"""


@pytest.fixture(scope="module")
def ward(shared_host: Host) -> Ward:
    made = Ward(host=shared_host)
    made.configure(QUICK)
    return made


def begin_to_install(ward: Ward, unit: str) -> None:
    """apt installs a package whose script kills the unit, and then waits until it is told to go on."""
    ward.host.write("/root/slow-demo/DEBIAN/control", CONTROL)
    ward.host.write("/root/slow-demo/DEBIAN/postinst", POSTINST.format(unit=unit))
    ward.host.sh(
        "chmod 755 /root/slow-demo/DEBIAN/postinst; mkfifo /run/slow-demo.fifo;"
        "dpkg-deb --build /root/slow-demo /root/slow-demo.deb;"
        "systemd-run --unit=slow-demo.service --remain-after-exit --setenv=DEBIAN_FRONTEND=noninteractive"
        " apt-get install --yes /root/slow-demo.deb"
    )


def test_a_unit_killed_during_an_upgrade_is_held_and_healed_when_apt_is_through(ward: Ward) -> None:
    unit, other = ward.add(), ward.add()
    cursor = ward.host.cursor()
    begin_to_install(ward, unit)
    held = ward.await_event(cursor, "healing_held", unit, reason="package_upgrade")
    assert "apt-get" in held["MESSAGE"] or "dpkg" in held["MESSAGE"]

    ward.kill(other)  # whatever falls meanwhile waits, though the package has nothing to do with it
    ward.await_event(cursor, "healing_held", other, reason="package_upgrade")
    explained = ward.ask("explain", unit)
    assert (explained["decision"], explained["hold"]) == ("hold", "package_upgrade")
    assert ward.healthctl("heal", other).returncode == 0  # the operator wins

    through = ward.host.cursor()
    ward.host.sh("echo go > /run/slow-demo.fifo")
    ward.await_healed(through, unit)
    told = [each for each in ward.story(cursor, unit) if each["HEALTHD_EVENT"].startswith(("issue", "healing"))]
    story = [(each["HEALTHD_EVENT"], each.get("HEALTHD_REASON")) for each in told]
    held_once = [("issue_opened", None), ("healing_held", "package_upgrade"), ("healing_started", None)]
    assert story[:3] == held_once
    ended = ward.host.show("slow-demo.service", "ExecMainExitTimestampMonotonic")["ExecMainExitTimestampMonotonic"]
    started = ward.host.show(unit, "InactiveExitTimestampMonotonic")["InactiveExitTimestampMonotonic"]
    assert 0 < int(ended) < int(started)


def test_a_silenced_unit_waits_over_a_restart_of_healthd_until_somebody_resumes_it(ward: Ward) -> None:
    unit = ward.add()
    silence = ward.ask("silence", unit, "--for", "1h", "--reason", "new disk")
    assert (silence["scope"], silence["in_force"]) == (unit, True)
    cursor = ward.host.cursor()
    ward.kill(unit)
    held = ward.await_event(cursor, "healing_held", unit, reason="silenced")
    assert "new disk" in held["MESSAGE"]
    ward.host.run(["systemctl", "restart", "healthd"])
    ward.look()

    assert "healing_started" not in ward.events(cursor, unit)
    assert ward.issue(unit)["hold"] == "silenced"
    assert [each["id"] for each in ward.ask("silence")] == [silence["id"]]
    assert unit in ward.healthctl("status").stdout.splitlines()[1]
    ward.healthctl("resume", unit)
    ward.await_healed(cursor, unit)
    ended = ward.await_event(cursor, "silence_ended", silence=silence["id"])
    assert "root" in ended["MESSAGE"]


def test_a_pattern_is_silenced_for_a_time_that_ends_by_itself_and_an_order_is_obeyed(ward: Ward) -> None:
    one, two = ward.add(name="quiet-1.service"), ward.add(name="quiet-2.service")
    cursor = ward.host.cursor()
    ward.healthctl("silence", "quiet-*.service", "--for", "8s")
    for unit in (one, two):
        ward.kill(unit)
        ward.await_event(cursor, "healing_held", unit, reason="silenced")
    assert ward.healthctl("heal", two).returncode == 0
    ward.await_healed(cursor, one)

    told = [record["HEALTHD_EVENT"] for record in ward.story(cursor) if "SILENCE" in str(record)]
    assert told.index("silence_ended") > told.index("silence_started")
    assert "its time is over" in ward.await_event(cursor, "silence_ended")["MESSAGE"]


def test_while_a_unit_runs_everything_is_silenced_and_with_its_end_that_is_over(ward: Ward) -> None:
    unit = ward.add()
    begin = "ExecStartPre=+healthctl silence --all --while %n --reason backup"
    backup = ward.add(job("cat /run/backup.fifo", begin), enable=False, start=False, name="backup.service")
    assert ward.healthctl("silence", "--all", "--while", backup).returncode == 1  # it does not run
    cursor = ward.host.cursor()
    ward.host.sh("mkfifo /run/backup.fifo")
    ward.host.run(["systemctl", "start", "--no-block", backup])
    ward.await_event(cursor, "silence_started")
    ward.kill(unit)
    ward.await_event(cursor, "healing_held", unit, reason="silenced")
    ward.host.sh("echo done > /run/backup.fifo")
    ward.await_healed(cursor, unit)

    assert f"{backup} is through" in ward.await_event(cursor, "silence_ended")["MESSAGE"]


def test_a_calendar_opens_windows_of_silence(ward: Ward) -> None:
    unit = ward.add()
    cursor = ward.host.cursor()
    soon = ward.host.sh("date --date='3 seconds' +%H:%M:%S").strip()
    silence = ward.ask("silence", unit, "--calendar", soon, "--for", "4s")
    assert (silence["in_force"], silence["calendar"]) == (False, soon)
    opened = ward.host.await_record(cursor, "HEALTHD_EVENT=silence_started", f"HEALTHD_SILENCE={silence['id']}")
    while "is silenced until" not in opened["MESSAGE"]:
        opened = ward.host.await_record(
            opened["__CURSOR"], "HEALTHD_EVENT=silence_started", f"HEALTHD_SILENCE={silence['id']}"
        )
    ward.kill(unit)
    ward.await_event(cursor, "healing_held", unit, reason="silenced")
    ward.await_healed(cursor, unit)

    (still,) = ward.ask("silence")
    assert (still["in_force"], still["until"]) == (False, None)
    assert ward.healthctl("resume").returncode == 0
    refused = ward.healthctl("silence", unit, "--calendar", "at noon")
    assert refused.returncode == 64
    assert len(refused.stderr.splitlines()) == 1
