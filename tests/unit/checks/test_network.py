"""The component `network`: what it makes of interfaces, routes and name servers, and of what they were before."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from healthd.assess.judge import Rules, judge
from healthd.checks.network import CHECK, Options, Reading, options
from healthd.config import load_texts
from healthd.figures import Interface, Network
from healthd.model import IssueType, Item, Status
from healthd.probes import NameServer
from healthd.soon import waited
from tests.fake_net import FakeNet
from tests.fake_units import FakeHost
from tests.unit.assembly import ports_of
from tests.unit.checks.built_in import values

if TYPE_CHECKING:
    from healthd.assess.judge import Memory
    from healthd.model import Assessment

ETH = Interface(name="eth0")
HELD: dict[str, Any] = {"ipv4": frozenset({"eth0"})}
GOOD = NameServer(address="9.9.9.9")
DEAD = NameServer(address="192.0.2.1", problem="no answer within 2 s")


def reading(*interfaces: Interface, at: float = 0.0, servers: tuple[NameServer, ...] = (), **routes: Any) -> Reading:
    return Reading(network=Network(at=at, interfaces=interfaces, **routes), servers=servers)


def after(*readings: Reading, rules: Rules | None = None, chosen: Options | None = None) -> dict[str, Item]:
    """The items after these readings, one every 30 s where they do not say when."""
    memory: Memory = {}
    before: Any = None
    assessment: Assessment | None = None
    with_options = chosen or Options()
    for number, one in enumerate(readings):
        network = one.network if one.network.at else replace(one.network, at=100.0 + 30 * number)
        seen = replace(one, network=network)
        assessment = CHECK.assess(seen, before, with_options)
        memory, assessment = judge(memory, assessment, rules or Rules(), network.at)
        before = CHECK.keep(seen, before, with_options)
    assert assessment is not None
    return {item.name: item for item in assessment.items}


def trouble(items: dict[str, Item]) -> dict[str, float]:
    """Score of what is not well, each of which must be an issue of the network."""
    bad = {name: item for name, item in items.items() if item.status is not Status.HEALTHY}
    assert all([each.type for each in item.findings] == [IssueType.NETWORK_ERROR] for item in bad.values())
    return {name: item.score for name, item in bad.items()}


def asked(host: FakeHost, net: FakeNet) -> Reading:
    async def ask() -> Reading:
        seen: Reading = await waited(CHECK.sample(ports_of(host=host, net=net), Options(), None))
        return seen

    return asyncio.run(ask())


# Reading


def test_it_reads_the_kernel_and_asks_the_name_servers() -> None:
    host, net = FakeHost(), FakeNet(servers=(GOOD,))
    host.network_now = Network(at=1.0, interfaces=(ETH,))

    assert asked(host, net) == Reading(network=host.network_now, servers=(GOOD,))
    assert net.asked == [("name servers", {"deadline": 2.0, "local": False})]


@pytest.mark.parametrize("interfaces", [(), (replace(ETH, up=False),)])
def test_a_host_without_a_way_to_anybody_asks_only_itself(interfaces: tuple[Interface, ...]) -> None:
    host, net = FakeHost(), FakeNet()
    host.network_now = Network(at=1.0, interfaces=interfaces)
    asked(host, net)

    assert net.asked[0][1]["local"]


def test_its_limits_are_those_of_the_thresholds_in_its_own_interval() -> None:
    said = "[thresholds]\nnetwork_error_warning = 7\n[component.network]\ninterval_seconds = 5\ntimeout_seconds = 1\n"

    assert options(load_texts({"a.toml": said}), "network") == Options(warning=7, critical=20, interval=5, deadline=0.8)
    assert options(load_texts(), "network") == Options()


# A host as it is


def test_a_host_with_the_loopback_only_is_well() -> None:
    (item,) = after(reading()).values()

    assert (item.status, item.message) == (Status.HEALTHY, "no interface but the loopback is in use")


def test_a_host_that_is_well_says_what_goes_in_and_out_and_where_its_routes_lead() -> None:
    later = replace(ETH, rx_bytes=45_000, tx_bytes=60_000_000)
    items = after(reading(ETH, **HELD), reading(later, servers=(GOOD,), **HELD))

    assert trouble(items) == {}
    assert {name: item.message for name, item in items.items()} == {
        "eth0": "1.5 kB/s in, 2.0 MB/s out",
        "route": "default route: IPv4 by eth0",
        "resolver": "9.9.9.9 answers",
    }
    assert values(items["eth0"]) == {
        "rx_bytes_per_second": 1500,
        "tx_bytes_per_second": 2_000_000,
        "errors_per_interval": 0,
    }


def test_the_first_reading_says_what_it_can_and_the_second_comes_soon() -> None:
    assessment = CHECK.assess(reading(ETH, at=50.0, **HELD), None, Options())

    assert [item.name for item in assessment.items] == ["eth0", "route"]
    assert assessment.items[0].measures == ()
    assert assessment.again_at == 51.0


# Links


def test_a_link_that_was_there_and_is_not_is_a_fault_until_it_is_back() -> None:
    lost = replace(ETH, carrier=False)

    assert trouble(after(reading(ETH), reading(lost))) == {"eth0": 0.6}
    assert trouble(after(reading(lost))) == {"eth0": 0.6}
    assert trouble(after(reading(ETH), reading(lost), reading(ETH))) == {}


def test_a_lost_link_that_the_default_route_needs_is_worse() -> None:
    lost = replace(ETH, carrier=False)

    assert trouble(after(reading(ETH, **HELD), reading(lost, **HELD))) == {"eth0": 0.2}
    assert trouble(after(reading(ETH, **HELD), reading(lost))) == {"eth0": 0.2, "route": 0.2}


@pytest.mark.parametrize(
    "change",
    [
        {"had_carrier": False},
        {"carrier": None},
        {"wireless": True},
        {"up": False},
        {"made_up": True},
    ],
    ids=str,
)
def test_a_port_without_a_link_that_nobody_misses_is_well(change: dict[str, Any]) -> None:
    assert trouble(after(reading(replace(ETH, **{"carrier": False, **change})))) == {}


def test_what_containers_and_tunnels_make_is_looked_at_only_if_the_default_route_leads_there() -> None:
    bridge = replace(ETH, name="br0", made_up=True, carrier=False)

    assert "br0" not in after(reading(bridge, ETH))
    assert trouble(after(reading(bridge, ipv4=frozenset({"br0"})))) == {"br0": 0.2}


def test_one_bad_look_at_a_link_is_none() -> None:
    lost, rules = reading(replace(ETH, carrier=False)), Rules(failures=3, successes=2)

    assert trouble(after(reading(ETH), lost, lost, rules=rules)) == {}
    assert trouble(after(reading(ETH), lost, lost, lost, rules=rules)) == {"eth0": 0.6}


# Errors


@pytest.mark.parametrize(("errors", "status"), [(5, "healthy"), (6, "degraded"), (20, "degraded"), (21, "unhealthy")])
def test_errors_within_an_interval_are_held_against_the_limits(errors: int, status: str) -> None:
    first, second = replace(ETH, errors=1000), replace(ETH, errors=1000 + errors)

    assert after(reading(first), reading(second))["eth0"].status == status


def test_errors_are_confirmed_by_looks_that_come_sooner_than_an_interval() -> None:
    burst = replace(ETH, errors=25)
    looks = [reading(ETH, at=70.0), reading(ETH, at=100.0), *(reading(burst, at=at) for at in (130.0, 135.0, 140.0))]
    items = after(*looks, rules=Rules(failures=3, successes=2))

    assert items["eth0"].findings[0].message == "eth0 lost 25 packets by errors and drops within 30 s (limit 20)"
    over = after(*looks, *(reading(burst, at=at) for at in (170.0, 172.0)), rules=Rules(failures=3, successes=2))
    assert trouble(over) == {}


def test_of_packets_that_nobody_has_a_use_for_only_many_count() -> None:
    noise, flood = replace(ETH, rx_dropped=300), replace(ETH, rx_dropped=301)

    assert trouble(after(reading(ETH), reading(noise))) == {}
    assert trouble(after(reading(ETH), reading(flood))) == {"eth0": 0.0}


def test_the_errors_of_a_night_asleep_are_not_those_of_an_interval() -> None:
    items = after(reading(ETH, at=100.0), reading(replace(ETH, errors=100), at=100.0 + 3000))

    assert values(items["eth0"])["errors_per_interval"] == 1.0


def test_counters_that_begin_anew_and_interfaces_that_are_new_have_lost_nothing() -> None:
    new = replace(ETH, name="eth1", errors=50)
    items = after(reading(replace(ETH, errors=50, rx_bytes=50)), reading(ETH, new))

    assert trouble(items) == {}
    assert set(values(items["eth0"]).values()) == {0}
    assert items["eth1"].measures == ()


def test_looks_in_quick_succession_are_not_all_kept() -> None:
    before: Any = None
    for at in range(1, 500):
        before = CHECK.keep(reading(ETH, at=float(at)), before, Options())

    assert len(before.networks) < 12
    assert before.networks[-1].at <= 499 - 27


# Routes


def test_a_default_route_that_is_gone_is_a_fault_until_it_is_back() -> None:
    assert trouble(after(reading(ETH, **HELD), reading(ETH))) == {"route": 0.2}
    assert trouble(after(reading(ETH, **HELD), reading(ETH), reading(ETH))) == {"route": 0.2}
    assert trouble(after(reading(ETH, **HELD), reading())) == {"route": 0.2}
    assert trouble(after(reading(ETH, **HELD), reading(ETH), reading(ETH, **HELD))) == {}


def test_one_of_two_families_without_a_default_route_is_less_of_a_fault() -> None:
    both = reading(ETH, **HELD, ipv6=frozenset({"eth0"}))
    items = after(both, reading(ETH, **HELD))

    assert trouble(items) == {"route": 0.6}
    assert items["route"].message == "the default route for IPv6 is gone"


def test_the_second_way_out_of_a_tunnel_or_interface_that_was_taken_away_is_not_missed() -> None:
    both = reading(ETH, Interface(name="ppp0"), **HELD, ipv6=frozenset({"ppp0"}))

    assert trouble(after(both, reading(ETH, **HELD))) == {}
    assert trouble(after(both, reading(ETH, Interface(name="ppp0", up=False), **HELD))) == {}


def test_a_host_that_never_had_a_default_route_misses_none() -> None:
    assert list(after(reading(ETH), reading(ETH))) == ["eth0"]


def test_a_table_too_long_to_be_looked_through_says_nothing_of_what_is_gone() -> None:
    assert trouble(after(reading(ETH, **HELD), reading(ETH, ipv4=None))) == {}


# Name servers


def test_a_name_server_that_does_not_answer_is_a_fault_and_worse_if_it_is_the_only_one() -> None:
    one, all_ = after(reading(ETH, servers=(DEAD, GOOD))), after(reading(ETH, servers=(DEAD,)))

    assert (trouble(one), trouble(all_)) == ({"resolver": 0.6}, {"resolver": 0.2})
    assert one["resolver"].message == "name server 192.0.2.1 does not answer: no answer within 2 s"


def test_a_name_server_that_this_host_could_not_ask_is_unknown() -> None:
    unasked = NameServer(address="9.9.9.9", unasked="healthd cannot connect: too many open files")

    assert after(reading(ETH, servers=(unasked,)))["resolver"].status is Status.UNKNOWN
    assert trouble(after(reading(ETH, servers=(unasked, DEAD)))) == {"resolver": 0.2}
