"""What a person at a terminal sees: the journal's story, and healthctl for those who may ask and those who may not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.system.units import service
from tests.system.ward import QUICK, Ward

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.throwaway import Host


@pytest.fixture(scope="module")
def ward(shared_host: Host) -> Ward:
    """A ward where `friend` is in the group healthd, and `guest` is nobody in particular."""
    made = Ward(host=shared_host)
    made.host.sh("useradd guest; useradd --groups healthd friend")
    return made


def test_with_no_configuration_at_all_the_journal_tells_the_story_of_a_kill(ward: Ward) -> None:
    unit = ward.add(name="web.service")
    cursor = ward.host.cursor()
    ward.kill(unit)
    ward.await_healed(cursor, unit)

    told = [record["MESSAGE"] for record in ward.story(cursor, unit)]
    assert told[0] == "web.service is down: killed by SIGKILL"
    assert told[1] == "healing web.service: start_unit, attempt 1 of 3 (killed by SIGKILL)"
    assert re.fullmatch(r"healed web\.service: start_unit helped, it is up and stays up \(\d\.\d s\)", told[2])
    assert re.fullmatch(r"web\.service is well again: running \(the issue was open for \d\.\d s\)", told[3])
    assert len(told) == 4


def test_the_catalog_explains_each_step_of_it(ward: Ward) -> None:
    unit = ward.add(service("/bin/false"), start=False)
    ward.configure(QUICK)
    cursor = ward.host.cursor()
    ward.try_start(unit)
    ward.await_event(cursor, "healing_gave_up", unit)
    seen = {record["MESSAGE_ID"]: record["HEALTHD_EVENT"] for record in ward.story(cursor)}

    assert {"issue_opened", "healing_started", "healing_finished", "healing_gave_up"} <= set(seen.values())
    for message_id, event in seen.items():
        explained = ward.host.journal("--catalog", "--lines=1", f"MESSAGE_ID={message_id}")
        assert "░░ Subject:" in explained, event
        assert "Documentation: man:health" in explained, event
    ward.discard(unit)


@pytest.fixture
def hopeless(ward: Ward) -> Iterator[str]:
    """A service that healthd has given up."""
    ward.configure(QUICK)
    unit = ward.add(service("/bin/false"), start=False)
    cursor = ward.host.cursor()
    ward.try_start(unit)
    ward.await_event(cursor, "healing_gave_up", unit)
    yield unit
    ward.discard(unit)


@pytest.mark.parametrize("user", ["root", "friend"])
def test_who_may_ask_sees_what_is_wrong_and_what_is_done_about_it(ward: Ward, hopeless: str, user: str) -> None:
    status = ward.ask("status", user=user)
    assert status["health_checks"]["services"]["status"] == "degraded"
    assert hopeless in [item["name"] for item in status["health_checks"]["services"]["items"]]
    assert ward.healthctl("status", user=user).returncode == {"degraded": 1, "unhealthy": 2}[status["status"]]
    issues = [
        issue for issue in ward.ask("issues", user=user) if issue["component"] == "services"
    ]  # the machine is busy
    assert [issue["unit"] for issue in issues] == [hopeless]
    assert "given up" in ward.healthctl("issues", user=user).stdout
    explained = ward.healthctl("explain", hopeless, user=user).stdout
    assert "exit status 1" in explained
    assert "3 attempts did not help" in explained
    assert ward.ask("config", "show", user=user)["auto_healing"]["backoff_seconds"] == 0.2
    assert [line for line in ward.ask("doctor", user=user) if line["ok"] is False] == []


@pytest.mark.parametrize("user", ["root", "friend"])
def test_who_may_ask_may_also_give_orders_and_the_journal_says_who_did(ward: Ward, hopeless: str, user: str) -> None:
    cursor = ward.host.cursor()
    assert ward.healthctl("check", user=user).returncode == 0
    assert ward.healthctl("reset", hopeless, user=user).returncode == 0

    ward.await_event(cursor, "healing_started", hopeless, attempt=1)
    asked = [record["MESSAGE"] for record in ward.story(cursor) if record["HEALTHD_EVENT"] == "api_request"]
    assert [message.split()[1] for message in asked] == ["/api/v1/check", "/api/v1/reset"]
    assert all(user in message for message in asked)


def test_everybody_else_sees_how_it_is_but_not_what_it_is(ward: Ward) -> None:
    status = ward.ask("status", user="guest")

    assert status["version"] == "1.x.x"
    assert status["health_checks"]["services"]["message"] == "OK"
    assert status["health_checks"]["services"]["items"] == []
    assert status["health_checks"]["services"]["issues"] == []
    assert "web.service" not in ward.healthctl("status", user="guest").stdout


@pytest.mark.parametrize("verb", [("issues",), ("explain", "web.service"), ("check",), ("doctor",), ("reset", "web")])
def test_everybody_else_is_turned_away_with_a_hint(ward: Ward, verb: tuple[str, ...]) -> None:
    done = ward.healthctl(*verb, user="guest")

    assert done.returncode == 1
    assert "sudo" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_status_says_unknown_and_how_to_go_on_when_no_daemon_runs(ward: Ward) -> None:
    ward.host.run(["systemctl", "stop", "healthd"])
    done = ward.healthctl("status")

    assert done.returncode == 3
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "systemctl" in done.stderr
    assert ward.host.state("healthd") == "inactive"
    ward.host.run(["systemctl", "start", "healthd"])


def test_systemd_shows_the_health_of_the_host_in_the_status_of_the_service(ward: Ward) -> None:
    assert ward.host.show("healthd", "StatusText")["StatusText"].startswith("healthy, score 1.00")
