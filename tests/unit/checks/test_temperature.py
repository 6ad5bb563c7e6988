"""The component `temperature`: sensors against their own limits."""

from __future__ import annotations

import pytest

from healthd.checks.temperature import CHECK, Options, options
from healthd.config import load_texts
from healthd.figures import Sensor
from healthd.model import IssueType, Item, Status
from tests.fake_units import FakeHost
from tests.unit.checks.built_in import judged, sampled, values


def look(celsius: float, *, high: float | None = 80.0, critical: float | None = 100.0) -> Item:
    sensor = Sensor(name="coretemp Package id 0", celsius=celsius, high=high, critical=critical)
    (item,) = judged(CHECK, [(0.0, (sensor,))], Options())
    return item


def test_it_reads_the_sensors_now() -> None:
    host = FakeHost()
    host.sensors_now = (Sensor(name="nvme Composite", celsius=40.0, high=82.0, critical=85.0),)

    assert sampled(CHECK, host, options(load_texts(), "temperature")) == host.sensors_now


def test_it_says_how_warm_each_sensor_is_and_how_warm_it_may_be() -> None:
    item = look(45.25)

    assert (item.name, item.message) == ("coretemp Package id 0", "45 °C of 100 °C")
    assert values(item) == {"celsius": 45.2}


@pytest.mark.parametrize(
    ("celsius", "status"),
    [(80, Status.HEALTHY), (81, Status.DEGRADED), (100, Status.DEGRADED), (101, Status.UNHEALTHY)],
)
def test_a_sensor_is_held_against_its_own_limits(celsius: float, status: Status) -> None:
    item = look(celsius)

    assert item.status is status
    assert {finding.type for finding in item.findings} == (
        {IssueType.PRESSURE} if status is not Status.HEALTHY else set()
    )


def test_it_says_the_limit_that_was_passed() -> None:
    assert look(90).message == "90 °C (limit 80 °C)"
    assert look(101).message == "101 °C (limit 100 °C)"
    assert look(115).score == 0


@pytest.mark.parametrize(("celsius", "status"), [(79, Status.HEALTHY), (81, Status.DEGRADED), (130, Status.DEGRADED)])
def test_a_sensor_without_a_critical_limit_is_never_worse_than_degraded(celsius: float, status: Status) -> None:
    assert look(celsius, critical=None).status is status


@pytest.mark.parametrize(("celsius", "status"), [(99, Status.HEALTHY), (101, Status.UNHEALTHY)])
def test_a_sensor_with_a_critical_limit_alone_has_no_warning(celsius: float, status: Status) -> None:
    assert look(celsius, high=None).status is status
