"""A component of type `certificate`: how long certificates hold yet, in files or as a server shows one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from healthd.assess.probe import answered, failed
from healthd.assess.score import worst
from healthd.errors import NoAnswer
from healthd.model import Assessment, IssueType, Measure
from healthd.registry import CheckSpec, Ports

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthd.config import Settings
    from healthd.probes import Certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """[component.NAME] of type certificate: one of `path` and `address` is set. `deadline` is its timeout_seconds."""

    path: str = ""
    address: str = ""
    warning_days: float = 21.0
    critical_days: float = 7.0
    deadline: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The certificates, by where they are; or why a server showed none. `wall` in Unix seconds."""

    wall: float
    found: Mapping[str, tuple[Certificate, ...]] | NoAnswer


def options(settings: Settings, name: str) -> Options:
    """The keys of the component of this name."""
    component = settings.component.get(name)
    if component is None:
        return Options()
    said = component.options
    return Options(
        path=said.get("path", ""),
        address=said.get("address", ""),
        warning_days=said["warning_days"],
        critical_days=said["critical_days"],
        deadline=component.timeout_seconds,
    )


async def sample(ports: Ports, options: Options, _names: frozenset[str] | None) -> Reading:
    """Read the files, or ask the server."""
    found: Mapping[str, tuple[Certificate, ...]] | NoAnswer
    if options.path:
        found = await ports.net.kept_certificates(options.path, deadline=options.deadline)
    else:
        try:
            shown = await ports.net.shown_certificate(options.address, deadline=options.deadline)
            found = {options.address: (shown,)}
        except NoAnswer as failure:
            found = failure
    return Reading(wall=ports.clock.wall(), found=found)


def assess(reading: Reading, _before: Reading | None, options: Options) -> Assessment:
    """One item: the certificate that expires first; pure."""
    if isinstance(reading.found, NoAnswer):
        return failed(reading.found)
    every = [(each.not_after, place, each) for place, several in reading.found.items() for each in several]
    _, place, first = min(every, key=lambda one: one[0])
    days = first.days_left(reading.wall)
    what = _title(place, first, options, others=len(every) - 1)
    measure = _measure(days, what, first, options)
    for _, where, each in every:
        title = _title(where, each, options, others=0)
        if each.not_before > reading.wall:
            said = f"{title} is not valid before {_date(each.not_before)}"
            return failed(NoAnswer("not_yet_valid", said), measure, type_=IssueType.CERTIFICATE)
        if options.address and not each.fits(_host(options.address)):
            names = ", ".join(each.names[:3]) or each.title
            said = f"the certificate at {options.address} is for {names}"
            return failed(NoAnswer("name", said), measure, type_=IssueType.CERTIFICATE)
    return answered(f"{what} is valid until {_date(first.not_after)}, {days:.0f} days left", measure)


def _measure(days: float, what: str, first: Certificate, options: Options) -> Measure:
    said = f"has {days:.0f} days left (limit {options.warning_days:g})" if days >= 0 else "has expired"
    one_limit = options.warning_days == options.critical_days
    return Measure(
        name="days_left",
        value=days,
        # Which way is worse shows in the order of the limits.
        warning=None if one_limit else options.warning_days,
        critical=options.critical_days,
        limit=min(0.0, options.critical_days - 1),
        issue=IssueType.CERTIFICATE,
        text=f"{what} {said}, {_date(first.not_after)}",
    )


def _title(place: str, certificate: Certificate, options: Options, *, others: int) -> str:
    more = f", the first of {others + 1}," if others else ""
    name = f"{certificate.title} " if options.address else f"{certificate.title} in "
    return f"the certificate of {name}{'at ' if options.address else ''}{place}{more}"


def _host(address: str) -> str:
    return address.rpartition(":")[0].removeprefix("[").removesuffix("]")


def _date(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).date().isoformat()


CHECK = CheckSpec(type="certificate", options=options, sample=sample, assess=assess, score=worst, keeps_time=True)
