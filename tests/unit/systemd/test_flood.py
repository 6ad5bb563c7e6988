from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from healthd.events import Event
from healthd.systemd.flood import PASS, WINDOW_SECONDS, FloodGate, Suppressed


def test_the_first_few_records_of_a_subject_pass_and_the_rest_are_counted() -> None:
    gate = FloodGate()

    passed = [gate.admits(Event.ISSUE_OPENED, {"unit": "a.service"}, 0.0) for _ in range(PASS + 3)]

    assert passed == [True] * PASS + [False] * 3
    assert gate.due(WINDOW_SECONDS) == (Suppressed(event=Event.ISSUE_OPENED, subject={"unit": "a.service"}, count=3),)


def test_nothing_is_told_before_the_window_ends_and_nothing_twice() -> None:
    gate = FloodGate()
    for _ in range(PASS + 1):
        gate.admits(Event.HEALING_HELD, {"unit": "a.service"}, 5.0)

    early = gate.due(5.0 + WINDOW_SECONDS - 0.1)
    due = gate.due(5.0 + WINDOW_SECONDS)
    again = gate.due(5.0 + 2 * WINDOW_SECONDS)

    assert early == ()
    assert [entry.count for entry in due] == [1]
    assert again == ()


def test_a_new_window_lets_records_pass_again() -> None:
    gate = FloodGate()
    for _ in range(PASS + 1):
        gate.admits(Event.ISSUE_OPENED, {"unit": "a.service"}, 0.0)

    gate.due(WINDOW_SECONDS)

    assert gate.admits(Event.ISSUE_OPENED, {"unit": "a.service"}, WINDOW_SECONDS)


def test_one_noisy_unit_takes_nothing_from_another_unit_or_another_event() -> None:
    gate = FloodGate()
    for _ in range(PASS + 1):
        gate.admits(Event.ISSUE_OPENED, {"unit": "noisy.service"}, 0.0)

    assert gate.admits(Event.ISSUE_OPENED, {"unit": "quiet.service"}, 0.0)
    assert gate.admits(Event.ISSUE_RESOLVED, {"unit": "noisy.service"}, 0.0)


def test_what_healthd_does_is_never_held_back() -> None:
    gate = FloodGate()
    always = (
        Event.HEALING_STARTED,
        Event.HEALING_FINISHED,
        Event.HEALING_GAVE_UP,
        Event.CONFIG_REJECTED,
        Event.API_REQUEST,
        Event.LOG_DROPPED,
    )

    assert all(gate.admits(event, {"unit": "a.service"}, 0.0) for event in always for _ in range(1000))


def test_at_the_end_all_that_was_held_back_is_told() -> None:
    gate = FloodGate()
    for _ in range(PASS + 7):
        gate.admits(Event.BUS_CHANGED, {}, 0.0)

    assert [entry.count for entry in gate.all_due()] == [7]
    assert gate.all_due() == ()


@given(
    st.lists(
        st.tuples(
            st.sampled_from([Event.ISSUE_OPENED, Event.HEALING_HELD]),
            st.sampled_from(["a.service", "b.service"]),
            st.floats(0.0, 20.0),
        ),
        max_size=200,
    )
)
def test_every_record_is_either_written_or_counted(records: list[tuple[Event, str, float]]) -> None:
    gate = FloodGate()
    now, written, counted = 0.0, 0, 0

    for event, unit, pause in records:
        now += pause
        counted += sum(entry.count for entry in gate.due(now))
        written += gate.admits(event, {"unit": unit}, now)
    counted += sum(entry.count for entry in gate.all_due())

    assert written + counted == len(records)


def test_of_many_incidents_at_once_a_few_say_what_had_changed() -> None:
    gate = FloodGate()

    passed = [gate.admits(Event.CHANGES_FOUND, {"incident": number}, 0.0) for number in range(PASS + 2)]

    assert passed == [True] * PASS + [False] * 2
