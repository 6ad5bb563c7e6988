"""A component of type `dns`: a name server that must have an answer, and the one that is expected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthd.assess.probe import answered, failed, in_words
from healthd.assess.score import worst
from healthd.errors import NoAnswer
from healthd.model import Measure
from healthd.probes import Resolved
from healthd.registry import CheckSpec, Ports

if TYPE_CHECKING:
    from healthd.config import Settings
    from healthd.model import Assessment


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """[component.NAME] of type dns. `deadline` is its timeout_seconds."""

    name: str = ""
    record: str = "A"
    server: str = ""
    expect: str = ""
    deadline: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the server said after `seconds`, or why it said nothing."""

    seconds: float
    answer: Resolved | NoAnswer


def options(settings: Settings, name: str) -> Options:
    """The keys of the component of this name."""
    component = settings.component.get(name)
    if component is None:
        return Options()
    said = component.options
    return Options(
        name=said["name"],
        record=said["record"],
        server=said["server"],
        expect=said["expect"],
        deadline=component.timeout_seconds,
    )


async def sample(ports: Ports, options: Options, _names: frozenset[str] | None) -> Reading:
    """Ask, and take the time that it takes."""
    began = ports.clock.boot()
    try:
        answer: Resolved | NoAnswer = await ports.net.resolve(
            options.name, options.record, server=options.server, deadline=options.deadline
        )
    except NoAnswer as failure:
        answer = failure
    return Reading(seconds=ports.clock.boot() - began, answer=answer)


def assess(reading: Reading, _before: Reading | None, options: Options) -> Assessment:
    """One item: the answer against what is expected; pure."""
    answer = reading.answer
    if isinstance(answer, NoAnswer):
        return failed(answer)
    time = Measure(name="response_seconds", value=reading.seconds)
    records = ", ".join(answer.records)
    if answer.rcode == "NXDOMAIN":
        return failed(NoAnswer("dns", f"{options.name} does not exist, says {answer.server}"), time)
    if answer.rcode != "NOERROR":
        return failed(NoAnswer("dns", f"{answer.server} has no answer for {options.name} ({answer.rcode})"), time)
    if not answer.records:
        return failed(NoAnswer("dns", f"{options.name} has no {options.record} record, says {answer.server}"), time)
    if not any(_holds(record, options) for record in answer.records):
        return failed(NoAnswer("dns", f'the answer lacks "{options.expect}": it is {records}'), time)
    return answered(f"{options.record} {records}, in {in_words(reading.seconds)}", time)


def _holds(record: str, options: Options) -> bool:
    """Whether a record is the expected one, or, as with 10 mail.example.org, has it as one of its words."""
    wanted, found = options.expect.lower().removesuffix("."), record.lower()
    return wanted in ("", found, *found.split()) or (options.record == "TXT" and wanted in found)


CHECK = CheckSpec(
    type="dns", options=options, sample=sample, assess=assess, score=worst, asks_unit=True, keeps_time=True
)
