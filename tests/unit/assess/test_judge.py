"""What holds after what was seen: confirmed, with a margin, flapping, foretold; unknown neither sets nor clears."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthd.assess.behind import UNIT_DOWN
from healthd.assess.judge import FLAPPING_READINGS, FORECAST, Memory, Rules, judge
from healthd.model import Assessment, Finding, IssueType, Item, Measure, Status

if TYPE_CHECKING:
    from collections.abc import Iterable

PROBE = Rules(failures=3, successes=2)
AT_ONCE = Rules()

GOOD = Item(name="", status=Status.HEALTHY, score=1.0, message="answers")
REFUSED = Finding(type=IssueType.PROBE_FAILED, message="refused", cause="refused")
BAD = Item(name="", status=Status.UNHEALTHY, score=0.0, message="refused", findings=(REFUSED,))
BETWEEN = replace(GOOD, message="starting", settled=False)
UNKNOWN = Item(name="", status=Status.UNKNOWN, score=0.0, message="cannot be read")
STOPPED = replace(GOOD, message="stopped", stopped=True)
DOWN = replace(BAD, message="down", findings=(replace(REFUSED, message="down", cause=UNIT_DOWN),))


def used(percent: float, **changes: Any) -> Item:
    """An item that is held against limits."""
    measure = Measure(
        name="used_percent",
        value=percent,
        warning=85.0,
        critical=95.0,
        limit=100.0,
        issue=IssueType.DISK_FULL,
        text=f"{percent:g} % used",
        **{"forecast": True, **changes},
    )
    return Item(name="", status=Status.HEALTHY, score=1.0, message="a disk", measures=(measure,))


class Life:
    """A component that is judged again and again."""

    def __init__(self, rules: Rules = PROBE) -> None:
        self.rules, self.memory, self.now = rules, Memory(), 0.0

    def see(self, *items: Item, partial: bool = False, every: float = 30.0, out_of_turn: bool = False) -> Item:
        self.now += every
        assessment = Assessment(items=items, partial=partial)
        self.memory, judged = judge(self.memory, assessment, self.rules, self.now, out_of_turn=out_of_turn)
        return judged.items[-1]

    def all(self, items: Iterable[Item], every: float = 30.0) -> list[Item]:
        return [self.see(item, every=every) for item in items]


def test_a_first_good_reading_counts_at_once() -> None:
    assert Life().see(GOOD) == GOOD


def test_a_first_bad_reading_is_unknown_until_it_is_confirmed() -> None:
    first, second, third = Life().all([BAD, BAD, BAD])

    assert (first.status, first.settled, first.findings) == (Status.UNKNOWN, False, ())
    assert second.message == "refused (bad reading 2 of 3)"
    assert third == BAD


def test_what_was_good_stays_so_until_enough_readings_in_a_row_are_bad() -> None:
    life = Life()
    life.see(GOOD)
    seen = life.all([BAD, BAD, GOOD, BAD, BAD, BAD])

    assert [item.status for item in seen[:5]] == [Status.HEALTHY] * 5
    assert [item.settled for item in seen] == [False, False, True, False, False, True]
    assert seen[-1] == BAD


def test_what_was_bad_stays_so_until_enough_readings_in_a_row_are_good() -> None:
    life = Life()
    life.all([BAD, BAD, BAD])
    soft, between, again, hard = life.all([GOOD, BAD, GOOD, GOOD])

    assert (soft.status, soft.findings, soft.settled) == (Status.UNHEALTHY, BAD.findings, False)
    assert soft.message == "answers (good reading 1 of 2)"
    assert between.settled
    assert not again.settled
    assert hard == GOOD


def test_where_one_reading_is_certain_each_counts() -> None:
    assert Life(AT_ONCE).all([BAD, GOOD, BAD]) == [BAD, GOOD, BAD]


def test_another_kind_of_failure_must_be_confirmed_as_well() -> None:
    other = replace(BAD, findings=(*BAD.findings, Finding(type=IssueType.CERTIFICATE, message="expired")))
    life = Life()
    life.all([BAD, BAD, BAD])
    seen = life.all([other, other, other])

    assert [len(item.findings) for item in seen] == [1, 1, 2]


def test_between_two_states_nothing_is_counted() -> None:
    life = Life()
    life.see(GOOD)
    seen = life.all([BAD, BAD, BETWEEN, BAD, BAD])

    assert [item.settled for item in seen] == [False] * 5
    assert life.see(BAD) == BAD


def test_unknown_neither_sets_nor_clears() -> None:
    life = Life()
    life.all([BAD, BAD, BAD])
    unknown = life.see(UNKNOWN)

    assert (unknown.status, unknown.findings, unknown.score) == (Status.UNKNOWN, BAD.findings, 0.0)
    assert life.see(BAD) == BAD


def test_what_was_never_known_is_plainly_unknown() -> None:
    assert Life().see(UNKNOWN) == UNKNOWN


def test_what_somebody_stopped_is_well_at_once_and_forgets_what_was() -> None:
    life = Life()
    life.all([BAD, BAD, BAD])

    assert life.see(STOPPED) == STOPPED
    assert life.see(GOOD) == GOOD


def test_each_item_is_judged_by_itself_and_one_that_is_gone_is_forgotten() -> None:
    life = Life()
    one, other = replace(GOOD, name="a"), replace(BAD, name="b")
    life.see(one, other)
    life.see(one, other)
    life.see(one)
    life.see(one, other)

    assert life.memory["b"].streak == 1
    assert set(life.memory) == {"a", "b"}


def test_a_partial_look_forgets_only_what_it_says_is_gone() -> None:
    memory, _ = judge({}, Assessment(items=(replace(GOOD, name="a"), replace(GOOD, name="b"))), PROBE, 1.0)
    memory, _ = judge(memory, Assessment(gone=frozenset({"b"}), partial=True), PROBE, 2.0)

    assert set(memory) == {"a"}


# Limits


@pytest.mark.parametrize(
    ("percent", "status", "types"),
    [
        (20.0, Status.HEALTHY, []),
        (90.0, Status.DEGRADED, [IssueType.DISK_FULL]),
        (99.0, Status.UNHEALTHY, [IssueType.DISK_FULL]),
    ],
)
def test_limits_make_status_score_and_finding(percent: float, status: Status, types: list[IssueType]) -> None:
    item = Life(AT_ONCE).see(used(percent))

    assert item.status is status
    assert [finding.type for finding in item.findings] == types
    assert item.message == ("a disk" if status is Status.HEALTHY else f"{percent:g} % used")


def test_a_value_around_its_limit_does_not_move_to_and_fro() -> None:
    seen = Life(AT_ONCE).all(used(percent) for percent in (86, 84, 86, 84, 82, 84))

    assert [bool(item.findings) for item in seen] == [True, True, True, True, False, False]


def test_a_value_that_is_bad_is_confirmed_like_anything_else() -> None:
    life = Life()
    seen = life.all([used(20), used(99), used(99), used(99)])

    assert [item.status for item in seen] == [Status.HEALTHY] * 3 + [Status.UNHEALTHY]
    assert [item.measures[0].value for item in seen] == [20, 99, 99, 99]


def test_two_measures_of_one_issue_make_one_finding_of_the_worse() -> None:
    space, inodes = used(86).measures[0], replace(used(99).measures[0], name="inodes_percent", text="inodes")
    item = Life(AT_ONCE).see(replace(used(0), measures=(space, inodes)))

    (finding,) = item.findings
    assert finding.message == "inodes"
    assert item.message == "86 % used; inodes"


def test_what_is_bad_by_itself_is_said_beside_what_is_beyond_a_limit() -> None:
    both = replace(used(99), findings=(Finding(type=IssueType.READ_ONLY, message="read-only"),), score=0.2)

    item = Life(AT_ONCE).see(replace(both, message="read-only"))

    assert [finding.type for finding in item.findings] == [IssueType.READ_ONLY, IssueType.DISK_FULL]
    assert item.message == "read-only; 99 % used"


def test_a_number_without_limits_is_only_shown() -> None:
    plain = replace(used(0), measures=(Measure(name="bytes", value=1e12),))

    assert Life(AT_ONCE).see(plain) == plain


def test_a_measure_without_an_issue_lowers_the_score_only() -> None:
    item = Life(AT_ONCE).see(replace(used(0), measures=(replace(used(99).measures[0], issue=None),)))

    assert item.status is Status.UNHEALTHY
    assert item.findings == ()


def test_bad_readings_that_signals_made_do_not_confirm_one_another() -> None:
    life = Life()
    life.see(GOOD)
    prompted = [life.see(BAD, out_of_turn=True) for _ in range(5)]

    assert [item.message for item in prompted] == ["refused (bad reading 1 of 3)"] * 5
    assert [item.settled for item in life.all([BAD, BAD])] == [False, True]


def test_good_readings_count_whatever_made_them_and_so_does_a_bad_one_that_is_enough() -> None:
    life = Life()
    life.all([BAD, BAD, BAD])

    assert [life.see(GOOD, out_of_turn=True).settled for _ in range(2)] == [False, True]
    assert Life(Rules(failures=1, successes=2)).see(BAD, out_of_turn=True) == BAD


# The unit behind it


def test_that_its_unit_was_down_says_nothing_against_what_answers_now() -> None:
    life = Life()
    life.see(GOOD)
    seen = life.all([DOWN, DOWN, BAD, BAD, GOOD])

    assert [item.status for item in seen] == [Status.HEALTHY] * 5
    assert seen[2].message == "refused (bad reading 1 of 3)"


def test_what_was_down_and_runs_again_is_given_as_many_readings_as_any_other() -> None:
    life = Life()
    life.all([DOWN, DOWN, DOWN])
    seen = life.all([BAD, BAD, BAD])

    assert [item.settled for item in seen] == [False, False, True]
    assert [item.findings for item in seen] == [DOWN.findings, DOWN.findings, BAD.findings]


def test_what_was_down_is_good_again_after_as_many_readings_as_any_other() -> None:
    life = Life()
    life.all([DOWN, DOWN, DOWN])

    assert [item.settled for item in life.all([GOOD, GOOD])] == [False, True]


# Forecasts


def test_what_will_be_critical_within_the_hour_is_degraded_and_no_issue_yet() -> None:
    item = Life(AT_ONCE).all(used(40 + minute / 2) for minute in range(60))[-1]

    assert item.status is Status.DEGRADED
    assert item.findings == ()
    assert item.measures[0].seconds_to_critical is not None
    assert "at this pace used percent is critical in" in item.message


def test_where_a_forecast_is_acted_upon_it_is_an_issue() -> None:
    life = Life(AT_ONCE)
    item = life.all(used(40 + minute / 2, act_on_forecast=True) for minute in range(60))[-1]

    (finding,) = item.findings
    assert (finding.type, finding.cause) == (IssueType.DISK_FULL, FORECAST)


def test_only_levels_are_foretold() -> None:
    rates = Life(AT_ONCE).all(used(40 + minute / 2, forecast=False) for minute in range(60))
    endless = [
        replace(used(40 + minute / 2), measures=(Measure(name="x", value=minute, forecast=True),))
        for minute in range(60)
    ]

    assert all(item.measures[0].seconds_to_critical is None for item in (*rates, *Life(AT_ONCE).all(endless)))


# Flapping


def test_what_is_good_every_other_time_is_flapping_and_that_is_bad() -> None:
    life = Life()
    seen = life.all([GOOD, BAD] * FLAPPING_READINGS)

    assert seen[-1].status is Status.DEGRADED
    assert seen[-1].findings == BAD.findings
    assert seen[-1].message.startswith("flapping: 10 of the last 20 readings were bad")


def test_flapping_ends_when_it_is_quiet_and_then_it_is_well() -> None:
    life = Life()
    life.all([GOOD, BAD] * FLAPPING_READINGS)
    seen = life.all([GOOD] * FLAPPING_READINGS)

    assert seen[-1] == GOOD
    assert seen[0].status is Status.DEGRADED


def test_what_stays_bad_after_flapping_is_as_bad_as_it_is() -> None:
    life = Life()
    life.all([GOOD, BAD] * FLAPPING_READINGS)
    seen = life.all([BAD] * 5)

    assert seen[-1].status is Status.UNHEALTHY


def test_what_fails_now_and_then_is_not_flapping() -> None:
    seen = Life().all([GOOD, GOOD, GOOD, GOOD, GOOD, BAD] * 10)

    assert {item.status for item in seen} == {Status.HEALTHY}


def test_what_flaps_in_its_score_alone_is_degraded_without_a_finding() -> None:
    poor = replace(GOOD, status=Status.DEGRADED, score=0.7, message="slow")
    seen = Life().all([GOOD, poor] * FLAPPING_READINGS)

    assert (seen[-1].status, seen[-1].findings) == (Status.DEGRADED, ())


# For any sequence

READINGS = st.lists(st.sampled_from([GOOD, BAD, BETWEEN, UNKNOWN]), max_size=60)


@given(READINGS, st.integers(1, 5), st.integers(1, 5))
def test_a_verdict_only_changes_after_as_many_readings_in_a_row_as_the_rules_say(
    readings: list[Item], failures: int, successes: int
) -> None:
    life = Life(Rules(failures=failures, successes=successes))
    held: Item | None = None
    bad = good = 0
    for reading in readings:
        seen = life.see(reading)
        flapping = bool(life.memory and life.memory[""].flapping)
        bad = bad + 1 if reading is BAD else 0
        good = good + 1 if reading is GOOD else 0
        if seen.settled and seen.status is not Status.UNKNOWN and not flapping:
            was_bad, is_bad = bool(held and held.findings), bool(seen.findings)
            if is_bad and not was_bad and "flapping" not in seen.message:
                assert bad >= failures
            if was_bad and not is_bad:
                assert good >= successes
            held = seen
        elif flapping:
            held = seen if seen.settled else held


@given(READINGS)
def test_an_unsettled_or_unknown_item_never_adds_a_finding(readings: list[Item]) -> None:
    life = Life()
    before: tuple[Finding, ...] = ()
    for reading in readings:
        seen = life.see(reading)
        if not seen.settled or seen.status is Status.UNKNOWN:
            assert set(seen.findings) <= set(before)
        else:
            before = seen.findings
