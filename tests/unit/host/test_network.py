"""Interfaces and routes as the kernel's own files tell of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from healthd.errors import ReadError
from healthd.figures import Interface
from healthd.host import LinuxHost
from healthd.host.network import ROUTES_READ, default_4, default_6

if TYPE_CHECKING:
    from pathlib import Path

DEV = """\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 48971547  260201    0    0    0     0          0         0 48971547  260201    0    0    0     0       0          0
  eth0: 3338859810   93129    1    9    0     0          0         0  3601169   43978    2    4    0     0       0          0
"""  # noqa: E501
ROUTE = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth1\t00000000\t010200C0\t0203\t0\t0\t0\t00000000\t0\t0\t0
tun0\t00000000\t010200C0\t0003\t0\t0\t0\t00000080\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
"""
ANY, GATEWAY = "0" * 32, "fd000000000000000000000000000001"
ROUTE_6 = f"""\
fd000000000000000000000000000000 40 {ANY} 00 {ANY} 00000100 00000001 00000000 00000001     eth0
{ANY} 00 {ANY} 00 {GATEWAY} 00000400 00000002 00000000 00000003     eth0
{ANY} 00 {ANY} 00 {ANY} ffffffff 00000001 00000000 00200200       lo
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    net = tmp_path / "1/net"
    net.mkdir(parents=True)
    (net / "dev").write_text(DEV)
    (net / "route").write_text(ROUTE)
    (net / "ipv6_route").write_text(ROUTE_6)
    return tmp_path


def sys_file(root: Path, name: str, text: str) -> None:
    file = root / "class/net" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def interfaces(root: Path) -> tuple[Interface, ...]:
    return LinuxHost(root, root).network().interfaces


def test_an_interface_has_its_link_and_each_lost_packet_once(root: Path) -> None:
    sys_file(root, "eth0/flags", "0x1003\n")
    sys_file(root, "eth0/carrier", "0\n")
    sys_file(root, "eth0/carrier_up_count", "2\n")
    sys_file(root, "eth0/statistics/rx_missed_errors", "3\n")

    assert interfaces(root) == (
        Interface(
            name="eth0",
            up=True,
            carrier=False,
            had_carrier=True,
            rx_bytes=3338859810,
            tx_bytes=3601169,
            errors=1 + 2 + 4 + 3,
            rx_dropped=6,
        ),
    )


def test_the_default_routes_are_those_that_lead_somewhere(root: Path) -> None:
    network = LinuxHost(root, root).network()

    assert (network.ipv4, network.ipv6) == (frozenset({"eth0"}), frozenset({"eth0"}))
    assert default_6(ROUTE_6.splitlines()[2:]) == frozenset()
    assert default_4(ROUTE.splitlines()[:1]) == frozenset()


def test_a_kernel_without_a_family_has_no_routes_of_it(root: Path) -> None:
    (root / "1/net/ipv6_route").unlink()

    assert LinuxHost(root, root).network().ipv6 == frozenset()


def test_of_a_very_long_table_the_beginning_is_looked_at(root: Path) -> None:
    filler = ROUTE.splitlines()[-1] + "\n"
    many = filler * (ROUTES_READ // len(filler) + 1)
    (root / "1/net/route").write_text(ROUTE + many)
    (root / "1/net/ipv6_route").write_text((ROUTE_6.splitlines()[0] + "\n") * 1000)
    network = LinuxHost(root, root).network()

    assert (network.ipv4, network.ipv6) == (frozenset({"eth0"}), None)


def test_an_interface_that_is_down_has_no_link_to_tell_of(root: Path) -> None:
    sys_file(root, "eth0/flags", "0x1002\n")
    (seen,) = interfaces(root)

    assert (seen.up, seen.carrier, seen.had_carrier) == (False, None, False)


@pytest.mark.parametrize(
    ("entry", "kind"), [("bridge/x", "made_up"), ("tun_flags", "made_up"), ("phy80211", "wireless")]
)
def test_what_an_interface_is_stands_in_its_directory(root: Path, entry: str, kind: str) -> None:
    sys_file(root, f"eth0/{entry}", "")
    (seen,) = interfaces(root)

    assert getattr(seen, kind)


def without_routes(root: Path) -> None:
    for table in ("route", "ipv6_route"):
        (root / "1/net" / table).unlink()


def test_a_container_s_interface_goes_by_its_name_and_is_left_out_unless_a_default_route_leads_there(
    root: Path,
) -> None:
    for file in ("dev", "route", "ipv6_route"):
        text = (root / "1/net" / file).read_text()
        (root / "1/net" / file).write_text(text.replace("eth0", "veth1a2b"))
    (seen,) = interfaces(root)
    assert (seen.name, seen.made_up) == ("veth1a2b", True)

    without_routes(root)
    assert interfaces(root) == ()


def test_an_interface_on_another_one_is_left_out_unless_it_is_a_bond_or_a_default_route_leads_there(
    root: Path,
) -> None:
    sys_file(root, "eth0/lower_eth1", "")
    assert len(interfaces(root)) == 1

    without_routes(root)
    assert interfaces(root) == ()

    sys_file(root, "eth0/bonding/mode", "")
    assert len(interfaces(root)) == 1


def test_what_the_kernel_never_writes_is_no_reading(root: Path) -> None:
    (root / "1/net/dev").write_text("a\nb\neth0: 1 2\n")
    with pytest.raises(ReadError, match="the network cannot be read"):
        interfaces(root)
