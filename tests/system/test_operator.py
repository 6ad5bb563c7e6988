"""The operator wins: what somebody did on purpose, or may not be done, healthd leaves alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.system.units import job, obedient, service
from tests.system.ward import QUICK, Ward

if TYPE_CHECKING:
    from tools.throwaway import Host


@pytest.fixture(scope="module")
def ward(shared_host: Host) -> Ward:
    made = Ward(host=shared_host)
    made.configure(QUICK)
    return made


def held_without_a_start(ward: Ward, cursor: str, unit: str, reason: str) -> str:
    """Waits until healthd says that it holds, sees that it then does nothing, and gives the sentence."""
    held = ward.await_event(cursor, "healing_held", unit, reason=reason)
    ward.look()
    assert "healing_started" not in ward.events(cursor, unit)
    return held["MESSAGE"]


def test_a_service_that_somebody_stopped_stays_stopped(ward: Ward) -> None:
    unit = ward.add()
    cursor = ward.host.cursor()
    ward.host.run(["systemctl", "stop", unit])
    held_without_a_start(ward, cursor, unit, "operator_stopped")

    assert ward.host.state(unit) == "inactive"
    assert ward.issue(unit) == {}
    assert ward.ask("explain", unit)["hold"] == "operator_stopped"


def test_a_stop_that_took_too_long_is_still_a_stop(ward: Ward) -> None:
    stubborn = """/bin/sh -c "trap '' TERM; exec sleep infinity" """
    # Only once it sleeps it is sure to be deaf: a stop that came sooner would end it as any other.
    deaf = """ExecStartPost=/bin/sh -c 'until grep -q sleep /proc/$MAINPID/comm; do sleep 0.05; done'"""
    unit = ward.add(service(stubborn, "TimeoutStopSec=1", deaf))
    cursor = ward.host.cursor()
    ward.host.run(["systemctl", "stop", unit], check=False)
    held_without_a_start(ward, cursor, unit, "operator_stopped")

    assert ward.host.state(unit) == "failed"
    assert ward.issue(unit) == {}


def test_a_service_stopped_after_it_had_failed_is_not_started_any_more(ward: Ward) -> None:
    with ward.under("[auto_healing]\nbackoff_seconds = 3\nbackoff_max_seconds = 3\n"):
        cursor = ward.host.cursor()
        unit = ward.add(service("/bin/false", "Type=forking"), start=False)
        ward.try_start(unit)
        ward.await_event(cursor, "healing_held", unit, reason="cooldown")
        cursor = ward.host.cursor()
        ward.host.run(["systemctl", "stop", unit])
        held_without_a_start(ward, cursor, unit, "operator_stopped")
        assert ward.issue(unit) == {}
    ward.host.run(["systemctl", "restart", "healthd"])
    ward.look()

    assert "healing_started" not in ward.events(cursor, unit)
    assert ward.host.state(unit) == "failed"
    assert ward.issue(unit) == {}
    assert ward.ask("explain", unit)["hold"] == "operator_stopped"


def test_a_service_stopped_while_healthd_was_down_stays_stopped(ward: Ward) -> None:
    unit = ward.add()
    ward.host.run(["systemctl", "stop", "healthd"])
    ward.host.run(["systemctl", "stop", unit])
    cursor = ward.host.cursor()
    ward.host.run(["systemctl", "start", "healthd"])
    ward.look()

    assert "healing_started" not in ward.events(cursor, unit)
    assert ward.host.state(unit) == "inactive"
    assert ward.ask("explain", unit)["hold"] == "operator_stopped"


@pytest.mark.parametrize("signal", ["KILL", "TERM"])
def test_a_service_killed_while_healthd_was_down_is_started(ward: Ward, signal: str) -> None:
    unit = ward.add()
    ward.host.run(["systemctl", "stop", "healthd"])
    ward.kill(unit, signal)
    ward.host.await_unit(unit, "failed", "inactive")
    cursor = ward.host.cursor()
    ward.host.run(["systemctl", "start", "healthd"])
    ward.await_healed(cursor, unit)

    assert ward.host.state(unit) == "active"


def test_a_service_stopped_and_started_by_hand_is_healed_again(ward: Ward) -> None:
    unit = ward.add()
    cursor = ward.host.cursor()
    ward.host.run(["systemctl", "stop", unit])
    ward.await_event(cursor, "healing_held", unit, reason="operator_stopped")
    ward.host.run(["systemctl", "start", unit])
    ward.kill(unit)
    ward.await_healed(cursor, unit)

    assert ward.host.state(unit) == "active"


def test_a_restart_by_hand_is_no_failure(ward: Ward) -> None:
    unit = ward.add()
    cursor = ward.host.cursor()
    ward.host.run(["systemctl", "restart", unit])
    ward.look()

    assert ward.events(cursor, unit) == []


def test_a_restart_by_hand_that_mends_a_failed_service_closes_its_issue(ward: Ward) -> None:
    unit = ward.add(obedient())
    cursor = ward.host.cursor()
    ward.tell(unit, "exit 0")
    ward.await_event(cursor, "healing_held", unit, reason="clean_exit")
    ward.host.run(["systemctl", "restart", unit])
    ward.await_healed(cursor, unit)

    assert "healing_started" not in ward.events(cursor, unit)
    assert ward.issue(unit) == {}


def test_a_failed_service_that_somebody_masks_is_left_alone(ward: Ward) -> None:
    unit = ward.add(service("/bin/false"), start=False, directory="/usr/local/lib/systemd/system")
    cursor = ward.host.cursor()
    ward.try_start(unit)
    ward.await_event(cursor, "healing_gave_up", unit)
    masked = ward.host.cursor()
    ward.host.run(["systemctl", "mask", unit])
    message = held_without_a_start(ward, masked, unit, "operator_stopped")

    assert "masked" in message
    ward.host.run(["systemctl", "unmask", unit])


def test_a_service_that_is_not_enabled_is_only_reported(ward: Ward) -> None:
    unit = ward.add(enable=False)
    cursor = ward.host.cursor()
    ward.kill(unit)

    assert "disabled" in held_without_a_start(ward, cursor, unit, "not_allowed")
    assert ward.host.state(unit) == "failed"


def test_a_static_service_is_only_reported(ward: Ward) -> None:
    unit = ward.add(service(wanted_by=""), enable=False)
    cursor = ward.host.cursor()
    ward.kill(unit)
    held_without_a_start(ward, cursor, unit, "not_allowed")

    assert ward.host.state(unit) == "failed"


def test_a_static_service_that_an_enabled_one_requires_is_started_again(ward: Ward) -> None:
    required = ward.add(service(wanted_by=""), enable=False, start=False)
    ward.add(service(unit=[f"Requires={required}"]))
    cursor = ward.host.cursor()
    ward.kill(required)
    ward.await_healed(cursor, required)

    assert ward.host.state(required) == "active"


def test_a_transient_service_is_only_reported(ward: Ward) -> None:
    unit = "demo-transient.service"
    ward.host.run(["systemd-run", f"--unit={unit}", "sleep", "infinity"])
    cursor = ward.host.cursor()
    ward.kill(unit)

    assert "transient" in held_without_a_start(ward, cursor, unit, "not_allowed")


def test_a_service_that_allow_does_not_name_is_only_reported(ward: Ward) -> None:
    with ward.under('[auto_healing]\nallow = ["nothing.service"]\n'):
        unit = ward.add()
        cursor = ward.host.cursor()
        ward.kill(unit)

        assert "allow" in held_without_a_start(ward, cursor, unit, "not_allowed")


@pytest.mark.parametrize("name", ["systemd-demo.service", "dbus-demo.service", "getty@demo.service"])
def test_a_protected_service_is_never_touched(ward: Ward, name: str) -> None:
    ward.add(name=name)
    cursor = ward.host.cursor()
    ward.kill(name)
    held_without_a_start(ward, cursor, name, "protected")
    ordered = ward.healthctl("heal", name)

    assert ordered.returncode != 0
    assert "protected" in ordered.stdout + ordered.stderr
    assert ward.host.state(name) == "failed"
    ward.host.run(["systemctl", "reset-failed", name])


def test_a_job_that_somebody_queued_is_waited_for(ward: Ward) -> None:
    slow = ward.add(job("sleep infinity"), enable=False, start=False)
    unit = ward.add(service("/bin/false", unit=[f"After={slow}"]), start=False)
    cursor = ward.host.cursor()
    ward.try_start(unit)
    ward.await_event(cursor, "healing_gave_up", unit)
    queued = ward.host.cursor()
    ward.host.run(["systemctl", "start", "--no-block", slow])
    ward.host.run(["systemctl", "start", "--no-block", unit])
    held_without_a_start(ward, queued, unit, "job_running")

    ward.host.run(["systemctl", "stop", slow])


def test_a_dry_run_decides_and_touches_nothing(ward: Ward) -> None:
    with ward.under("[auto_healing]\ndry_run = true\n"):
        unit = ward.add()
        before, cursor = ward.invocation(unit), ward.host.cursor()
        ward.kill(unit)
        held_without_a_start(ward, cursor, unit, "dry_run")

        assert ward.host.state(unit) == "failed"
        assert ward.invocation(unit) == before
    ward.await_healed(cursor, unit)


@pytest.mark.parametrize(
    "settings",
    ["[health]\nauto_healing_enabled = false\n", "[auto_healing]\nservice_restart_enabled = false\n"],
    ids=["auto_healing_enabled", "service_restart_enabled"],
)
def test_healing_that_is_switched_off_still_reports(ward: Ward, settings: str) -> None:
    with ward.under(settings):
        unit = ward.add()
        cursor = ward.host.cursor()
        ward.kill(unit)
        held_without_a_start(ward, cursor, unit, "disabled")

        assert ward.issue(unit)["hold"] == "disabled"
    ward.await_healed(cursor, unit)


def test_a_unit_that_its_own_table_switches_off_is_only_reported(ward: Ward) -> None:
    unit = ward.add()
    ward.configure(f'[services."{unit}"]\nheal = false\n', name=unit)
    cursor = ward.host.cursor()
    ward.kill(unit)
    held_without_a_start(ward, cursor, unit, "disabled")

    assert ward.host.state(unit) == "failed"


def test_a_suggestion_waits_for_an_operator_who_follows_it(ward: Ward) -> None:
    unit = ward.add()
    ward.configure(f'[services."{unit}"]\nheal = "suggest"\n', name=unit)
    cursor = ward.host.cursor()
    ward.kill(unit)
    assert f"healthctl heal {unit}" in held_without_a_start(ward, cursor, unit, "suggest")

    assert ward.ask("heal", unit, "--dry-run")["action"] == "start_unit"
    assert ward.host.state(unit) == "failed"
    assert ward.ask("heal", unit)["outcome"] == "success"
    assert ward.host.state(unit) == "active"
    started = ward.await_event(cursor, "healing_started", unit)
    assert "root" in started["MESSAGE"]


def test_a_service_that_is_ignored_is_not_even_reported(ward: Ward) -> None:
    unit = ward.add()
    ward.configure(f'[services]\nignore = ["{unit}"]\n', name=unit)
    cursor = ward.host.cursor()
    ward.kill(unit)
    ward.host.await_unit(unit, "failed")
    ward.look()

    assert ward.events(cursor, unit) == []
    ward.configure("", name=unit)


def test_a_service_that_is_removed_while_it_is_down_takes_its_issue_along(ward: Ward) -> None:
    unit = ward.add(service("/bin/false"), start=False)
    cursor = ward.host.cursor()
    ward.try_start(unit)
    ward.await_event(cursor, "healing_gave_up", unit)
    ward.host.sh(
        f"systemctl disable --quiet {unit}; rm /etc/systemd/system/{unit}; systemctl daemon-reload;"
        f"systemctl reset-failed {unit}"
    )
    ward.await_healed(cursor, unit)

    assert ward.issue(unit) == {}
