"""What is silenced is watched and not healed, for as long as somebody said, and not a moment longer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from healthd.decide.happenings import Held, Opened, Resolved, Silenced, SilenceEnded, SilenceLasts, WindowOpened
from healthd.decide.quiet import REMIND_SECONDS
from healthd.decide.silence import MOST_SILENCES, Kind, Scope, Silence, Window, after_reboot, end_of, silence_of
from healthd.model import HoldReason
from tests.fake_units import service
from tests.unit.builders import UNIT
from tests.unit.decide.bench import EVERYTHING, Bench, healed, the_hold

NIGHTLY = "*-*-* 02:00"
WEB = Scope(Kind.UNITS, "web.service")


def host(*more: str) -> Bench:
    return Bench(service(UNIT), *(service(name) for name in more))


def kill(bench: Bench, name: str = UNIT) -> None:
    bench.kill(name)
    bench.turn([name])


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        (EVERYTHING, True),
        (Scope(Kind.COMPONENT, "services"), True),
        (Scope(Kind.COMPONENT, "storage"), False),
        (Scope(Kind.COMPONENT, "site", unit="web.service"), True),
        (Scope(Kind.ITEM, UNIT, "services"), True),
        (Scope(Kind.ITEM, UNIT, "probes"), False),
        (Scope(Kind.ITEM, "/var", "storage", "web.service"), True),
        (WEB, True),
        (Scope(Kind.UNITS, "we?.service"), True),
        (Scope(Kind.UNITS, "db-*.service"), False),
    ],
)
def test_a_silence_is_about_what_its_scope_covers(scope: Scope, covered: bool) -> None:
    bench = host()
    bench.silence(scope)
    kill(bench)

    assert bench.held() == [HoldReason.SILENCED] * covered
    assert len(bench.started()) == (not covered)


def test_a_pattern_of_units_is_not_about_what_has_no_unit() -> None:
    assert not Scope(Kind.UNITS, "*").covers("storage", "/var", None)
    assert Scope(Kind.ALL).covers("storage", "/var", None)


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        (EVERYTHING, "everything"),
        (Scope(Kind.COMPONENT, "memory"), "component memory"),
        (Scope(Kind.ITEM, "/var", "storage"), "storage /var"),
        (WEB, "web.service"),
    ],
)
def test_a_scope_says_what_it_is_about(scope: Scope, words: str) -> None:
    assert str(scope) == words


def test_the_hold_says_who_why_and_until_when() -> None:
    bench = host()
    bench.silence(WEB, 600.0, reason="new disk")
    kill(bench)
    (held,) = bench.of(Held)

    assert held.text == "bob silenced web.service: new disk (s1)"
    assert held.wait == pytest.approx(600.0)
    assert [each.silence.id for each in bench.of(Silenced)] == ["s1"]


def test_it_ends_by_itself_and_then_what_is_down_is_healed() -> None:
    bench = host()
    bench.silence(seconds=600.0)
    kill(bench)
    bench.later(599.0)
    assert not bench.started()
    bench.later(2.0)

    assert [each.text for each in bench.of(SilenceEnded)] == ["its time is over"]
    assert [attempt.unit for attempt in bench.started()] == [UNIT]
    assert bench.state.silences == ()


def test_what_is_silenced_in_the_very_turn_that_sees_the_failure_is_not_touched() -> None:
    bench = host()
    bench.kill(UNIT)
    bench.silence()
    bench.turn([UNIT])

    assert the_hold(bench) is HoldReason.SILENCED
    assert not bench.started()


def test_somebody_ends_it_and_what_is_down_is_healed_at_once() -> None:
    bench = host()
    bench.silence()
    bench.silence(WEB)
    kill(bench)
    bench.resume("s1", "s2", "s99")
    bench.turn(())

    assert [each.text for each in bench.of(SilenceEnded)] == ["carol ended it"] * 2
    assert len(bench.started()) == 1


def test_of_several_the_one_that_lasts_longest_is_named() -> None:
    bench = host("backup.service")
    bench.silence(seconds=60.0)
    bench.silence(WEB, 600.0)
    kill(bench)
    assert "(s2)" in bench.of(Held)[0].text
    bench.silence(unit="backup.service", until=None)
    bench.turn(())
    moment = bench.moment()
    found = silence_of(bench.state.silences, moment, component="services", item=UNIT, unit=UNIT)

    assert found is not None
    assert (found.id, end_of(found, moment)) == ("s3", None)


def test_recovery_is_seen_and_an_attempt_that_had_begun_is_seen_to_its_end() -> None:
    bench = host()
    kill(bench)
    bench.silence()
    bench.turn(())
    healed(bench)
    assert bench.outcomes() == ["success"]
    kill(bench)
    bench.bring_up(UNIT)
    bench.turn([UNIT])
    bench.later(2.0)

    assert len(bench.of(Opened)) == len(bench.of(Resolved)) == 2


def test_an_order_by_hand_is_carried_out() -> None:
    bench = host()
    bench.silence()
    kill(bench)
    bench.order(UNIT)
    bench.turn(())

    assert [attempt.by for attempt in bench.started()] == ["alice"]


def test_between_two_turns_one_whose_time_is_over_does_not_silence_any_more() -> None:
    bench = host()
    bench.silence(seconds=600.0)
    bench.turn(())
    late = replace(bench.moment(), now=bench.moment().now + 601.0)

    assert silence_of(bench.state.silences, late, component="services", item=UNIT, unit=UNIT) is None


# While a unit runs


@pytest.mark.parametrize("active", ["active", "activating", "deactivating", "reloading"])
def test_it_goes_on_while_the_unit_runs_and_ends_with_it(active: str) -> None:
    bench = host("backup.service")
    bench.silence(unit="backup.service", until=None)
    bench.set("backup.service", active=active)
    kill(bench)
    bench.later(50_000.0)
    assert the_hold(bench) is HoldReason.SILENCED
    assert "while backup.service runs" in bench.of(Held)[0].text
    bench.set("backup.service", active="inactive", sub="dead", stopped_by_job=True)
    bench.turn(["backup.service"])

    assert [each.text for each in bench.of(SilenceEnded)] == ["backup.service is through"]
    assert [attempt.unit for attempt in bench.started()] == [UNIT]


def test_a_unit_with_a_job_on_it_is_about_to_run_and_one_that_is_gone_does_not() -> None:
    bench = host("backup.service")
    bench.silence(unit="backup.service", until=None)
    bench.set("backup.service", active="inactive", sub="dead", job=7)
    bench.turn(["backup.service"])
    assert len(bench.state.silences) == 1
    bench.units.remove("backup.service")
    bench.turn()

    assert not bench.state.silences


def test_while_systemd_cannot_be_asked_it_goes_on() -> None:
    bench = host("backup.service")
    bench.silence(unit="backup.service", until=None)
    bench.turn(())
    bench.units.remove("backup.service")
    bench.units.connected = False
    bench.turn()
    assert len(bench.state.silences) == 1
    bench.units.connected = True
    bench.turn()

    assert not bench.state.silences


# By a calendar


def by_calendar(bench: Bench, begins: float, seconds: float = 600.0) -> None:
    """A silence whose window begins so many seconds from now."""
    bench.windows[NIGHTLY, seconds] = Window(bench.wall + begins, bench.wall + begins + seconds)
    bench.silence(seconds=seconds, calendar=NIGHTLY, until=None)
    bench.turn(())


def test_it_is_in_force_in_its_windows_only() -> None:
    bench = host("other.service")
    by_calendar(bench, 100.0)
    kill(bench, "other.service")
    assert [attempt.unit for attempt in bench.started()] == ["other.service"]
    healed(bench, "other.service")
    bench.later(110.0)
    assert [each.silence.id for each in bench.of(WindowOpened)] == ["s1"]
    kill(bench)
    assert bench.held() == [HoldReason.SILENCED]
    assert bench.of(Held)[0].wait == pytest.approx(590.0, abs=2.0)
    ends = bench.windows[NIGHTLY, 600.0]
    assert ends is not None
    bench.windows[NIGHTLY, 600.0] = Window(ends.ends + 1e5, ends.ends + 1e5 + 600.0)
    bench.later(600.0)

    assert [attempt.unit for attempt in bench.started()] == ["other.service", UNIT]
    assert len(bench.state.silences) == 1
    assert not bench.of(SilenceEnded)


def test_a_window_that_is_open_when_it_is_set_counts_at_once() -> None:
    bench = host()
    by_calendar(bench, -100.0)
    kill(bench)

    assert the_hold(bench) is HoldReason.SILENCED
    assert not bench.of(WindowOpened)  # that it was set has been said


def test_a_clock_that_is_set_opens_and_closes_windows_at_the_next_turn() -> None:
    bench = host()
    by_calendar(bench, 5000.0)
    bench.wall_error = 5100.0
    kill(bench)
    assert the_hold(bench) is HoldReason.SILENCED
    bench.wall_error = 0.0
    bench.turn(())

    assert len(bench.started()) == 1


def test_it_ends_when_its_calendar_names_no_further_time() -> None:
    bench = host()
    by_calendar(bench, 100.0)
    bench.windows[NIGHTLY, 600.0] = None
    bench.turn(())

    assert [each.text for each in bench.of(SilenceEnded)] == ["its calendar names no further time"]


def test_a_window_that_is_not_known_stays_as_it_was() -> None:
    bench = host()
    by_calendar(bench, -100.0)
    bench.windows.clear()
    kill(bench)

    assert the_hold(bench) is HoldReason.SILENCED
    assert bench.of(Held)[0].wait is None


# Forgotten ones, many, and what is kept


def test_one_that_lasts_for_days_is_brought_to_mind_once_a_day() -> None:
    bench = host()
    bench.silence(seconds=3 * REMIND_SECONDS)
    bench.turn(())
    bench.later(2.5 * REMIND_SECONDS)

    assert [round(each.lasted / REMIND_SECONDS) for each in bench.of(SilenceLasts)] == [1, 2]


def test_there_are_only_so_many_at_a_time() -> None:
    bench = host()
    for _ in range(MOST_SILENCES + 1):
        bench.silence()
    bench.turn(())

    assert len(bench.state.silences) == len(bench.of(Silenced)) == MOST_SILENCES


def test_the_number_of_one_that_ended_is_not_given_again() -> None:
    bench = host()
    bench.silence()
    bench.turn(())
    bench.resume("s1")
    bench.silence()
    bench.turn(())

    assert [each.id for each in bench.state.silences] == ["s2"]


def test_a_restart_of_healthd_changes_nothing() -> None:
    bench = host()
    bench.silence(WEB, 600.0, reason="new disk")
    bench.turn(())
    before = bench.state.silences
    bench.pass_time(300.0)
    bench.restart_healthd()
    bench.turn()
    assert bench.state.silences == before
    kill(bench)
    bench.later(299.0)
    assert the_hold(bench) is HoldReason.SILENCED
    bench.later(2.0)

    assert len(bench.started()) == 1


def test_a_state_that_was_saved_before_there_were_silences_has_none() -> None:
    bench = host()
    for key in ("silences", "silence_number", "upgrade"):
        del bench.saved["engine"][key]
    bench.restart_healthd()

    assert bench.state.silences == ()


def test_over_a_reboot_the_time_for_which_the_host_was_off_counts() -> None:
    bench = host()
    bench.silence(seconds=3600.0)
    bench.turn(())
    bench.pass_time(3500.0)
    bench.reboot()
    bench.turn()
    kill(bench)
    assert the_hold(bench) is HoldReason.SILENCED
    bench.later(101.0)

    assert len(bench.started()) == 1


def test_a_clock_that_is_wrong_after_a_reboot_makes_no_silence_longer_and_ends_none_that_it_cannot_know() -> None:
    silence = Silence(
        id="s1", scope=WEB, by="bob", set_at=0.0, set_wall=1000.0, seconds=600.0, until=600.0, reminded=0.0
    )
    endless = replace(silence, until=None)

    def until(now: float, wall: float) -> float | None:
        return after_reboot([silence], now, wall)[0].until

    assert until(100.0, 1300.0) == 400.0  # 300 s are left
    assert until(100.0, 9000.0) == 100.0  # its time is over
    assert until(100.0, 500.0) == 600.0  # before it was set: that cannot be
    assert until(100.0, 1000.0) == 600.0  # never longer
    assert after_reboot([endless], 100.0, 9000.0) == (endless,)
