"""One connection to the system bus: calls with a deadline, signals to one listener, foreign errors translated once.

A connection is not mended. Once it is lost (closed by the other side, a message that is no D-Bus, or a call that nobody
answered in time, after which nothing on it can be trusted to be answered) every call on it fails at once, and whoever
owns it makes another.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from jeepney import DBusAddress, MessageFlag, new_method_call
from jeepney.auth import BEGIN, AuthenticationError, Authenticator
from jeepney.bus import get_connectable_addresses

from healthd.errors import AccessDenied, BusError, BusLost, BusTimeout, NoSuchUnit
from healthd.systemd import wire

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from healthd.systemd.wire import Incoming

T = TypeVar("T")

# The system bus refuses the 129th unanswered call of a connection; half of that leaves room and keeps PID 1 responsive.
WINDOW: Final = 64

_LATE_TIMER: Final = 0.2  # seconds by which a timer is never late while the loop turns
_GRACE: Final = 1.0

_DEFAULT_ADDRESS: Final = "unix:path=/run/dbus/system_bus_socket"
_SYSTEMD: Final = "org.freedesktop.systemd1."
_DBUS: Final = "org.freedesktop.DBus.Error."

_DENIED: Final = frozenset({_DBUS + "AccessDenied", _DBUS + "InteractiveAuthorizationRequired", _DBUS + "AuthFailed"})
# systemd left the bus with the call in its hands (a re-execution), or is not on it: the same as no connection to it.
_GONE: Final = frozenset(_DBUS + name for name in ("NoReply", "ServiceUnknown", "NameHasNoOwner", "Disconnected"))
_LATE: Final = frozenset(_DBUS + name for name in ("Timeout", "TimedOut"))


@dataclass(frozen=True, slots=True)
class Request:
    """A method to call: on whom, which, with what. `body` is as jeepney takes it.

    `starts`: the bus may start the called service for it. That is not systemd, so that its silence says nothing about
    the connection.
    """

    destination: str
    path: str
    interface: str
    member: str
    signature: str = ""
    body: tuple[Any, ...] = ()
    starts: bool = False

    def serialise(self, serial: int) -> bytes:
        """The bytes to send."""
        address = DBusAddress(self.path, bus_name=self.destination, interface=self.interface)
        message = new_method_call(address, self.member, self.signature or None, self.body)
        if not self.starts:
            message.header.flags = MessageFlag.no_auto_start
        return bytes(message.serialise(serial=serial))


HELLO: Final = Request("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello")


@dataclass(slots=True)
class _Call:
    request: Request
    read: Callable[[Incoming], Any]
    reply: asyncio.Future[Any]
    timer: asyncio.TimerHandle
    sent: bool = False


def bus_address() -> str:
    """The socket of the system bus: DBUS_SYSTEM_BUS_ADDRESS, else the usual place. An abstract one begins with NUL."""
    text = os.environ.get("DBUS_SYSTEM_BUS_ADDRESS") or _DEFAULT_ADDRESS
    try:
        return str(next(iter(get_connectable_addresses(text))))
    except (RuntimeError, ValueError) as error:
        raise BusLost(f"the bus address {text!r} cannot be used: {error}") from error


def translated(name: str, text: str) -> BusError:
    """The error of our own tree for a D-Bus error."""
    if name in _DENIED:
        return AccessDenied(text, name=name)
    if name == _SYSTEMD + "UnitMasked" and "polkit.service" in text:
        # Not the unit that was asked for: systemd could not start polkit to ask whether we may.
        return AccessDenied(f"polkit cannot be asked: {text}", name=name)
    if name == _SYSTEMD + "NoSuchUnit":
        return NoSuchUnit(text, name=name)
    if name in _GONE:
        return BusLost(text, name=name)
    if name in _LATE:
        return BusTimeout(text, name=name)
    return BusError(text or name, name=name)


class Bus(asyncio.Protocol):
    """A connection. Made by `connect`; `on_signal` gets each signal in the order of arrival, from the loop.

    `lost` is a future that is done, with the reason, once the connection is gone.
    """

    def __init__(self, on_signal: Callable[[Incoming], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[BusLost] = self._loop.create_future()
        self._on_signal = on_signal
        self._authenticator: Authenticator | None = Authenticator()  # None once it has let us in
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._serial = 0
        self._calls: dict[int, _Call] = {}
        self._queue: deque[int] = deque()  # serials of the calls that wait for room in the window
        self._in_flight = 0

    @classmethod
    async def connect(cls, on_signal: Callable[[Incoming], None], *, deadline: float) -> Bus:
        """Connect, authenticate and say Hello, each within `deadline` seconds. Raises `BusLost` or `BusTimeout`."""
        path = bus_address()
        bus = cls(on_signal)
        try:
            async with asyncio.timeout(deadline):
                await bus._loop.create_unix_connection(lambda: bus, path)
            await bus.call(HELLO, deadline=deadline)
        except TimeoutError:
            raise BusTimeout(f"the bus at {path} does not accept connections") from None
        except OSError as error:
            raise BusLost(f"cannot connect to the bus at {path}: {error.strerror or error}") from error
        except BaseException:
            bus.close()
            raise
        return bus

    async def call(self, request: Request, *, deadline: float) -> tuple[Any, ...]:
        """The body of the answer. Raises the `BusError` that the answer translates to, or why there was none."""
        return await self.ask(request, wire.Incoming.body, deadline=deadline)

    async def ask(self, request: Request, read: Callable[[Incoming], T], *, deadline: float) -> T:
        """What `read` makes of the answer.

        `read` is called when the answer arrives, between the signals before and behind it: facts that it takes from the
        answer are never older than what those said.
        """
        if self.lost.done():
            raise BusLost(str(self.lost.result()))
        self._serial += 1
        serial = self._serial
        reply: asyncio.Future[T] = self._loop.create_future()
        end_by = self._loop.time() + deadline
        timer = self._loop.call_at(end_by, self._overdue, serial, end_by, deadline)
        self._calls[serial] = _Call(request, read, reply, timer)
        self._queue.append(serial)
        self._fill_window()
        return await reply

    def close(self) -> None:
        """Drop the connection; every call on it fails with `BusLost`."""
        self._lose("closed")

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's: the socket is connected."""
        self._transport = cast("asyncio.Transport", transport)
        if self.lost.done() or self._authenticator is None:
            self._transport.abort()
        else:
            self._transport.write(self._authenticator.data_to_send() or b"")

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio's: the socket is closed."""
        self._lose("the bus closed the connection" if exc is None else f"the connection to the bus broke: {exc}")

    def data_received(self, data: bytes) -> None:
        """asyncio's: bytes have come."""
        try:
            if self._authenticator is not None:
                self._authenticate(self._authenticator, data)
            else:
                self._buffer += data
                del self._buffer[: self._take_messages()]
        except AuthenticationError as error:
            self._lose(f"the bus refused us: {error}")
        except wire.Malformed as error:
            self._lose(f"the bus sent what is no D-Bus: {error}")

    def _authenticate(self, authenticator: Authenticator, data: bytes) -> None:
        authenticator.feed(data)
        if authenticator.authenticated and self._transport is not None:
            self._transport.write(BEGIN)
            self._authenticator = None
            self._fill_window()

    def _take_messages(self) -> int:
        """Handle the messages that are whole; returns the number of bytes they took."""
        at = 0
        while (size := wire.frame_size(self._buffer, at)) is not None and at + size <= len(self._buffer):
            message = wire.parse(bytes(self._buffer[at : at + size]))
            at += size
            if message.kind == wire.SIGNAL:
                self._on_signal(message)
            elif message.kind in (wire.METHOD_RETURN, wire.ERROR):
                self._answered(message)
            if self.lost.done():
                break
        return at

    # Calls

    def _fill_window(self) -> None:
        if self._authenticator is not None or self._transport is None:
            return
        while self._queue and self._in_flight < WINDOW:
            serial = self._queue.popleft()
            call = self._calls.get(serial)
            if call is None:
                continue
            if call.reply.done():  # its caller was cancelled meanwhile
                call.timer.cancel()
                del self._calls[serial]
                continue
            call.sent = True
            self._in_flight += 1
            self._transport.write(call.request.serialise(serial))

    def _answered(self, message: Incoming) -> None:
        call = self._calls.pop(message.reply_to, None)
        if call is None:
            return
        call.timer.cancel()
        self._in_flight -= 1
        if not call.reply.done():
            try:
                if message.kind == wire.ERROR:
                    call.reply.set_exception(translated(message.error, message.text()))
                else:
                    call.reply.set_result(call.read(message))
            except BaseException as error:  # whoever asked must not wait for ever; what to make of it is said elsewhere
                call.reply.set_exception(BusError(f"the answer to {call.request.member} is unreadable: {error}"))
                raise
        self._fill_window()

    def _overdue(self, serial: int, end_by: float, deadline: float) -> None:
        now = self._loop.time()
        if now > end_by + _LATE_TIMER:  # this process stood still: the answer may well lie in the socket
            self._calls[serial].timer = self._loop.call_at(now + _GRACE, self._overdue, serial, now + _GRACE, deadline)
            return
        call = self._calls.pop(serial)
        reason = f"{call.request.member} was not answered within {deadline:g} s"
        if not call.reply.done():
            call.reply.set_exception(BusTimeout(reason))
        if call.sent and call.request.starts:
            self._in_flight -= 1
            self._fill_window()
        elif call.sent:  # one that never left the window says nothing about the connection; those before it will
            self._lose(reason)

    def _lose(self, reason: str) -> None:
        if self.lost.done():
            return
        self.lost.set_result(BusLost(reason))
        if self._transport is not None:
            self._transport.abort()
        calls, self._calls = self._calls, {}
        self._queue.clear()
        for call in calls.values():
            call.timer.cancel()
            if not call.reply.done():
                call.reply.set_exception(BusLost(reason))


async def together(questions: Iterable[Awaitable[Any]]) -> list[Any]:
    """The answers to all of them, asked at once. The first error is raised when every question has ended."""
    answers = await asyncio.gather(*questions, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return answers
