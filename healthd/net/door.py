"""`Network` fulfils `ports.Net`: each question under its limit of time, each connection closed at the end."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from healthd.net import http
from healthd.net.aside import Aside
from healthd.net.limit import Limit, limited
from healthd.net.line import PlainLine, connect, connect_unix, translated
from healthd.net.places import find, split
from healthd.net.talk import talk
from healthd.net.tls import Contexts, TlsLine
from healthd.probes import BODY_LIMIT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from healthd.net.line import Line
    from healthd.probes import Fetched


class Network:
    """The network as this host reaches it."""

    def __init__(self) -> None:
        self._aside = Aside()
        self._contexts = Contexts()

    async def fetch(
        self,
        url: str,
        *,
        deadline: float,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        follow: bool = True,
        verify: bool = True,
        limit: int = BODY_LIMIT,
    ) -> Fetched:
        """Make an HTTP request."""
        request = http.Request(
            url=url, method=method, headers=headers or {}, body=body, follow=follow, verify=verify, limit=limit
        )
        async with _asking(deadline) as until:
            return await http.fetch(request, lambda host, port, checked: self._dial(host, port, checked, until))

    async def talk(self, address: str, *, send: bytes, expect: bytes, deadline: float) -> None:
        """Connect, send, and wait for what is expected."""
        async with _asking(deadline) as until:
            if address.startswith("/"):
                line: Line = PlainLine(await connect_unix(address))
            else:
                line = await self._dial(*split(address), None, until)
            try:
                await talk(line, send, expect, until)
            finally:
                line.close()

    async def _dial(self, host: str, port: int, verify: bool | None, until: Limit) -> Line:  # noqa: FBT001  None: no TLS
        context = None if verify is None else self._contexts.get(verify=verify)
        connected = await connect(await find(host, port, self._aside, until), until)
        if context is None:
            return PlainLine(connected)
        line = TlsLine(connected, context, host)
        try:
            await line.shake_hands()
        except BaseException:
            line.close()
            raise
        return line


@asynccontextmanager
async def _asking(deadline: float) -> AsyncIterator[Limit]:
    """Under a limit of time, with errors of sockets translated."""
    async with limited(deadline) as until:
        try:
            yield until
        except OSError as error:
            # TimeoutError is one too. That of the limit comes as a cancellation and is not seen here.
            raise translated(error) from error
