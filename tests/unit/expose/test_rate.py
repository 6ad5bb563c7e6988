"""How often a client may ask."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthd.expose.rate import Buckets, network, plain_address


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_client_may_ask_so_often_at_once_and_then_as_tokens_come() -> None:
    time = Time()
    buckets = Buckets(6, time)

    assert [buckets.take("10.0.0.1") for _ in range(6)] == [0.0] * 6
    assert buckets.take("10.0.0.1") == pytest.approx(10.0)
    time.now += 9.0
    assert buckets.take("10.0.0.1") == pytest.approx(1.0)
    time.now += 1.0
    assert buckets.take("10.0.0.1") == 0.0
    assert buckets.take("10.0.0.1") > 0


def test_one_client_takes_nothing_from_another() -> None:
    buckets = Buckets(1, Time())
    buckets.take("10.0.0.1")

    assert buckets.take("10.0.0.1") > 0
    assert buckets.take("10.0.0.2") == 0.0


def test_a_refusal_costs_nothing_more() -> None:
    time = Time()
    buckets = Buckets(60, time)
    for _ in range(1000):
        buckets.take("10.0.0.1")
    time.now += 1.0

    assert buckets.take("10.0.0.1") == 0.0


def test_what_costs_double_runs_out_in_half_and_can_still_be_paid_where_little_is_allowed() -> None:
    buckets = Buckets(10, Time())

    assert sum(buckets.take("10.0.0.1", 2) == 0.0 for _ in range(10)) == 5
    assert Buckets(1, Time()).take("10.0.0.1", 2) == 0.0


@pytest.mark.parametrize(("per_minute", "tokens"), [(0, 1), (5, 0)])
def test_there_is_no_limit_without_one_or_where_nothing_is_counted(per_minute: int, tokens: int) -> None:
    buckets = Buckets(per_minute, Time())

    assert [buckets.take("10.0.0.1", tokens) for _ in range(100)] == [0.0] * 100
    assert len(buckets) == 0


def test_memory_is_bounded_and_who_asked_last_is_remembered() -> None:
    buckets = Buckets(1, Time(), clients=10)
    for number in range(100):
        buckets.take(f"10.0.0.{number}")

    assert len(buckets) == 10
    assert buckets.take("10.0.0.99") > 0


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(1, 2)), max_size=80), st.integers(1, 100))
def test_no_sequence_gets_more_than_the_bucket_and_what_flows_in(asked: list[tuple[float, int]], limit: int) -> None:
    time = Time()
    buckets, taken = Buckets(limit, time), 0
    for pause, tokens in asked:
        time.now += pause
        if buckets.take("10.0.0.1", tokens) == 0.0:
            taken += min(tokens, limit)

    assert taken <= limit + (time.now - 1000.0) * limit / 60 + 1e-6


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("10.0.0.1", "10.0.0.2", False),
    ],
)
def test_of_ipv6_a_64_is_one_client(one: str, other: str, same: bool) -> None:
    assert (network(one) == network(other)) is same


@pytest.mark.parametrize(
    ("address", "plain"), [("::ffff:10.0.0.1", "10.0.0.1"), ("10.0.0.1", "10.0.0.1"), ("::1", "::1")]
)
def test_ipv4_looks_like_itself(address: str, plain: str) -> None:
    assert plain_address(address) == plain
