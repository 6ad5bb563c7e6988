"""`Network` fulfils `ports.Net`: each question under its limit of time, each connection closed at the end.

What speaks HTTP and TLS and reads certificates is imported by the first probe that needs it: most hosts have none.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from healthd.errors import NoAnswer, ReadError
from healthd.net.aside import Aside
from healthd.net.limit import Limit, limited
from healthd.net.line import PlainLine, connect, connect_unix, translated
from healthd.net.lookup import resolve, servers_of
from healthd.net.nameservers import NameServers
from healthd.net.places import find, split
from healthd.net.talk import talk
from healthd.probes import BODY_LIMIT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from healthd.net.kept import KeptCertificates
    from healthd.net.line import Line
    from healthd.net.tls import Contexts
    from healthd.probes import Certificate, Fetched, NameServer, Resolved
    from healthd.soon import Soon


class Network:
    """The network as this host reaches it."""

    def __init__(self, resolv_conf: Path = Path("/etc/resolv.conf")) -> None:
        self._resolv_conf = resolv_conf
        self._aside = Aside()
        self._name_servers = NameServers(resolv_conf, self.resolve)

    @cached_property
    def _contexts(self) -> Contexts:
        from healthd.net.tls import Contexts  # noqa: PLC0415

        return Contexts()

    @cached_property
    def _kept(self) -> KeptCertificates:
        from healthd.net.kept import KeptCertificates  # noqa: PLC0415

        return KeptCertificates()

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
        from healthd.net import http  # noqa: PLC0415

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

    async def resolve(self, name: str, record: str, *, server: str, deadline: float) -> Resolved:
        """Ask a name server for the records of a name."""
        async with _asking(deadline) as until:
            servers = [server] if server else servers_of(self._resolv_conf)
            return await resolve(name, record, servers, self._aside, until)

    def name_servers(self, *, deadline: float, local: bool) -> Soon[tuple[NameServer, ...]]:
        """Whether the name servers of this host answer."""
        return self._name_servers.ask(deadline=deadline, local=local)

    async def shown_certificate(self, address: str, *, deadline: float) -> Certificate:
        """The certificate that a TLS server shows."""
        from healthd.net.tls import TlsLine  # noqa: PLC0415

        async with _asking(deadline) as until:
            line = await self._dial(*split(address), False, until)
            line.close()
            if not isinstance(line, TlsLine) or line.certificate is None:
                raise NoAnswer("tls", "TLS: the server shows no certificate")
            return line.certificate

    async def kept_certificates(self, path: str, *, deadline: float) -> Mapping[str, tuple[Certificate, ...]]:
        """The certificates in a file of PEM, or in each such file of a directory."""
        async with limited(deadline) as until:
            try:
                with until.otherwise(ReadError(f"{path} cannot be read within {deadline:g} s")):
                    return await self._aside.ask(("file", path), lambda: self._kept.read(Path(path)), until)
            except OSError as error:
                raise ReadError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from error
            except ValueError as error:
                raise ReadError(f"{path}: {error}") from error

    async def _dial(self, host: str, port: int, verify: bool | None, until: Limit) -> Line:  # noqa: FBT001  None: no TLS
        context = None if verify is None else self._contexts.get(verify=verify)
        connected = await connect(await find(host, port, self._aside, until), until)
        if context is None:
            return PlainLine(connected)
        from healthd.net.tls import TlsLine  # noqa: PLC0415

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
