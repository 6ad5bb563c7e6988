"""From an address of the configuration to bound sockets, or to a sentence that says why there are none."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import Final

RESOLVE_SECONDS: Final = 10.0
_USER_TIMEOUT_MS: Final = 60_000
_NOT_HERE: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
_WORDS: Final = {
    errno.EADDRINUSE: ("port_taken", "another program has this port", "ss -ltnp shows which; stop it, or name another"),
    errno.EACCES: ("not_allowed", "healthd may not use a port below 1024", "name a port above 1023"),
    errno.EADDRNOTAVAIL: ("no_address", "this host has no such address", "ip address shows those there are"),
    errno.EAFNOSUPPORT: ("no_address", "this host does not speak this kind of address", "name another one"),
}


class Closed(Exception):
    """An address cannot be served: `reason` is one word for it, `remedy` what to do."""

    def __init__(self, text: str, reason: str, remedy: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.remedy = remedy


async def bind(address: str, *, only_ipv6: bool = False) -> list[socket.socket]:
    """Sockets bound to this HOST:PORT, one for each address that a name stands for. They do not listen yet.

    [::] takes IPv4 along, as elsewhere on Linux, but not if `only_ipv6`. What a name stands for on other hosts only is
    left out. Raises `Closed`.
    """
    host, _, port = address.rpartition(":")
    found = await _resolve(host.strip("[]"), int(port))
    bound: list[socket.socket] = []
    failed: OSError | None = None
    for family, sockaddr in found:
        try:
            bound.append(_bound(family, sockaddr, only_ipv6=only_ipv6 or len(found) > 1))
        except OSError as error:
            failed = error
            if error.errno not in _NOT_HERE:
                close(bound)
                raise explained(address, error) from None
    if not bound and failed is not None:
        raise explained(address, failed)
    return bound


def close(sockets: list[socket.socket]) -> None:
    """Close all of them, and have none left in the list."""
    while sockets:
        sockets.pop().close()


def explained(address: str, error: OSError) -> Closed:
    """The error of an operating system as what an operator can do something about."""
    unknown = ("cannot_listen", error.strerror or str(error), "name another address")
    reason, text, remedy = _WORDS.get(error.errno or 0, unknown)
    return Closed(f"{address} is not served: {text}", reason, remedy)


async def _resolve(host: str, port: int) -> list[tuple[int, tuple[object, ...]]]:
    loop, kind = asyncio.get_running_loop(), socket.SOCK_STREAM
    try:
        # As bytes: for a string it takes the tables of international names along.
        found = socket.getaddrinfo(host.encode(), port, type=kind, flags=socket.AI_NUMERICHOST | socket.AI_PASSIVE)
    except socket.gaierror:
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                found = await loop.getaddrinfo(host, port, type=kind)  # in a thread: it may ask the network
        except (OSError, TimeoutError, UnicodeError) as error:  # also a name that cannot be one: a..b
            text = f"{host}:{port} is not served: the name means nothing here ({str(error) or 'no answer in time'})"
            raise Closed(text, "no_address", f"getent ahosts {host}") from None
    return [(family, sockaddr) for family, _, _, _, sockaddr in found]


def _bound(family: int, sockaddr: tuple[object, ...], *, only_ipv6: bool) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # A connection of the last run that is not quite over does not count as one who has the port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only_ipv6)
        listener.bind(sockaddr)
    except OSError:
        listener.close()
        raise
    return listener


def settle_in(connection: socket.socket) -> None:
    """What an accepted connection needs: answers that go out at once, and an end to a client that is gone silently."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _USER_TIMEOUT_MS)
