"""One HTTP/1.1 connection: takes requests apart with h11, has each handled, and never waits long for its client."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import h11

from healthd.errors import RequestError
from healthd.expose import query
from healthd.expose.message import PHRASES, Answer, Request, Stream, as_error
from healthd.expose.streams import pump

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthd.expose.message import Client, Handler
    from healthd.expose.streams import Streams

HEADER_BYTES: Final = 16 * 1024
BODY_BYTES: Final = 64 * 1024
READ_BYTES: Final = 4096  # small, since h11 measures a header only between reads, while it is not complete
_LINGER_SECONDS: Final = 1.0
_LINGER_BYTES: Final = 1024 * 1024

_REFUSALS: Final = {
    431: f"the header is larger than {HEADER_BYTES // 1024} KiB",
    501: "this transfer encoding is not supported",
}


if TYPE_CHECKING:
    Refused = Callable[[Client, int, str], None]


def refuse_nothing(_client: Client, _status: int, _why: str) -> None:
    """What nobody wants to hear: that something came which is no request, how it was answered, and why."""


class _ClientGone(Exception):
    """Nobody is left to answer."""


class Connection:
    """Serves one client until it goes away, breaks the protocol or keeps the server waiting for `idle_seconds`.

    `waiting_since` is the loop's time since when the server waits for the client, None while a handler works or an
    answer is streamed: a connection that waits may be cut off to make room for another.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        client: Client,
        handler: Handler,
        *,
        streams: Streams,
        idle_seconds: float,
        refused: Refused = refuse_nothing,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._client = client
        self._handler = handler
        self._streams = streams
        self._idle_seconds = idle_seconds
        self._refused = refused
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEADER_BYTES)
        self._is_head = False
        self._loop = asyncio.get_running_loop()
        self.waiting_since: float | None = self._loop.time()
        # So that drain() means "the kernel has it all" and nothing is left over to flush when the connection ends.
        writer.transport.set_write_buffer_limits(high=0)

    async def run(self) -> None:
        """Serve until the connection ends. A client that vanishes is no error."""
        try:
            while await self._exchange():
                self._http.start_next_cycle()
            await self._part()
        except _ClientGone:
            pass
        finally:
            if not self._writer.is_closing():
                self._writer.transport.abort()

    async def _part(self) -> None:
        """Under TLS the last of an answer may still have to be sent, and the client is owed a word of farewell."""
        if self._writer.can_write_eof():
            return
        self._writer.close()
        with suppress(OSError):  # asyncio itself ends what the client does not answer
            await self._writer.wait_closed()

    async def _exchange(self) -> bool:
        """One request and its answer. Returns whether the connection can carry another."""
        try:
            request = await self._receive()
        except RequestError as refusal:
            self._refused(self._client, refusal.status, str(refusal))
            await self._send(as_error(refusal.status, str(refusal), refusal.hint), close=True)
            await self._linger()
            return False
        if request is None:
            return False
        self.waiting_since = None
        answer = await self._handler(request)
        if isinstance(answer, Stream):
            await self._send_stream(answer)
        else:
            self.waiting_since = self._loop.time()
            await self._send(answer)
        self.waiting_since = self._loop.time()
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    async def _receive(self) -> Request | None:
        """The next whole request; None if the client closed the connection or let it lie idle."""
        try:
            async with asyncio.timeout(self._idle_seconds):
                return await self._read_request()
        except TimeoutError:
            if self._http.their_state is h11.IDLE and not self._http.trailing_data[0]:
                return None
            raise RequestError(408, f"the request was not complete within {self._idle_seconds:g} s") from None
        except h11.RemoteProtocolError as error:
            status = error.error_status_hint
            raise RequestError(status, _REFUSALS.get(status, "this is not a complete HTTP/1.1 request")) from None

    async def _read_request(self) -> Request | None:
        self._is_head = False
        head = await self._next_event()
        if not isinstance(head, h11.Request):
            return None
        self._is_head = head.method == b"HEAD"
        if _size(head) > HEADER_BYTES:
            raise RequestError(431, _REFUSALS[431])
        headers = {name.decode("ascii"): value.decode("utf-8", "replace") for name, value in head.headers}
        if int(headers.get("content-length", 0)) > BODY_BYTES:
            raise _too_large()
        body = bytearray()
        while isinstance(event := await self._next_event(), h11.Data):
            body += event.data
            if len(body) > BODY_BYTES:
                raise _too_large()
        path, behind = query.split(head.target.decode("ascii", "replace"))
        return Request(
            method=head.method.decode("ascii"),
            path=path,
            query=query.parse(behind),
            headers=headers,
            body=bytes(body),
            client=self._client,
        )

    async def _next_event(self) -> h11.Event:
        while True:
            try:
                event = self._http.next_event()
            except ValueError:
                # h11 before 0.15 lets a Content-Length pass that has more digits than Python reads as a number.
                raise _too_large() from None
            if isinstance(event, h11.Event):
                return event
            if self._http.they_are_waiting_for_100_continue:
                await self._write(self._http.send(h11.InformationalResponse(status_code=100, headers=[])))
            try:
                data = await self._reader.read(READ_BYTES)
            except ConnectionError:
                raise _ClientGone from None
            self._http.receive_data(data)

    async def _send(self, answer: Answer, *, close: bool = False) -> None:
        length = ("Content-Length", str(len(answer.body)))
        parts = [self._head(answer, length, *([("Connection", "close")] if close else []))]
        if not self._is_head:  # a HEAD is told the length and spared the body
            parts.append(self._http.send(h11.Data(data=answer.body)) or b"")
        parts.append(self._http.send(h11.EndOfMessage()) or b"")
        await self._write(b"".join(parts))

    async def _send_stream(self, stream: Stream) -> None:
        """Send chunk by chunk. h11 frames each, or lets the end of the connection be the end for HTTP/1.0."""
        if not self._streams.take():
            await stream.chunks.aclose()
            error = f"{self._streams.limit} streams are open, and no more may be"
            await self._send(as_error(503, error, "close one of them", headers={"Retry-After": "10"}), close=True)
            return
        try:
            # What the client sends meanwhile is thrown away, so no request can follow on this connection.
            await self._write(self._head(stream, ("Connection", "close")))
            if self._is_head or await pump(stream.chunks, self._send_chunk, self._reader):
                await self._write(self._http.send(h11.EndOfMessage()))
        finally:
            self._streams.give_back()
            await stream.chunks.aclose()

    async def _send_chunk(self, chunk: bytes) -> None:
        await self._write(self._http.send(h11.Data(data=chunk)))

    def _head(self, answer: Answer | Stream, *more: tuple[str, str]) -> bytes:
        headers = [
            ("Date", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())),
            ("Content-Type", answer.content_type),
            ("Cache-Control", "no-store"),
            *answer.headers.items(),
            *more,
        ]
        reason = PHRASES.get(answer.status, b"")
        return self._http.send(h11.Response(status_code=answer.status, reason=reason, headers=headers)) or b""

    async def _write(self, data: bytes | None) -> None:
        self._writer.write(data or b"")
        if not self._writer.transport.get_write_buffer_size():
            return  # the kernel has it all; if the client has gone, the next read says so
        try:
            async with asyncio.timeout(self._idle_seconds):
                await self._writer.drain()
        except (ConnectionError, TimeoutError):
            raise _ClientGone from None

    async def _linger(self) -> None:
        """Swallow what a refused client still sends: closing on unread data would take the answer away from it."""
        left = _LINGER_BYTES
        try:
            if self._writer.can_write_eof():
                self._writer.write_eof()
            async with asyncio.timeout(_LINGER_SECONDS):
                while left > 0 and (data := await self._reader.read(READ_BYTES)):
                    left -= len(data)
        except (OSError, TimeoutError):
            raise _ClientGone from None


def _size(head: h11.Request) -> int:
    """Bytes of a header, its line ends included."""
    first = len(head.method) + len(head.target) + len(" HTTP/1.1\r\n") + len(b" ")
    return first + sum(len(name) + len(value) + len(b": \r\n") for name, value in head.headers) + len(b"\r\n")


def _too_large() -> RequestError:
    return RequestError(413, f"the body is larger than {BODY_BYTES // 1024} KiB")
