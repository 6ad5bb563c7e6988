"""What does not help is suggested and no longer done; what is suggested, a command does; and healthd remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.system.units import service
from tests.system.ward import QUICK, Ward

if TYPE_CHECKING:
    from tools.throwaway import Host

SETTINGS: Final = f"""{QUICK}
backoff_max_seconds = 0.3
host_budget_seconds = 0
suggest_after_failures = 3
""".replace("backoff_max_seconds = 1\n", "")

ALWAYS: Final = ("StartLimitIntervalSec=0",)

FRAIL: Final = service("/bin/sh -c 'while [ -e /run/%N.whole ]; do sleep 0.1; done; exit 3'", unit=ALWAYS)
"""It ends with status 3 as long as its file is not there."""

DEAF: Final = service(
    "/bin/sh -c '[ -e /run/%N.deaf ] && exec sleep infinity; exec python3 -m http.server --bind 127.0.0.1 8099'",
    unit=ALWAYS,
)
"""It runs and does not answer as long as its file is there."""


SCRAPE: Final = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:9090/metrics').read().decode())"


@pytest.fixture(scope="module")
def ward(shared_host: Host) -> Ward:
    made = Ward(host=shared_host)
    made.configure(SETTINGS)
    return made


def restart_healthd(ward: Ward, command: str) -> None:
    """healthd ends by this command and is there again."""
    cursor = ward.host.cursor()
    ward.host.sh(command)
    ward.await_event(cursor, "daemon_ready")
    ward.look()


def suggestions(ward: Ward, cursor: str, unit: str) -> list[str]:
    """What was suggested about a unit, each time that it was said."""
    return [each["MESSAGE"] for each in ward.story(cursor, unit) if each.get("HEALTHD_REASON") == "suggest"]


def test_what_keeps_failing_is_suggested_until_an_operator_has_it_help(ward: Ward) -> None:
    unit = ward.add(FRAIL, start=False)
    file = f"/run/{unit.removesuffix('.service')}.whole"
    ward.host.sh(f"touch {file} && systemctl start {unit}")
    ward.look()
    cursor = ward.host.cursor()
    ward.host.run(["rm", file])

    lost = ward.await_event(cursor, "action_distrusted", unit)
    assert f"start_unit for exit_code of {unit} did not help the last 3 times" in lost["MESSAGE"]
    held = ward.await_event(cursor, "healing_held", unit, reason="suggest")
    assert f"it did not help the last 3 times for exit_code of {unit}" in held["MESSAGE"]
    restart_healthd(ward, "systemctl kill --signal=KILL --kill-whom=main healthd")

    assert ward.events(cursor, unit).count("healing_started") == 3
    assert len(suggestions(ward, cursor, unit)) == 1
    (known,) = ward.ask("ledger", unit)
    assert (known["helped"], known["failed"], known["failed_in_a_row"], known["trusted"]) == (0, 3, 3, False)
    assert "\nhealthd_actions_distrusted 1\n" in ward.host.python(SCRAPE)
    suggestion = ward.issue(unit)["suggestion"]
    assert suggestion == {"action": "start_unit", "command": f"healthctl heal {unit}"}

    ward.host.run(["touch", file])
    helped = ward.host.cursor()
    ward.host.sh(suggestion["command"])
    assert "it helped" in ward.await_event(helped, "action_trusted", unit)["MESSAGE"]
    restart_healthd(ward, "systemctl restart healthd")
    (known,) = ward.ask("ledger", unit)
    assert (known["helped"], known["failed_in_a_row"], known["trusted"]) == (1, 0, True)

    again = ward.host.cursor()
    ward.host.run(["rm", file])
    assert "ordered by" not in ward.await_event(again, "healing_started", unit)["MESSAGE"]
    ward.await_event(again, "action_distrusted", unit)
    ward.host.run(["touch", file])
    ward.healthctl("reset", unit)
    assert "had the attempts forgotten" in ward.await_event(again, "action_trusted", unit)["MESSAGE"]
    ward.await_healed(again, unit)
    assert "ordered by" not in str(ward.story(again, unit))


def test_a_suggest_only_unit_is_told_and_its_command_heals_it(ward: Ward) -> None:
    unit = ward.add(DEAF)
    file = f"/run/{unit.removesuffix('.service')}.deaf"
    probe = '[component.page]\ntype = "tcp"\naddress = "127.0.0.1:8099"\ninterval_seconds = 1\nfailures = 2\n'
    ward.configure(f'{probe}unit = "{unit}"\n[services."{unit}"]\nheal = "suggest"\n', name=unit)
    cursor = ward.host.cursor()
    ward.host.sh(f"touch {file} && systemctl restart {unit}")

    said = ward.await_event(cursor, "healing_held", unit, reason="suggest")["MESSAGE"]
    assert "restart_unit is called for (it runs and does not do its work" in said
    assert "healthctl heal page" in said
    ward.look()
    assert len(suggestions(ward, cursor, unit)) == 1
    anew = ward.host.cursor()
    restart_healthd(ward, "systemctl restart healthd")
    ward.await_event(anew, "healing_held", unit, reason="suggest")  # as soon as the probe has answered anew
    assert "healing_started" not in ward.events(cursor, unit)

    for verb in (["status"], ["issues"], ["explain", "page"], ["incident", "last"]):
        assert "healthctl heal page" in ward.healthctl(*verb).stdout, verb
    assert ward.ask("explain", "page")["action"] == "restart_unit"
    assert ward.ask("heal", unit, "--dry-run")["action"] == "restart_unit"

    ward.host.run(["rm", file])
    assert ward.ask("heal", "page")["outcome"] == "success"
    assert ward.ask("ledger", unit)[0]["helped"] == 1
    assert ward.ask("status", "page")["status"] == "healthy"
