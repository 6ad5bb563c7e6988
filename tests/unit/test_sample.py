"""Checks run side by side, each in its time, and none takes another down."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from healthd.assess.score import worst
from healthd.config import ComponentSettings
from healthd.errors import BusLost
from healthd.events import Event
from healthd.model import Assessment, Severity
from healthd.registry import CheckSpec, Ports
from healthd.sample import Bound, Due, Sampled, Sampler
from tests.fakes import FakeClock, FakeLog
from tests.unit.assembly import ports_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from healthd.soon import Soon

    Waiting = Callable[[Ports, Any, frozenset[str] | None], Coroutine[Any, Any, Any]]
    Sample = Callable[[Ports, Any, frozenset[str] | None], Soon[Any]]

PORTS = ports_of()


def check(
    name: str, sample: Sample, assess: Callable[[Any, Any, Any], Assessment] | None = None, *, limit: float = 60.0
) -> Bound:
    """A check whose reading is judged by this, or is the reason that it gives."""

    def usable(reading: Any, before: Any, options: Any) -> Assessment:
        return Assessment(reason=str(reading))

    spec = CheckSpec(type=name, options=lambda *_: None, sample=sample, assess=assess or usable, score=worst)
    component = ComponentSettings(type=name, timeout_seconds=limit)
    return Bound(name=name, spec=spec, options="its options", component=component)


async def well(ports: Ports, options: Any, names: frozenset[str] | None) -> str:
    return f"{options} {sorted(names or ())}"


async def lost(ports: Ports, options: Any, names: frozenset[str] | None) -> str:
    raise BusLost("the bus is away")


async def buggy(ports: Ports, options: Any, names: frozenset[str] | None) -> str:
    raise ZeroDivisionError("a bug")


async def endless(ports: Ports, options: Any, names: frozenset[str] | None) -> str:
    await asyncio.Event().wait()
    return "never"


class Scripted:
    """Reads in a different way each time."""

    def __init__(self, *samples: Waiting) -> None:
        self._samples = list(samples)

    async def __call__(self, ports: Ports, options: Any, names: frozenset[str] | None) -> Any:
        return await self._samples.pop(0)(ports, options, names)


def run(sampler: Sampler, *checks: Bound, names: frozenset[str] | None = None) -> list[Assessment]:
    due = [Due(check=each, names=names) for each in checks]
    return [one.assessment for one in asyncio.run(sampler.run(due))]


@pytest.fixture
def log() -> FakeLog:
    return FakeLog()


@pytest.fixture
def sampler(log: FakeLog) -> Sampler:
    return Sampler(PORTS, log)


def test_a_check_is_given_its_options_and_the_names_to_look_at(sampler: Sampler) -> None:
    (assessment,) = run(sampler, check("a", well), names=frozenset({"y", "x"}))

    assert assessment == Assessment(reason="its options ['x', 'y']")


def test_without_a_check_that_is_due_there_is_nothing(sampler: Sampler) -> None:
    assert run(sampler) == []


def test_each_assessment_comes_with_its_check_in_the_order_asked(sampler: Sampler) -> None:
    checks = [check(name, well) for name in ("c", "a", "b")]

    results = asyncio.run(sampler.run([Due(check=each, names=None) for each in checks]))

    assert [one.check.name for one in results] == ["c", "a", "b"]


def test_checks_run_side_by_side(sampler: Sampler) -> None:
    both = asyncio.Barrier(2)

    async def meet(ports: Ports, options: Any, names: frozenset[str] | None) -> str:
        await both.wait()
        return "met"

    assert [each.reason for each in run(sampler, check("a", meet), check("b", meet))] == ["met", "met"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (lost, "the bus is away"),
        (buggy, "the check is broken: ZeroDivisionError('a bug')"),
        (endless, "no reading within 0.01 s"),
    ],
)
def test_a_check_that_fails_says_why_and_disturbs_no_other(sampler: Sampler, bad: Sample, reason: str) -> None:
    first, failed, last = run(sampler, check("a", well), check("b", bad, limit=0.01), check("c", well))

    assert first.usable
    assert last.usable
    assert failed == Assessment(usable=False, reason=reason)


def test_a_check_that_alone_is_due_has_the_same_limit(sampler: Sampler) -> None:
    (assessment,) = run(sampler, check("a", endless, limit=0.01))

    assert not assessment.usable


def test_a_check_that_keeps_its_time_by_itself_may_make_a_reading_of_its_being_over(sampler: Sampler) -> None:
    async def late(ports: Ports, options: Any, names: frozenset[str] | None) -> str:
        await asyncio.sleep(0.02)
        return "no answer"

    bound = check("a", late, limit=0.01)
    (assessment,) = run(sampler, replace(bound, spec=replace(bound.spec, keeps_time=True)))

    assert (assessment.usable, assessment.reason) == (True, "no answer")


def test_a_bug_in_judging_is_that_checks_trouble_alone(sampler: Sampler, log: FakeLog) -> None:
    def assess(reading: Any, before: Any, options: Any) -> Assessment:
        raise KeyError("a bug")

    (assessment,) = run(sampler, check("a", well, assess))

    assert not assessment.usable
    assert isinstance(log.of(Event.CHECK_FAILED)[0].error, KeyError)


@pytest.mark.parametrize("bad", [lost, buggy])
def test_a_failure_is_said_once(sampler: Sampler, log: FakeLog, bad: Sample) -> None:
    for _ in range(3):
        run(sampler, check("a", bad))

    (record,) = log.of(Event.CHECK_FAILED)
    assert record.fields["component"] == "a"


@pytest.mark.parametrize("bad", [lost, buggy])
def test_a_failure_is_said_again_after_the_check_worked(sampler: Sampler, log: FakeLog, bad: Sample) -> None:
    bound = check("a", Scripted(bad, well, bad))
    for _ in range(3):
        run(sampler, bound)

    assert len(log.of(Event.CHECK_FAILED)) == 2


def test_what_failed_says_what_is_not_judged_and_why(sampler: Sampler, log: FakeLog) -> None:
    run(sampler, check("web", lost))

    (record,) = log.of(Event.CHECK_FAILED)
    assert record.message == "web cannot be judged: the bus is away"
    assert record.severity is Severity.MEDIUM
    assert record.fields == {"component": "web", "reason": "the bus is away"}


def test_a_bug_is_said_with_its_traceback_though_a_failure_was_said_before(sampler: Sampler, log: FakeLog) -> None:
    bound = check("a", Scripted(lost, buggy, buggy, lost))
    for _ in range(4):
        run(sampler, bound)

    assert [type(record.error) for record in log.of(Event.CHECK_FAILED)] == [type(None), ZeroDivisionError]


def test_one_check_that_fails_does_not_silence_another(sampler: Sampler, log: FakeLog) -> None:
    run(sampler, check("a", lost), check("b", lost))

    assert sorted(str(record.fields["component"]) for record in log.of(Event.CHECK_FAILED)) == ["a", "b"]


def test_whoever_ends_the_daemon_ends_its_checks(sampler: Sampler) -> None:
    async def life() -> bool:
        task = asyncio.create_task(sampler.run([Due(check=check("a", endless), names=None)]))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(life())


def test_a_reading_is_held_against_an_older_one_and_never_against_one_of_this_moment(log: FakeLog) -> None:
    clock = FakeClock()
    sampler = Sampler(ports_of(clock=clock), log)
    numbers = count(1)

    async def number(ports: Ports, options: Any, names: frozenset[str] | None) -> int:
        return next(numbers)

    def assess(reading: Any, before: Any, options: Any) -> Assessment:
        return Assessment(reason=f"{reading} after {before}")

    told = []
    for pause in (0.0, 0.1, 30.0, 0.1, 0.1, 30.0):
        clock.advance(pause)
        told += [each.reason for each in run(sampler, check("a", number, assess))]

    assert told == ["1 after None", "2 after None", "3 after 1", "4 after 1", "5 after 1", "6 after 3"]


# Readings at hand


def at_hand(ports: Ports, options: Any, names: frozenset[str] | None) -> str:
    return "at hand"


def test_a_reading_at_hand_is_reported_before_anybody_waits(sampler: Sampler) -> None:
    async def scene() -> tuple[list[str], frozenset[str]]:
        reported: list[Sampled] = []
        async with asyncio.TaskGroup() as group:
            assert sampler.begin(check("a", at_hand), group, reported.append)
            assert sampler.begin(check("b", well), group, reported.append)
            return [one.assessment.reason for one in reported], sampler.running

    assert asyncio.run(scene()) == (["at hand"], frozenset({"b"}))


def test_readings_at_hand_and_others_come_in_the_order_asked(sampler: Sampler) -> None:
    found = run(sampler, check("a", well), check("b", at_hand), check("c", well))

    assert [each.reason for each in found] == ["its options []", "at hand", "its options []"]


def test_a_bug_in_reading_what_is_at_hand_is_that_checks_trouble_alone(sampler: Sampler, log: FakeLog) -> None:
    def broken(ports: Ports, options: Any, names: frozenset[str] | None) -> str:
        raise ZeroDivisionError("a bug")

    bad, good = run(sampler, check("a", broken), check("b", at_hand))

    assert (bad.usable, bad.reason) == (False, "the check is broken: ZeroDivisionError('a bug')")
    assert good.reason == "at hand"
    assert [each.event for each in log.of(Event.CHECK_FAILED)] == [Event.CHECK_FAILED]
