"""The buffer of readings: small, whatever comes, and nothing in it is lost without being counted."""

from __future__ import annotations

from healthd.answers import Note, Series
from healthd.record.readings import Readings

HOST, WEB, MEMORY = Series("", "", "score"), Series("web", "", "score"), Series("memory", "", "score")


def test_a_buffer_that_nobody_empties_drops_the_oldest_rounds_and_counts_them() -> None:
    readings = Readings()
    for second in range(1005):
        readings.remember(float(second), {HOST: 1.0})

    batch = readings.look()

    assert readings.dropped == 1005 - len(batch.rounds)
    assert batch.rounds[-1][0] == 1004
    assert batch.rounds[0][0] == readings.dropped


def test_a_buffer_of_many_series_is_as_small() -> None:
    readings = Readings()
    many = {Series("metrics", "", str(n)): float(n) for n in range(6000)}
    for second in range(100):
        readings.remember(float(second), many)

    batch = readings.look()

    assert len(batch.layout) == 5000
    assert len(batch.rounds) * len(batch.layout) <= 200_000


def test_what_could_not_be_written_comes_before_what_came_meanwhile() -> None:
    readings = Readings()
    readings.remember(1.0, {HOST: 1.0, WEB: 1.0})
    readings.note(Note(at=1.0, event="a"))
    readings.take()
    readings.remember(1.5, {WEB: 0.5, MEMORY: 0.5})
    readings.note(Note(at=2.0, event="b"))
    readings.give_back()

    batch = readings.look()

    assert [(at, list(row)) for at, row in batch.rounds] == [(1, [1.0, 0.5, 0.5])]
    assert [note.event for note in batch.notes] == ["a", "b"]


def test_places_of_series_that_have_gone_are_given_up_after_a_day() -> None:
    readings = Readings()
    readings.remember(0.0, {Series("old", "", str(n)): 1.0 for n in range(10)} | {HOST: 1.0})
    readings.take()
    readings.written()
    for hour in range(1, 50):
        readings.remember(hour * 3600.0, {HOST: 1.0})
        readings.take()
        readings.written()

    assert readings.look().layout == (HOST,)
