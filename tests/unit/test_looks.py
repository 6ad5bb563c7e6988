"""Checks beside the turns: each in its own time, none waiting for another, and what they saw is decided upon."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from healthd.answers import Series
from healthd.assess.score import worst
from healthd.config import ComponentSettings
from healthd.errors import Absent, ReadError
from healthd.events import Event
from healthd.model import ActionKind, Assessment, Finding, IssueType, Item, Measure, Status
from healthd.registry import CheckSpec
from healthd.sample import Bound
from tests.fake_units import SIMPLE, service
from tests.unit.assembly import Assembly, assembled, bound, settings

if TYPE_CHECKING:
    from collections.abc import Callable

WEB = service("web.service")
REFUSED = Finding(type=IssueType.PROBE_FAILED, message="refused")


class Probe:
    """A check that a test drives: `well` says what it sees, `open` whether it gets an answer at all."""

    def __init__(self, name: str = "web", **component: Any) -> None:
        self.well, self.looks = True, 0
        self.lacking, self.unreadable = "", ""
        self.gate = asyncio.Event()
        self.gate.set()
        self.before: list[object] = []
        self.measures: tuple[Measure, ...] = ()
        spec = CheckSpec(
            type="probe", options=lambda *_: None, sample=self._sample, assess=self._assess, score=worst, asks_unit=True
        )
        defaults: dict[str, Any] = {"failures": 1, "successes": 1, "timeout_seconds": 60.0, "interval_seconds": 5.0}
        self.bound = Bound(
            name=name, spec=spec, options=None, component=ComponentSettings(type="probe", **{**defaults, **component})
        )

    async def _sample(self, _ports: object, _options: object, names: frozenset[str] | None) -> int:
        assert names is None
        self.looks += 1
        await self.gate.wait()
        if self.lacking:
            raise Absent(self.lacking)
        if self.unreadable:
            raise ReadError(self.unreadable)
        return self.looks

    def _assess(self, _reading: int, before: int | None, _options: object) -> Assessment:
        self.before.append(before)
        if self.well:
            good = Item(name="", status=Status.HEALTHY, score=1.0, message="answers", measures=self.measures)
            return Assessment(items=(good,))
        bad = Item(name="", status=Status.UNHEALTHY, score=0.0, message="refused", findings=(REFUSED,))
        return Assessment(items=(bad,))


async def until(healthd: Assembly, true: Callable[[], bool]) -> None:
    """Wait for the turn after which this is so."""
    async with asyncio.timeout(5):
        while not true():
            await healthd.pipeline.turned()


async def settle(healthd: Assembly, name: str, status: Status) -> None:
    await until(healthd, lambda: healthd.pipeline.picture.components[name].status is status)


async def tick(healthd: Assembly, seconds: float) -> None:
    """Let time pass, and the pipeline notice it."""
    healthd.clock.advance(seconds)
    healthd.units.wake("nothing.service")
    await healthd.pipeline.turned()


def test_what_a_probe_sees_is_in_the_picture() -> None:
    async def scene() -> tuple[Status, str]:
        probe = Probe()
        async with assembled(WEB, others=[probe.bound]) as healthd:
            await settle(healthd, "web", Status.HEALTHY)
            health = healthd.view.status().health_checks["web"]
            return health.status, health.message

    assert asyncio.run(scene()) == (Status.HEALTHY, "answers")


def test_a_probe_that_hangs_delays_neither_services_nor_another_probe() -> None:
    async def scene() -> tuple[list[tuple[str, str]], int, int]:
        hung, other = Probe("hung"), Probe("other")
        hung.gate.clear()
        async with assembled(WEB, others=[hung.bound, other.bound]) as healthd:
            await settle(healthd, "other", Status.HEALTHY)
            healthd.units.kill("web.service")
            await healthd.logged(Event.ISSUE_RESOLVED)
            for _ in range(3):
                seen = other.looks
                await tick(healthd, 5)
                await until(healthd, lambda seen=seen: other.looks > seen)  # type: ignore[misc]
            return healthd.units.calls, hung.looks, other.looks

    calls, hung, other = asyncio.run(scene())
    assert ("start", "web.service") in calls
    assert (hung, other) == (1, 4)


def test_a_hung_service_is_restarted_and_that_is_confirmed_by_its_probe() -> None:
    async def scene() -> Assembly:
        probe = Probe(unit="web.service")
        async with assembled(WEB, others=[probe.bound]) as healthd:
            await settle(healthd, "web", Status.HEALTHY)
            probe.well = False
            restart = healthd.units.restart

            async def mends(name: str, *, deadline: float) -> Any:
                probe.well = True
                return await restart(name, deadline=deadline)

            healthd.units.restart = mends  # type: ignore[method-assign]
            await tick(healthd, 5)
            await healthd.logged(Event.ISSUE_RESOLVED)
            return healthd

    healthd = asyncio.run(scene())
    finished = healthd.log.of(Event.HEALING_FINISHED)[-1]
    assert healthd.units.calls[-1] == ("restart", "web.service")
    assert (finished.fields["action"], finished.fields["outcome"]) == (ActionKind.RESTART_UNIT, "success")


def test_a_hung_service_that_is_not_enabled_is_restarted_if_one_that_is_requires_it() -> None:
    async def scene() -> Assembly:
        probe = Probe(unit="db.service")
        needed = service("db.service", file_state="static", detail=None)
        async with assembled(needed, others=[probe.bound]) as healthd:
            healthd.units.files["db.service"] = replace(SIMPLE, required_by_enabled=True)
            await settle(healthd, "web", Status.HEALTHY)
            assert healthd.units.facts()["db.service"].detail is None, "nothing is asked while all is well"
            probe.well = False
            await tick(healthd, 5)
            await healthd.logged(Event.HEALING_STARTED)
            return healthd

    assert ("restart", "db.service") in asyncio.run(scene()).units.calls


def test_a_probe_looks_at_once_when_its_unit_has_started() -> None:
    async def scene() -> tuple[int, int]:
        probe = Probe(unit="web.service", interval_seconds=600.0)
        starting = service("web.service", active="activating", sub="start")
        async with assembled(starting, others=[probe.bound]) as healthd:
            before = probe.looks
            healthd.units.put(WEB)
            await settle(healthd, "web", Status.HEALTHY)
            return before, probe.looks

    assert asyncio.run(scene()) == (0, 1)


def test_signals_of_its_unit_make_a_probe_look_but_do_not_make_up_its_failures() -> None:
    async def scene() -> tuple[int, Status, Status]:
        probe = Probe(unit="web.service", failures=2)
        async with assembled(WEB, others=[probe.bound]) as healthd:
            await settle(healthd, "web", Status.HEALTHY)
            probe.well = False
            for _ in range(3):
                seen = probe.looks
                healthd.units.wake("web.service")
                await until(healthd, lambda seen=seen: probe.looks > seen)  # type: ignore[misc]
            await healthd.pipeline.turned()
            looks, status = probe.looks, healthd.pipeline.picture.components["web"].status
            await tick(healthd, 5)
            await settle(healthd, "web", Status.UNHEALTHY)
            return looks, status, healthd.pipeline.picture.components["web"].status

    assert asyncio.run(scene()) == (4, Status.HEALTHY, Status.UNHEALTHY)


def test_a_probe_leaves_alone_what_somebody_stopped() -> None:
    async def scene() -> Assembly:
        probe = Probe(unit="web.service")
        stopped = service("web.service", active="inactive", sub="dead", stopped_by_job=True)
        async with assembled(stopped, others=[probe.bound]) as healthd:
            await settle(healthd, "web", Status.HEALTHY)
            assert probe.looks == 0
            return healthd

    assert asyncio.run(scene()).view.issues() == ()


def test_whoever_asks_for_a_look_gets_one_that_began_after_that() -> None:
    async def scene() -> int:
        probe = Probe()
        async with assembled(WEB, others=[probe.bound]) as healthd:
            await settle(healthd, "web", Status.HEALTHY)
            probe.gate.clear()
            await tick(healthd, 5)
            asked = asyncio.create_task(healthd.pipeline.look(["web"]))
            await healthd.pipeline.turned()
            assert probe.looks == 2
            probe.gate.set()
            async with asyncio.timeout(5):
                await asked
            return probe.looks

    assert asyncio.run(scene()) == 3


def test_a_look_at_services_alone_waits_for_no_probe() -> None:
    async def scene() -> None:
        probe = Probe()
        probe.gate.clear()
        async with assembled(WEB, others=[probe.bound]) as healthd, asyncio.timeout(5):
            await healthd.pipeline.look(["services"])

    asyncio.run(scene())


def test_what_the_host_lacks_is_said_once_left_out_and_looked_for_again() -> None:
    async def scene() -> Assembly:
        probe = Probe()
        probe.lacking = "no sensors"
        async with assembled(WEB, others=[probe.bound]) as healthd:
            await until(healthd, lambda: healthd.pipeline.picture.components["web"].absent)
            await tick(healthd, 5)
            assert probe.looks == 1
            assert "web" not in healthd.view.status().health_checks
            probe.lacking = ""
            await tick(healthd, 600)
            await settle(healthd, "web", Status.HEALTHY)
            assert "web" in healthd.view.status().health_checks
            return healthd

    (said,) = asyncio.run(scene()).log.of(Event.FEATURE_OFF)
    assert said.message == "web is left out: no sensors"


def test_a_reading_that_cannot_be_had_is_unknown_with_its_reason() -> None:
    async def scene() -> str:
        probe = Probe()
        probe.unreadable = "permission denied"
        async with assembled(WEB, others=[probe.bound]) as healthd:
            await healthd.logged(Event.CHECK_FAILED)
            return healthd.pipeline.picture.components["web"].reason

    assert asyncio.run(scene()) == "permission denied"


def test_a_check_is_given_the_reading_before() -> None:
    async def scene() -> list[object]:
        probe = Probe()
        async with assembled(WEB, others=[probe.bound]) as healthd:
            await settle(healthd, "web", Status.HEALTHY)
            healthd.clock.advance(5)
            await healthd.pipeline.look(["web"])
            return probe.before

    before = asyncio.run(scene())
    assert before[:2] == [None, 1]


def test_a_component_that_looks_better_is_looked_at_again_soon() -> None:
    async def scene() -> bool:
        probe = Probe(successes=2, interval_seconds=600.0)
        probe.well = False
        async with assembled(WEB, others=[probe.bound]) as healthd:
            await settle(healthd, "web", Status.UNHEALTHY)
            probe.well = True
            await healthd.pipeline.look(["web"])
            await tick(healthd, 2)
            await settle(healthd, "web", Status.HEALTHY)
            return healthd.view.issues() == ()

    assert asyncio.run(scene())


def test_a_component_that_a_reload_takes_away_is_forgotten_and_one_that_it_brings_is_looked_at() -> None:
    async def scene() -> tuple[list[str], Status]:
        old, new = Probe("old"), Probe("new")
        async with assembled(WEB, others=[old.bound]) as healthd:
            await settle(healthd, "old", Status.HEALTHY)
            healthd.pipeline.reconfigure(settings(), bound(settings(), new.bound))
            await settle(healthd, "new", Status.HEALTHY)
            return sorted(healthd.pipeline.picture.components), healthd.pipeline.picture.components["new"].status

    assert asyncio.run(scene()) == (["new", "services"], Status.HEALTHY)


def test_what_was_seen_under_old_settings_is_not_taken_for_the_new_ones() -> None:
    async def scene() -> Status:
        old, new = Probe("web"), Probe("web")
        old.well = False
        old.gate.clear()
        new.gate.clear()
        async with assembled(WEB, others=[old.bound]) as healthd:
            await until(healthd, lambda: old.looks == 1)
            healthd.pipeline.reconfigure(settings(), bound(settings(), new.bound))
            old.gate.set()
            for _ in range(3):
                await healthd.turn()
            return healthd.pipeline.picture.components["web"].status

    assert asyncio.run(scene()) is Status.UNKNOWN


def test_runs_of_checks_can_be_watched() -> None:
    async def scene() -> set[str]:
        probe, seen = Probe(), set()
        async with assembled(WEB, others=[probe.bound], judged=False) as healthd:
            healthd.pipeline.watch_checks(lambda name, took: seen.add(name))
            await settle(healthd, "web", Status.HEALTHY)
        return seen

    assert asyncio.run(scene()) == {"services", "web"}


def test_the_readings_of_a_round_are_kept_when_its_built_in_checks_are_through() -> None:
    async def scene() -> tuple[list[set[str]], list[str]]:
        probe = Probe("probe")
        async with assembled(WEB, others=[probe.bound]) as healthd:
            await until(healthd, lambda: bool(healthd.store.remembered))
            await tick(healthd, 30)
            await until(healthd, lambda: len(healthd.store.remembered) == 2)
            kept = [{series.component for series in values} for _, values in healthd.store.remembered]
            return kept, [note.event for note in healthd.store.noted]

    kept, noted = asyncio.run(scene())
    assert kept == [{"", "services", "probe"}] * 2
    assert noted.count("component_changed") == 2


def test_a_built_in_check_that_hangs_keeps_nothing_from_being_remembered() -> None:
    async def scene() -> list[set[str]]:
        probe = Probe("probe")
        probe.gate.clear()
        async with assembled(WEB, others=[probe.bound]) as healthd:
            await tick(healthd, 30)
            await until(healthd, lambda: bool(healthd.store.remembered))
            return [{series.component for series in values} for _, values in healthd.store.remembered]

    assert asyncio.run(scene()) == [{"", "services"}]


def test_what_was_read_before_a_restart_is_the_past_of_what_is_read_after_it() -> None:
    async def scene() -> Status:
        probe = Probe("probe")
        async with assembled(WEB, others=[probe.bound], judged=False) as healthd:
            now = healthd.clock.wall()
            past = [(now - 1800 + 30 * minute, 40 + minute / 2) for minute in range(60)]
            scores = [(at, 1.0) for at, _ in past]
            healthd.pipeline.recall({Series("probe", "", "used_percent"): past, Series("probe", "", "score"): scores})
            probe.measures = (Measure(name="used_percent", value=70.0, critical=90.0, forecast=True),)
            await settle(healthd, "probe", Status.DEGRADED)
            return healthd.view.status().health_checks["probe"].status

    assert asyncio.run(scene()) is Status.DEGRADED


def test_the_host_is_not_told_of_before_the_first_round_is_through() -> None:
    async def scene() -> list[str]:
        slow = Probe("probe", weight=0.9)
        slow.gate.clear()
        dead = service("dead.service", active="failed", sub="failed", result="exit-code")
        async with assembled(WEB, dead, others=[slow.bound]) as healthd:
            await healthd.turn()
            assert healthd.log.of(Event.STATE_CHANGED) == []
            slow.gate.set()
            await asyncio.wait_for(healthd.pipeline.whole(), 5)
            await healthd.turn()
            return [str(record.fields["status"]) for record in healthd.log.of(Event.STATE_CHANGED)]

    assert asyncio.run(scene()) == ["degraded"]


def test_a_check_that_hangs_withholds_the_host_for_one_round_only() -> None:
    async def scene() -> list[str]:
        hung = Probe("probe")
        hung.gate.clear()
        async with assembled(WEB, others=[hung.bound]) as healthd:
            assert healthd.log.of(Event.STATE_CHANGED) == []
            healthd.clock.advance(30)
            await healthd.turn()
            return [str(record.fields["status"]) for record in healthd.log.of(Event.STATE_CHANGED)]

    assert asyncio.run(scene()) == ["healthy"]
