"""Under other settings: what would have been done, and what that would have come to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from healthd.config import Heal, UnitSettings
from healthd.decide.silence import Kind, Scope
from tests.fake_units import service
from tests.unit.builders import UNIT, detail, settings
from tests.unit.decide.bench import fail_attempt, healed
from tests.unit.simulate.taped import ENOUGH, TapedBench, actions, holds, spoken, times

OTHER = "other.service"
START = (UNIT, "start_unit")


def taped(**auto_healing: Any) -> TapedBench:
    return TapedBench(service(UNIT), service(OTHER), configuration=settings(**auto_healing))


def crash_loop(bench: TapedBench, failures: int) -> TapedBench:
    """The unit is killed, and each attempt at it fails."""
    bench.kill(UNIT)
    bench.turn([UNIT])
    for _ in range(failures):
        fail_attempt(bench)
        bench.later(100.0)
    return bench


def test_fewer_attempts_are_fewer_actions_and_the_same_outcomes() -> None:
    bench = crash_loop(taped(), 3)

    replayed = bench.replayed(settings(health={"max_healing_attempts": 2}))

    assert actions(replayed.was) == [START] * 3
    assert actions(replayed.would) == [START] * 2
    assert [each.deed.outcome for each in replayed.would if each.deed.kind == "ended"] == ["failed"] * 2
    assert any(each.deed.kind == "gave_up" for each in replayed.would)


def test_more_attempts_come_to_what_the_last_ones_did() -> None:
    bench = crash_loop(taped(), 3)
    bench.later(1000.0)

    replayed = bench.replayed(settings(health={"max_healing_attempts": 5}, host_budget_seconds=0.0))

    assert actions(replayed.would) == [START] * 5
    assert dict(replayed.guesses) == {"attempt": 2}


UNBOUND = settings(
    health={"max_healing_attempts": 0}, backoff_seconds=0.0, host_budget_actions=0, suggest_after_failures=0
)


def test_settings_that_nothing_holds_back_end_the_replay() -> None:
    bench = crash_loop(taped(), 3)
    bench.later(86400.0)

    replayed = bench.replayed(UNBOUND)

    assert replayed.ran_away
    assert sum(replayed.guesses.values()) == ENOUGH
    assert replayed.ended < bench.wall
    assert [each.wall for each in replayed.would] == sorted(each.wall for each in replayed.would)
    assert replayed.would[-1].wall == replayed.ended


def test_what_would_come_after_the_end_of_the_record_is_not_shown() -> None:
    bench = taped()
    bench.kill(UNIT)
    bench.turn([UNIT])
    bench.later(20.0)
    fail_attempt(bench)
    bench.later(100.0)

    replayed = bench.replayed(UNBOUND)

    assert not replayed.ran_away
    assert times(replayed.would, 0.0) == [0, 20, 40, 60, 80, 100, 120]
    assert max(each.wall for each in replayed.would) <= bench.wall


def test_an_action_that_is_not_done_leaves_the_unit_down_though_it_came_up_then() -> None:
    bench = taped()
    bench.kill(UNIT)
    bench.turn([UNIT])
    healed(bench)
    bench.later(600.0)

    replayed = bench.replayed(settings(dry_run=True))

    assert actions(replayed.would) == []
    assert holds(replayed.would) == ["dry_run"]
    assert not any(each.deed.kind == "resolved" for each in replayed.would)
    assert [each.instead for each in replayed.was if each.deed.kind == "started"] == [
        "dry_run: auto_healing.dry_run is true: start_unit would be done now, and nothing is touched"
    ]


def test_what_somebody_else_brings_up_is_up_in_both_worlds() -> None:
    bench = crash_loop(taped(), 3)
    bench.bring_up(UNIT)
    bench.turn([UNIT])
    bench.later(10.0)

    replayed = bench.replayed(settings(dry_run=True))

    assert [each.deed.kind for each in replayed.would if each.deed.kind != "held"] == ["opened", "resolved"]


def test_what_fails_after_it_was_healed_fails_in_both_worlds() -> None:
    bench = taped()
    for _ in range(2):
        bench.kill(UNIT)
        bench.turn([UNIT])
        healed(bench)
        bench.later(2000.0)

    replayed = bench.replayed(settings(backoff_seconds=5.0))

    assert spoken(replayed.would) == spoken(replayed.was)


def test_an_action_that_was_held_helps_if_the_record_has_the_unit_well_later() -> None:
    bench = taped(dry_run=True)
    bench.kill(UNIT)
    bench.turn([UNIT])
    bench.later(300.0)
    bench.bring_up(UNIT)
    bench.turn([UNIT])
    bench.later(10.0)

    replayed = bench.replayed(settings())

    assert actions(replayed.would) == [START]
    assert dict(replayed.guesses) == {"recovery": 1}
    assert [round(each.now) for each in replayed.would if each.deed.kind == "resolved"] == [1]
    assert [each.instead.partition(":")[0] for each in replayed.would if each.deed.kind == "started"] == ["dry_run"]


def test_an_action_of_which_nothing_is_known_does_not_help() -> None:
    bench = taped(dry_run=True)
    bench.kill(UNIT)
    bench.turn([UNIT])
    bench.later(3000.0)

    replayed = bench.replayed(settings(retry_after_give_up_seconds=0.0))

    assert actions(replayed.would) == [START] * 3
    assert dict(replayed.guesses) == {"nothing": 3}


def test_a_longer_pause_makes_an_attempt_later_and_it_comes_to_what_was_so_by_then() -> None:
    bench = crash_loop(taped(), 1)  # the second attempt is under way
    healed(bench)
    bench.later(600.0)

    replayed = bench.replayed(settings(backoff_seconds=60.0))

    assert times(replayed.was, 0.0)[0] == times(replayed.would, 0.0)[0]
    assert 60 <= times(replayed.would, 0.0)[1] <= 67
    assert [each.deed.outcome for each in replayed.would if each.deed.kind == "ended"] == ["failed", "success"]


def test_between_an_attempt_that_failed_and_one_that_helped_the_nearer_one_counts() -> None:
    bench = crash_loop(taped(backoff_seconds=200.0), 1)
    bench.later(200.0)
    healed(bench)
    bench.later(600.0)

    replayed = bench.replayed(settings(backoff_seconds=60.0))

    assert [each.deed.outcome for each in replayed.would if each.deed.kind == "ended"] == ["failed"] * 2 + ["success"]


def test_a_budget_of_the_host_holds_one_unit_and_not_the_other() -> None:
    bench = taped()
    for name in (UNIT, OTHER):
        bench.kill(name)
        bench.turn([name])
        healed(bench, name)
    bench.later(2000.0)

    replayed = bench.replayed(settings(host_budget_actions=1))

    assert actions(replayed.was) == [START, (OTHER, "start_unit")]
    assert times(replayed.would, times(replayed.was, 0.0)[0]) == [0, 600]
    assert holds(replayed.would) == ["host_budget"]


def test_a_unit_that_a_stopped_one_needs_holds_what_needs_it() -> None:
    bench = TapedBench(service(UNIT, detail=detail(requires=(OTHER,))), service(OTHER), configuration=settings())
    for name in (OTHER, UNIT):
        bench.kill(name)
    bench.turn(None)
    healed(bench, OTHER)
    healed(bench, UNIT)
    bench.later(100.0)

    replayed = bench.replayed(settings(units={OTHER: UnitSettings(heal=Heal.OFF)}))

    assert actions(replayed.was) == [(OTHER, "start_unit"), START]
    assert actions(replayed.would) == []
    assert sorted(holds(replayed.would)) == ["dependency", "disabled"]


def test_what_is_ignored_has_no_issue() -> None:
    bench = crash_loop(taped(), 3)
    configuration = settings()
    ignoring = replace(configuration, services=replace(configuration.services, ignore=("web*",)))

    assert not bench.replayed(ignoring).would


def test_what_somebody_stops_meanwhile_is_left_alone_in_both_worlds() -> None:
    bench = crash_loop(taped(), 3)
    bench.set(UNIT, active="inactive", sub="dead", stopped_by_job=True)
    bench.turn([UNIT])
    bench.later(5000.0)

    replayed = bench.replayed(settings(health={"max_healing_attempts": 10}, host_budget_seconds=0.0))

    kinds = [each.deed.kind for each in replayed.would]
    assert "resolved" in kinds
    assert "started" not in kinds[kinds.index("resolved") :]
    assert len(actions(replayed.would)) < 10


def test_a_silence_of_the_record_holds_in_both_worlds() -> None:
    bench = taped()
    bench.silence(Scope(Kind.UNITS, UNIT), 100.0)
    bench.turn(())
    bench.kill(UNIT)
    bench.turn([UNIT])
    bench.later(150.0)

    replayed = bench.replayed(settings(backoff_seconds=1.0))

    assert holds(replayed.would) == ["silenced"]
    assert actions(replayed.would) == [START]


def test_healthd_that_is_started_anew_goes_on_where_it_was_in_both_worlds() -> None:
    bench = crash_loop(taped(), 1)
    bench.restart_healthd()
    bench.turn()
    bench.later(2000.0)

    replayed = bench.replayed(settings(health={"max_healing_attempts": 2}))

    assert actions(replayed.would) == [START] * 2


def test_where_frames_are_missing_the_replay_goes_on_at_the_next_whole_one() -> None:
    bench = crash_loop(taped(), 2)
    del bench.taped[3:5]
    bench.later(7 * 3600.0)
    bench.bring_up(UNIT)
    bench.turn([UNIT])
    bench.later(7 * 3600.0, everything=True)
    bench.kill(UNIT)
    bench.turn([UNIT])

    replayed = bench.replayed()

    assert len(replayed.gaps) == 1
    assert actions(replayed.would)[-1] == START
