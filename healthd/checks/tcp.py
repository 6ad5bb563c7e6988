"""A component of type `tcp`: a port that must accept a connection, and say what is expected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthd.assess.probe import Talk, talked
from healthd.assess.score import worst
from healthd.config.wire import to_bytes
from healthd.errors import NoAnswer
from healthd.registry import CheckSpec, Ports

if TYPE_CHECKING:
    from healthd.config import Settings
    from healthd.model import Assessment


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """[component.NAME] of type tcp. `deadline` is its timeout_seconds."""

    address: str = ""
    send: bytes = b""
    expect: bytes = b""
    deadline: float = 10.0


def options(settings: Settings, name: str) -> Options:
    """The keys of the component of this name."""
    component = settings.component.get(name)
    if component is None:
        return Options()
    said = component.options
    return Options(
        address=said["address"],
        send=to_bytes(said["send"]),
        expect=to_bytes(said["expect"]),
        deadline=component.timeout_seconds,
    )


async def sample(ports: Ports, options: Options, _names: frozenset[str] | None) -> Talk:
    """Connect and talk, and take the time that it takes."""
    began = ports.clock.boot()
    failure = None
    try:
        await ports.net.talk(options.address, send=options.send, expect=options.expect, deadline=options.deadline)
    except NoAnswer as error:
        failure = error
    return Talk(seconds=ports.clock.boot() - began, failure=failure)


def assess(reading: Talk, _before: Talk | None, options: Options) -> Assessment:
    """One item: it answered, or why not; pure."""
    return talked(reading, expected=bool(options.expect))


CHECK = CheckSpec(
    type="tcp", options=options, sample=sample, assess=assess, score=worst, asks_unit=True, keeps_time=True
)
