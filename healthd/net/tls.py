"""TLS over a socket. Its library is loaded only where the configuration needed it when healthd started."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from healthd.errors import NoAnswer, ReadError
from healthd.net.line import CHUNK
from healthd.net.x509 import parse

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable

    from healthd.probes import Certificate

_T = TypeVar("_T")


class Contexts:
    """What connections share: one context for each way to look at certificates, made when first needed.

    OpenSSL looks authorities up in Debian's directory by their hash, each when it is needed, so a context is small, and
    it knows what was added since.
    """

    def __init__(self) -> None:
        self._made: dict[bool, ssl.SSLContext] = {}

    def get(self, *, verify: bool) -> ssl.SSLContext:
        """The context; ReadError in a process that was started without TLS."""
        if verify not in self._made:
            self._made[verify] = _context(verify=verify)
        return self._made[verify]


def _context(*, verify: bool) -> ssl.SSLContext:
    try:
        import ssl  # noqa: PLC0415  docs/adr/0010-lean-imports.md
    except ImportError:
        raise ReadError("TLS is new in the configuration: it needs a restart of healthd") from None
    made = ssl.create_default_context() if verify else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Python 3.13 refuses certificates that lack what RFC 5280 wants of authorities. Other clients take them, and many
    # an authority of one's own makes such: what is well on Debian 12 is well on Debian 13.
    made.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


class TlsLine:
    """TLS on a socket that is connected; closes it. `certificate` is what the server showed, after `shake_hands`."""

    def __init__(self, connected: socket.socket, context: ssl.SSLContext, host: str) -> None:
        import ssl  # noqa: PLC0415  there is a context, so it is loaded

        self._ssl = ssl
        self._socket, self._loop = connected, asyncio.get_running_loop()
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._session = context.wrap_bio(self._in, self._out, server_hostname=host)
        self.certificate: Certificate | None = None

    async def shake_hands(self) -> None:
        """Begin. Raises NoAnswer where the two do not come to terms."""
        try:
            await self._do(self._session.do_handshake)
        except self._ssl.SSLCertVerificationError as error:
            raise NoAnswer("tls", f"TLS: {error.verify_message.rstrip('.')}") from error
        except self._ssl.SSLEOFError as error:
            raise NoAnswer("tls", "TLS: the connection was closed") from error
        except self._ssl.SSLError as error:
            raise NoAnswer("tls", f"TLS: {(error.reason or str(error)).replace('_', ' ').lower()}") from error
        shown = self._session.getpeercert(binary_form=True)
        if shown is not None:
            self.certificate = _parsed(shown)

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        await self._do(lambda: self._session.write(data))

    async def receive(self) -> bytes:
        """Some bytes, at least one; b"" when the other end has ended."""
        try:
            return await self._do(lambda: self._session.read(CHUNK))
        except (self._ssl.SSLZeroReturnError, self._ssl.SSLEOFError):
            return b""
        except self._ssl.SSLError as error:
            raise NoAnswer("tls", f"TLS: {(error.reason or str(error)).replace('_', ' ').lower()}") from error

    def close(self) -> None:
        """Close at once."""
        self._socket.close()

    async def _do(self, step: Callable[[], _T]) -> _T:
        """Take a step of the protocol, with as many bytes to and fro as it needs."""
        while True:
            try:
                done = step()
            except self._ssl.SSLWantReadError:
                await self._tell()
            except self._ssl.SSLError:
                await self._tell()  # an alert, that says to the other end why
                raise
            else:
                await self._tell()
                return done
            heard = await self._loop.sock_recv(self._socket, CHUNK)
            if heard:
                self._in.write(heard)
            else:
                self._in.write_eof()

    async def _tell(self) -> None:
        if told := self._out.read():
            await self._loop.sock_sendall(self._socket, told)


def _parsed(der: bytes) -> Certificate:
    try:
        return parse(der)
    except ValueError as error:
        raise NoAnswer("tls", f"TLS: the certificate cannot be read: {error}") from error
