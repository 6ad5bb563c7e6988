"""Interfaces with their links and counters, and where the default routes lead: of the host, not of a sandbox.

Everything is read through PID 1, whose network is that of the host. No socket is needed for it.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from healthd.figures import Interface, Network

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthd.host.files import Kept

INTERFACES_READ: Final = 1024 * 1024

ROUTES_READ: Final = 64 * 1024
"""So much of a table of routes is looked at (bytes): a router on the Internet has a million of them."""

_UP, _LOOPBACK = 0x1, 0x8  # IFF_UP, IFF_LOOPBACK
_ROUTE_UP, _ROUTE_REJECT = 0x1, 0x200  # RTF_UP, RTF_REJECT
_ANYWHERE: Final = {"00000000", "0" * 32}

_MADE_BY_PROGRAMS: Final = (
    *("veth", "docker", "br-", "virbr", "vnet", "cni", "cali", "cilium", "lxc", "lxd", "flannel", "podman", "kube"),
    *("vb-", "ve-", "tap", "tun", "wg", "nodelocaldns", "weave", "ovs", "fwbr", "fwpr", "fwln"),
    *("ifb", "dummy", "ip6tnl", "sit", "gre", "erspan", "teql"),
)
"""How the names of interfaces begin that containers, machines and tunnels come and go with."""

_MADE_UP: Final = frozenset({"bridge", "tun_flags"})
_WIRELESS: Final = frozenset({"wireless", "phy80211"})


class Counters(NamedTuple):
    """What /proc/net/dev counts of an interface. `rx_drop` has in it what the card itself missed."""

    rx_bytes: int
    rx_errors: int
    rx_drop: int
    tx_bytes: int
    tx_errors: int
    tx_drop: int


def read(proc: Kept, sys: str) -> Network:
    """The network now. Raises `OSError`, and `ValueError` or `LookupError` for text that no kernel writes."""
    known = f"{sys}/class/net"
    counted = counters(proc.read("1/net/dev", INTERFACES_READ).decode("utf-8", "replace"))
    ipv4, ipv6 = _defaults(proc, "route", default_4), _defaults(proc, "ipv6_route", default_6)
    needed = (ipv4 or frozenset()) | (ipv6 or frozenset())
    # A host may have hundreds of the others, and nothing is to be said of them.
    looked_at = (name for name in counted if name in needed or not name.startswith(_MADE_BY_PROGRAMS))
    interfaces = (_interface(f"{known}/{name}", name, counted[name], needed=name in needed) for name in looked_at)
    return Network(
        at=time.clock_gettime(time.CLOCK_BOOTTIME),
        interfaces=tuple(each for each in interfaces if each is not None),
        ipv4=ipv4,
        ipv6=ipv6,
    )


def counters(text: str) -> dict[str, Counters]:
    """The counters in the text of /proc/net/dev, by interface."""
    found = {}
    for line in text.splitlines()[2:]:
        name, _, numbers = line.rpartition(":")
        field = [int(word) for word in numbers.split()]
        found[name.strip()] = Counters(field[0], field[2], field[3], field[8], field[10], field[11])
    return found


def default_4(lines: list[str]) -> frozenset[str]:
    """The interfaces of the default routes in /proc/net/route."""
    words = (line.split() for line in lines[1:])
    return frozenset(
        word[0] for word in words if word[1] in _ANYWHERE and word[7] in _ANYWHERE and _leads(int(word[3], 16))
    )


def default_6(lines: list[str]) -> frozenset[str]:
    """Those in /proc/net/ipv6_route, where the kernel has one of its own that refuses what nobody else takes."""
    words = (line.split() for line in lines)
    return frozenset(word[9] for word in words if word[0] in _ANYWHERE and word[1] == "00" and _leads(int(word[8], 16)))


def _leads(flags: int) -> bool:
    return bool(flags & _ROUTE_UP) and not flags & _ROUTE_REJECT


def _defaults(proc: Kept, table: str, find: Callable[[list[str]], frozenset[str]]) -> frozenset[str] | None:
    """The interfaces of the default routes; None where none is in the part of the table that is looked at."""
    try:
        text = proc.read(f"1/net/{table}", ROUTES_READ + 1)
    except FileNotFoundError:  # a kernel without this family
        return frozenset()
    whole = len(text) <= ROUTES_READ
    lines = text[:ROUTES_READ].decode("ascii", "replace").splitlines()
    if not whole:
        del lines[-1:]
    found = find(lines)
    return found if found or whole else None


def _interface(directory: str, name: str, counted: Counters, *, needed: bool) -> Interface | None:
    """An interface; None for the loopback, and for one that lies on another, which has the same link.

    `needed`: a default route leads there, so that it is looked at even then.
    """
    if name == "lo":
        return None
    try:
        entries = frozenset(os.listdir(directory))  # noqa: PTH208  no object for each entry
    except FileNotFoundError:  # it went away, or this /sys is that of another network
        entries = frozenset()
    flags = int(_text(f"{directory}/flags") or "0x1", 16)
    if flags & _LOOPBACK:
        return None
    if not needed and "bonding" not in entries and any(entry.startswith("lower_") for entry in entries):
        return None
    carrier = _text(f"{directory}/carrier")  # cannot be read while the interface is down
    missed = int(_text(f"{directory}/statistics/rx_missed_errors") or 0) if counted.rx_drop else 0
    return Interface(
        name=name,
        up=bool(flags & _UP),
        carrier=None if carrier == "" else carrier == "1",
        had_carrier=carrier == "1" or int(_text(f"{directory}/carrier_up_count") or 0) > 0,
        made_up=bool(entries & _MADE_UP) or name.startswith(_MADE_BY_PROGRAMS),
        wireless=bool(entries & _WIRELESS),
        rx_bytes=counted.rx_bytes,
        tx_bytes=counted.tx_bytes,
        errors=counted.rx_errors + counted.tx_errors + counted.tx_drop + missed,
        rx_dropped=max(0, counted.rx_drop - missed),
    )


def _text(file: str) -> str:
    """What stands in a file of /sys; "" where there is none, or nothing can be said at present (EINVAL)."""
    try:
        opened = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(opened, 64).decode("ascii").strip()
    except OSError:
        return ""
    finally:
        os.close(opened)
