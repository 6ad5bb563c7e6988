"""The component `temperature`: each sensor against the limits that it gives itself.

healthd has no opinion on how hot a chip may be. A sensor without a limit is not looked at, nor one that says what
cannot be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthd.assess.score import worst
from healthd.model import Assessment, IssueType, Item, Measure, Status
from healthd.registry import CheckSpec, Ports

if TYPE_CHECKING:
    from healthd.config import Settings
    from healthd.figures import Sensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The limits are those of the sensors; so many degrees beyond the last of them the score is 0."""

    end_celsius: float = 15.0


def options(_settings: Settings, _name: str) -> Options:
    """Nothing is to be set."""
    return Options()


async def sample(ports: Ports, _options: Options, _names: frozenset[str] | None) -> tuple[Sensor, ...]:
    """Ask the sensors."""
    return await ports.host.sensors()


def assess(reading: tuple[Sensor, ...], _before: tuple[Sensor, ...] | None, options: Options) -> Assessment:
    """An item for each sensor; pure."""
    return Assessment(items=tuple(_item(sensor, options) for sensor in reading))


def _item(sensor: Sensor, options: Options) -> Item:
    limits = [limit for limit in (sensor.high, sensor.critical) if limit is not None]
    passed = [limit for limit in limits if sensor.celsius > limit]
    limit = max(passed, default=limits[0])
    measure = Measure(
        name="celsius",
        value=round(sensor.celsius, 1),
        warning=sensor.high,
        critical=sensor.critical,
        limit=max(limits) + options.end_celsius,
        issue=IssueType.PRESSURE,
        text=f"{sensor.celsius:.0f} °C (limit {limit:g} °C)",
    )
    message = f"{sensor.celsius:.0f} °C of {max(limits):g} °C"
    return Item(name=sensor.name, status=Status.HEALTHY, score=1.0, message=message, measures=(measure,))


CHECK = CheckSpec(type="temperature", options=options, sample=sample, assess=assess, score=worst, noun="sensor")
