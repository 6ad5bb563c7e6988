"""healthd keeps out of the way: while apt installs something, and where an operator silenced it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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
    story = [(each["HEALTHD_EVENT"], each.get("HEALTHD_REASON")) for each in ward.story(cursor, unit)]
    held_once = [("issue_opened", None), ("healing_held", "package_upgrade"), ("healing_started", None)]
    assert story[:3] == held_once
    ended = ward.host.show("slow-demo.service", "ExecMainExitTimestampMonotonic")["ExecMainExitTimestampMonotonic"]
    started = ward.host.show(unit, "InactiveExitTimestampMonotonic")["InactiveExitTimestampMonotonic"]
    assert 0 < int(ended) < int(started)
