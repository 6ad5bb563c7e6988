"""HTTP/1.1 as a client: one request, one answer, a connection each. h11 takes the bytes apart."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

import h11

from healthd import __version__
from healthd.errors import NoAnswer, ReadError
from healthd.net.tls import TlsLine
from healthd.probes import REDIRECTS, Fetched

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from healthd.net.line import Line

    Dial = Callable[[str, int, bool | None], Awaitable[Line]]
    """Connects to host and port. The last argument: None for no TLS, else whether the certificate is verified."""

_PORTS: Final = {"http": 80, "https": 443}
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_KEEP_METHOD: Final = frozenset({307, 308})
_PRINTABLE: Final = re.compile(r"[!-~]{1,8192}")
_SHOWN: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str]
    body: bytes = b""
    follow: bool = True
    verify: bool = True
    limit: int


async def fetch(request: Request, dial: Dial) -> Fetched:
    """The answer, after all redirects that are to be followed. Raises OSError, NoAnswer, ReadError."""
    asked, seen = request, {(request.method, request.url)}
    for redirects in range(REDIRECTS + 1):
        answer = await _exchange(asked, _split(asked.url), dial)
        there = answer.headers.get("location")
        if not request.follow or answer.status not in _REDIRECTS or there is None:
            return replace(answer, redirects=redirects)
        asked = _redirected(asked, answer, there)
        if (asked.method, asked.url) in seen:
            raise NoAnswer("redirect", f"redirects lead in a circle to {asked.url[:_SHOWN]}")
        seen.add((asked.method, asked.url))
    raise NoAnswer("redirect", f"more than {REDIRECTS} redirects, the last one to {asked.url[:_SHOWN]}")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ReadError(f"{url[:_SHOWN]} is no URL: {error}") from error
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise ReadError(f"{url[:_SHOWN]} is no URL that can be asked for")
    return parts


def _redirected(asked: Request, answer: Fetched, location: str) -> Request:
    """The request that a redirect asks for. What is secret in it goes to nobody else than who it was meant for."""
    try:
        url = urljoin(asked.url, location)
        before, after = urlsplit(asked.url), urlsplit(url)
        same = (before.scheme, before.hostname, before.port) == (after.scheme, after.hostname, after.port)
    except ValueError:
        url, same = "", False
    if not _PRINTABLE.fullmatch(url) or urlsplit(url).scheme not in _PORTS:
        raise NoAnswer("redirect", f"status {answer.status} leads nowhere: {ascii(location)[:_SHOWN]}")
    keep = answer.status in _KEEP_METHOD or asked.method in ("GET", "HEAD")
    return replace(
        asked,
        url=url.partition("#")[0],
        method=asked.method if keep else "GET",
        body=asked.body if keep else b"",
        headers=asked.headers if same else {},
    )


async def _exchange(request: Request, parts: SplitResult, dial: Dial) -> Fetched:
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    line = await dial(host, port, request.verify if parts.scheme == "https" else None)
    try:
        session = h11.Connection(h11.CLIENT)
        await line.send(_sent(session, request, parts))
        status, headers, body, cut = await _answer(session, line, request.limit)
        certificate = line.certificate if isinstance(line, TlsLine) else None
        return Fetched(url=request.url, status=status, headers=headers, body=body, cut=cut, certificate=certificate)
    finally:
        line.close()


def _sent(session: h11.Connection, request: Request, parts: SplitResult) -> bytes:
    """The bytes of the request."""
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"host": parts.netloc.rpartition("@")[2], "user-agent": f"healthd/{__version__}", "accept": "*/*"}
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["authorization"] = "Basic " + binascii.b2a_base64(login.encode("utf-8"), newline=False).decode("ascii")
    headers |= {name.lower(): value for name, value in request.headers.items()} | {"connection": "close"}
    if request.body or request.method in ("POST", "PUT"):
        headers["content-length"] = str(len(request.body))
    try:
        encoded = [(name.encode("ascii"), value.encode("utf-8")) for name, value in headers.items()]
        data = session.send(h11.Request(method=request.method, target=target, headers=encoded)) or b""
        if request.body:
            data += session.send(h11.Data(data=request.body)) or b""
        return data + (session.send(h11.EndOfMessage()) or b"")
    except (h11.LocalProtocolError, UnicodeEncodeError) as error:
        raise ReadError(f"the request cannot be sent: {error}") from error


async def _answer(session: h11.Connection, line: Line, limit: int) -> tuple[int, dict[str, str], bytes, bool]:
    """Status, headers, body, and whether that was cut."""
    status, headers, body = 0, {}, bytearray()
    heard = False
    while True:
        try:
            event = session.next_event()
        except (h11.RemoteProtocolError, ValueError) as error:  # ValueError: h11 before 0.15, a number too long
            raise _broken(error, heard=heard, begun=status > 0) from error
        match event:
            case h11.NEED_DATA:
                data = await line.receive()
                heard = heard or bool(data)
                session.receive_data(data)
            case h11.Response():
                status = event.status_code
                headers = {name.decode("ascii"): value.decode("latin-1") for name, value in event.headers}
            case h11.Data():
                body += event.data
                if len(body) > limit:
                    return status, headers, bytes(body[:limit]), True
            case h11.EndOfMessage():
                return status, headers, bytes(body), False
            case h11.ConnectionClosed():
                raise NoAnswer("closed", "the connection was closed without an answer")
            case _:
                continue


def _broken(error: Exception, *, heard: bool, begun: bool) -> NoAnswer:
    if not heard:
        return NoAnswer("closed", "the connection was closed without an answer")
    if begun:
        return NoAnswer("closed", "the answer ended in its middle")
    return NoAnswer("protocol", f"the answer is no HTTP: {error}")
