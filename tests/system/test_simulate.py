"""`healthctl simulate`: a recorded crash loop, replayed under the same limits and under others, without the daemon."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from tests.system import standins
from tests.system.units import service
from tests.system.ward import Ward

if TYPE_CHECKING:
    from tools.throwaway import Host

LIMITS = """
[health]
max_healing_attempts = 3
[auto_healing]
backoff_seconds = 0.2
backoff_max_seconds = 0.5
settle_seconds = 0.2
verify_seconds = 10
host_budget_actions = 4
"""
TELLING: Final = f"""
[alerting]
group_seconds = 0
webhook_url = "http://127.0.0.1:{standins.HTTP_PORT}/hook"
webhook_secret = {{ credential = "hook" }}
"""
HOOK: Final = "/run/told/webhook"

PATIENCE = 1.0
"""An attempt that was never made needs its time too: 0.1 s, and `settle_seconds`. Where the record ends before, it is
under way, and nobody can say what it would have come to."""


class Recorded(NamedTuple):
    """A hopeless unit used up its attempts, another was healed, and for a late one no budget was left.

    `done`: the units that were acted on; `told`: the units that people were told of, and why.
    """

    ward: Ward
    hopeless: str
    mended: str
    late: str
    done: list[str]
    told: list[tuple[str, str]]


@pytest.fixture(scope="module")
def recorded(shared_host: Host) -> Recorded:
    ward = Ward(host=shared_host)
    shared_host.write("/root/standin.py", standins.HTTP)
    shared_host.write("/etc/healthd/credentials/hook", "hook-s3cret\n")
    shared_host.sh("mkdir /run/told && systemd-run --quiet --unit=standin python3 /root/standin.py")
    ward.configure(LIMITS + TELLING)
    hopeless, mended, late = ward.add(service("/bin/false"), start=False), ward.add(), ward.add()
    cursor = shared_host.cursor()
    ward.try_start(hopeless)
    ward.await_event(cursor, "healing_gave_up", hopeless)
    ward.kill(mended)
    ward.await_healed(cursor, mended)
    ward.kill(late)
    ward.await_event(cursor, "healing_held", late, reason="host_budget")
    time.sleep(PATIENCE)
    shared_host.run(["systemctl", "start", late])
    ward.await_healed(cursor, late)
    told = await_told(ward, 4)
    done = [each["HEALTHD_UNIT"] for each in ward.story(cursor) if each["HEALTHD_EVENT"] == "healing_started"]
    shared_host.run(["systemctl", "stop", "healthd"])
    return Recorded(ward, hopeless, mended, late, done, told)


def await_told(ward: Ward, count: int) -> list[tuple[str, str]]:
    """What the webhook got, once it is so many messages: of which unit, and why."""
    deadline = time.monotonic() + 60
    while len(lines := ward.host.sh(f"cat {HOOK} 2>/dev/null || true").splitlines()) < count:
        assert time.monotonic() < deadline, lines
        time.sleep(0.2)
    got = [json.loads(line)["said"] for line in lines]
    return sorted((letter["issues"][0]["item"], letter["why"]) for letter in got)


def told(report: dict[str, Any], world: str) -> list[tuple[str, str]]:
    return sorted((each[world]["item"], each[world]["why"]) for each in report["messages"] if each[world])


def subjects(pairs: list[dict[str, Any]]) -> list[str]:
    return [pair["subject"] for pair in pairs]


def test_the_same_limits_say_what_was_done(recorded: Recorded) -> None:
    same = recorded.ward.ask("simulate", "--since", "1h")

    assert same["differences"] == []
    assert same["settings"] == []
    assert subjects(same["actions"]) == recorded.done == [recorded.hopeless] * 3 + [recorded.mended]
    assert same["was"] == same["would"]


def test_fewer_attempts_at_one_unit_leave_budget_for_another(recorded: Recorded) -> None:
    fewer = recorded.ward.ask("simulate", "--set", "health.max_healing_attempts=1")

    *less, freed = fewer["differences"]
    assert subjects(less) == [recorded.hopeless] * 2
    assert all(pair["would"] is None and "gave_up" in pair["why"] for pair in less)
    assert (freed["subject"], freed["was"]) == (recorded.late, None)
    assert (fewer["was"]["holds"]["host_budget"], fewer["would"]["holds"].get("host_budget")) == (1, None)


def test_what_people_were_told_would_be_told_again(recorded: Recorded) -> None:
    same = recorded.ward.ask("simulate", "--since", "1h")

    hopeless, late = recorded.hopeless, recorded.late
    assert recorded.told == sorted([(hopeless, "opened"), (hopeless, "gave_up"), (late, "opened"), (late, "resolved")])
    assert told(same, "was") == told(same, "would") == recorded.told
    assert all(each["same"] and each["was"]["to"] == ["webhook"] for each in same["messages"])


def test_other_alerting_and_other_limits_say_who_would_have_been_told_what(recorded: Recorded) -> None:
    ward, hopeless, late = recorded.ward, recorded.hopeless, recorded.late
    worst = ward.ask("simulate", "--set", "alerting.min_severity=critical")
    more = ward.ask("simulate", "--set", "auto_healing.host_budget_actions=10")
    page = ward.healthctl("simulate", "--set", "alerting.min_severity=critical").stdout
    nobody = ward.healthctl("simulate", "--set", "alerting.webhook_url=").stdout

    assert told(worst, "would") == [(hopeless, "gave_up")]
    assert worst["differences"] == []
    assert [each for each in told(more, "would") if each[0] == late] == []
    assert "3 of 4 messages to people differ: 4 (to webhook) were sent, 1 (to webhook) would be" in page
    assert "high is less than alerting.min_severity, critical" in page
    assert "4 of 4 messages to people differ: 4 (to webhook) were sent, none would be" in nobody


def test_a_larger_budget_heals_what_had_to_wait(recorded: Recorded) -> None:
    more = recorded.ward.ask("simulate", "--set", "auto_healing.host_budget_actions=10")

    (extra,) = more["differences"]
    assert (extra["subject"], extra["was"], extra["would"]["outcome"]) == (recorded.late, None, "success")
    assert extra["why"].startswith("host_budget")
    assert [(each["recorded"], each["simulated"]) for each in more["settings"]] == [(4, 10)]


def test_the_page_shows_what_differs_and_why(recorded: Recorded) -> None:
    page = recorded.ward.healthctl("simulate", "--set", f'services."{recorded.hopeless}".heal=false')

    assert page.returncode == 0, page.stderr
    assert "4 of 5 actions differ" in page.stdout
    assert "disabled" in page.stdout


def test_a_copy_is_read_by_anybody_and_what_lies_here_by_root_only(recorded: Recorded) -> None:
    ward, host = recorded.ward, recorded.ward.host
    host.sh("cp /var/lib/healthd/history.db /var/tmp/copy.db && chmod 444 /var/tmp/copy.db")
    host.write("/var/tmp/other/healthd.toml", LIMITS)
    elsewhere = ("--history", "/var/tmp/copy.db", "--config", "/var/tmp/other/healthd.toml")

    copied = ward.healthctl("simulate", *elsewhere, user="daemon")
    refused = ward.healthctl("simulate", user="daemon")
    wrong = ward.healthctl("simulate", "--set", "auto_healing.max_per_hour=2")

    assert "No difference: 4 actions" in copied.stdout, copied.stderr
    assert (refused.returncode, "sudo healthctl simulate" in refused.stderr) == (1, True)
    assert (wrong.returncode, "unknown key" in wrong.stderr) == (78, True)


def test_looking_leaves_everything_to_healthd_that_is_its(recorded: Recorded) -> None:
    host = recorded.ward.host
    host.run(["systemctl", "start", "healthd"])

    again = recorded.ward.ask("simulate")

    assert set(host.sh("stat -c %U /var/lib/healthd/*").split()) == {"healthd"}
    assert again["differences"] == []
