"""For any sequence of failures, people, crashes, reboots, clocks and reloads: no limit is ever exceeded.

The machine below plays the host, the operator and the pipeline; the witness counts.
"""

from __future__ import annotations

import json
from dataclasses import replace
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck
from hypothesis import settings as search
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from healthd.config import Heal, Settings
from healthd.decide import engine
from healthd.decide.happenings import Started
from healthd.decide.silence import MOST_SILENCES, Kind, Scope, Window
from healthd.decide.upgrade import MOST_SECONDS, SETTLE_SECONDS
from healthd.model import SystemState
from healthd.record.saved import entries, restore
from tests.fake_units import service
from tests.unit.builders import detail
from tests.unit.decide.bench import EVERYTHING, Bench
from tests.unit.decide.chances import (
    FAILURES,
    MEDDLING,
    NAMES,
    RELATIONS,
    RESULTS,
    UNCHANGED,
    configurations,
    some_units,
    times,
    unit_names,
)
from tests.unit.decide.disks import Disks
from tests.unit.decide.witness import ROUNDING, Witness

if TYPE_CHECKING:
    from healthd.decide.state import EngineState
    from healthd.model import UnitFacts

DAY, HALF_A_DAY = 86_400.0, 43_200.0
STATES = (*(SystemState.RUNNING,) * 5, SystemState.STARTING, SystemState.STOPPING, None)
FATES = ("done",) * 6 + ("dies before it writes", "dies before it dispatches")


def lasting(state: EngineState) -> EngineState:
    """The state but for what each start of healthd sees to anew: how attempts in flight go on, and what seems well."""
    tickets = []
    for ticket in state.tickets.values():
        attempt = ticket.attempt
        begun = None if attempt is None else replace(attempt, ended_at=None, result="", text="", up_since=None)
        tickets.append(replace(ticket, attempt=begun, well_since=None))
    return state.with_tickets(tickets)


class Machine(Disks):
    """A host with three units, its people, and healthd, which may die at any moment."""

    @initialize(
        configuration=configurations,
        fresh=st.booleans(),
        restart=st.sampled_from(("no", "on-failure")),
        relations=st.sampled_from(RELATIONS),
    )
    def begin(self, configuration: Settings, fresh: bool, restart: str, relations: dict[str, str]) -> None:
        below = {name: (relations[name],) if name in relations else () for name in NAMES}
        units = [service(name, detail=detail(requires=below[name])) for name in NAMES]
        units[0] = replace(units[0], detail=detail(restart=restart, requires=below[NAMES[0]]))
        self.chain = relations if NAMES[0] not in relations else {}
        self.bench = Bench(*units, configuration=configuration, fresh=fresh)
        self.witness = Witness(configuration)
        self.up_since = dict.fromkeys(NAMES, self.bench.time)
        self.jobs = self.turns = 0
        self.silenced: list[tuple[str, float | None]] = []
        self.work_began = self.work_ended = self.work_seen = float("-inf")

    # The host

    def put(self, name: str, **changes: Any) -> None:
        """The unit changes; when its present run began is noted."""
        before = self.facts(name)
        self.bench.set(name, **changes)
        after = self.facts(name)
        if not after.running:
            self.up_since.pop(name, None)
        elif not before.running or before.invocation != after.invocation:
            self.up_since[name] = self.bench.time

    def facts(self, name: str) -> UnitFacts:
        return self.bench.units.facts().get(name) or service(name, active="inactive")

    def run(self, name: str) -> None:
        self.up_since.pop(name, None)
        self.bench.bring_up(name)
        self.up_since[name] = self.bench.time

    @rule(name=unit_names, how=st.sampled_from(FAILURES))
    def a_unit_fails(self, name: str, how: dict[str, Any]) -> None:
        self.put(name, **how)

    @rule(how=st.sampled_from(FAILURES[:2]))
    def all_units_fail_at_once(self, how: dict[str, Any]) -> None:
        for name in NAMES:
            self.put(name, **how)
        self.turn(None)

    @rule(name=unit_names)
    def a_unit_comes_back_by_itself_or_by_hand(self, name: str) -> None:
        self.run(name)

    @rule(name=unit_names)
    def systemd_restarts_a_unit_by_itself(self, name: str) -> None:
        restarts = (*self.facts(name).auto_restarts, self.bench.boot)[-10:]
        self.put(name, active="activating", sub="auto-restart", auto_restarts=restarts)

    @rule(name=unit_names)
    def a_unit_is_starting(self, name: str) -> None:
        self.jobs += 1
        self.put(name, active="activating", sub="start", invocation=f"starting-{self.jobs}", stopped_by_job=False)

    @rule(name=unit_names, how=st.sampled_from(MEDDLING))
    def somebody_meddles_with_a_unit(self, name: str, how: dict[str, Any]) -> None:
        self.jobs += 1
        self.put(name, **how, **({"job": self.jobs} if "own_job" in how else {}))

    @rule(name=unit_names)
    def somebody_puts_a_unit_in_order(self, name: str) -> None:
        self.put(name, load="loaded", file_state="enabled")
        if not self.facts(name).own_job:
            self.put(name, job=0)

    @rule(name=unit_names, well=st.booleans())
    def a_probe_of_a_unit_sees_something(self, name: str, well: bool) -> None:
        self.bench.probes[name] = well

    @rule(name=unit_names, result=st.sampled_from(RESULTS), how=st.sampled_from((None, None, UNCHANGED, *FAILURES)))
    def the_job_of_an_attempt_ends(self, name: str, result: str, how: dict[str, Any] | None) -> None:
        if name in self.witness.in_flight:
            if how is not UNCHANGED:
                self.run(name)
            if how is not None:
                self.put(name, **how)
            self.bench.end_job(name, result)
            self.put(name, job=0, own_job=False)

    @rule(state=st.sampled_from(STATES))
    def the_host_is_said_to_be(self, state: SystemState | None) -> None:
        self.bench.units.connected = state is not None
        self.bench.units.system = state or SystemState.RUNNING

    @rule(error=st.sampled_from((-1e9, -3600.0, 0.0, 1e6, 1e9)))
    def somebody_sets_the_wall_clock(self, error: float) -> None:
        self.bench.wall_error = error

    @rule(work=st.sampled_from(("", "apt-get holds dpkg's lock")))
    def packages_are_installed(self, work: str) -> None:
        if work and not self.bench.package_work and self.bench.time - self.work_ended >= SETTLE_SECONDS:
            self.work_began = self.bench.time
        if self.bench.package_work and not work:
            self.work_ended = self.bench.time
        self.bench.package_work = work

    @rule(off=times, up=st.booleans())
    def the_host_reboots(self, off: float, up: bool) -> None:
        self.bench.pass_time(off)
        self.bench.units.connected = True
        self.bench.reboot()
        # By the wall clock, which somebody may have set, a silence may have ended by now.
        self.silenced = [each for each in self.silenced if each[1] is None]
        self.up_since = dict.fromkeys(NAMES, self.bench.time)
        if not up:
            self.put(NAMES[0], **FAILURES[0])
        self.witness.host_rebooted()

    # The operator

    @rule(configuration=configurations)
    def somebody_reloads_the_settings(self, configuration: Settings) -> None:
        self.witness.configured(configuration, self.bench.time)
        self.bench.settings = configuration
        self.turn(None)

    @rule(name=unit_names)
    def somebody_orders_a_unit_healed(self, name: str) -> None:
        self.bench.order(name)
        self.turn(())

    @rule(name=st.sampled_from((*NAMES, "[ab].service", "")), seconds=times, calendar=st.booleans())
    def somebody_silences_something(self, name: str, seconds: float, calendar: bool) -> None:
        scope = Scope(Kind.UNITS, name) if name else EVERYTHING
        length = HALF_A_DAY if calendar else max(seconds, 1.0)
        self.bench.silence(scope, length, **({"calendar": "noon", "until": None} if calendar else {}))
        turns = self.turns
        self.turn(())
        if self.turns > turns and len(self.silenced) < MOST_SILENCES:
            self.silenced.append((name, None if calendar else self.bench.time + length))

    @rule()
    def somebody_ends_all_silences(self) -> None:
        self.bench.resume(*(silence.id for silence in self.bench.state.silences))
        self.silenced.clear()  # what they held back may begin in this very turn
        self.turn(())

    @rule(name=unit_names)
    def somebody_resets_a_unit(self, name: str) -> None:
        self.bench.reset(name)
        self.witness.reset(name)
        self.turn(None, everything=True)

    # healthd

    @rule(seconds=times)
    def time_passes_and_nobody_looks(self, seconds: float) -> None:
        self.bench.pass_time(seconds)

    @rule(seconds=times)
    def time_passes_and_healthd_wakes_when_it_must(self, seconds: float) -> None:
        end = self.bench.time + seconds
        for _ in range(30):
            due = self.bench.due_at()
            if due is None or due > end:
                break
            self.bench.time = max(self.bench.time, due) + 1e-6
            again = self.bench.again_at is not None and self.bench.again_at <= self.bench.boot
            self.turn(None if again else ())
        self.bench.time = max(self.bench.time, end)

    @rule(names=some_units, fate=st.sampled_from(FATES))
    def healthd_hears_of_units(self, names: tuple[str, ...], fate: str) -> None:
        self.turn(names, fate=fate)

    @rule(fate=st.sampled_from(FATES), everything=st.booleans())
    def healthd_looks_at_all(self, fate: str, everything: bool) -> None:
        self.turn(None, fate=fate, everything=everything)

    @rule(
        name=unit_names, how=st.sampled_from(FAILURES), result=st.sampled_from(RESULTS), seconds=times, up=st.booleans()
    )
    def a_unit_fails_again_and_again(
        self, name: str, how: dict[str, Any], result: str, seconds: float, up: bool
    ) -> None:
        for _ in range(5):
            self.put(name, **how)
            self.turn((name,))
            if name in self.witness.in_flight:
                self.bench.pass_time(seconds)
                self.the_job_of_an_attempt_ends(name, result, None if up else how)
                self.turn((name,))
            self.time_passes_and_healthd_wakes_when_it_must(seconds)

    @rule(name=unit_names, seconds=st.sampled_from((3601.0, 90_000.0)))
    def nothing_helps_a_unit(self, name: str, seconds: float) -> None:
        for _ in range(6):
            self.put(name, **FAILURES[1], load="loaded", file_state="enabled", stopped_by_job=False)
            self.turn((name,))
            if name in self.witness.in_flight:
                self.the_job_of_an_attempt_ends(name, "failed", FAILURES[1])
                self.turn((name,))
            self.time_passes_and_healthd_wakes_when_it_must(seconds)

    @rule()
    def healthd_dies_and_comes_back(self) -> None:
        self.die()

    def die(self) -> None:
        self.bench.restart_healthd()
        self.witness.healthd_died()
        for name in NAMES:
            self.put(name, own_job=False)

    def turn(self, names: tuple[str, ...] | None, *, everything: bool = False, fate: str = "done") -> None:
        bench, saved, seen = self.bench, self.bench.saved, len(self.bench.happened)
        noon = bench.wall // DAY * DAY + HALF_A_DAY
        bench.windows["noon", HALF_A_DAY] = Window(noon, noon + HALF_A_DAY)
        self.witness.turn_begins(bench.time)
        happened = bench.turn(names, everything=everything)
        if fate == "dies before it writes":
            bench.saved = saved
            del bench.happened[seen:]
            self.die()
            return
        self.check_step()
        self.witness.check_incidents(bench.state)
        self.turns += 1
        if bench.package_work:
            self.work_seen = bench.time
        for happening in happened:
            ticket = getattr(happening, "ticket", None)
            unit = self.facts(ticket.unit) if ticket is not None and ticket.unit else None
            up_since = self.up_since.get(unit.name) if unit is not None else None
            self.witness.saw(happening, bench.time, unit, up_since)
        for happening in happened:
            if isinstance(happening, Started) and fate == "done":
                self.check_permission(happening)
                self.witness.dispatch(happening, bench.time, self.facts(happening.attempt.unit))
                self.jobs += 1
                if self.jobs % 2 and happening.attempt.unit in NAMES:  # systemd may be slow to show it
                    self.put(happening.attempt.unit, job=self.jobs, own_job=True)
        if fate != "done":
            self.die()

    def is_noon(self) -> bool:
        """Whether the wall clock is in the second half of a day: the window of the calendar silence."""
        return self.bench.wall % DAY >= HALF_A_DAY

    # What must hold

    def check_what_it_requires(self, name: str) -> None:
        """Nothing is healed before what it stands on."""
        while name := self.chain.get(name, ""):
            below = self.facts(name)
            assert below.active != "failed"
            assert below.active != "activating"
            assert not (below.stopped_by_job and not below.running)
            assert below.load != "masked"
            assert name not in self.witness.in_flight

    def check_step(self) -> None:
        """The same arguments give the same answer; what was decided is in the state, and the state on the disk."""
        bench = self.bench
        again = engine.step(bench.settings, bench.before, bench.moment(), bench.news)
        assert again == bench.step
        for started in bench.step.happenings:
            if isinstance(started, Started):
                key = started.ticket.key
                assert bench.state.tickets[key].attempt == started.attempt
                assert bench.saved[f"ticket/{key}"]["attempt"]["started_at"] == started.attempt.started_at
        from_disk, _ = restore(bench.saved, seed=0, boot_id=bench.boot_id, boot=bench.boot)
        assert lasting(from_disk) == lasting(bench.state)

    def check_that_nothing_holds_the_host(self, started: Started) -> None:
        """Unasked nothing is started that is silenced, amidst an upgrade, or with healing switched off."""
        for name, until in self.silenced:
            open_now = self.is_noon() if until is None else self.bench.time < until - ROUNDING
            assert not (open_now and (not name or fnmatch(started.ticket.unit or "", name))), "silenced"
        settled = self.bench.time - self.work_seen >= SETTLE_SECONDS - ROUNDING
        assert settled or self.bench.time - self.work_began >= MOST_SECONDS - ROUNDING, "amidst an upgrade"
        assert self.bench.settings.health.auto_healing_enabled

    def check_permission(self, started: Started) -> None:
        """Nothing is started that must be left alone."""
        configuration, attempt = self.bench.settings, started.attempt
        unit, table = self.facts(attempt.unit), self.bench.settings.unit(attempt.unit)
        assert self.bench.units.connected
        assert self.bench.units.system is not SystemState.STOPPING
        assert not configuration.auto_healing.dry_run
        if not attempt.by:
            self.check_that_nothing_holds_the_host(started)
        if started.ticket.key.component == "storage":
            self.check_cleanup(started)
            return
        assert attempt.unit not in configuration.auto_healing.protect
        assert attempt.unit in configuration.auto_healing.allow or "*.service" in configuration.auto_healing.allow
        assert not unit.job
        assert not unit.running or started.ticket.key.component == "probes"
        assert unit.active != "activating"
        if not attempt.by:
            self.check_what_it_requires(attempt.unit)
            assert table.heal not in (Heal.OFF, Heal.SUGGEST)
            assert unit.load != "masked"
            assert not unit.stopped_by_job
            assert unit.file_state == "enabled" or table.heal is Heal.ON
            assert unit.exit_status != 203

    @invariant()
    def the_state_is_json_exactly(self) -> None:
        bench = self.bench
        rows, _ = entries(bench.state, bench.engine_clock, bench.boot, bench.state.tickets, ())
        back, clock = restore(json.loads(json.dumps(rows)), seed=0, boot_id=bench.boot_id, boot=bench.boot)
        assert back == bench.state
        assert abs(clock.now(bench.boot) - bench.engine_clock.now(bench.boot)) < 1e-6

    @invariant()
    def healthd_never_wakes_for_nothing(self) -> None:
        wake = self.bench.step.wake_at
        assert wake is None or self.bench.step.state is not self.bench.state or wake > self.bench.stepped_at

    @invariant()
    def engine_time_never_runs_ahead_of_true_time(self) -> None:
        assert self.bench.engine_clock.now(self.bench.boot) <= self.bench.time - self.bench.began + 1e-3


Machine.TestCase.settings = search(
    max_examples=40, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)
test_no_limit_is_ever_exceeded = Machine.TestCase
