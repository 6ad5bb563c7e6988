"""The component `services`: which units it looks at, and what it makes of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from healthd.checks import services
from healthd.checks.services import Reading
from healthd.config import CleanExit, ServicesSettings, UnitSettings
from healthd.errors import BusLost
from healthd.model import Finding, IssueType, Status
from healthd.soon import waited
from tests.fake_units import FakeUnits, service
from tests.fakes import FakeClock
from tests.unit.assembly import ports_of
from tests.unit.builders import UNIT, detail, killed, settings
from tests.unit.checks.looks import ENDED, NOW, judge, look, types

if TYPE_CHECKING:
    from healthd.model import UnitFacts


def seen(units: FakeUnits, options: ServicesSettings | None = None, names: frozenset[str] | None = None) -> Reading:
    ports = ports_of(units, clock=FakeClock(boot=NOW))
    return asyncio.run(waited(services.sample(ports, options or ServicesSettings(), names)))


def watched(*units: UnitFacts, **options: Any) -> list[str]:
    return [unit.name for unit in seen(FakeUnits(*units), ServicesSettings(**options)).units]


# Which units


@pytest.mark.parametrize("state", ["enabled", "enabled-runtime", "generated"])
def test_every_enabled_service_is_watched(state: str) -> None:
    assert watched(service(UNIT, file_state=state)) == [UNIT]


@pytest.mark.parametrize("state", ["disabled", "static", ""])
def test_what_is_not_enabled_is_watched_only_once_it_has_failed(state: str) -> None:
    assert watched(service(UNIT, file_state=state)) == []
    assert watched(killed(UNIT, file_state=state)) == [UNIT]


def test_what_an_enabled_unit_needs_is_watched_while_it_comes_back() -> None:
    needed = detail(required_by_enabled=True)

    assert watched(service(UNIT, file_state="static", active="activating", detail=needed)) == [UNIT]
    assert watched(service("data.mount", file_state="static", detail=needed)) == ["data.mount"]


def test_a_unit_of_any_type_is_watched_once_it_has_failed() -> None:
    assert watched(killed("data.mount"), service("other.mount"), killed("a.timer")) == ["data.mount", "a.timer"]


def test_a_unit_with_a_table_or_named_by_watch_is_watched_whatever_it_is() -> None:
    units = (service("a.timer", file_state=""), service("b.socket", file_state=""))

    assert watched(*units, unit={"a.timer": UnitSettings()}, watch=("b.socket",)) == ["a.timer", "b.socket"]


def test_watch_narrows_and_ignore_leaves_out() -> None:
    units = (service("a.service"), killed("b.service"), service("web.service"))

    assert watched(*units, watch=("web*", "a*"), ignore=("a.service",)) == ["web.service"]


@pytest.mark.parametrize("own", ["healthd.service", "healthd-deliver.service", "healthd-check@x.service"])
def test_healthds_own_units_are_never_items(own: str) -> None:
    assert watched(killed(own), unit={own: UnitSettings()}) == []


def test_an_operators_unit_with_a_name_that_only_begins_alike_is_watched() -> None:
    assert watched(service("healthdata.service")) == ["healthdata.service"]


# Reading


def test_asked_for_some_units_it_reads_those_in_name_order_and_the_rest_are_not_its_business() -> None:
    units = FakeUnits(service("a.service"), service("b.service"), service("c.service"))

    reading = seen(units, names=frozenset({"c.service", "b.service", "gone.service"}))

    assert [unit.name for unit in reading.units] == ["b.service", "c.service"]


def test_what_signals_do_not_tell_is_asked_of_units_that_do_not_run() -> None:
    units = FakeUnits(killed(UNIT, detail=None), service("other.service", detail=None))

    details = {unit.name: unit.detail is not None for unit in seen(units).units}

    assert details == {UNIT: True, "other.service": False}


def test_before_a_unit_is_judged_that_is_down_alone_all_is_heard_of_what_it_requires() -> None:
    root, above = service("root.service"), killed(UNIT, detail=detail(requires=("root.service",)))
    units = FakeUnits(root, above)
    units.untold.append(killed("root.service"))

    reading = seen(units, names=frozenset({UNIT}))

    assert [unit.name for unit in reading.units] == [UNIT]
    assert units.facts()["root.service"].active == "failed"


@pytest.mark.parametrize("changes", [{}, {"active": "failed", "sub": "failed", "code": 2}], ids=["up", "down"])
def test_nothing_is_asked_where_a_unit_is_up_or_requires_none_that_is(changes: dict[str, Any]) -> None:
    requires = ("root.service",) if not changes else ("away.service", "sysinit.target")
    units = FakeUnits(service("root.service"), service(UNIT, **changes, detail=detail(requires=requires)))
    units.untold.append(killed("root.service"))

    seen(units, names=frozenset({UNIT}))

    assert units.facts()["root.service"].running


def test_of_a_unit_that_a_job_stopped_it_is_asked_each_time_for_which_other_one_that_was() -> None:
    class Telling(FakeUnits):
        async def describe(self, names: Any) -> None:
            self.put(service(UNIT, active="inactive", sub="dead", stopped_for="root.service"))

    reading = seen(Telling(service(UNIT, active="inactive", sub="dead", stopped_by_job=True)), names=frozenset({UNIT}))

    assert [unit.stopped_for for unit in reading.units] == ["root.service"]


def test_a_unit_that_vanishes_while_it_is_asked_about_is_gone() -> None:
    class Vanishing(FakeUnits):
        async def describe(self, names: Any) -> None:
            self.remove(UNIT)

    reading = seen(Vanishing(killed(UNIT, detail=None)), names=frozenset({UNIT}))

    assert services.assess(reading, None, ServicesSettings()).gone == {UNIT}


def test_a_bus_that_is_back_in_time_costs_no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    units = FakeUnits(service(UNIT))
    units.connected = False

    async def come_back(_: float) -> None:
        units.connected = True

    monkeypatch.setattr(asyncio, "sleep", come_back)

    assert [unit.name for unit in seen(units).units] == [UNIT]


def test_a_bus_that_stays_away_is_no_usable_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_time(_: float) -> None:
        return

    units = FakeUnits(service(UNIT))
    units.connected = False
    monkeypatch.setattr(asyncio, "sleep", no_time)

    assessment = services.assess(seen(units), None, ServicesSettings())

    assert (assessment.usable, assessment.reason) == (False, "systemd cannot be asked at the moment")


def test_a_bus_that_is_lost_while_it_is_asked_is_the_samplers_to_tell() -> None:
    class Losing(FakeUnits):
        async def describe(self, names: Any) -> None:
            raise BusLost("gone")

    with pytest.raises(BusLost):
        seen(Losing(killed(UNIT, detail=None)))


def test_its_options_are_its_table() -> None:
    assert services.options(settings(), "services") == ServicesSettings()


# Judging


def test_a_running_unit_is_well() -> None:
    item = judge(service(UNIT))

    assert (item.status, item.score, item.message, item.findings) == (Status.HEALTHY, 1.0, "running", ())


@pytest.mark.parametrize("active", ["active", "reloading", "refreshing"])
def test_a_unit_that_does_its_work_in_any_way_is_well(active: str) -> None:
    assert judge(service(UNIT, active=active, sub="exited")).message == "active (exited)"


def test_a_killed_service_is_down_and_the_finding_says_why_and_what_to_act_on() -> None:
    item = judge(killed(), critical=True)

    down = Finding(type=IssueType.SERVICE_DOWN, message="killed by SIGKILL", unit=UNIT, cause="signal", critical=True)
    assert (item.status, item.score, item.critical, item.findings) == (Status.UNHEALTHY, 0.0, True, (down,))


def test_a_service_that_was_killed_politely_from_outside_is_down() -> None:
    assert types(judge(service(UNIT, **{**ENDED, "code": 2, "exit_status": 15}))) == [IssueType.SERVICE_DOWN]


def test_a_service_that_ended_by_itself_is_degraded_and_reported() -> None:
    item = judge(service(UNIT, **ENDED))

    assert (item.status, types(item)) == (Status.DEGRADED, [IssueType.SERVICE_DOWN])
    assert item.findings[0].cause == "clean_exit"


@pytest.mark.parametrize(
    "changes",
    [{"service_type": "oneshot"}, {"remain_after_exit": True}, {"triggered": True}],
    ids=["a oneshot", "one that stays active", "one that is started when it is needed"],
)
def test_what_is_meant_to_end_is_well_when_it_has(changes: dict[str, Any]) -> None:
    assert judge(service(UNIT, **ENDED, detail=detail(**changes))).message == "ended with success"


def test_a_clean_end_is_well_where_the_table_says_so() -> None:
    assert judge(service(UNIT, **ENDED), clean_exit=CleanExit.OK).findings == ()


def test_a_failure_whose_failed_state_was_reset_is_still_that_failure() -> None:
    assert judge(service(UNIT, **{**ENDED, "exit_status": 1})).findings[0].message == "ended with exit status 1"
    assert judge(service(UNIT, **{**ENDED, "exit_status": 203})).findings[0].cause == "config"


def test_a_unit_that_never_ran_is_well() -> None:
    assert judge(service(UNIT, **{**ENDED, "code": 0})).message == "not running"


@pytest.mark.parametrize("changes", [{"stopped_by_job": True}, {"load": "masked"}])
def test_what_somebody_stopped_is_well_and_marked_so(changes: dict[str, Any]) -> None:
    item = judge(service(UNIT, **ENDED, **changes))

    assert (item.stopped, item.settled, item.findings) == (True, True, ())


def test_a_stop_that_ended_with_a_status_or_by_a_signal_is_a_stop() -> None:
    item = judge(killed(stopped_by_job=True, result="exit-code", code=1, exit_status=143))

    assert (item.stopped, item.settled, item.findings) == (True, True, ())
    assert item.message == "stopped on purpose (ended with exit status 143)"


def test_what_failed_under_a_job_is_judged_when_the_job_has_ended() -> None:
    item = judge(killed(job=7, lowered=True))

    assert (item.settled, item.findings) == (False, ())


def test_a_failed_service_of_which_the_type_is_not_known_is_not_judged_yet() -> None:
    item = judge(killed(detail=None))

    assert (item.settled, item.findings) == (False, ())


def test_a_service_whose_file_became_unusable_is_down_and_no_job() -> None:
    unit = killed(load="bad-setting", detail=detail(service_type="oneshot"))

    assert types(judge(unit)) == [IssueType.SERVICE_DOWN]


@pytest.mark.parametrize("result", ["timeout", "signal", "exit-code", "core-dump", "oom-kill"])
def test_what_somebody_stopped_is_well_however_it_ended(result: str) -> None:
    item = judge(killed(stopped_by_job=True, result=result))

    assert (item.stopped, item.findings) == (True, ())


def test_a_failed_oneshot_is_a_failed_job() -> None:
    assert types(judge(killed(detail=detail(service_type="oneshot")))) == [IssueType.JOB_FAILED]


def test_a_failed_session_is_a_failed_job_and_a_failed_mount_is_down() -> None:
    assert types(judge(killed("session-3.scope"))) == [IssueType.JOB_FAILED]
    assert types(judge(killed("data.mount", detail=None))) == [IssueType.SERVICE_DOWN]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"active": "activating", "sub": "start"}, "starting"),
        ({"active": "activating", "sub": "auto-restart"}, "systemd is restarting it"),
        ({"active": "activating", "sub": "auto-restart-queued"}, "systemd is restarting it"),
        ({"active": "deactivating", "sub": "stop-sigterm"}, "stopping"),
        ({"active": "inactive", "sub": "dead", "job": 7}, "waiting for its job"),
        ({"active": "maintenance", "sub": "cleaning"}, "maintenance (cleaning)"),
        ({"active": "brand-new", "sub": "word"}, "brand-new (word)"),
        (
            {"active": "inactive", "sub": "dead", "detail": None, "code": 2},
            "not running; systemd has not said why yet",
        ),
    ],
)
def test_between_two_states_a_unit_opens_and_resolves_nothing(changes: dict[str, Any], message: str) -> None:
    item = judge(service(UNIT, **changes))

    assert (item.settled, item.message, item.findings) == (False, message, ())


def test_of_what_systemd_has_not_described_another_look_is_due_soon() -> None:
    assert look(service(UNIT, active="inactive", detail=None)).again_at == NOW + 1.0


def test_a_service_that_an_assertion_kept_from_its_start_is_down() -> None:
    unit = service("web.service", active="inactive", sub="dead", detail=detail(assert_failed=True))

    assert types(judge(unit)) == [IssueType.SERVICE_DOWN]
