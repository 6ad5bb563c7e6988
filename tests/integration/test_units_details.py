"""What is read of a unit only when it is needed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from healthd.detail import UnitDetail
from tests.integration.stage import on_stage, running

if TYPE_CHECKING:
    from tests.integration.stage import Stage

WEB, DB, APP = "web.service", "db.service", "app.service"


def detail(stage: Stage, name: str) -> UnitDetail:
    known = stage.units.facts()[name].detail
    assert known is not None
    return known


@on_stage
async def test_a_unit_that_was_down_before_us_is_described_with_its_last_run(stage: Stage) -> None:
    unit = stage.systemd.add(WEB, active="failed", sub="failed", result="exit-code", code=1, status=203)
    unit.more |= {
        "Type": ("s", "notify"),
        "Restart": ("s", "on-failure"),
        "RemainAfterExit": ("b", True),
        "CanReload": ("b", True),
        "UnitFileState": ("s", "static"),
    }
    async with running(stage):
        await stage.units.describe([WEB])

        facts = stage.units.facts()[WEB]
        assert (facts.result, facts.code, facts.exit_status) == ("exit-code", 1, 203)
        assert facts.file_state == "static"
        assert detail(stage, WEB) == UnitDetail(
            service_type="notify",
            restart="on-failure",
            remain_after_exit=True,
            triggered=False,
            required_by_enabled=False,
            can_reload=True,
        )


def command(status: int = 0, *, ignored: bool = False) -> tuple[object, ...]:
    """A command of a service, with how it last ended."""
    return ("/bin/x", ["/bin/x"], ignored, 0, 0, 0, 0, 0, 1, status)


@on_stage
async def test_what_its_file_says_of_ends_and_restarts_is_described(stage: Stage) -> None:
    commands = "a(sasbttttuii)"
    stage.systemd.add(WEB).more |= {
        "Restart": ("s", "no"),
        "SuccessExitStatus": ("(aiai)", ([3, 143], [])),
        "RestartForceExitStatus": ("(aiai)", ([7], [])),
        "ExecStart": (commands, [command()]),
        "ExecStartPre": (commands, [command(1, ignored=True), command(203)]),
    }
    stage.systemd.add(DB).more |= {"ExecStart": (commands, [command(ignored=True)])}
    async with running(stage):
        await stage.units.describe([WEB, DB])

        described = detail(stage, WEB)
        assert (described.clean_statuses, described.may_fail) == ((3, 143), False)
        assert (described.restart, described.control_status) == ("on-failure", 203)
        assert (detail(stage, DB).may_fail, detail(stage, DB).control_status) == (True, 0)


@on_stage
async def test_a_service_that_an_assertion_kept_from_its_start_says_so_until_it_has_started(stage: Stage) -> None:
    met, unmet = {"AssertResult": ("b", True)}, {"AssertTimestampMonotonic": ("t", 5)}
    web = stage.systemd.add(WEB, active="inactive", sub="dead")
    stage.systemd.add(DB, active="inactive", sub="dead").more |= unmet | met
    async with running(stage):
        await stage.units.describe([WEB, DB])
        assert not detail(stage, WEB).assert_failed
        assert not detail(stage, DB).assert_failed
        stage.wakes.take()
        web.more |= unmet
        await stage.systemd.end_job(7, WEB, "assert")
        await stage.wakes.until(lambda: frozenset({WEB}) in stage.wakes.seen)
        await stage.units.describe([WEB])
        assert detail(stage, WEB).assert_failed
        await stage.systemd.tell(WEB, active="active", sub="running")
        await stage.wakes.until(lambda: stage.units.facts()[WEB].running)
        await stage.units.describe([WEB])

        assert not detail(stage, WEB).assert_failed


@on_stage
async def test_an_assertion_that_forbids_a_start_while_the_service_is_described_is_not_missed(stage: Stage) -> None:
    web = stage.systemd.add(WEB, active="inactive", sub="dead")
    async with running(stage):
        asked = stage.systemd.asked("Get")
        stage.systemd.held = []
        describing = asyncio.create_task(stage.units.describe([WEB]))
        await stage.systemd.until_asked("Get", asked + 1)
        await stage.systemd.release("Get")
        web.more["AssertTimestampMonotonic"] = ("t", 5)
        await stage.systemd.end_job(7, WEB, "assert")
        await stage.wakes.until(lambda: any(WEB in names for names in stage.wakes.seen))
        await stage.systemd.release()
        await describing

        assert detail(stage, WEB).assert_failed


@on_stage
async def test_that_a_service_may_run_for_so_long_only_is_described(stage: Stage) -> None:
    stage.systemd.add(WEB).more["RuntimeMaxUSec"] = ("t", 3_000_000)
    stage.systemd.add(DB).more["RuntimeMaxUSec"] = ("t", 2**64 - 1)
    async with running(stage):
        await stage.units.describe([WEB, DB])

        assert [detail(stage, name).runs_at_most for name in (WEB, DB)] == [True, False]


@on_stage
async def test_a_start_that_fails_while_its_unit_is_described_has_it_described_as_it_is_then(stage: Stage) -> None:
    unit = stage.systemd.add(WEB, active="activating", sub="start-pre")
    async with running(stage):
        asked = stage.systemd.asked("GetAll")
        stage.systemd.held = []
        describing = asyncio.create_task(stage.units.describe([WEB]))
        await stage.systemd.until_asked("GetAll", asked + 1)
        await stage.systemd.release("GetAll")
        unit.more["ExecStartPre"] = ("a(sasbttttuii)", [command(203)])
        await stage.systemd.tell(WEB, active="failed", sub="failed", result="exit-code")
        await stage.wakes.until(lambda: stage.units.facts()[WEB].active == "failed")
        await stage.systemd.release()
        await describing

        assert detail(stage, WEB).control_status == 203


@on_stage
async def test_a_unit_is_described_once(stage: Stage) -> None:
    stage.systemd.add(WEB)
    async with running(stage):
        await stage.units.describe([WEB])
        asked = len(stage.systemd.calls)
        await stage.units.describe([WEB])

        assert len(stage.systemd.calls) == asked


@on_stage
async def test_units_that_are_not_loaded_are_not_asked_about(stage: Stage) -> None:
    async with running(stage):
        asked = len(stage.systemd.calls)
        await stage.units.describe([WEB])

        assert len(stage.systemd.calls) == asked


@on_stage
async def test_what_a_unit_stands_on_is_described_with_it_as_far_as_it_is_down(stage: Stage) -> None:
    stage.systemd.add(WEB).more |= {
        "Requires": ("as", [APP, "system.slice"]),
        "BindsTo": ("as", [DB]),
        "After": ("as", [APP, "basic.target"]),
        "PartOf": ("as", ["shop.service"]),
    }
    stage.systemd.add(DB, active="failed", sub="failed").more["Requires"] = ("as", ["disk.mount"])
    stage.systemd.add("disk.mount", active="failed", sub="failed")
    stage.systemd.add(APP)
    async with running(stage):
        await stage.units.describe([WEB])

        described = detail(stage, WEB)
        assert described.requires == (APP, DB)
        assert described.binds_to == (DB,)
        assert described.after == (APP, "shop.service")
        assert detail(stage, DB).requires == ("disk.mount",)
        assert stage.units.facts()["disk.mount"].detail is not None
        assert stage.units.facts()[APP].detail is None


@on_stage
async def test_below_what_a_job_stopped_all_is_described_whatever_was_known_and_runs(stage: Stage) -> None:
    stage.systemd.add(WEB).more |= {"BindsTo": ("as", [APP])}
    stage.systemd.add(APP).more |= {"BindsTo": ("as", [DB])}
    stage.systemd.add(DB)
    async with running(stage):
        await stage.units.describe([WEB])
        assert stage.units.facts()[APP].detail is None
        await stage.systemd.tell(DB, active="failed", sub="failed", result="signal", code=2, status=9)
        await stage.systemd.tell(WEB, active="deactivating", sub="stop-sigterm", job=7)
        await stage.systemd.tell(WEB, active="inactive", sub="dead", job=7)
        await stage.systemd.end_job(7, WEB, "done")
        await stage.wakes.until(lambda: stage.units.facts()[WEB].stopped_by_job)
        stage.wakes.take()
        await stage.units.describe([WEB])

        assert stage.units.facts()[WEB].stopped_for == DB
        assert stage.units.facts()[DB].detail is not None
        await stage.wakes.until(lambda: frozenset({WEB}) in stage.wakes.seen)


@on_stage
async def test_what_a_socket_or_the_bus_starts_is_triggered(stage: Stage) -> None:
    stage.systemd.add(WEB).more["TriggeredBy"] = ("as", ["web.socket"])
    stage.systemd.add(DB).more["BusName"] = ("s", "org.example.Db")
    stage.systemd.add(APP)
    async with running(stage):
        await stage.units.describe([WEB, DB, APP])

        assert [detail(stage, name).triggered for name in (WEB, DB, APP)] == [True, True, False]


@on_stage
async def test_a_mount_has_a_result_too(stage: Stage) -> None:
    stage.systemd.add("data.mount", active="failed", sub="failed", result="exit-code")
    stage.systemd.add("some.target", active="failed", sub="dead")
    async with running(stage):
        await stage.units.describe(["data.mount", "some.target"])

        assert stage.units.facts()["data.mount"].result == "exit-code"
        assert detail(stage, "some.target").service_type == ""


@on_stage
async def test_a_unit_that_an_enabled_one_requires_over_others_is_required(stage: Stage) -> None:
    wants = stage.root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True)
    (wants / APP).symlink_to(f"/usr/lib/systemd/system/{APP}")
    stage.systemd.add(DB).more["RequiredBy"] = ("as", [WEB])
    stage.systemd.add(WEB).more["BoundBy"] = ("as", [APP])
    stage.systemd.add(APP)
    async with running(stage):
        await stage.units.describe([DB, WEB, APP])

        assert [detail(stage, name).required_by_enabled for name in (DB, WEB, APP)] == [True, True, False]


@on_stage
async def test_units_that_require_each_other_are_not_asked_about_for_ever(stage: Stage) -> None:
    stage.systemd.add(WEB).more["RequiredBy"] = ("as", [DB])
    stage.systemd.add(DB).more["RequiredBy"] = ("as", [WEB])
    async with running(stage):
        await stage.units.describe([WEB])

        assert not detail(stage, WEB).required_by_enabled


@on_stage
async def test_a_restart_goes_on_to_what_runs_and_no_further_than_that(stage: Stage) -> None:
    stage.systemd.add(DB).more |= {"RequiredBy": ("as", [WEB, "off.service"]), "ConsistsOf": ("as", ["part.service"])}
    stage.systemd.add(WEB).more["BoundBy"] = ("as", [APP, DB])
    stage.systemd.add("off.service", active="inactive").more["RequiredBy"] = ("as", ["behind.service"])
    stage.systemd.add(APP, "part.service", "behind.service")
    async with running(stage):
        assert await stage.units.restarted_with(DB) == (APP, "part.service", WEB)


@on_stage
async def test_the_journal_says_whether_a_unit_was_stopped(stage: Stage) -> None:
    stage.systemd.add(WEB, DB, APP, active="inactive")
    stage.journal |= {WEB: True, DB: False}
    async with running(stage):
        assert [await stage.units.stopped_on_purpose(name) for name in (WEB, DB, APP)] == [True, False, None]


@on_stage
async def test_a_service_that_was_down_when_we_came_is_taken_for_stopped_unless_the_journal_denies_it(
    stage: Stage,
) -> None:
    stage.systemd.add(WEB, DB, APP, active="inactive", sub="dead", code=2, status=15)
    stage.journal |= {WEB: True, DB: False}
    async with running(stage):
        await stage.units.describe([WEB, DB, APP])

        assert [stage.units.facts()[name].stopped_by_job for name in (WEB, DB, APP)] == [True, False, True]


@on_stage
async def test_a_service_that_failed_before_we_came_is_taken_for_stopped_only_if_the_journal_says_so(
    stage: Stage,
) -> None:
    stage.systemd.add(WEB, DB, APP, active="failed", sub="failed", result="signal", code=2, status=9)
    stage.journal |= {WEB: True, DB: False}
    async with running(stage):
        await stage.units.describe([WEB, DB, APP])

        assert [stage.units.facts()[name].stopped_by_job for name in (WEB, DB, APP)] == [True, False, False]
