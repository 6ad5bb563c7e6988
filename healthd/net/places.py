"""From the name of a host to the places to connect to."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from healthd.errors import NoAnswer

if TYPE_CHECKING:
    from healthd.net.aside import Aside
    from healthd.net.limit import Limit

_LOCAL: Final = "localhost"


class Place(NamedTuple):
    """Where a socket connects to: its family, and the address as that family has it."""

    family: int
    address: tuple[str, int] | tuple[str, int, int, int]


def split(address: str) -> tuple[str, int]:
    """Host and port of "HOST:PORT"; an IPv6 address without its brackets."""
    host, _, port = address.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def literal(host: str, port: int) -> list[Place]:
    """The places of what needs no look-up: addresses, and the one name that stands for this host. Else none."""
    if host.lower() == _LOCAL:
        return [*literal("127.0.0.1", port), *literal("::1", port)]
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return [Place(family, (host, port) if family == socket.AF_INET else (host, port, 0, 0))]
    return []


async def find(host: str, port: int, aside: Aside, limit: Limit) -> list[Place]:
    """All places of a host, in the order in which they are to be tried. Raises NoAnswer or ReadError."""
    if places := literal(host, port):
        return places
    try:
        # As bytes: a name as text would bring the tables of international names into the daemon.
        name = host.encode("ascii")
        with limit.otherwise(NoAnswer("dns", f"{host} is not resolved within {limit.seconds:g} s")):
            found = await aside.ask(
                ("name", host, port), lambda: socket.getaddrinfo(name, port, type=socket.SOCK_STREAM), limit
            )
    except socket.gaierror as error:
        raise NoAnswer("dns", f"{host} cannot be resolved: {error.strerror}") from error
    except ValueError as error:
        raise NoAnswer("dns", f"{host} cannot be resolved: {error}") from error
    return [_place(family, address) for family, _, _, _, address in found]


def _place(family: int, address: tuple[Any, ...]) -> Place:
    # The zone stands in the last number already; in the text it would make asyncio look the address up again.
    host, port, *more = str(address[0]).partition("%")[0], *address[1:]
    return Place(family, (host, port, *more) if more else (host, port))
