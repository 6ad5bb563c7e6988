"""The component `network`: links, packets and default routes that are lost, and name servers that do not answer.

What is lost was there before: a port without a cable, or a host without a way out, is as its operator wants it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from healthd.assess.score import status_of, worst
from healthd.config import ComponentSettings
from healthd.model import Assessment, Finding, IssueType, Item, Measure, Status
from healthd.registry import CheckSpec, Ports
from healthd.soon import then

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from healthd.config import Settings
    from healthd.figures import Interface, Network
    from healthd.probes import NameServer
    from healthd.soon import Soon

ANSWER_SECONDS: Final = 2.0
"""A name server has so long to answer."""

NOISE_PER_SECOND: Final = 10.0
"""Fewer packets than this that the kernel has no use for are noise: other people's protocols on the same wire."""

PART_SCORE: Final = 0.6
"""Something is lost, and something else still does its work."""

ALL_SCORE: Final = 0.2

_SECOND_LOOK: Final = 1.0
_LOOKS: Final = 8
"""So many readings are kept of one interval."""

_FAMILIES: Final = ("IPv4", "IPv6")
_Holders = frozenset[str]
NOBODY: Final[Mapping[str, _Holders]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Limits of errors and drops in one interval (seconds). `deadline`: seconds for a name server."""

    warning: float = 5.0
    critical: float = 20.0
    interval: float = 30.0
    deadline: float = ANSWER_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The network, and the name servers that were asked."""

    network: Network
    servers: tuple[NameServer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a reading is held against: the ones before it, newest first, at least the newest that is an interval old.

    `holders`: the interfaces that last had the default route of each family that had one.
    """

    networks: tuple[Network, ...]
    holders: Mapping[str, _Holders] = field(default_factory=lambda: NOBODY)


def options(settings: Settings, name: str) -> Options:
    """The limits that [thresholds] has for errors of this component, or for those of any network."""
    limits = settings.thresholds
    component = settings.component.get(name, ComponentSettings(type="network"))
    return Options(
        warning=limits.get(f"{name}_error_warning", limits["network_error_warning"]),
        critical=limits.get(f"{name}_error_critical", limits["network_error_critical"]),
        interval=component.interval_seconds,
        deadline=min(ANSWER_SECONDS, 0.8 * component.timeout_seconds),
    )


def sample(ports: Ports, options: Options, _names: frozenset[str] | None) -> Soon[Reading]:
    """Ask the kernel, and the name servers; those elsewhere only if there is an interface that could lead there."""
    network = ports.host.network()
    local = not any(interface.up for interface in network.interfaces)
    servers = ports.net.name_servers(deadline=options.deadline, local=local)
    return then(servers, lambda found: Reading(network=network, servers=found))


def keep(reading: Reading, before: Kept | None, options: Options) -> Kept:
    """The readings of the last interval, and who has the default routes or had them."""
    network, older = reading.network, before.networks if before else ()
    if len(older) > 1 and older[0].at - older[1].at < options.interval / _LOOKS:
        older = older[1:]  # of looks in a row the first is enough
    base = next((n for n, each in enumerate(older) if _is_base(each, network, options)), len(older))
    return Kept(networks=(network, *older[: base + 1]), holders=_holders(network, before))


def assess(reading: Reading, before: Kept | None, options: Options) -> Assessment:
    """An item for each interface that is in use, one for the default routes, one for the name servers; pure."""
    network = reading.network
    holders = _holders(network, before)
    items = [
        _interface(interface, network, before, options)
        for interface in network.interfaces
        if interface.up and (not interface.made_up or any(interface.name in each for each in holders.values()))
    ]
    items += _routes(network, holders)
    if reading.servers:
        items.append(_resolver(reading.servers))
    items = items or [_well("", "no interface but the loopback is in use")]
    return Assessment(items=tuple(items), again_at=None if before else network.at + _SECOND_LOOK)


# Interfaces


def _interface(interface: Interface, network: Network, before: Kept | None, options: Options) -> Item:
    name = interface.name
    if interface.carrier is False:
        if not interface.had_carrier or interface.wireless:  # wireless links come and go: their routes tell
            return _well(name, "has no link")
        needed = any(name in each for each in _holders(network, before).values())
        return _bad(name, ALL_SCORE if needed else PART_SCORE, f"{name} has lost its link", "link")
    measures = tuple(_measures(interface, network, before, options))
    if not measures:
        return _well(name, "has a link")
    rates = {measure.name: measure.value for measure in measures}
    words = [f"{_pace(rates[f'{way}_bytes_per_second'])} {where}" for way, where in (("rx", "in"), ("tx", "out"))]
    return _well(name, ", ".join(words), *measures)


def _measures(interface: Interface, network: Network, before: Kept | None, options: Options) -> Iterator[Measure]:
    """What has grown: bytes since the reading before, errors in an interval."""
    name = interface.name
    last = before.networks[0] if before else None
    old, base = _of(last, name), _base(network, before, options)
    first = _of(base, name)
    if last is None or base is None or old is None or first is None or network.at <= last.at:
        return
    span = network.at - last.at
    yield Measure(name="rx_bytes_per_second", value=round(max(0, interface.rx_bytes - old.rx_bytes) / span, 1))
    yield Measure(name="tx_bytes_per_second", value=round(max(0, interface.tx_bytes - old.tx_bytes) / span, 1))
    span = network.at - base.at
    errors = max(0, interface.errors - first.errors)
    dropped = max(0, interface.rx_dropped - first.rx_dropped)
    errors += dropped if dropped > NOISE_PER_SECOND * span else 0
    # A base that is much too old (the host was asleep) would make an interval of many.
    count = errors if span <= 2 * options.interval else errors * options.interval / span
    limit = options.critical if count > options.critical else options.warning
    yield Measure(
        name="errors_per_interval",
        value=round(count, 1),
        warning=min(options.warning, options.critical),
        critical=options.critical,
        issue=IssueType.NETWORK_ERROR,
        text=f"{name} lost {count:.0f} packets by errors and drops within {options.interval:g} s (limit {limit:g})",
    )


def _base(network: Network, before: Kept | None, options: Options) -> Network | None:
    """The newest reading that is about an interval old; the oldest there is, where none is."""
    networks = before.networks if before else ()
    return next((each for each in networks if _is_base(each, network, options)), networks[-1] if networks else None)


def _is_base(older: Network, newer: Network, options: Options) -> bool:
    return newer.at - older.at >= 0.9 * options.interval


def _of(network: Network | None, name: str) -> Interface | None:
    interfaces = network.interfaces if network else ()
    return next((interface for interface in interfaces if interface.name == name), None)


def _pace(speed: float) -> str:
    for unit in ("B", "kB", "MB"):
        if speed < 1000:
            return f"{speed:.0f} {unit}/s" if unit == "B" or speed >= 100 else f"{speed:.1f} {unit}/s"
        speed /= 1000
    return f"{speed:.1f} GB/s"


# Routes


def _now(network: Network) -> Mapping[str, _Holders | None]:
    return dict(zip(_FAMILIES, (network.ipv4, network.ipv6), strict=True))


def _holders(network: Network, before: Kept | None) -> Mapping[str, _Holders]:
    """The interfaces that have the default route of each family, or had it last.

    While one family has a way out, another's is not missed once its interface is gone or was switched off: that was a
    tunnel, or an operator.
    """
    known, now = before.holders if before else NOBODY, _now(network)
    up = {interface.name for interface in network.interfaces if interface.up}
    a_way_out = any(now.values())
    held = {}
    for family, holders in now.items():
        had = known.get(family, frozenset())
        if holders or (had and (holders is None or had & up or not a_way_out)):
            held[family] = holders or had
    return MappingProxyType(held)


def _routes(network: Network, holders: Mapping[str, _Holders]) -> Iterator[Item]:
    """One item, where there is or was a default route."""
    now = _now(network)
    lost = [family for family in holders if now[family] == frozenset()]
    if lost:
        every = len(lost) == len(holders)
        message = f"the default route for {' and '.join(lost)} is gone"
        yield _bad("route", ALL_SCORE if every else PART_SCORE, message, "route")
    elif holders:
        ways = (f"{family} by {', '.join(sorted(names))}" for family, names in holders.items())
        yield _well("route", f"default route: {'; '.join(ways)}")


# Name servers


def _resolver(servers: tuple[NameServer, ...]) -> Item:
    silent = [server for server in servers if server.problem]
    unasked = [server for server in servers if server.unasked]
    if silent:
        every = len(silent) + len(unasked) == len(servers)
        said = "; ".join(f"{server.address} does not answer: {server.problem}" for server in silent)
        return _bad("resolver", ALL_SCORE if every else PART_SCORE, f"name server {said}", "resolver")
    if unasked:
        said = "; ".join(f"{server.address}: {server.unasked}" for server in unasked)
        return Item(name="resolver", status=Status.UNKNOWN, score=1.0, message=f"cannot be asked: {said}")
    names = ", ".join(server.address for server in servers)
    return _well("resolver", f"{names} answer{'s' if len(servers) == 1 else ''}")


def _well(name: str, message: str, *measures: Measure) -> Item:
    return Item(name=name, status=status_of(1.0), score=1.0, message=message, measures=measures)


def _bad(name: str, score: float, message: str, cause: str) -> Item:
    finding = Finding(type=IssueType.NETWORK_ERROR, message=message, cause=cause)
    return Item(name=name, status=status_of(score), score=score, message=message, findings=(finding,))


CHECK = CheckSpec(type="network", options=options, sample=sample, assess=assess, keep=keep, score=worst, noun="part")
