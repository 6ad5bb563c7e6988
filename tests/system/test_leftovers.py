"""What is left lying on a host: packages that are not whole, a reboot that is due, timers that fail or rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.system.units import job
from tests.system.ward import Ward

if TYPE_CHECKING:
    from tools.throwaway import Host

STATUS = "/var/lib/dpkg/status"
HALF = (
    "\nPackage: half\nStatus: install ok half-configured\nVersion: 1\n"
    "Architecture: all\nMaintainer: x\nDescription: x\n"
)


@pytest.fixture(scope="module")
def ward(shared_host: Host) -> Ward:
    return Ward(host=shared_host)


def component(ward: Ward, name: str) -> dict[str, Any]:
    """The component after a look at it now."""
    ward.healthctl("check", name)
    found: dict[str, Any] = ward.ask("status", name)
    return found


def issues(ward: Ward) -> list[tuple[str, str, str]]:
    return [(each["component"], each["item"], each["type"]) for each in ward.ask("issues")]


def test_a_package_that_is_half_configured_is_an_issue_until_it_is_whole(ward: Ward) -> None:
    assert component(ward, "updates")["status"] == "healthy"
    ward.host.sh(f"cp -a {STATUS} /root/status; printf '%b' '{HALF.encode('unicode_escape').decode()}' >> {STATUS}")
    assert (
        component(ward, "updates")["message"]
        == "dpkg has worked within the last 10 min; not whole yet: half half-configured"
    )

    ward.host.sh(f"touch -d '1 hour ago' {STATUS}")
    seen = component(ward, "updates")
    assert seen["status"] == "degraded"
    assert "half half-configured" in seen["message"]
    assert ("updates", "", "job_failed") in issues(ward)

    cursor = ward.host.cursor()
    ward.host.sh(f"cp /root/status {STATUS}")
    assert component(ward, "updates")["status"] == "healthy"
    ward.await_event(cursor, "issue_resolved", component="updates")
    assert issues(ward) == []


def test_a_reboot_that_is_due_is_said_and_is_no_issue(ward: Ward) -> None:
    ward.host.sh("touch /run/reboot-required; echo linux-image-amd64 > /run/reboot-required.pkgs")

    seen = component(ward, "updates")
    assert (seen["status"], seen["score"]) == ("degraded", 0.79)
    assert seen["message"] == "a reboot is required, for linux-image-amd64"
    assert issues(ward) == []
    assert ward.ask("status")["status"] == "healthy"

    ward.host.sh("rm /run/reboot-required*")
    assert component(ward, "updates")["status"] == "healthy"


def test_a_job_of_a_timer_that_fails_is_one_issue_until_it_ends_well(ward: Ward) -> None:
    ward.host.sh("touch /run/broken")
    ward.add(job('/bin/sh -c "[ ! -e /run/broken ]"'), name="nightly.service", enable=False, start=False)
    cursor = ward.host.cursor()
    ward.add("[Timer]\nOnActiveSec=1s\nOnUnitActiveSec=1h\nAccuracySec=1ms\n", name="nightly.timer", enable=False)
    ward.await_event(cursor, "issue_opened", "nightly.service", issue="job_failed")

    seen = component(ward, "timers")
    (item,) = [each for each in seen["items"] if each["name"] == "nightly.timer"]
    assert (item["status"], seen["status"]) == ("degraded", "degraded")
    assert "nightly.service" in item["message"]
    assert [each for each in issues(ward) if "nightly" in each[1]] == [("services", "nightly.service", "job_failed")]

    ward.host.sh("rm /run/broken; systemctl start nightly.service")
    ward.await_healed(cursor, "nightly.service")
    assert component(ward, "timers")["status"] == "healthy"
    ward.host.sh("systemctl stop nightly.timer")


def test_a_timer_that_never_fires_is_an_issue_until_it_is_stopped(ward: Ward) -> None:
    ward.add(job("/bin/true"), name="never.service", enable=False, start=False)
    ward.add("[Timer]\nOnUnitActiveSec=1h\n", name="never.timer", enable=False)

    assert component(ward, "timers")["status"] == "degraded"
    assert ("timers", "never.timer", "job_failed") in issues(ward)

    cursor = ward.host.cursor()
    ward.host.sh("systemctl stop never.timer")
    assert component(ward, "timers")["status"] == "healthy"
    ward.await_event(cursor, "issue_resolved", component="timers")
    assert issues(ward) == []
