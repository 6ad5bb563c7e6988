"""The component `memory`: what it says of used memory, in percent and in bytes, and what it foretells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from healthd.assess.judge import Rules
from healthd.checks.memory import CHECK, Options, options
from healthd.config import load_texts
from healthd.errors import ReadError
from healthd.figures import Memory
from healthd.model import IssueType, Status
from tests.fake_units import FakeHost
from tests.unit.checks.built_in import MINUTE, judged, measures, sampled, values

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthd.model import Item

GIB = 2**30
TOTAL = 16 * GIB


def memory(used: float, *, at: float = 0.0, **changes: Any) -> Memory:
    return Memory(at=at, total=TOTAL, available=round(TOTAL - used), **changes)


def look(used: float, limits: Options | None = None, **changes: Any) -> Item:
    (item,) = judged(CHECK, [(0.0, memory(used, **changes))], limits or Options())
    return item


def test_it_reads_what_the_kernel_says_now() -> None:
    host = FakeHost()

    assert sampled(CHECK, host, Options()) is host.memory_now


def test_memory_that_cannot_be_read_is_no_reading() -> None:
    host = FakeHost()
    host.memory_now = None

    with pytest.raises(ReadError):
        sampled(CHECK, host, Options())


def test_it_says_how_much_is_used_of_how_much() -> None:
    item = look(3.1 * GIB)

    assert item.message == "3.1 of 16.0 GiB used (19 %), 12.9 GiB available"
    assert (item.status, item.score) == (Status.HEALTHY, 1.0)


@pytest.mark.parametrize(
    ("percent", "status", "score"),
    [
        (85, Status.HEALTHY, 1.0),
        (85.1, Status.DEGRADED, 0.79),
        (95, Status.DEGRADED, 0.5),
        (95.1, Status.UNHEALTHY, 0.49),
        (100, Status.UNHEALTHY, 0),
    ],
)
def test_it_is_as_bad_as_memory_is_full(percent: float, status: Status, score: float) -> None:
    item = look(TOTAL * percent / 100)

    assert item.status is status
    assert item.score == pytest.approx(score, abs=0.01)


def test_too_much_is_high_memory_in_words_with_the_limit_that_was_passed() -> None:
    (warned,) = look(TOTAL * 0.9).findings
    (bad,) = look(TOTAL * 0.97).findings

    assert warned.type is bad.type is IssueType.HIGH_MEMORY
    assert warned.message == "used memory is 90 % (limit 85 %)"
    assert bad.message == "used memory is 97 % (limit 95 %)"


def test_limits_in_gb_beat_those_in_percent() -> None:
    item = look(3 * GIB, Options(warning_gb=2.0, critical_gb=4.0))

    assert item.score == pytest.approx(0.645, abs=0.001)
    assert item.findings[0].message == "used memory is 3.00 GiB (limit 2.00 GiB)"
    assert look(5 * GIB, Options(warning_gb=2.0, critical_gb=4.0)).status is Status.UNHEALTHY
    assert look(15.9 * GIB, Options(warning_gb=20.0, critical_gb=30.0)).status is Status.HEALTHY


def test_a_limit_that_is_not_said_in_gb_is_that_in_percent() -> None:
    measure = measures(look(3 * GIB, Options(warning_gb=2.0)))["used_bytes"]

    assert (measure.warning, measure.critical) == (2 * GIB, 0.95 * TOTAL)


@pytest.mark.parametrize(("used", "status"), [(14, Status.HEALTHY), (15.5, Status.UNHEALTHY)])
def test_a_warning_beyond_the_critical_limit_has_no_say(used: float, status: Status) -> None:
    assert look(used * GIB, Options(warning_gb=100.0)).status is status


def test_the_limits_are_those_of_the_configuration() -> None:
    assert options(load_texts(), "memory") == Options()
    told = load_texts({"a.toml": "[thresholds]\nmemory_warning_gb = 2.0\nmemory_critical_percent = 99\n"})
    assert options(told, "memory") == Options(critical_percent=99, warning_gb=2.0)


def test_swap_is_shown_and_not_judged() -> None:
    item = look(GIB, swap_total=4 * GIB, swap_used=4 * GIB)

    assert item.status is Status.HEALTHY
    assert item.message.endswith("; 100 % of swap used")
    assert values(item)["swap_used_percent"] == 100
    assert "swap_used_percent" not in values(look(GIB))


def test_processes_that_the_kernel_killed_are_counted_since_the_reading_before() -> None:
    readings = [(at, memory(GIB, oom_kills=kills)) for at, kills in ((0.0, 5), (30.0, 7))]

    assert values(judged(CHECK, readings, Options())[0])["oom_kills"] == 2
    assert "oom_kills" not in values(judged(CHECK, readings[:1], Options())[0])
    assert "oom_kills" not in values(judged(CHECK, [(0.0, memory(GIB)), (1.0, memory(GIB))], Options())[0])


def test_a_short_peak_is_no_issue_and_a_lasting_one_is() -> None:
    rules = Rules(failures=3, successes=2)
    peak = [(30.0 * n, memory(TOTAL * share)) for n, share in enumerate((0.5, 0.97, 0.97))]

    assert judged(CHECK, peak, Options(), rules)[0].status is Status.HEALTHY
    assert judged(CHECK, [*peak, (90.0, memory(TOTAL * 0.97))], Options(), rules)[0].status is Status.UNHEALTHY


# What is foretold


def over(minutes: float, used: Callable[[float], float], every: float = 30.0) -> list[tuple[float, Memory]]:
    """Readings over so many minutes; `used` gives the share of all memory after so many seconds."""
    instants = [every * n for n in range(int(minutes * MINUTE / every) + 1)]
    return [(at, memory(TOTAL * used(at), at=at)) for at in instants]


def leak(at: float) -> float:
    """From 40 % on, one percent a minute: 85 % after 45 minutes, 95 % after 55."""
    return 0.4 + 0.01 * at / MINUTE


def test_a_leak_is_foretold_at_least_ten_minutes_ahead() -> None:
    (item,) = judged(CHECK, over(35, leak), Options())

    seconds = measures(item)["used_percent"].seconds_to_critical
    assert seconds is not None
    assert seconds == pytest.approx(20 * MINUTE, rel=0.05)
    assert (item.status, item.score) == (Status.DEGRADED, 0.79)
    assert item.message.endswith("at this pace used percent is critical in 20 min")
    assert item.findings == ()


def test_a_leak_in_gb_is_foretold_likewise() -> None:
    (item,) = judged(CHECK, over(35, leak), Options(warning_gb=13.6, critical_gb=15.2))

    seconds = measures(item)["used_bytes"].seconds_to_critical
    assert seconds == pytest.approx(20 * MINUTE, rel=0.05)


@pytest.mark.parametrize("minutes", range(5, 60, 7))
def test_a_sawtooth_foretells_nothing(minutes: int) -> None:
    # A cache that grows from 30 to 80 % in ten minutes and is emptied then; seen from its second tooth on.
    readings = over(20 + minutes, lambda at: 0.3 + 0.5 * (at % (10 * MINUTE)) / (10 * MINUTE))

    (item,) = judged(CHECK, readings, Options())

    assert measures(item)["used_percent"].seconds_to_critical is None
    assert item.status is Status.HEALTHY


def test_noise_foretells_nothing() -> None:
    noise = (3, -2, 1, -3, 2, 0, -1)

    (item,) = judged(CHECK, over(50, lambda at: 0.7 + noise[int(at / 30) % len(noise)] / 100), Options())

    assert item.status is Status.HEALTHY
