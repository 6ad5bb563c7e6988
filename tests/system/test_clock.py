"""The clock of a booted host, by what time daemons leave behind. It is never set here: it is that of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.system.units import service
from tests.system.ward import Ward

if TYPE_CHECKING:
    from tools.throwaway import Host

HEARD = "/run/systemd/timesync/synchronized"


def clock(ward: Ward) -> dict[str, Any]:
    """The component after a look at it now."""
    ward.healthctl("check", "clock")
    found: dict[str, Any] = ward.ask("status", "clock")
    return found


def test_a_time_daemon_that_hears_nothing_is_an_issue_until_it_does(host: Host) -> None:
    ward = Ward(host=host)
    seen = clock(ward)
    assert (seen["status"], seen["message"]) == ("healthy", "no time daemon runs here")

    ward.add(service("sleep infinity", "RuntimeDirectory=systemd/timesync"), name="systemd-timesyncd.service")
    assert clock(ward)["message"] == "systemd-timesyncd.service has just started"

    cursor = host.cursor()
    host.sh(f"touch -d '3 hours ago' {HEARD}")
    seen = clock(ward)
    assert (seen["status"], seen["score"]) == ("degraded", 0.6)
    ward.await_event(cursor, "issue_opened", component="clock", issue="clock_skew")

    host.sh(f"touch {HEARD}")
    assert clock(ward)["message"] == "synchronised by systemd-timesyncd.service"
    ward.await_event(cursor, "issue_resolved", component="clock")

    ward.discard("systemd-timesyncd.service")
    ward.add(name="ntp.service")
    seen = clock(ward)
    assert seen["status"] == "healthy"
    assert seen["message"] in ("synchronised by ntp.service", "ntp.service has just started")
