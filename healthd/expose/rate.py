"""How often a client address may ask: a bucket of tokens each, in bounded memory."""

from __future__ import annotations

import socket
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

CLIENTS: Final = 4096
_MAPPED: Final = b"\0" * 10 + b"\xff\xff"


class Buckets:
    """At most `per_minute` requests of one client in any minute on average, and as many at once; 0: no limit.

    Who was not heard of for the longest time is forgotten when there are too many, which lets him begin anew.
    """

    def __init__(self, per_minute: int, now: Callable[[], float], *, clients: int = CLIENTS) -> None:
        self.per_minute = per_minute
        self._now, self._clients = now, clients
        self._left: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def take(self, address: str, tokens: int = 1) -> float:
        """Take so many tokens. Returns 0.0, or the seconds until they are there; then none was taken."""
        if not self.per_minute or not tokens:
            return 0.0
        client, now, rate = network(address), self._now(), self.per_minute / 60
        left, since = self._left.pop(client, (float(self.per_minute), now))
        left = min(float(self.per_minute), left + (now - since) * rate)
        wanted = min(tokens, self.per_minute)
        enough = left >= wanted
        self._left[client] = (left - wanted if enough else left, now)
        if len(self._left) > self._clients:
            self._left.popitem(last=False)
        return 0.0 if enough else (wanted - left) / rate

    def __len__(self) -> int:
        return len(self._left)


def network(address: str) -> bytes:
    """Who counts as one client: an IPv4 address, or the /64 of an IPv6 address, which one host has all of."""
    try:
        packed = socket.inet_pton(socket.AF_INET6, address.partition("%")[0])
    except OSError:
        return address.encode()
    return packed[:8]


def plain_address(address: str) -> str:
    """An IPv4 address that an IPv6 socket shows in its own way, as it is written otherwise."""
    if not address.startswith("::ffff:"):
        return address
    packed = socket.inet_pton(socket.AF_INET6, address.partition("%")[0])
    return socket.inet_ntoa(packed[12:]) if packed.startswith(_MAPPED) else address
