"""Whether the name servers of this host answer at all: the root's own name servers, which every one of them knows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from healthd.errors import NoAnswer, ReadError
from healthd.net.lookup import named_servers
from healthd.probes import NameServer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from healthd.probes import Resolved
    from healthd.soon import Soon

STANDS_SECONDS: Final = 30.0
"""An answer stands for so long. One that did not come is asked for again."""


class Resolve(Protocol):
    """Asks one server for the records of a name."""

    async def __call__(self, name: str, record: str, *, server: str, deadline: float) -> Resolved:
        """What it answers; raises `NoAnswer` and `ReadError`."""


class NameServers:
    """The name servers that resolv.conf names, and when each of them last answered."""

    def __init__(self, resolv_conf: Path, resolve: Resolve) -> None:
        self._resolv_conf, self._resolve = resolv_conf, resolve
        self._answered: dict[str, float] = {}

    def ask(self, *, deadline: float, local: bool) -> Soon[tuple[NameServer, ...]]:
        """How each of them is, asked side by side. `local`: only those on this host. Raises `ReadError`."""
        servers = [each for each in dict.fromkeys(named_servers(self._resolv_conf)) if not local or _is_local(each)]
        now = asyncio.get_running_loop().time()
        self._answered = {
            server: at for server, at in self._answered.items() if server in servers and at > now - STANDS_SECONDS
        }
        if all(server in self._answered for server in servers):
            return tuple(NameServer(address=server) for server in servers)
        return self._ask(servers, deadline)

    async def _ask(self, servers: Iterable[str], deadline: float) -> tuple[NameServer, ...]:
        return tuple(await asyncio.gather(*(self._one(server, deadline) for server in servers)))

    async def _one(self, server: str, deadline: float) -> NameServer:
        """Any answer will do, a refusal as well: what it is to know is another question."""
        if server in self._answered:
            return NameServer(address=server)
        try:
            await self._resolve(".", "NS", server=server, deadline=deadline)
        except NoAnswer as error:
            return NameServer(address=server, problem=str(error).removeprefix(f"{server}: "))
        except ReadError as error:
            return NameServer(address=server, unasked=str(error))
        self._answered[server] = asyncio.get_running_loop().time()
        return NameServer(address=server)


def _is_local(server: str) -> bool:
    return server == "::1" or server.startswith("127.")
